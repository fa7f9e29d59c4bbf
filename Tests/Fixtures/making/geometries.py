"""Convolutions with strides, dilation, groups, no zeros, and transposed ones, by PyTorch in double precision.

Operands are not stored: number i of the operand with salt t is an integer from -16 to 15, divided by 16,

    h = (i + 1) * 2654435761 + t * 40503 mod 2^32, h = (h xor h >> 16) * 2246822519 mod 2^32
    (h >> 27) - 16

with t = 4 * case + 0 (input), 1 (weight), 2 (bias), 3 (gradient of the output). All sums are exact then,
multiples of 1/256, and the results are stored as 16-bit multiples of it.
"""

import itertools

import numpy as np
import torch
import torch.nn.functional as F

from .writing import write_array, write_json

# Cases that are wanted whatever the selection: stride, dilation, groups, padding, kernel, transposed.
WANTED = {
    (1, 1, 1, "none", 5, False), (1, 1, 1, "none", 5, True), (2, 1, 1, "same", 2, False),
    (2, 1, 1, "same", 2, True), (2, 1, 1, "none", 2, True), (2, 1, 1, "same", 4, False),
    (2, 1, 1, "same", 3, False), (2, 1, 1, "same", 3, True), (1, 2, 1, "same", 3, False),
    (1, 3, 1, "same", 3, False), (1, 1, 4, "same", 3, False), (3, 1, 1, "same", 1, False),
    (1, 1, 1, "none", 1, False), (1, 1, 1, "same", 3, True), (3, 2, 2, "none", 4, True),
    (1, 2, 2, "same", 5, False), (2, 1, 4, "none", 3, False), (1, 2, 1, "same", 2, False),
}


def numbers(salt, *shape):
    count = int(np.prod(shape))
    h = (np.arange(1, count + 1, dtype=np.uint64) * 2654435761 + salt * 40503) % 2**32
    h = ((h ^ (h >> 16)) * 2246822519) % 2**32
    values = ((h >> 27).astype(np.int64) - 16) / 16
    return torch.tensor(values.reshape(shape), dtype=torch.float64, requires_grad=True)


def zeros(stride, dilation, padding, kernel):
    """The zeros on each side: as many as keep the size, or divide it by the stride."""
    reach = dilation * (kernel - 1) + 1
    if padding == "none":
        return 0
    return (reach - 1) // 2 if reach % 2 else max(0, -(-(reach - stride) // 2))


def settings():
    """About a quarter of the grid, with what is wanted."""
    grid = itertools.product((1, 2, 3), (1, 2, 3), (1, 2, 4), ("same", "none"), range(1, 6), (False, True))
    for place, each in enumerate(grid):
        stride, dilation, _, padding, kernel, _ = each
        if padding == "same" and stride == 1 and dilation * (kernel - 1) % 2:
            continue
        if each in WANTED or place * 7 % 29 < 7:
            yield each


def make(folder):
    torch.set_num_threads(1)
    records, results = [], []
    for case, (stride, dilation, groups, padding, kernel, transposed) in enumerate(settings()):
        reach = dilation * (kernel - 1) + 1
        count = (1, 2, 1, 3, 1)[case % 5]
        inputs, outputs = groups * (1 + case % 4), groups * (1 + case // 2 % 4)
        if groups == 1:
            inputs, outputs = (1, 3, 8, 12)[case % 4], (2, 16, 1, 8)[case // 3 % 4]
        least = reach if padding == "none" and not transposed else stride
        sides = [2 + case % 3, 1 + case // 2 % 3] if transposed else [
            least + case % 4, least + 1 + case // 2 % 3]
        image = numbers(4 * case, count, inputs, *sides)
        bias = numbers(4 * case + 2, outputs) if case % 2 else None
        options = {
            "stride": stride, "dilation": dilation, "groups": groups,
            "padding": zeros(stride, dilation, padding, kernel),
        }
        if transposed:
            weight = numbers(4 * case + 1, inputs, outputs // groups, kernel, kernel)
            output = F.conv_transpose2d(image, weight, bias, **options)
        else:
            weight = numbers(4 * case + 1, outputs, inputs // groups, kernel, kernel)
            output = F.conv2d(image, weight, bias, **options)
            if padding == "same" and stride == 1:
                assert torch.equal(output, F.conv2d(image, weight, bias, **options | {"padding": "same"}))
        output.backward(numbers(4 * case + 3, *output.shape).detach())
        found = [output.detach(), image.grad, weight.grad] + ([bias.grad] if case % 2 else [])
        results += [256 * each.numpy().ravel() for each in found]
        records.append({
            "stride": stride, "dilation": dilation, "groups": groups, "padding": padding,
            "transposed": transposed, "input": list(image.shape), "weight": list(weight.shape),
            "bias": bias is not None, "output": list(output.shape),
        })
    values = np.concatenate(results)
    assert np.array_equal(values, values.astype("<i2")), "results are multiples of 1/256"
    write_array(folder / "results.npy", values, "<i2")
    write_json(folder / "cases.json", records)
