#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fills build/bochs3 with Debian 13's Bochs and its C library, for a Debian 12 that has its own
# package bochs installed: that one's other libraries serve both. The packages are unpacked, not
# installed, and this machine's package sources stay as they are.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/build/bochs3
if [ -x "$folder/usr/bin/bochs-bin" ]; then
  echo "bochs3: $folder is complete"
  exit 0
fi
if bochs-bin --help 2>&1 </dev/null | grep -q 'Emulator [3-9]'; then
  echo "bochs3: the installed Bochs is new enough"
  exit 0
fi

keys=/usr/share/keyrings/debian-archive-keyring.gpg
# The mirror of the system's own sources, in either of their forms.
mirror=$(sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1 || true)
if [ -z "$mirror" ] || [ ! -f "$keys" ]; then
  echo "bochs3: no Debian mirror in this machine's package sources" >&2
  exit 1
fi

work=$PWD/build/apt-bochs3
rm -rf "$work" "$folder"
mkdir -p "$work"/{lists/partial,archives/partial,root}
touch "$work/status"
echo "deb [signed-by=$keys] $mirror trixie main" >"$work/sources.list"
apt=(apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
     -o Dir::State="$work" -o Dir::State::status="$work/status" -o Dir::Cache="$work"
     -o APT::Sandbox::User=)
"${apt[@]}" update
(cd "$work" && "${apt[@]}" download bochs libc6)
for package in "$work"/*.deb; do
  dpkg -x "$package" "$work/root"
done
mv "$work/root" "$folder"
rm -rf "$work"
echo "bochs3: filled $folder"
