#!/usr/bin/env bash
# Builds esccsql.duckdb_extension for this machine: the functions for DuckDB 1.5.6 and later, in Python, R or the CLI.
#
#     scripts/build-extension.sh [FOLDER]        default: target/extension
#
# Beside it goes probes.duckdb_extension, of functions that fail on purpose, for scripts/test-extension.py.
#
# In Python: con = duckdb.connect(config={'allow_unsigned_extensions': True}); con.load_extension('target/extension/esccsql.duckdb_extension')
set -euo pipefail
cd "$(dirname "$0")/.."

case "$(uname -s)-$(uname -m)" in
Linux-x86_64) platform=linux_amd64 suffix=so ;;
Linux-aarch64) platform=linux_arm64 suffix=so ;;
Darwin-arm64) platform=osx_arm64 suffix=dylib ;;
Darwin-x86_64) platform=osx_amd64 suffix=dylib ;;
*)
  echo "no name for this platform ($(uname -s) $(uname -m)): add it to $0" >&2
  exit 1
  ;;
esac
folder=${1:-target/extension}
floor=v1.5.6
version=v$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)

cargo build --release -p esccsql-extension --lib --example probes
built=${CARGO_TARGET_DIR:-target}/release
mkdir -p "$folder"

# DuckDB's footer: eight fields of 32 bytes, the last first, and room for a signature of 256 bytes.
field() {
  printf '%s' "$1"
  head -c $((32 - ${#1})) /dev/zero
}
finish() {
  local library=$1 extension=$2
  cp "$library" "$extension.unfinished"
  {
    for value in '' '' '' C_STRUCT "$version" "$floor" "$platform" 4; do field "$value"; done
    head -c 256 /dev/zero
  } >>"$extension.unfinished"
  mv "$extension.unfinished" "$extension"
  echo "$extension: $platform, DuckDB $floor or later"
}
finish "$built/libesccsql_extension.$suffix" "$folder/esccsql.duckdb_extension"
finish "$built/examples/libprobes.$suffix" "$folder/probes.duckdb_extension"
