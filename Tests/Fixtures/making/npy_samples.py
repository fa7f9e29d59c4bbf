"""`.npy` files as the world writes them, and as nobody should."""

import io

import numpy as np
from numpy.lib import format as npy

from .writing import write_json


def encoded(array, version=None):
    file = io.BytesIO()
    npy.write_array(file, np.asarray(array), version=version, allow_pickle=True)
    return file.getvalue()


def with_header(text, data=b"", version=1, length=None):
    """A file with a header of any text, its length told truly or not."""
    header = text.encode("latin1") + b"\n"
    size = (len(header) if length is None else length).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


def header(descr="'<f4'", shape="(2, 3)", fortran="False"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def samples():
    """name: (array, bytes), all readable by NumPy."""
    grid = np.arange(12).reshape(3, 4) * 1.25 - 7
    cube = np.arange(24).reshape(2, 3, 4) * 0.5 - 3
    good = {
        "float32": grid.astype("<f4"),
        "float64": (grid / 3).astype("<f8"),
        "big-endian-float32": grid.astype(">f4"),
        "big-endian-float64": (grid / 3).astype(">f8"),
        "int8": np.array([[-128, 127], [0, -1]], dtype="i1"),
        "uint8": np.array([[0, 255, 7], [1, 2, 3]], dtype="u1"),
        "int16": np.array([[-32768, 32767], [-1024, 40]], dtype="<i2"),
        "big-endian-int16": np.array([[-32768, 32767], [-1024, 40]], dtype=">i2"),
        "uint16": np.array([[65535, 0, 1024]], dtype="<u2"),
        "int32": np.array([[-70000, 70000], [1, 2]], dtype="<i4"),
        "int64": np.array([[-70000, 2**24], [1, 2]], dtype="<i8"),
        "bool": np.array([[True, False, True], [False, False, True]]),
        "fortran-order": np.asfortranarray(grid.astype("<f4")),
        "fortran-order-3d": np.asfortranarray(cube.astype("<f8")),
        "zero-dimensional": np.array(2.5, dtype="<f4"),
        "one-dimensional": np.array([1.5, -2, 3e-3], dtype="<f4"),
        "stack": cube.astype("<f4"),
        "stack-with-channel": cube.astype("<f4").reshape(2, 1, 3, 4),
        "no-elements": np.zeros((0, 4), dtype="<f4"),
        "not-finite": np.array([[1, np.nan], [np.inf, -np.inf]], dtype="<f4"),
        "subnormal": np.array([1e-45, -1e-40, 3.4028235e38], dtype="<f4"),
    }
    for name, array in good.items():
        yield name, array, encoded(array)
    yield "version-2", good["float32"], encoded(good["float32"], (2, 0))
    yield "version-3", good["float32"], encoded(good["float32"], (3, 0))
    array = good["float32"]
    yield "short-header", array, with_header(
        "{'shape':(3,4),'fortran_order':False,'descr':\"<f4\"}", array.tobytes())
    yield "trailing-bytes", array, encoded(array) + b"more"


def refused():
    """name: (bytes, what is wrong)."""
    array = np.arange(12, dtype="<f4").reshape(3, 4)
    whole = encoded(array)
    data = bytes(24)
    yield "truncated", whole[:-5], "5 bytes of data are missing"
    yield "truncated-header", whole[:40], "ends within the header"
    yield "only-magic", whole[:6], "ends after the magic"
    yield "empty", b"", "no bytes at all"
    yield "wrong-magic", b"\x93NUMPX" + whole[6:], "not a .npy file"
    yield "future-version", whole[:6] + b"\x09\x00" + whole[8:], "format version 9"
    yield "huge-shape", with_header(header(shape="(4000000000, 4000000000)"), data), (
        "claims 64 EB of data")
    yield "overflowing-shape", with_header(
        header(shape="(4294967296, 4294967296, 4294967296)"), data), "count beyond 64 bits"
    yield "wrapping-shape", with_header(
        header(shape="(4294967296, 4294967296)"), data), "count wraps to 0 in 64 bits"
    yield "unreadable-number", with_header(
        header(shape="(99999999999999999999999, 1)"), data), "an axis beyond 64 bits"
    yield "negative-shape", with_header(header(shape="(-2, 3)"), data), "a negative axis"
    yield "huge-header-length", with_header(
        header(), data, version=2, length=0xFFFF_FFFF), "claims a header of 4 GiB"
    yield "no-shape", with_header("{'descr': '<f4', 'fortran_order': False, }", data), "no shape"
    yield "no-dictionary", with_header("[1, 2, 3]", data), "the header is no dictionary"
    yield "unclosed-header", with_header("{'descr': '<f4', 'shape': (2, 3", data), "never closed"
    yield "deep-header", with_header(header(shape="(" * 20_000), data), (
        "20,000 nested parentheses")
    yield "objects", encoded(np.array([1, "a"], dtype=object)), "pickled Python objects"
    yield "complex", encoded(np.array([1 + 2j])), "complex numbers"
    yield "strings", encoded(np.array(["ab", "c"])), "text"
    yield "records", encoded(np.zeros(2, dtype=[("a", "<f4"), ("b", "<i2")])), "records"


def make(folder):
    records = []
    for name, array, content in samples():
        (folder / f"{name}.npy").write_bytes(content)
        np.testing.assert_array_equal(np.load(folder / f"{name}.npy"), array)
        with np.errstate(invalid="ignore"):
            total = float(array.astype(np.float64).sum())
        records.append({
            "file": f"{name}.npy", "dtype": array.dtype.newbyteorder("=").name,
            "shape": list(array.shape), "sum": total,
            "values": array.astype(np.float64).ravel().tolist(),
        })
    bad = []
    for name, content, reason in refused():
        (folder / f"{name}.npy").write_bytes(content)
        bad.append({"file": f"{name}.npy", "reason": reason})
    write_json(folder / "cases.json", {
        "note": "values are in row-major order, whatever the file's order",
        "readable": records, "refused": bad,
    })
