"""Runs a peer for `compare.py`: `peer.py pyradiomics | flash NAME ...` answers lines `IMAGE<tab>MASK` on standard input.

The names are the features to compute: flash-radiomics has more than PyRadiomics and is spared the rest.
"""

import logging
import resource
import sys
import tempfile
import time

import SimpleITK as sitk

SETTINGS = {
    "normalize": True,
    "normalizeScale": 100,
    "binWidth": 25,
    "resampledPixelSpacing": [1, 1, 1],
    "interpolator": "sitkBSpline",
    "additionalInfo": False,
}


def main():
    logging.disable(logging.WARNING)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    answer = sys.stdout
    # What a peer prints is not an answer.
    sys.stdout = sys.stderr
    if sys.argv[1] == "flash":
        from flash_radiomics.featureextractor import RadiomicsFeatureExtractor

        # It keeps results and writes each to a file: a new extractor each time, and a folder that goes away.
        options = {"backend": "cpu", "num_threads": 1, "hdf5OutputDirectory": tempfile.mkdtemp()}
    else:
        from radiomics.featureextractor import RadiomicsFeatureExtractor

        options = {}
    wanted = {}
    for name in sys.argv[2:]:
        image_type, feature_class, feature = name.split("_")
        if image_type == "original":
            wanted.setdefault(feature_class, []).append(feature)
    for line in sys.stdin:
        image_path, mask_path = line.rstrip("\n").split("\t")
        wall, cpu = time.perf_counter(), time.process_time()
        extractor = RadiomicsFeatureExtractor(**SETTINGS, **options)
        extractor.disableAllImageTypes()
        extractor.enableImageTypes(Original={}, Wavelet={})
        extractor.disableAllFeatures()
        extractor.enableFeaturesByName(**wanted)
        image = sitk.Clamp(sitk.Cast(sitk.ReadImage(image_path), sitk.sitkFloat64), sitk.sitkFloat64, -125, 225)
        found = extractor.execute(image, sitk.ReadImage(mask_path))
        features = sum(1 for name in found if not name.startswith("diagnostics"))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(features, f"{cpu:.6f} {wall:.6f} {peak:.1f}", file=answer, flush=True)


if __name__ == "__main__":
    main()
