# SPDX-License-Identifier: Apache-2.0
# libhufu as other programs link it: a shared library that exports the functions of include/hufu/ and
# nothing else, a static one in which everything else is local to one object, and what finds them
# (pkg-config, CMake). Included by the top CMakeLists.txt.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(HUFU_SOVERSION 0) # rises when a program that was linked before would no longer run
set(HUFU_MAP ${CMAKE_CURRENT_LIST_DIR}/libhufu.map)

add_library(libhufu SHARED $<TARGET_OBJECTS:hufu_sdk>)
add_library(hufu::hufu ALIAS libhufu)
set_target_properties(libhufu PROPERTIES
    OUTPUT_NAME hufu VERSION ${PROJECT_VERSION} SOVERSION ${HUFU_SOVERSION}
    LINKER_LANGUAGE C LINK_DEPENDS ${HUFU_MAP})
target_include_directories(libhufu INTERFACE ${PROJECT_SOURCE_DIR}/include)
# Floors that the SDK does not come to need are not linked, nor are their libraries.
target_link_options(libhufu PRIVATE
    -Wl,--version-script=${HUFU_MAP} -Wl,--gc-sections -Wl,--as-needed)
if(NOT HUFU_SANITIZE)
    target_link_options(libhufu PRIVATE -Wl,--no-undefined)
endif()
target_link_libraries(libhufu PRIVATE hufu_svc)
hufu_add_integrity(libhufu)

# All that is needed in one object, whose inner names are made local.
foreach(layer IN LISTS HUFU_LAYERS)
    if(NOT layer MATCHES "^(sdk|net)$")
        list(APPEND archives $<TARGET_FILE:hufu_${layer}>)
        list(APPEND archive_targets hufu_${layer})
    endif()
endforeach()
# Its users may have the integrity record written into their programs, with hufu-integrity.
add_library(hufu_record_later OBJECT ${PROJECT_SOURCE_DIR}/src/crypto/record/integrity_later.c)
target_link_libraries(hufu_record_later PRIVATE hufu_flags)
set(object ${PROJECT_BINARY_DIR}/libhufu.o)
set(archive ${PROJECT_BINARY_DIR}/libhufu.a)
add_custom_command(OUTPUT ${archive}
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${object} $<TARGET_OBJECTS:hufu_sdk>
        $<TARGET_OBJECTS:hufu_record_later>
        -Wl,--start-group ${archives} -Wl,--end-group
    COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=hufu_* ${object}
    COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
    COMMAND ${CMAKE_AR} rcs ${archive} ${object}
    DEPENDS hufu_sdk ${archive_targets} $<TARGET_OBJECTS:hufu_sdk>
        $<TARGET_OBJECTS:hufu_record_later>
    COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Making one object of libhufu.a")
add_custom_target(libhufu_static ALL DEPENDS ${archive})

# Both packages find their files from where they lie themselves, so an installation can be moved.
file(RELATIVE_PATH HUFU_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/hufu.pc.in ${PROJECT_BINARY_DIR}/hufu.pc @ONLY)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/hufu-config.cmake.in
    ${PROJECT_BINARY_DIR}/hufu-config.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/hufu
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hufu-config-version.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)

install(TARGETS libhufu LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
install(TARGETS hufu_integrity COMPONENT sdk)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/hufu
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_BINARY_DIR}/hufu.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
install(FILES ${PROJECT_BINARY_DIR}/hufu-config.cmake ${PROJECT_BINARY_DIR}/hufu-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/hufu COMPONENT sdk)
install(FILES ${PROJECT_SOURCE_DIR}/docs/man/hufu_model_open.3
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT sdk)
