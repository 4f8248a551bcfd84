"""Times our radiomics kernel, PyRadiomics 3.1 and flash-radiomics 1.0 on the same files, settings and features.

    python3 compare.py IMAGE MASK [IMAGE MASK ...] [--repeats 5] [--batch] [--home DIR]

Python 3.11 and cargo are needed. The first run installs both peers into environments of their own below DIR (default
`target/bench-radiomics`) and builds the kernel; PyRadiomics 3.1.0 is a source distribution that needs a C compiler.

Settings: clip to [-125, 225], z-score x 100, B-spline to 1 mm, bin width 25, the original image and 8 coif1 sub-bands: 851
features. Everything from opening the files on is timed, one thread, and all three take turns, so that a slow spell of the
machine meets each. CPU seconds, the least of the repeats; a ratio above 1 means that ours is faster. Peak memory is that of
a process that extracts one case. `--batch` also runs the list of cases eight times over on one and on two threads (wall
time; the values' bits must agree) and one CT of 512 x 512 x 300 voxels with a region of 30 cm3.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = {
    "pyradiomics": ["numpy==1.26.4", "scipy==1.11.4", "scikit-image==0.22.0", "SimpleITK==2.4.1", "PyWavelets==1.5.0", "pykwalify", "six"],
    "flash": ["flash-radiomics==1.0.0"],
}
ONE_THREAD = {n: "1" for n in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")}


def install_pyradiomics(pip):
    """3.1.0 from its source distribution, which lacks its C headers: those of 3.0.1 fit.

    Its metadata says 3.0.1a1, which pip's newer resolver refuses; its code and `radiomics.__version__` are 3.1.0.
    """
    with tempfile.TemporaryDirectory() as folder:
        for version in ("3.1.0", "3.0.1"):
            legacy = ["--use-deprecated=legacy-resolver", "--no-build-isolation", "--no-deps", "--no-binary", ":all:"]
            subprocess.run([*pip[:-2], "download", "-q", *legacy, "-d", folder, f"pyradiomics=={version}"], check=True)
            with tarfile.open(Path(folder) / f"pyradiomics-{version}.tar.gz") as archive:
                archive.extractall(folder, filter="data")
        source = Path(folder) / "pyradiomics-3.1.0"
        for header in (Path(folder) / "pyradiomics-3.0.1" / "radiomics" / "src").glob("*.h"):
            shutil.copy(header, source / "radiomics" / "src")
        subprocess.run([*pip, "--no-build-isolation", "--no-deps", source], check=True)


def environment(home, peer):
    """The Python of the peer's own environment, which the first call makes."""
    folder = home / peer
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        pip = [python, "-m", "pip", "install", "-q"]
        subprocess.run([*pip, *PEERS[peer]], check=True)
        if peer == "pyradiomics":
            subprocess.run([*pip, "setuptools<70", "wheel", "versioneer", "Cython", "pip==23.2.1"], check=True)
            install_pyradiomics(pip)
    return python


def kernel():
    """Our program."""
    subprocess.run(["cargo", "build", "-q", "--release", "-p", "esccsql-radiomics", "--example", "radiomics_bench"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "radiomics_bench"


class Server:
    """A process that answers each line `IMAGE<tab>MASK` with `features cpu_s wall_s peak_mb`."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **ONE_THREAD}
        )

    def ask(self, case):
        print(*case, sep="\t", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        if len(answer) != 4:
            sys.exit(f"{self.process.args} ended at {case[0]}")
        return int(answer[0]), *map(float, answer[1:])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(case, commands, repeats):
    """Least CPU seconds, features and peak of each program on one case."""
    servers = {name: Server(command) for name, command in commands.items()}
    times = {name: [] for name in servers}
    features, peak = {}, {}
    for turn in range(repeats + 1):
        for name, server in servers.items():
            features[name], cpu, _, peak[name] = server.ask(case)
            # The first turn also loads libraries and fills caches.
            if turn > 0:
                times[name].append(cpu)
    for server in servers.values():
        server.close()
    return {name: min(t) for name, t in times.items()}, features, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="image, mask, image, mask ...")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", action="store_true")
    parser.add_argument("--home", type=Path, default=ROOT / "target" / "bench-radiomics")
    options = parser.parse_args()
    cases = list(zip(options.files[::2], options.files[1::2], strict=True))
    ours = kernel()
    commands = {"esccsql": [ours, "serve"]}
    names = subprocess.check_output([ours, "names"], text=True).split()
    for peer in PEERS:
        commands[peer] = [environment(options.home, peer), HERE / "peer.py", peer, *names]

    print(f"{'case':24}" + "".join(f"{name:>12} s" for name in commands) + f"{'x PyRad.':>10}{'x flash':>9}   peak MB, same order")
    ratios = {peer: [] for peer in PEERS}
    for case in cases:
        seconds, features, peak = compare(case, commands, options.repeats)
        if len(set(features.values())) > 1:
            print(f"features differ in number: {features}")
        for peer in PEERS:
            ratios[peer].append(seconds[peer] / seconds["esccsql"])
        print(
            f"{Path(case[0]).name[:23]:24}"
            + "".join(f"{s:14.4f}" for s in seconds.values())
            + f"{ratios['pyradiomics'][-1]:10.1f}{ratios['flash'][-1]:9.1f}   "
            + " ".join(f"{mb:.0f}" for mb in peak.values()),
            flush=True,
        )
    for peer, of in ratios.items():
        print(f"against {peer}: median {statistics.median(of):.1f}, least {min(of):.1f}")
    if options.batch:
        lines = "".join(f"{image}\t{mask}\n" for image, mask in cases * 8)
        results = {}
        for threads in (1, 2):
            done = subprocess.run([ours, "batch", str(threads), "3"], input=lines, capture_output=True, text=True, check=True)
            results[threads] = done.stdout.split()
        (_, one, bits), (_, two, same) = results[1], results[2]
        print(f"batch of {8 * len(cases)}: {one} s on one thread, {two} s on two: x {float(one) / float(two):.2f}, equal bits: {bits == same}")
        print("512 x 512 x 300, 30 cm3 (features, wall s, peak MB):", subprocess.check_output([ours, "peak"], text=True).strip())


if __name__ == "__main__":
    main()
