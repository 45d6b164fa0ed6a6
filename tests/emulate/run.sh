#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a static x86-64 program on a CPU that this machine need not have, under Bochs: there is no
# operating system, runner.c answers the system calls of a test without threads and files. Prints
# what the program prints and returns its status; 128 + signal after a fault (132: an instruction
# that the CPU lacks); 124 when it does not end in time.
# 77 where no Bochs that has this CPU is installed, or in build/bochs3 (scripts/bochs3.sh).
# usage: tests/emulate/run.sh CPU SECONDS PROGRAM [ARGUMENT...]
#   CPU as Bochs has it: corei7_skylake_x (AVX-512 without VNNI), tigerlake (AVX512-VNNI), and from
#   3.0 on arrow_lake (AVX-VNNI without AVX-512), sapphire_rapids (AMX too)
set -euo pipefail
cpu=$1 limit=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# has_cpu COMMAND...: whether this Bochs knows the CPU; what it says of itself is left in $work/help.
has_cpu() {
  "$@" --help cpu >"$work/help" 2>&1 </dev/null && grep -qx "$cpu" "$work/help"
}
bochs=(bochs-bin)
if ! has_cpu "${bochs[@]}"; then
  # Debian 13's Bochs with its C library; its other libraries are the system's.
  folder=$here/../../build/bochs3/usr
  libraries=$folder/lib/x86_64-linux-gnu
  export LTDL_LIBRARY_PATH=$libraries/bochs/plugins
  bochs=("$libraries/ld-linux-x86-64.so.2" --library-path
         "$libraries:/usr/lib/x86_64-linux-gnu" "$folder/bin/bochs-bin")
  if ! has_cpu "${bochs[@]}"; then
    echo "$0: skipped: no Bochs that has the CPU $cpu is here (package bochs, scripts/bochs3.sh)"
    exit 77
  fi
fi
rom_bytes=$((2 << 20))  # all that 2.7 takes
if grep -q 'Emulator [3-9]' "$work/help"; then rom_bytes=$((4 << 20)); fi

strip -o "$work/program" "$1"
program_bytes=$(stat -c %s "$work/program")
printf '%s\0' "$@" >"$work/arguments"
room=$((rom_bytes - 0x10000 - 16 - $(stat -c %s "$work/arguments")))  # the runner is at the end
if [ "$program_bytes" -gt $room ]; then
  echo "$0: $1 has $program_bytes bytes when stripped, the ROM holds $room" >&2
  exit 2
fi
cd "$work"
cc -c -Wa,--defsym,ROM_KERNEL=0xffff0000,--defsym,KERNEL_SIZE=0xf000 "$here/boot.S" -o boot.o
for part in runner signed_dot; do
  cc -c -O2 -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only \
    -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -Wall -Wextra -Werror \
    -DROM_BYTES=$rom_bytes -I "$here/../.." "$here/$part.c" -o $part.o
done
ld -nostdlib -static --no-warn-rwx-segments -T "$here/rom.ld" boot.o runner.o signed_dot.o -o runner.elf
word() { printf '%08x' "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)/\\x\4\\x\3\\x\2\\x\1/'; }
# shellcheck disable=SC2059
printf "$(word "$program_bytes")$(word $#)$(word "$(stat -c %s arguments)")$(word 0)" >rom
cat program arguments >>rom
truncate -s "$rom_bytes" rom
for part in text:0x10000 rom16:0x100 reset:0x10; do  # bytes before the end
  objcopy -O binary -j ".${part%:*}" runner.elf part
  dd if=part of=rom bs=64K oflag=seek_bytes seek=$((rom_bytes - ${part#*:})) conv=notrunc status=none
done

cat >bochsrc <<END
config_interface: textconfig
display_library: rfb, options="timeout=0"
memory: guest=512, host=512
cpu: model=$cpu, count=1, ips=20000000, reset_on_triple_fault=0
romimage: file=$work/rom
vgaromimage: file=/usr/share/vgabios/vgabios.bin
boot: disk
clock: sync=none
port_e9_hack: enabled=1
log: $work/log
panic: action=fatal
END
# The "c" starts Debian 12's Bochs, which stops in its debugger.
timeout "$limit" "${bochs[@]}" -q -f bochsrc <<<c >out 2>err || true
sed -n '1,/@@start$/d; /^@@exit /q; p' out | sed '$ { /^$/d }'
status=$(sed -n 's/^@@exit 0*\([0-9][0-9]*\).*/\1/p' out | tail -n 1)
if [ -z "$status" ]; then
  echo "$0: the program did not end within $limit s, or Bochs failed:" >&2
  tail -n 4 out log err >&2 || true
  exit 124
fi
exit "$status"
