#!/usr/bin/env python3
"""Makes the small DICOM objects of udfs/imaging/tests/golden/dicom: a synthetic CT of 12 x 10 x 6 voxels on an oblique grid in
several transfer syntaxes and as one enhanced multi-frame file, RTSTRUCT and SEG objects of it, and dicom.json with the
voxels, the grid and the regions that reading them must give.

    python3 -m venv venv && venv/bin/pip install pydicom==3.0.2 highdicom==0.28.2 python-gdcm numpy
    venv/bin/python scripts/make_dicom_seg.py

UIDs and dates are fixed, so that a second run gives the same bytes. Nothing in them is of a patient.
"""

import copy
import json
import shutil
import warnings
from pathlib import Path

import gdcm
import highdicom
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
    RTStructureSetStorage,
)

OUT = Path(__file__).parent.parent / "udfs/imaging/tests/golden/dicom"
ROOT = "1.2.826.0.1.3680043.8.498.1"
COLUMNS, ROWS, SLICES = 12, 10, 6
SPACING = (0.75, 1.25, 2.5)  # x, y, z
INTERCEPT = -1024

angle = np.deg2rad(20)
ROW = np.array([np.cos(angle), np.sin(angle), 0.0])
COLUMN = np.array([-np.sin(angle), np.cos(angle), 0.0])
NORMAL = np.cross(ROW, COLUMN)
ORIGIN = np.array([-31.5, 12.25, -100.0])


def decimal(value):
    return f"{value:.12f}"[:16]


def uid(*parts):
    return ".".join([ROOT, *map(str, parts)])


def voxels():
    """Stored values, z y x: smooth, with the least and the most that 12 bits hold."""
    z, y, x = np.mgrid[0:SLICES, 0:ROWS, 0:COLUMNS]
    values = (1024 + 300 * np.sin(0.7 * x + 0.3 * z) + 200 * np.cos(0.9 * y - 0.2 * z)).astype(np.uint16)
    values[0, 0, 0], values[SLICES - 1, ROWS - 1, COLUMNS - 1] = 0, 4095
    return values


VOXELS = voxels()


def position(z):
    return ORIGIN + z * SPACING[2] * NORMAL


def common(sop_class, sop_uid, series):
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = sop_class, sop_uid
    data.StudyDate = data.SeriesDate = data.ContentDate = "20200101"
    data.StudyTime = data.SeriesTime = data.ContentTime = "120000"
    data.AccessionNumber = data.PatientID = "SYNTHETIC"
    data.Modality, data.Manufacturer, data.ReferringPhysicianName = "CT", "none", ""
    data.PatientName, data.PatientBirthDate, data.PatientSex = "Synthetic", "", "O"
    data.StudyInstanceUID, data.SeriesInstanceUID = uid(1), series
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", 1, 1
    data.FrameOfReferenceUID, data.PositionReferenceIndicator = uid(2), ""
    return data


def pixel_module(data):
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = ROWS, COLUMNS
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0


def file_of(data, syntax):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID = syntax, uid(9)
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    return FileDataset(None, data, preamble=b"\0" * 128, file_meta=meta, is_implicit_VR=implicit, is_little_endian=little)


def save(data, path, syntax):
    path.parent.mkdir(parents=True, exist_ok=True)
    file_of(data, syntax).save_as(path, enforce_file_format=True)


def slice_of(z, series=uid(3)):
    data = common(CTImageStorage, f"{series}.{z + 1}", series)
    data.ImageType, data.InstanceNumber, data.AcquisitionNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], SLICES - z, 1
    data.KVP, data.SliceThickness = "120", decimal(SPACING[2])
    data.ImagePositionPatient = [decimal(v) for v in position(z)]
    data.ImageOrientationPatient = [decimal(v) for v in (*ROW, *COLUMN)]
    data.PixelSpacing = [decimal(SPACING[1]), decimal(SPACING[0])]
    pixel_module(data)
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = str(INTERCEPT), "1", "HU"
    data.PixelData = VOXELS[z].astype("<u2").tobytes()
    data["PixelData"].VR = "OW"
    return data


# File names run against the order of the slices.
def name(z):
    return f"{(5 * z + 2) % SLICES}.dcm"


