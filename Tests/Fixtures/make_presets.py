"""Writes the published networks as PyTorch has them: presets/.

    python make_presets.py

Each network of published.py gets weights that a formula gives, so that
the files hold only the names and shapes of the state dictionary, in the order in which safetensors stores
it, and the output for `presets/input.npy` (`save tensor noisy[0]` after `phantom size=48 slices=1
patients=1` and `noise gaussian sigma=60HU`).

The Python lines of docs/networks.md run here, too: with a built Backflow, in both directions.
"""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from published import NETWORKS
from safetensors.torch import save_file

HERE = Path(__file__).parent / "presets"
REPOSITORY = Path(__file__).parents[2]
LOWER, UPPER = -1000.0, 1000.0


def drawn(number, shape, name):
    """The numbers of tensor `number`, by a hash of their places, which the tests compute, too."""
    count = int(np.prod(shape))
    x = ((np.arange(count, dtype=np.uint64) + 1) * 2654435761 + (number + 1) * 974634823) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 2246822519) & 0xFFFFFFFF
    x ^= x >> 13
    u = x / 2.0**32
    if len(shape) == 4:
        values = (u - 0.5) * 2 * np.sqrt(3 / (shape[1] * shape[2] * shape[3]))
    elif name.endswith("weight") or name.endswith("running_var"):
        values = 0.5 + u
    else:
        values = (u - 0.5) * 0.2
    return torch.tensor(values.astype(np.float32).reshape(shape))


def stored_order(model):
    """The names and shapes of a state dictionary in the order of the offsets in the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "state.safetensors")
        save_file(model.state_dict(), path)
        with open(path, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    header.pop("__metadata__", None)
    entries = sorted(header.items(), key=lambda entry: entry[1]["data_offsets"][0])
    return [{"name": name, "type": e["dtype"], "shape": e["shape"]} for name, e in entries]


def output(model, image):
    """The denoised image in HU, computed in double."""
    model = model.double().eval()
    with torch.no_grad():
        result = model(torch.tensor((image.astype(np.float64) - LOWER) / (UPPER - LOWER)))
    return (result * (UPPER - LOWER) + LOWER).numpy().astype(np.float32)


def presets(image):
    for name, make in NETWORKS.items():
        model = make()
        entries = stored_order(model)
        state = {
            e["name"]: drawn(number, e["shape"], e["name"])
            for number, e in enumerate(entries)
            if e["type"] == "F32"
        }
        model.load_state_dict(state, strict=False)
        count = sum(p.numel() for p in model.parameters())
        facts = {"parameters": count, "tensors": entries}
        (HERE / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n")
        np.save(HERE / f"{name}.npy", output(model, image))
        print(name, count)


def page(image):
    """Runs the Python of docs/networks.md, and Backflow between its two directions."""
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs/networks.md").read_text(), re.S)
    saving, naming, loading = blocks
    backflow = REPOSITORY / ".build/release/backflow"
    names = {}
    exec(naming, names)
    model = names["Denoiser"]()
    for number, (name, tensor) in enumerate(model.state_dict().items()):
        if tensor.dtype == torch.float32:
            tensor.copy_(drawn(number, list(tensor.shape), name))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        exec(saving, {"model": model})
        expected = output(model, image)
        np.save(HERE / "named.npy", expected)
        model.float()
        save_file(model.state_dict(), HERE / "named.safetensors")
        Path("lines.session").write_text(
            "phantom size=48 slices=1 patients=1\nnoise gaussian sigma=60HU\n"
            "conv channels=8 act=relu\nconv channels=8 act=relu norm=batch\nconv\noutput subtract\n"
            "net load theirs.safetensors match=order\nsave tensor denoised[0] order.npy\n"
            "net save ours.safetensors\n"
        )
        subprocess.run([backflow, "run", "lines.session"], check=True, stdout=subprocess.DEVNULL)
        for made in Path("out/lines").iterdir():
            made.rename(made.name)
        error = np.abs(np.load("order.npy").reshape(expected.shape) - expected).max()
        assert error < 2e-5 * np.abs(expected).max(), error
        exec(loading, names)
        error = np.abs(output(names["model"], image) - expected).max()
        assert error < 1e-6 * np.abs(expected).max(), error
        print("docs/networks.md: both directions")


if __name__ == "__main__":
    torch.manual_seed(1)
    image = np.load(HERE / "input.npy").reshape(1, 1, 48, 48)
    presets(image)
    page(image)
