"""Convolutions and their three gradients by PyTorch in double precision.

Inputs are rounded to single precision first, so that single-precision engines start from the very
same numbers.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .writing import write_array, write_json

# name: images, inputs, outputs, height, width, kernel, bias
CASES = {
    "k1": (2, 3, 5, 6, 7, 1, True),
    "k1-single": (1, 1, 1, 5, 4, 1, False),
    "k3": (2, 3, 5, 9, 7, 3, True),
    "k3-from-one": (2, 1, 7, 8, 11, 3, True),
    "k3-to-one": (2, 7, 1, 10, 6, 3, True),
    "k3-one-row": (1, 5, 3, 1, 9, 3, True),
    "k3-one-column": (1, 3, 5, 8, 1, 3, False),
    "k3-one-pixel": (2, 3, 3, 1, 1, 3, True),
    "k5": (1, 5, 3, 9, 10, 5, True),
    "k5-smaller-image": (2, 3, 5, 2, 3, 5, True),
    "k7": (1, 3, 7, 11, 9, 7, False),
    "k7-smaller-image": (1, 5, 1, 3, 5, 7, True),
    "k9": (1, 1, 3, 10, 12, 9, True),
    "k11": (1, 3, 1, 9, 13, 11, True),
    "k13": (1, 1, 3, 14, 15, 13, True),
    "k13-smaller-image": (1, 3, 1, 7, 6, 13, True),
}


def make(folder):
    torch.set_num_threads(1)
    generator = np.random.default_rng(20)
    records = []

    def normals(*shape):
        values = generator.normal(size=shape).astype(np.float32).astype(np.float64)
        return torch.tensor(values, requires_grad=True)

    for name, (count, inputs, outputs, height, width, kernel, has_bias) in CASES.items():
        image = normals(count, inputs, height, width)
        weight = normals(outputs, inputs, kernel, kernel)
        bias = normals(outputs) if has_bias else None
        output_gradient = normals(count, outputs, height, width).detach()
        output = F.conv2d(image, weight, bias, padding=kernel // 2)
        output.backward(output_gradient)
        arrays = {
            "input": image.detach(), "weight": weight.detach(), "output": output.detach(),
            "output_gradient": output_gradient, "input_gradient": image.grad,
            "weight_gradient": weight.grad,
        }
        if has_bias:
            arrays |= {"bias": bias.detach(), "bias_gradient": bias.grad}
        for each, values in arrays.items():
            write_array(folder / name / f"{each}.npy", values.numpy(), "<f8")
        records.append({
            "name": name, "input": list(image.shape), "weight": list(weight.shape),
            "bias": has_bias,
        })
    write_json(folder / "cases.json", records)
