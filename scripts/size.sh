#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds examples/bare_metal.c as a static, stripped program with the operators of one model alone,
# and says how many bytes of code and data come from libmedulla.a.
# usage: scripts/size.sh MODEL.mdl [KERNEL_ISAS]
#   KERNEL_ISAS  as MEDULLA_KERNEL_ISAS, default all
set -euo pipefail
[ $# -ge 1 ] || { sed -n '/^# usage/,/^#   /s/^# //p' "$0" >&2; exit 2; }
model=$(realpath "$1") isas=${2:-all}
cd "$(dirname "$0")/.."
build=$PWD/build/size

[ -x build/release/bin/medulla ] || {
  echo "size: build the command first: cmake --preset release && cmake --build --preset release" >&2
  exit 1
}
ops=$(build/release/bin/medulla inspect --ops "$model")
echo "size: building the library with: ${ops//;/ }"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=MinSizeRel -DMEDULLA_OPS="$ops" \
  -DMEDULLA_KERNEL_ISAS="$isas" -DMEDULLA_BACKENDS=cpu -DMEDULLA_THREADS=OFF \
  -DMEDULLA_CPUINFO=OFF >/dev/null
cmake --build "$build"

program=$build/bare_metal
cc -Os -std=gnu99 -Iinclude -DMODEL_FILE="\"$model\"" -ffunction-sections -fdata-sections -c examples/bare_metal.c -o "$program.o"
c++ -static -s -Wl,--gc-sections -Wl,-Map="$program.map" "$program.o" \
  "$(find "$build" -name libmedulla.a)" -lm -o "$program"

# The map names each section's size and the file it came from; a long name stands on its own line.
declare -A bytes=()
while read -r kind size; do
  bytes[$kind]=$((${bytes[$kind]:-0} + size))
done < <(awk '
  /^Linker script and memory map/ { on = 1 }
  !on { next }
  NF == 1 && /^ \./ { section = $1; next }
  NF >= 4 && /^ \./ { section = $1; size = $3; file = $4 }
  NF == 3 && /^ +0x/ { size = $2; file = $3 }
  size != "" {
    if (section ~ /^\.(text|rodata|data|bss|init_array|eh_frame)/ &&
        file ~ /libmedulla\.a/) {
      split(section, part, ".")
      print part[2], size
    }
    section = size = file = ""
  }' "$program.map")

total=0
for kind in "${!bytes[@]}"; do
  printf '%-12s %8d\n' "$kind" "${bytes[$kind]}"
  [ "$kind" = bss ] || total=$((total + bytes[$kind]))
done
printf '%-12s %8d bytes of code and data\n' Medulla "$total"
echo "whole program    $(stat -c %s "$program") bytes, with operators: ${ops//;/ }"
