# SPDX-License-Identifier: Apache-2.0
# Cross-compiling for 32-bit ARM with Debian's compiler; programs run under qemu-user. Libraries of
# Debian's armhf architecture are used if they are there, and tests that need them are skipped if not.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm -L /usr/arm-linux-gnueabihf)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/arm-linux-gnueabihf/pkgconfig)
