#!/usr/bin/env python3
"""Lays the parsers' golden files and a few parameter files into fuzz/corpus/<target>, where cargo-fuzz begins.

    python3 fuzz/seeds.py
    cargo +nightly fuzz run dicom -- -max_total_time=600 -max_len=8192 -malloc_limit_mb=128

A file of 8192 bytes holds at most 8192 * 1032 bytes of deflated voxels, which may become four bytes each: 34 MB. A single
allocation above the limit of 128 MB is a header that was believed.
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "udfs/imaging/tests/golden"
PARAMETERS = [
    """\
imageType:
  Original: {}
  LoG: {sigma: [1.0, 3], binWidth: 5}
  Wavelet: {wavelet: coif1, level: 2, start_level: 0}
featureClass:
  shape:
  firstorder: [Mean, '10Percentile']
  glcm: []
setting:
  binWidth: 25
  resampledPixelSpacing: [1, 1, 0]
  interpolator: sitkBSpline
  weightingNorm: null
voxelSetting: {kernelRadius: 2, maskedKernel: true, initValue: nan, voxelBatch: 1000}
""",
    "setting: &s {label: 2, force2D: true, distances: [1, 2], resegmentRange: [-3, 3], resegmentMode: sigma}\nimageType: {LBP2D: *s}\n",
    '{"setting": {"normalize": true, "removeOutliers": 3, "gldm_a": 1}, "featureClass": {"ngtdm": ["Coarseness"]}}',
]
STARTS = {"nrrd": b"NRRD", "metaimage": b"ObjectType"}


def target_of(data: bytes) -> str:
    return next((target for target, start in STARTS.items() if data.startswith(start)), "nifti")


def main():
    seeds = [(f"{case['name']}", bytes.fromhex(case["hex"])) for case in json.loads((GOLDEN / "images.json").read_text())]
    seeds = [(target_of(data), name, data) for name, data in seeds]
    for path in sorted((GOLDEN / "dicom").rglob("*.dcm")):
        seeds.append(("dicom", f"{path.parent.name}_{path.name}", path.read_bytes()))
    seeds += [("parameters", f"{number}.yaml", text.encode()) for number, text in enumerate(PARAMETERS)]
    for target, name, data in seeds:
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"seed_{name.replace('/', '_')}").write_bytes(data)


if __name__ == "__main__":
    main()