def series():
    for z in range(SLICES):
        data = slice_of(z)
        save(data, OUT / "ct" / name(z), ExplicitVRLittleEndian)
        save(data, OUT / "ct_implicit" / name(z), ImplicitVRLittleEndian)
        save(data, OUT / "ct_deflated" / name(z), DeflatedExplicitVRLittleEndian)
        big = copy.deepcopy(data)
        big.PixelData = VOXELS[z].astype(">u2").tobytes()
        save(big, OUT / "ct_big_endian" / name(z), ExplicitVRBigEndian)
        packed = file_of(copy.deepcopy(data), ExplicitVRLittleEndian)
        packed.compress(RLELossless, generate_instance_uid=False)
        (OUT / "ct_rle").mkdir(exist_ok=True)
        packed.save_as(OUT / "ct_rle" / name(z))
        transcode(OUT / "ct" / name(z), OUT / "ct_jpeg" / name(z), gdcm.TransferSyntax.JPEGLosslessProcess14_1, JPEGLosslessSV1)
        transcode(OUT / "ct" / name(z), OUT / "ct_jpeg2000" / name(z), gdcm.TransferSyntax.JPEG2000Lossless, JPEG2000Lossless)
        signed = copy.deepcopy(data)
        signed.PixelRepresentation, signed.BitsStored, signed.HighBit, signed.RescaleIntercept = 1, 16, 15, "0"
        signed.PixelData = (VOXELS[z].astype(int) + INTERCEPT).astype("<i2").tobytes()
        save(signed, OUT / "ct_signed" / name(z), ExplicitVRLittleEndian)
        transcode(OUT / "ct_signed" / name(z), OUT / "ct_signed_jpeg2000" / name(z), gdcm.TransferSyntax.JPEG2000Lossless, JPEG2000Lossless)
    shutil.rmtree(OUT / "ct_signed")


def transcode(source, target, to, syntax):
    """The pixels of a file compressed by GDCM."""
    target.parent.mkdir(exist_ok=True)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(to))
    change.SetInput(reader.GetImage())
    assert change.Change()
    data = pydicom.dcmread(source)
    element = change.GetOutput().GetDataElement()
    fragment = element.GetSequenceOfFragments().GetFragment(0).GetByteValue()
    data.PixelData = pydicom.encaps.encapsulate([bytes(fragment.GetBuffer().encode("utf-8", "surrogateescape"))])
    data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    data.file_meta.TransferSyntaxUID = syntax
    data.save_as(target)


def enhanced():
    data = common(EnhancedCTImageStorage, uid(4, 1), uid(4))
    data.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    pixel_module(data)
    data.NumberOfFrames = SLICES
    shared, measures, values, orientation = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [decimal(SPACING[1]), decimal(SPACING[0])], decimal(SPACING[2])
    values.RescaleIntercept, values.RescaleSlope, values.RescaleType = str(INTERCEPT), "1", "HU"
    orientation.ImageOrientationPatient = [decimal(v) for v in (*ROW, *COLUMN)]
    shared.PixelMeasuresSequence, shared.PixelValueTransformationSequence = Sequence([measures]), Sequence([values])
    shared.PlaneOrientationSequence = Sequence([orientation])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = [3, 0, 5, 1, 4, 2]
    groups = []
    for z in frames:
        group, plane = Dataset(), Dataset()
        plane.ImagePositionPatient = [decimal(v) for v in position(z)]
        group.PlanePositionSequence = Sequence([plane])
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = Sequence(groups)
    data.PixelData = VOXELS[frames].astype("<u2").tobytes()
    data["PixelData"].VR = "OW"
    save(data, OUT / "enhanced" / "ct.dcm", ExplicitVRLittleEndian)


def regions():
    """Two regions that do not touch, in z y x: a box with a hole, and a few scattered voxels."""
    box = np.zeros((SLICES, ROWS, COLUMNS), np.uint8)
    box[1:4, 2:8, 1:8] = 1
    box[2, 4:6, 3:6] = 0
    dots = np.zeros_like(box)
    dots[3, 9, 11] = dots[4, 0, 9] = dots[4, 8, 10] = dots[1, 2, 9] = 1
    return box, dots


def contour(z, corners):
    item = Dataset()
    item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(corners)
    points = [position(z) + x * SPACING[0] * ROW + y * SPACING[1] * COLUMN for x, y in corners]
    item.ContourData = [decimal(v) for point in points for v in point]
    return item


