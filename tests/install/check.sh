#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs Medulla and builds consumer/ against it, through the CMake package and through
# pkg-config, in C and in C++.
# usage: check.sh static|shared|small SOURCE_DIR BUILD_DIR
#   static  what BUILD_DIR holds is installed
#   shared  a shared library is configured as a user would, built below BUILD_DIR and installed
#   small   likewise, with few operators, portable kernels and nothing else that can be left out
set -euo pipefail
kind=$1 source=$2 build=$3
work=$build/tests/install/$kind
prefix=$work/prefix
rm -rf "$prefix" "$prefix.moved" "$work/consumer" "$work/consumer_c"
mkdir -p "$work"

case $kind in
  static) options=() ;;
  shared) options=(-DBUILD_SHARED_LIBS=ON) ;;
  small) options=("-DMEDULLA_OPS=Conv;Relu" -DMEDULLA_KERNEL_ISAS=portable -DMEDULLA_BACKENDS=cpu
                  -DMEDULLA_THREADS=OFF -DMEDULLA_CPUINFO=OFF) ;;
esac
if [ "$kind" != static ]; then
  cmake -S "$source" -B "$work/library" -G Ninja "${options[@]}"
  cmake --build "$work/library"
  build=$work/library
fi
cmake --install "$build" --prefix "$prefix"
# A package that names the place where it was built or installed cannot be moved.
mv "$prefix" "$prefix.moved"
prefix=$prefix.moved
if grep -rIl -e "$source" -e "$work/prefix/" "$prefix"; then
  echo "install $kind: the files above name the source or the build tree" >&2
  exit 1
fi

cmake -S "$source/tests/install/consumer" -B "$work/consumer" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
cmake --build "$work/consumer"
"$work/consumer/c_program"
"$work/consumer/cc_program"
# A project without C++.
cmake -S "$source/tests/install/consumer" -B "$work/consumer_c" -G Ninja -DWITH_CXX=OFF \
      -DCMAKE_PREFIX_PATH="$prefix"
cmake --build "$work/consumer_c"
"$work/consumer_c/c_program"

pc=$(find "$prefix" -name medulla.pc)
export PKG_CONFIG_PATH=${pc%/*} LD_LIBRARY_PATH=${pc%/pkgconfig/*}
read -ra flags < <(pkg-config --cflags --libs medulla)
consumer=$source/tests/install/consumer
cc -std=c99 -Wall -Wextra -Werror "$consumer/program.c" "${flags[@]}" -o "$work/c_program"
c++ -std=c++17 -Wall -Wextra -Werror "$consumer/program.cc" "${flags[@]}" -o "$work/cc_program"
"$work/c_program"
"$work/cc_program"
rm -rf "$prefix"
echo "install $kind: consumers build and run"
