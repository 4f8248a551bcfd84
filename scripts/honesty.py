#!/usr/bin/env python3
"""Is the study honest? Runs it on many small synthetic cohorts, with the planted effect and without.

Without an effect nothing in the records or the images is related to survival: the test cohort's C-index of every model
must average 0.5 within two standard errors. With the default effect Delta_radiomics and DL_Longitudinal must beat Clinical on
average; there the scans are of full size, since the planted change of texture drowns in a miniature's few voxels.

    scripts/honesty.py [--esccsql target/release/esccsql] [--seeds 20] [--patients 160] [--effects 0 1] [--set name=value]...

Exit status 0 only when both hold. Needs no package beyond Python's own.
"""

import argparse
import csv
import io
import math
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODELS = ["Clinical", "Delta_radiomics", "DL_Pre", "DL_Post", "DL_Longitudinal", "Fusion"]
BETTER = ["Delta_radiomics", "DL_Longitudinal"]
COHORT = "cohort = 'test'"


def study(esccsql: str, folder: Path, seed: int, effect: float, patients: int, extra: list[str]) -> dict[str, float]:
    """The test cohort's C-index of each model in one cohort."""
    variables = [f"seed={seed}", f"effect={effect}", f"patients={patients}", f"size={'full' if effect else 'small'}", "resamples=2", *extra]
    command = [esccsql, "run", str(ROOT / "sql/study.sql"), "--db", "study.duckdb"]
    for variable in variables:
        command += ["--set", variable]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"seed {seed}, effect {effect}: the study failed\n{run.stderr}")
    query = f"SELECT model, c_index.estimate AS c FROM discrimination WHERE {COHORT}"
    answer = subprocess.run(
        [esccsql, "query", "--db", "study.duckdb", "--format", "csv", query], cwd=folder, capture_output=True, text=True, check=True
    )
    return {row["model"]: float(row["c"]) for row in csv.DictReader(io.StringIO(answer.stdout))}


def mean_and_error(values: list[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--esccsql", default=str(ROOT / "target/release/esccsql"), help="the program")
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--patients", type=int, default=160)
    arguments.add_argument("--effects", type=float, nargs="+", default=[0.0, 1.0], help="planted effects")
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of the study")
    chosen = arguments.parse_args()
    if chosen.seeds < 2:
        arguments.error("--seeds: a standard error needs at least 2")

    failures = []
    print(f"{'effect':>6}  {'model':<26} {'C-index':>8} {'std err':>8}   {chosen.seeds} cohorts of {chosen.patients} patients")
    for effect in chosen.effects:
        found = {model: [] for model in MODELS}
        for seed in range(1, chosen.seeds + 1):
            with tempfile.TemporaryDirectory() as folder:
                for model, c_index in study(chosen.esccsql, Path(folder), seed, effect, chosen.patients, chosen.set).items():
                    found[model].append(c_index)
        for model, values in found.items():
            mean, error = mean_and_error(values)
            print(f"{effect:>6}  {model:<26} {mean:>8.3f} {error:>8.3f}", flush=True)
            if effect == 0 and abs(mean - 0.5) > 2 * error:
                failures.append(f"{model} finds signal where there is none: {mean:.3f} +- {error:.3f}")
        if effect > 0:
            for model in BETTER:
                mean, error = mean_and_error([ours - clinical for ours, clinical in zip(found[model], found["Clinical"])])
                print(f"{effect:>6}  {model + ' - Clinical':<26} {mean:>8.3f} {error:>8.3f}")
                if mean <= 0:
                    failures.append(f"{model} does not beat Clinical: {mean:.3f} +- {error:.3f}")
    for failure in failures:
        print(f"FAILED  {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
