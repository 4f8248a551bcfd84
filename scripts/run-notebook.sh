#!/usr/bin/env bash
# Runs the example notebook on a synthetic cohort, and keeps what it shows in it.
#
#     pip install duckdb pandas nbconvert ipykernel
#     scripts/run-notebook.sh EXTENSION ESCCSQL
#
# EXTENSION is what scripts/build-extension.sh made, ESCCSQL the program, which makes the cohort. Fails where a cell fails.
set -euo pipefail
extension=$(realpath "$1")
esccsql=$(realpath "$2")
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$esccsql" synth --out "$folder/cohort" --patients 60 --size small
ESCCSQL_EXTENSION=$extension ESCCSQL_COHORT=$folder/cohort python3 -m nbconvert --to notebook --execute --inplace \
  --ExecutePreprocessor.record_timing=False examples/python/radiomics_survival.ipynb
if grep -q "$folder" examples/python/radiomics_survival.ipynb; then
  echo "the notebook shows a path of this machine" >&2
  exit 1
fi
