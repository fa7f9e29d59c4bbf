"""`.safetensors` files by the Python library, to read, to write byte for byte, and to refuse."""

import json

import numpy as np
import torch
from safetensors.torch import save

from .writing import write_array, write_json

# The parameters of `block channels=2` and `conv`, whose names stand in another order here.
SHAPES = {
    "c1.weight": (1, 2, 3, 3), "c1.bias": (1,),
    "b1.conv1.weight": (2, 1, 3, 3), "b1.conv1.bias": (2,),
}
KINDS = {"f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}


def framed(header, data=b""):
    """A file with these bytes as header, whatever they are."""
    return len(header).to_bytes(8, "little") + header + data


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def text(value):
    return json.dumps(value).encode()


FOUR = bytes(4)
# Name: (bytes, a word that the refusal must have).
REFUSED = {
    "empty": (b"", "less than a header"),
    "length-only": ((0).to_bytes(8, "little"), "damaged"),
    "huge-length": ((2**64 - 1).to_bytes(8, "little") + b"{}", "bytes long"),
    "long-length": ((99).to_bytes(8, "little") + b"{}", "bytes long"),
    "list": (framed(b"[]"), "damaged"),
    "not-utf8": (framed(b'{"\xff":1}'), "UTF-8"),
    "deep": (framed(b'{"a":' + b"[" * 20_000), "damaged"),
    "twice": (framed(b'{"a":' + text(entry()) + b',"a":' + text(entry()) + b"}", FOUR), "twice"),
    "overlap": (framed(text({"a": entry(), "b": entry()}), FOUR), "expected from"),
    "gap": (framed(text({"a": entry(), "b": entry(offsets=(8, 12))}), bytes(12)), "expected from"),
    "beyond": (framed(text({"a": entry(shape=(2,), offsets=(0, 8))}), FOUR), "bytes 0..8"),
    "left-over": (framed(text({"a": entry()}), bytes(8)), "no tensor"),
    "backwards": (framed(text({"a": entry(offsets=(4, 0))}), FOUR), "expected from"),
    "wrong-shape": (framed(text({"a": entry(shape=(2,))}), FOUR), "are not"),
    "negative": (framed(text({"a": entry(shape=(-1,))}), FOUR), "whole number"),
    "fraction": (framed(text({"a": entry(shape=(1.5,))}), FOUR), "damaged"),
    "overflow": (framed(text({"a": entry(shape=(2**62, 2**62))}), FOUR), "are not"),
    "overflow-empty": (framed(text({"a": entry(shape=(2**62, 4, 0), offsets=(0, 0))})), "are not"),
    "too-large-number": (framed(b'{"a":{"shape":[99999999999999999999]}}'), "whole number"),
    "unknown-type": (framed(text({"a": entry(dtype="F8_E9M9")}), FOUR), "F8_E9M9"),
    "no-type": (framed(b'{"a":{"shape":[1],"data_offsets":[0,4]}}', FOUR), "lacks"),
    "another-key": (framed(text({"a": entry() | {"more": "1"}}), FOUR), "more"),
    "metadata-number": (framed(b'{"__metadata__":{"a":1}}'), "damaged"),
    "half-character": (framed(b'{"\\ud800":1}'), "half a character"),
    "control": (framed(b'{"a\n":1}'), "control character"),
    "after-its-end": (framed(b"{} x"), "more follows"),
}


def make(folder):
    generator = np.random.default_rng(12)
    weights = {
        name: torch.tensor(generator.normal(size=shape).astype(np.float32))
        for name, shape in SHAPES.items()
    }
    for name, weight in weights.items():
        write_array(folder / "weights" / f"{name}.npy", weight.numpy())
    (folder / "weights.safetensors").write_bytes(save(weights))
    # One key, since the library writes several in any order.
    note = {"note": 'caf\u00e9 "\\/\n\t\u0001'}
    (folder / "note.safetensors").write_bytes(save(weights, metadata=note))
    for kind, dtype in KINDS.items():
        converted = {name: weight.to(dtype) for name, weight in weights.items()}
        (folder / f"{kind}.safetensors").write_bytes(save(converted))
        for name, weight in converted.items():
            write_array(folder / kind / f"{name}.npy", weight.float().numpy())
    whole = {name: torch.zeros(shape, dtype=torch.int64) for name, shape in SHAPES.items()}
    (folder / "i64.safetensors").write_bytes(save(whole))
    (folder / "refused").mkdir()
    for name, (data, _) in REFUSED.items():
        (folder / "refused" / f"{name}.safetensors").write_bytes(data)
    write_json(folder / "cases.json", {
        "names": sorted(SHAPES), "note": note["note"],
        "refused": {name: word for name, (_, word) in REFUSED.items()},
    })
