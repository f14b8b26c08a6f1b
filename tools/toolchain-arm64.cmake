# SPDX-License-Identifier: Apache-2.0
# Cross-compiling for AArch64 on Debian with the packages of its arm64 architecture; programs run under
# qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
set(HUFU_EMULATED_CPUS cortex-a57) # has no instructions for SM3 and SM4; the emulator's default has
string(JOIN ":" dirs ${CMAKE_CURRENT_LIST_DIR}/arm64 /usr/lib/aarch64-linux-gnu/pkgconfig
    /usr/share/pkgconfig)
set(ENV{PKG_CONFIG_LIBDIR} ${dirs})
