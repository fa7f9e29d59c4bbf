"""Small DICOM files by pydicom, their values, and how pydicom's processing functions show them."""

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from .writing import write_array, write_json

ROWS, COLUMNS = 9, 16


def ramp(low, high):
    """Whole numbers from low to high, both included, not in order."""
    values = np.rint(np.linspace(low, high, ROWS * COLUMNS)).astype(np.int64)
    return np.random.default_rng(60).permutation(values).reshape(ROWS, COLUMNS)


def table(first, entries, bits, vr="US", packed=False, representation="US"):
    """An item of a LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", representation, [len(entries) & 0xFFFF, first, bits])
    if vr == "OW":
        data = bytes(entries) if packed else np.asarray(entries, "<u2").tobytes()
        item.add_new("LUTData", "OW", data + b"\0" * (len(data) % 2))
    else:
        item.add_new("LUTData", "US", [int(entry) for entry in entries])
    return item


def curve(count, bits):
    """A table that rises fast and then slowly."""
    return np.rint((np.arange(count) / (count - 1)) ** 0.4 * (2**bits - 1)).astype(int).tolist()


def dataset(name, stored=None, signed=False, bits=16, rescale=(1, -1024), syntax=None, **changes):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax or ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"2.25.{int.from_bytes(name.encode()[:12])}"
    result = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    result.SOPClassUID = CTImageStorage
    result.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    result.StudyInstanceUID, result.SeriesInstanceUID = "2.25.1", f"{result.SOPInstanceUID}.1"
    result.Modality, result.PatientIdentityRemoved = "CT", "YES"
    result.PatientName, result.PatientID = "Nobody", "0"
    result.ImagePositionPatient, result.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    result.PixelSpacing, result.SliceThickness = [1, 1], 1
    result.SamplesPerPixel, result.PhotometricInterpretation = 1, "MONOCHROME2"
    result.Rows, result.Columns = ROWS, COLUMNS
    if rescale:
        result.RescaleSlope, result.RescaleIntercept = rescale
    if stored is not None:
        result.BitsAllocated = 8 if bits <= 8 else 16
        result.BitsStored, result.HighBit = bits, bits - 1
        result.PixelRepresentation = int(signed)
        kind = ("i" if signed else "u") + str(result.BitsAllocated // 8)
        result.PixelData = stored.astype("<" + kind).tobytes()
        result["PixelData"].VR = "OB" if bits <= 8 else "OW"
    for key, value in changes.items():
        setattr(result, key, value)
    return result


def shown():
    """name: data set with windows or VOI LUTs."""
    hu = ramp(0, 4095)
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        yield f"window-{function.lower().replace('_', '-')}", dataset(
            function, hu, bits=12, WindowCenter=40, WindowWidth=400, VOILUTFunction=function)
    yield "window-several", dataset(
        "several", hu, bits=12, WindowCenter=[-600, 40.5], WindowWidth=[1500, 350.5],
        WindowCenterWidthExplanation=["LUNG", "BODY"])
    yield "window-narrow", dataset("narrow", hu, bits=12, WindowCenter=40, WindowWidth=1)
    yield "window-narrow-exact", dataset(
        "narrow exact", hu, bits=12, WindowCenter=40, WindowWidth=0.5,
        VOILUTFunction="LINEAR_EXACT")
    yield "window-signed", dataset(
        "signed", ramp(-2000, 2000), signed=True, rescale=(1.5, 12), WindowCenter=12,
        WindowWidth=2000)
    yield "window-monochrome1", dataset(
        "inverse", hu, bits=12, WindowCenter=40, WindowWidth=400,
        PhotometricInterpretation="MONOCHROME1")
    yield "window-8-bit", dataset(
        "8 bit", ramp(0, 255), bits=8, rescale=None, WindowCenter=128, WindowWidth=256)
    yield "table-8-bit", dataset(
        "table 8", hu, bits=12, rescale=None, VOILUTSequence=[table(100, curve(256, 8), 8)])
    yield "table-12-bit", dataset(
        "table 12", hu, bits=12, rescale=None,
        VOILUTSequence=[table(0, curve(4096, 12), 12, vr="OW")])
    yield "table-16-bit-signed", dataset(
        "table 16", hu, bits=12,
        VOILUTSequence=[table(-1024, curve(2000, 16), 16, representation="SS")],
        WindowCenter=40, WindowWidth=400)
    yield "table-implicit", dataset(
        "implicit", ramp(-500, 500), signed=True, rescale=None, syntax=ImplicitVRLittleEndian,
        VOILUTSequence=[table(-300, curve(700, 10), 10, vr="OW", representation="SS")])
    yield "table-modality", dataset(
        "both", ramp(0, 255), bits=8, rescale=None,
        ModalityLUTSequence=[modality(0, curve(256, 16), 16)], WindowCenter=20000, WindowWidth=15000)


def modality(first, entries, bits, **options):
    item = table(first, entries, bits, **options)
    item.ModalityLUTType = "HU"
    return item


def valued():
    """name: data set whose values are told by something else than a slope of whole numbers."""
    stored = ramp(0, 255)
    yield "lut-unsigned", dataset(
        "lut", stored, bits=8, rescale=None, ModalityLUTSequence=[modality(20, curve(200, 16), 16)])
    yield "lut-signed", dataset(
        "lut signed", ramp(-150, 150), signed=True, rescale=None,
        ModalityLUTSequence=[modality(-100, curve(180, 16), 16, vr="OW", representation="SS")])
    generator = np.random.default_rng(61)
    reals = generator.normal(0, 500, (ROWS, COLUMNS))
    yield "float", floating("float", reals.astype("<f4"), "FloatPixelData")
    yield "double", floating("double", reals.astype("<f8"), "DoubleFloatPixelData")


def floating(name, values, attribute):
    result = dataset(name)
    result.BitsAllocated = values.dtype.itemsize * 8
    setattr(result, attribute, values.tobytes())
    return result


def saved(result, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    result.save_as(path, enforce_file_format=True)
    return pydicom.dcmread(path)


def extent(read):
    """What pydicom's functions make of black and white."""
    if "VOILUTSequence" in read:
        return 0, 2 ** read.VOILUTSequence[0].LUTDescriptor[2] - 1
    if "ModalityLUTSequence" in read:
        return 0, 2 ** read.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    low = -(2 ** (read.BitsStored - 1)) if read.PixelRepresentation else 0
    ends = np.array([low, low + 2**read.BitsStored - 1], dtype=float)
    return tuple(ends * float(read.get("RescaleSlope", 1)) + float(read.get("RescaleIntercept", 0)))


