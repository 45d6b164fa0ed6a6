#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs through apt what is missing to build and test Medulla (Debian 12, Debian 13 and kin).
# usage: scripts/setup.sh [--cross] [--check] [--python]
#   --cross  also what the aarch64 preset needs (cross compiler, emulator)
#   --check  also what the checks need (clang, clang-format, clang-tidy, shellcheck, doxygen,
#            and Bochs for CPUs that are not here, in build/bochs3 where the system's is old)
#   --python also what building the Python package needs
set -euo pipefail
cd "$(dirname "$0")/.."

options=("$@")
packages=(
  g++ cmake ninja-build ccache pkg-config
  flatbuffers-compiler libflatbuffers-dev libpthreadpool-dev libcpuinfo-dev
  catch2 libbenchmark-dev
  libcli11-dev nlohmann-json3-dev libstb-dev
  libonnx-dev libonnx-testdata libprotobuf-dev protobuf-compiler
  python3-numpy
)
for option in "$@"; do
  case $option in
    --cross) packages+=(g++-aarch64-linux-gnu qemu-user) ;;
    --check) packages+=(bochs bochs-term clang libclang-rt-dev clang-format clang-tidy shellcheck doxygen) ;;
    --python) packages+=(python3-dev python3-venv) ;;
    *) echo "setup: unknown option $option; known: --cross --check --python" >&2; exit 2 ;;
  esac
done

# Without a Bochs 3 the tests that need it are skipped.
finish() {
  for option in "${options[@]}"; do
    if [ "$option" = --check ]; then scripts/bochs3.sh || echo "setup: no Bochs 3"; fi
  done
  exit 0
}

if ! command -v apt-get >/dev/null; then
  echo "setup: no apt here; if the build misses something, install: ${packages[*]}"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: everything is installed"
  finish
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "setup: as root, run: apt-get install ${missing[*]}" >&2
    exit 1
  }
  sudo=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${sudo[@]}" apt-get update -q
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}"
echo "setup: done"
finish
