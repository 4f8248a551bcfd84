#!/usr/bin/env bash
# Builds esccsql with CUDA. The program starts with and without an NVIDIA driver, and computes on the CPU where there is no GPU.
#
#     scripts/build-cuda.sh [CARGO ARGUMENTS]                  with the CUDA toolkit of this machine (CUDA_HOME, or nvcc on the PATH)
#     scripts/build-cuda.sh --from-pypi [CARGO ARGUMENTS]      with NVIDIA's packages from PyPI: 1.2 GB into target/cuda, nothing elsewhere
#
# The cargo arguments follow `cargo build --release --features cuda`; a first argument `test` or `build` replaces `build`.
# CUDA_COMPUTE_CAP (default 80) is the oldest GPU that the program runs on; the driver translates for newer ones.
# Linux on x86-64. docs/cuda.md says more.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "$@" >&2
  exit 1
}
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "the stand-ins of scripts/cuda-standins.py are for Linux on x86-64; this is $(uname -s) $(uname -m)"
command -v cc >/dev/null || fail "no C compiler: install gcc or clang"
work=$PWD/${CARGO_TARGET_DIR:-target}/cuda
[[ ${CARGO_TARGET_DIR:-target} != /* ]] || work=$CARGO_TARGET_DIR/cuda
mkdir -p "$work"

if [ "${1:-}" = --from-pypi ]; then
  shift
  # One release of the toolkit: the version of cudarc that candle takes knows CUDA up to 13.4, and the newest packages are later.
  release=13.0
  packages=(nvidia-cuda-nvcc==$release.88 nvidia-nvvm==$release.88 nvidia-cuda-crt==$release.88 "nvidia-cuda-runtime==$release.*"
    "nvidia-cuda-cccl==$release.*" "nvidia-cuda-nvrtc==$release.*" "nvidia-cublas==$release.*" "nvidia-curand==10.4.0.*")
  python=$work/python
  [ -x "$python/bin/pip" ] || python3 -m venv "$python"
  "$python/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "${packages[@]}"
  toolkit=$(echo "$python"/lib/python3*/site-packages/nvidia/cu13)
elif [ -n "${CUDA_HOME:-}" ]; then
  toolkit=$CUDA_HOME
elif command -v nvcc >/dev/null; then
  toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")
else
  fail "no CUDA toolkit: set CUDA_HOME, put nvcc on the PATH, or let this script fetch it: $0 --from-pypi"
fi
[ -x "$toolkit/bin/nvcc" ] || fail "$toolkit has no bin/nvcc: is it a CUDA toolkit?"
runtime=$(find -L "$toolkit" -name libcudart_static.a 2>/dev/null | head -1)
[ -n "$runtime" ] || fail "$toolkit has no libcudart_static.a: install the toolkit's development files"

# A toolkit to link against: the compiler and headers of the real one, and for each of its libraries a stand-in that finds the real
# library when the program starts. Linked to the real ones, the program would not start where there is no driver.
rm -rf "$work/toolkit"
mkdir -p "$work/toolkit/lib64"
for part in bin include nvvm; do
  [ ! -e "$toolkit/$part" ] || ln -s "$toolkit/$part" "$work/toolkit/$part"
done
ln -s "$runtime" "$work/toolkit/lib64/libcudart.a"
ln -s "$runtime" "$work/toolkit/lib64/libcudart_static.a"
cargo fetch --quiet --locked
cudarc=$(cargo metadata --format-version 1 --locked --features cuda |
  python3 -c 'import json, os, sys; print(next(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"] if p["name"] == "cudarc"))')
python3 scripts/cuda-standins.py "$cudarc/src" "$work/toolkit/lib64"

command=build
case "${1:-}" in build | test)
  command=$1
  shift
  ;;
esac
export CUDA_HOME=$work/toolkit CUDA_PATH=$work/toolkit CUDA_ROOT=$work/toolkit NVCC=$work/toolkit/bin/nvcc
export PATH=$work/toolkit/bin:$PATH CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-80}
cargo "$command" --release --features cuda "$@"
