#!/usr/bin/env python3
"""What a cluster costs on this machine: time beside the embedded engine, bytes over the network, memory under load.

    python3 benches/cluster/measure.py ESCCSQL [--patients 32] [--size full] [--load 100000] [--statements 10]
    python3 benches/cluster/measure.py ESCCSQL --patients 257 --load 0        514 scans, some minutes

ESCCSQL is a program built with the feature cluster; nothing else should run meanwhile. Starts a scheduler and one executor of as many cores as this machine has,
extracts radiomics of a synthetic cohort on both engines, compares the tables, and then sends --load rows of small volumes
through the cluster while it watches the memory of its processes. Linux only (/proc).
"""

import argparse
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from nodes import Cluster

RADIOMICS = """radiomics(image(ct).image_window(50, 350), mask(gtv),
    {'normalize': true, 'normalize_scale': 100, 'resampled_pixel_spacing': [1, 1, 1], 'bin_width': 25, 'image_types': ['original', 'wavelet']})"""


def resident(pid: int, peak: bool = False) -> float:
    """Memory of a process in MB."""
    key = "VmHWM:" if peak else "VmRSS:"
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--patients", type=int, default=32)
    parser.add_argument("--size", default="full")
    parser.add_argument("--load", type=int, default=100_000)
    parser.add_argument("--statements", type=int, default=10)
    args = parser.parse_args()
    program = os.path.abspath(args.program)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cluster = Cluster(program, folder)
        try:
            if args.patients:
                overhead(program, cluster, folder, args)
            if args.load:
                load(program, cluster, folder, args)
        finally:
            cluster.stop()


def run(program: str, cluster: Cluster, folder: Path, *statements: str) -> str:
    command = [program, "query", "--db", folder / "study.duckdb", "--format", "csv"]
    command += ["--cluster", cluster.url, "--share", folder, "--", ";\n".join(statements)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def scans(program: str, cluster: Cluster, folder: Path, patients: int, size: str) -> int:
    subprocess.run([program, "synth", "--out", folder / size, "--patients", str(patients), "--size", size], check=True, capture_output=True)
    outlines = f"""CREATE OR REPLACE TABLE scans AS
        SELECT scan_id, '{folder}/{size}/' || image AS ct, '{folder}/{size}/' || mask_reader1 AS gtv FROM read_csv('{folder}/{size}/scans.csv')"""
    return int(run(program, cluster, folder, outlines, "SELECT count(*) FROM scans").split()[-1])


def overhead(program: str, cluster: Cluster, folder: Path, args: argparse.Namespace) -> None:
    count = scans(program, cluster, folder, args.patients, args.size)
    seconds = {}
    for engine in ("duckdb", "ballista", "duckdb", "ballista"):
        start = time.monotonic()
        run(program, cluster, folder, f"-- @engine {engine}\nCREATE OR REPLACE TABLE by_{engine} AS SELECT scan_id, {RADIOMICS} AS x FROM scans")
        seconds.setdefault(engine, []).append(time.monotonic() - start)
    different = run(program, cluster, folder, "SELECT count(*) FROM (FROM by_duckdb EXCEPT FROM by_ballista)").split()[-1]
    best = {engine: min(times) for engine, times in seconds.items()}
    for engine, times in seconds.items():
        print(f"{engine:10} {count} scans: {', '.join(f'{t:.2f}' for t in times)} s; {1000 * best[engine] * os.cpu_count() / count:.0f} core-ms a scan")
    print(f"overhead {100 * (best['ballista'] / best['duckdb'] - 1):.1f} %; rows that differ: {different}")
    rounds = len(seconds["ballista"])
    print(f"result on the wire: {size(cluster.work) / rounds / count / 1024:.1f} KB a scan")


def load(program: str, cluster: Cluster, folder: Path, args: argparse.Namespace) -> None:
    small = scans(program, cluster, folder, 16, "small")
    copies = args.load // args.statements // small
    run(program, cluster, folder, f"CREATE OR REPLACE TABLE many AS SELECT row_number() OVER () AS number, * FROM scans, range({copies})")
    watched = {"scheduler": cluster.scheduler.pid, "executor": cluster.executor.pid}
    samples, done = {name: [] for name in watched}, threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            for name, pid in watched.items():
                samples[name].append(resident(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.monotonic()
    after = {name: [] for name in watched}
    try:
        for _ in range(args.statements):
            run(program, cluster, folder, "CREATE OR REPLACE TABLE loaded AS SELECT number, mask_volume(gtv) AS v, image_info(ct) AS info FROM many")
            for name, pid in watched.items():
                after[name].append(resident(pid))
    finally:
        done.set()
        watcher.join()
    rows = copies * small * args.statements
    print(f"load: {rows} rows in {args.statements} statements, {time.monotonic() - start:.1f} s")
    for name, pid in watched.items():
        print(f"{name:10} after each statement {', '.join(f'{mb:.0f}' for mb in after[name])} MB; peak {resident(pid, peak=True):.0f} MB")


if __name__ == "__main__":
    main()
