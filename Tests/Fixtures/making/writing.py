"""Writing `.npy` and JSON so that the same values always give the same bytes."""

import json
import math
import shutil
import textwrap

import numpy as np


def emptied(folder):
    """The folder, made if need be, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_array(path, array, dtype="<f4"):
    """Writes `array` in C order and little-endian `dtype`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.ascontiguousarray(array, dtype=dtype), allow_pickle=False)


def write_json(path, value):
    """Writes `value` as JSON, one short line where it fits; NaN and infinity as strings."""
    path.write_text(_text(_finite(value)) + "\n", encoding="utf-8")


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def _text(value, indent="", prefix=""):
    """JSON of `value`, broken to lines of about 100 characters; `prefix` precedes it."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent + prefix + line) < 100 or not isinstance(value, (dict, list)):
        return prefix + line
    inner = indent + "  "
    if isinstance(value, dict):
        items = [
            _text(each, inner, json.dumps(key, ensure_ascii=False) + ": ")
            for key, each in value.items()
        ]
        opening, closing = "{}"
    else:
        items = [_text(each, inner) for each in value]
        opening, closing = "[]"
    if any(" " in item for item in items):
        body = ",\n".join(inner + item for item in items)
    else:
        # Numbers and names: as many to a line as fit.
        body = textwrap.fill(
            ", ".join(items), 100, initial_indent=inner, subsequent_indent=inner,
            break_long_words=False, break_on_hyphens=False)
    return f"{prefix}{opening}\n{body}\n{indent}{closing}"