def make_windows(folder):
    records = []
    for name, made in shown():
        read = saved(made, folder / f"{name}.dcm")
        count = read["WindowCenter"].VM if "WindowCenter" in read else 1
        pictures = []
        for index in range(count if "VOILUTSequence" not in read else 1):
            values = apply_modality_lut(read.pixel_array, read)
            if "VOILUTSequence" in read:
                values = np.asarray(values).astype(np.int64)
            low, high = extent(read)
            grey = (apply_voi_lut(values, read, index=index).astype(float) - low) / (high - low)
            eight_bit = np.floor(255 * grey + 0.5)
            if read.PhotometricInterpretation == "MONOCHROME1":
                eight_bit = 255 - eight_bit
            picture = f"{name}-{index + 1}.npy"
            write_array(folder / picture, eight_bit, "<f4")
            pictures.append(picture)
        records.append({"file": f"{name}.dcm", "pictures": pictures})
    write_json(folder / "cases.json", {
        "pictures": "floor(255*y + 0.5), y from 0 to 1 by pydicom's apply_modality_lut and "
                    "apply_voi_lut; 255 minus that for MONOCHROME1",
        "cases": records,
    })


def make_values(folder):
    records = []
    for name, made in valued():
        read = saved(made, folder / f"{name}.dcm")
        values = np.asarray(apply_modality_lut(read.pixel_array, read), dtype=float)
        write_array(folder / f"{name}.npy", values, "<f4")
        records.append({"file": f"{name}.dcm", "values": f"{name}.npy"})
    write_json(folder / "cases.json", {
        "values": "pydicom's apply_modality_lut of its pixel_array, as float32", "cases": records,
    })
