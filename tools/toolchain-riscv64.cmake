# SPDX-License-Identifier: Apache-2.0
# Cross-compiling for 64-bit RISC-V with Debian's compiler; programs run under qemu-user. Debian 12 has
# no libraries for it beyond libc: tests that need others are skipped.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(CMAKE_C_COMPILER riscv64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv64 -L /usr/riscv64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/riscv64-linux-gnu/pkgconfig)
