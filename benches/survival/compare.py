"""Times our survival kernels and their peers on the same data, one thread each, one after the other, and prints the ratios.

    cargo build --release -p esccsql-survival --example survival_bench
    python compare.py target/release/examples/survival_bench [--sizes 1000 10000 ...] [--wide] [--data CSV ...] [--repeats 5] [--r-library DIR]

The peers (scikit-survival and adelie for this Python, R with survival, randomForestSRC or else ranger) are left out when they are
not installed. All figures are medians of wall time. A ratio above 1 means that ours is faster.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def simulate(path, n, p, seed=7):
    """Weibull times of 3 columns, some 40 percent censored, times to two decimals, so that there are some ties."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    risk = np.exp(0.6 * x[:, 0] - 0.4 * x[:, 1] + 0.3 * x[:, min(2, p - 1)])
    died = 1000 * rng.exponential(size=n) / risk
    left = 1500 * rng.exponential(size=n)
    time = np.ceil(100 * np.minimum(died, left)) / 100
    header = ",".join(["time", "status", *(f"x{j + 1}" for j in range(p))])
    np.savetxt(path, np.column_stack([time, died <= left, x]), delimiter=",", fmt="%.9g", header=header, comments="")


def lines(command):
    threads = {name: "1" for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    done = subprocess.run(command, env={**os.environ, **threads}, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{command[0]} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    for line in done.stdout.splitlines():
        if line.count(",") != 4:
            continue
        task, name, n, p, seconds = line.split(",")
        peer, _, task = task.rpartition(":")
        yield peer, task, name, int(n), int(p), float(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10_000, 100_000], help="rows of the simulated narrow data")
    parser.add_argument("--wide", action="store_true", help="also 5000 x 2000")
    parser.add_argument("--data", nargs="*", default=[], help="CSV files of one's own: time, status, x...")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those that are here already")
    parser.add_argument("--r-library", help="an R library that has randomForestSRC")
    options = parser.parse_args()
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for file in options.data:
            shutil.copy(file, folder)
        wanted = [(f"narrow_{n:07}.csv", n, 30 if n <= 100_000 else 5) for n in options.sizes]
        for name, n, p in wanted + ([("wide.csv", 5000, 2000)] if options.wide else []):
            if not (folder / name).exists():
                simulate(folder / name, n, p)
        arguments = [str(folder), str(options.repeats)]
        ours = {(task, name): (n, p, s) for _, task, name, n, p, s in lines([options.bench, *arguments])}
        theirs = list(lines([sys.executable, str(here / "peers.py"), *arguments]))
        if shutil.which("Rscript"):
            theirs += lines(["Rscript", str(here / "peers.R"), *arguments, *([options.r_library] if options.r_library else [])])
    print(f"{'task':20} {'data':28} {'n':>8} {'p':>5} {'ours s':>10}")
    for (task, name), (n, p, s) in ours.items():
        print(f"{task:20} {name:28} {n:8} {p:5} {s:10.5f}")
        for peer, their_task, their_name, _, _, seconds in theirs:
            if (their_task, their_name) == (task, name):
                print(f"{'':20} {peer:28} {'':8} {'':5} {seconds:10.5f}  x {seconds / s:.1f}")


if __name__ == "__main__":
    main()
