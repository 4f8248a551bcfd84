#!/usr/bin/env python3
"""Lays the parsers' golden files into fuzz/corpus/<target>, where cargo-fuzz begins.

    python3 fuzz/seeds.py
    cargo +nightly fuzz run dicom -- -max_total_time=600 -max_len=8192 -malloc_limit_mb=128

A file of 8192 bytes holds at most 8192 * 1032 bytes of deflated voxels, which may become four bytes each: 34 MB. A single
allocation above the limit of 128 MB is a header that was believed.
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "udfs/imaging/tests/golden"
STARTS = {"nrrd": b"NRRD", "metaimage": b"ObjectType"}


def target_of(data: bytes) -> str:
    return next((target for target, start in STARTS.items() if data.startswith(start)), "nifti")


def main():
    seeds = [(f"{case['name']}", bytes.fromhex(case["hex"])) for case in json.loads((GOLDEN / "images.json").read_text())]
    seeds = [(target_of(data), name, data) for name, data in seeds]
    for path in sorted((GOLDEN / "dicom").rglob("*.dcm")):
        seeds.append(("dicom", f"{path.parent.name}_{path.name}", path.read_bytes()))
    for target, name, data in seeds:
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"seed_{name.replace('/', '_')}").write_bytes(data)


if __name__ == "__main__":
    main()