def box_corners(x0, x1, y0, y1):
    return [(x0 - 0.5, y0 - 0.5), (x1 - 0.5, y0 - 0.5), (x1 - 0.5, y1 - 0.5), (x0 - 0.5, y1 - 0.5)]


def rtstruct():
    data = common(RTStructureSetStorage, uid(5, 1), uid(5))
    data.Modality, data.StructureSetLabel = "RTSTRUCT", "synthetic"
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID, series.ContourImageSequence = uid(3), Sequence([])
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", uid(1)
    study.RTReferencedSeriesSequence = Sequence([series])
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = uid(2), Sequence([study])
    data.ReferencedFrameOfReferenceSequence = Sequence([frame])
    box = [contour(z, box_corners(1, 8, 2, 8)) for z in (1, 2, 3)] + [contour(2, box_corners(3, 6, 4, 6))]
    dots = [contour(z, box_corners(x, x + 1, y, y + 1)) for z, y, x in ((3, 9, 11), (4, 0, 9), (4, 8, 10), (1, 2, 9))]
    point = contour(2, [(3, 3)])
    point.ContourGeometricType = "POINT"
    rois, contours = [], []
    for number, (name, items) in enumerate([("GTV", box), ("Lymphknoten é", dots), ("isocentre", [point]), ("empty", [])], start=1):
        roi, drawn = Dataset(), Dataset()
        roi.ROINumber, roi.ReferencedFrameOfReferenceUID, roi.ROIName, roi.ROIGenerationAlgorithm = number, uid(2), name, "MANUAL"
        drawn.ReferencedROINumber, drawn.ContourSequence = number, Sequence(items)
        rois.append(roi)
        contours.append(drawn)
    data.StructureSetROISequence, data.ROIContourSequence = Sequence(rois), Sequence(contours)
    save(data, OUT / "rtstruct" / "rs.dcm", ImplicitVRLittleEndian)


def seg(file, pixels, kind, number, **options):
    sources = [pydicom.dcmread(OUT / "ct" / name(z)) for z in range(SLICES)]

    def described(n, label):
        return highdicom.seg.SegmentDescription(
            segment_number=n,
            segment_label=label,
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )

    data = highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[described(1, "GTV"), described(2, "node")],
        series_instance_uid=uid(6, number),
        series_number=number,
        sop_instance_uid=uid(6, number, 1),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="1",
        device_serial_number="1",
        **options,
    )
    data.ContentDate, data.ContentTime = "20200101", "120000"
    for element in ("InstanceCreationDate", "InstanceCreationTime"):
        if element in data:
            delattr(data, element)
    if "ContributingEquipmentSequence" in data:
        del data.ContributingEquipmentSequence
    for item in (*data.DimensionOrganizationSequence, *data.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid(6, number, 2)
    (OUT / "seg").mkdir(exist_ok=True)
    data.save_as(OUT / "seg" / file)


def main():
    warnings.simplefilter("ignore")
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    series()
    enhanced()
    rtstruct()
    box, dots = regions()
    stacked = np.stack([box, dots], axis=-1)
    types = highdicom.seg.SegmentationTypeValues
    seg("binary.dcm", stacked, types.BINARY, 1)
    fraction = stacked * np.float32(0.75)
    fraction[0, 0, 0, 0] = 0.25
    seg("fractional.dcm", fraction, types.FRACTIONAL, 2, fractional_type=highdicom.seg.SegmentationFractionalTypeValues.PROBABILITY, max_fractional_value=100)
    seg("labelmap.dcm", box + 2 * dots, types.LABELMAP, 3)
    truth = {
        "size": [COLUMNS, ROWS, SLICES],
        "spacing": SPACING,
        "origin": ORIGIN.tolist(),
        "direction": np.stack([ROW, COLUMN, NORMAL], axis=1).tolist(),
        "series": uid(3),
        "voxels": (VOXELS.astype(int) + INTERCEPT).ravel().tolist(),
        "gtv": box.ravel().tolist(),
        "node": dots.ravel().tolist(),
    }
    (OUT / "dicom.json").write_text(json.dumps(truth) + "\n")


if __name__ == "__main__":
    main()
