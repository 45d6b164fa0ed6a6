#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fills build/sysroot-arm64 with the arm64 libraries and headers that the aarch64 preset links.
# The packages are unpacked, not installed: some cannot be installed beside their amd64 twins, and
# neither root nor a change of this machine's package state is needed.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(libpthreadpool-dev libcpuinfo-dev libflatbuffers-dev catch2 libbenchmark-dev
          libcli11-dev nlohmann-json3-dev libstb-dev libonnx-dev libprotobuf-dev)
sysroot=$PWD/build/sysroot-arm64
stamp=$sysroot/.packages

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "${packages[*]}" ]; then
  echo "sysroot: $sysroot is complete"
  exit 0
fi

work=$PWD/build/apt-arm64
rm -rf "$sysroot" "$work"
mkdir -p "$sysroot" "$work"/{lists/partial,archives/partial,deb}
touch "$work/status"
apt=(apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64
     -o Dir::State="$work" -o Dir::State::status="$work/status" -o Dir::Cache="$work"
     -o APT::Sandbox::User=)

"${apt[@]}" update
# What the packages depend on, without what the cross compiler carries (libc, libstdc++, libgcc).
needed=$("${apt[@]}" install --simulate --no-install-recommends "${packages[@]}" |
  sed -n 's/^Inst \([^ ]*\).*/\1/p' |
  grep -Ev '^(libc6|libc6-dev|libc-dev-bin|linux-libc-dev|libcrypt.*|libstdc\+\+.*|libgcc-.*|gcc-.*|libnsl.*|libtirpc.*|rpcsvc-proto)$')
(cd "$work/deb" && xargs "${apt[@]}" download <<<"$needed")
for package in "$work"/deb/*.deb; do
  dpkg -x "$package" "$sysroot"
done
# /lib is a link to /usr/lib on the target; packages that still use it must land there too.
if [ -d "$sysroot/lib" ] && [ ! -L "$sysroot/lib" ]; then
  cp -a "$sysroot/lib/." "$sysroot/usr/lib/"
  rm -rf "${sysroot:?}/lib"
fi
ln -sfn usr/lib "$sysroot/lib"
rm -rf "$work"
echo "${packages[*]}" >"$stamp"
echo "sysroot: filled $sysroot"
