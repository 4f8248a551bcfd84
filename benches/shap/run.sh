#!/usr/bin/env bash
# Times exact SurvSHAP(t) beside python survshap; see README.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"$python" benches/shap/data.py > "$work/cohort.csv"
cargo bench -q -p esccsql-survival --bench shap -- "$work/cohort.csv" > "$work/ours.json"
echo "ours: $(cat "$work/ours.json")"
"$python" benches/shap/survshap_package.py "$work/cohort.csv" "${ROWS:-2}" > "$work/theirs.json"
echo "survshap: $(cat "$work/theirs.json")"
"$python" - "$work" <<'END'
import json, pathlib, sys
work = pathlib.Path(sys.argv[1])
ours, theirs = (json.loads((work / name).read_text()) for name in ("ours.json", "theirs.json"))
for name, key in (("survshap, one path", "sampling_seconds"), ("shap.TreeExplainer", "tree_explainer_seconds")):
    print(f"{name}: {theirs[key] / ours['median_seconds']:.0f} times our time")
END
