# SPDX-License-Identifier: Apache-2.0
# Cross build for arm64; scripts/sysroot-arm64.sh fills the sysroot with what the build links.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

cmake_path(SET sysroot NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../build/sysroot-arm64")
set(CMAKE_FIND_ROOT_PATH "${sysroot}")
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,${sysroot}/usr/lib/aarch64-linux-gnu")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${CMAKE_EXE_LINKER_FLAGS_INIT}")

# -L: where the emulated loader finds the C library, which the cross compiler's package carries.
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-aarch64 -cpu max -L /usr/aarch64-linux-gnu
    -E "LD_LIBRARY_PATH=${sysroot}/usr/lib/aarch64-linux-gnu")
