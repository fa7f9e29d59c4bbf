"""Operations and their gradients by PyTorch in double precision.

A case is one file `NAME.npy`: the numbers of all its tensors one after the other, in the order and
with the shapes that `cases.json` tells. `u0`, `u1`, … are the operands, `v` the result, `v.grad` the
given gradient, `u0.grad`, … those that PyTorch finds. Given numbers are exact in single precision.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .writing import write_array, write_json

POOLS = [
    (2, (2, 3, 4, 6)), (2, (1, 8, 6, 4)), (3, (3, 13, 6, 9)), (4, (1, 1, 8, 12)),
    (2, (4, 16, 2, 10)), (2, (2, 9, 4, 2)),
]
UPS = [
    (2, (2, 3, 3, 5)), (2, (1, 8, 5, 4)), (3, (3, 12, 3, 2)), (4, (1, 1, 3, 4)), (2, (2, 1, 1, 1)),
    (3, (4, 10, 1, 5)), (5, (1, 17, 2, 3)),
]
SHUFFLES = [
    (2, (2, 4, 3, 5)), (2, (1, 12, 3, 3)), (3, (2, 9, 2, 3)), (2, (1, 32, 3, 4)),
    (2, (3, 16, 3, 2)), (3, (1, 72, 2, 3)), (2, (4, 36, 1, 1)),
]
CONCATS = [
    (1, 1, (2, 3, 5)), (3, 4, (1, 5, 4)), (5, 8, (3, 3, 3)), (3, 9, (2, 4, 1)), (13, 16, (1, 3, 5)),
    (8, 8, (4, 1, 3)), (9, 3, (2, 3, 2)), (16, 1, (1, 7, 3)),
]
BATCHES = [
    (2, 1, 3, 5), (1, 3, 5, 4), (4, 8, 3, 3), (3, 13, 2, 5), (2, 16, 5, 3), (4, 9, 1, 1),
    (1, 24, 7, 5), (2, 33, 3, 4),
]
GROUPS = [
    (1, (2, 4, 3, 5)), (2, (1, 8, 5, 3)), (4, (3, 12, 2, 3)), (3, (2, 9, 3, 3)), (8, (1, 16, 5, 5)),
    (13, (2, 13, 3, 2)), (4, (4, 64, 1, 3)), (2, (1, 2, 7, 3)),
]
DENSES = [
    (3, (2, 3, 4, 5)), (1, (1, 1, 3, 3)), (7, (4, 8, 3, 2)), (16, (3, 13, 1, 1)), (20, (2, 16, 3, 5)),
    (5, (1, 1, 40, 40)),
]


class Maker:
    def __init__(self, folder):
        self.folder, self.records = folder, []
        self.generator = np.random.default_rng(22)

    def normals(self, *shape, mean=0.0, deviation=1.0):
        values = self.generator.normal(mean, deviation, size=shape)
        return torch.tensor(values.astype(np.float32).astype(np.float64))

    def write(self, name, tensors, **settings):
        """Writes named tensors one after the other."""
        arrays = [(key, value.detach().numpy()) for key, value in tensors.items()]
        write_array(
            self.folder / f"{name}.npy", np.concatenate([each.ravel() for _, each in arrays]), "<f8")
        shapes = {key: list(each.shape) for key, each in arrays}
        self.records.append({"name": name} | settings | {
            "names": list(shapes), "shapes": list(shapes.values())})

    def case(self, operation, function, operands, constants=(), **settings):
        """Writes one application; `constants` are operands without a gradient."""
        for each in operands:
            each.requires_grad_(True)
        result = function(*operands, *constants)
        gradient = self.normals(*result.shape)
        result.backward(gradient)
        shape = "x".join(str(each) for each in operands[0].shape)
        numbers = "-".join(str(each) for each in settings.values() if not isinstance(each, bool))
        if result.dim() == 2:
            result, gradient = result[:, :, None, None], gradient[:, :, None, None]
        tensors = {f"u{i}": each for i, each in enumerate((*operands, *constants))}
        tensors |= {"v": result, "v.grad": gradient}
        tensors |= {f"u{i}.grad": each.grad for i, each in enumerate(operands)}
        self.write(
            f"{operation}-{numbers}-{shape}".replace("--", "-"), tensors, operation=operation,
            **settings)


def make_sampling(maker):
    for size, shape in POOLS:
        maker.case("max-pool", lambda x: F.max_pool2d(x, size), [maker.normals(*shape)], number=size)
        maker.case("mean-pool", lambda x: F.avg_pool2d(x, size), [maker.normals(*shape)], number=size)
    # Equal numbers: which of them is the largest decides where the gradient goes.
    for size, shape in [(2, (2, 3, 6, 4)), (3, (1, 16, 3, 6)), (2, (1, 11, 4, 4))]:
        x = maker.normals(*shape).round()
        maker.case("max-pool", lambda x: F.max_pool2d(x, size), [x], number=size, kind="equal")
    for factor, shape in UPS:
        maker.case(
            "nearest-up", lambda x: F.interpolate(x, scale_factor=factor, mode="nearest"),
            [maker.normals(*shape)], number=factor)
        maker.case(
            "bilinear-up",
            lambda x: F.interpolate(
                x, scale_factor=factor, mode="bilinear", align_corners=False),
            [maker.normals(*shape)], number=factor)
    for factor, shape in SHUFFLES:
        maker.case(
            "shuffle", lambda x: F.pixel_shuffle(x, factor), [maker.normals(*shape)], number=factor)
    for first, second, (count, height, width) in CONCATS:
        operands = [maker.normals(count, each, height, width) for each in (first, second)]
        maker.case("concat", lambda x, y: torch.cat([x, y], 1), operands, number=first)


def make_norms(maker):
    def numbers(channels):
        return [maker.normals(channels, mean=1, deviation=0.5), maker.normals(channels)]

    def batch(x, weight, bias):
        return F.batch_norm(x, None, None, weight, bias, training=True, eps=1e-5)

    def fixed(x, weight, bias, mean, variance):
        return F.batch_norm(x, mean, variance, weight, bias, training=False, eps=1e-3)

    for shape in BATCHES:
        channels = shape[1]
        maker.case("batch-norm", batch, [maker.normals(*shape), *numbers(channels)], epsilon=1e-5)
        variance = maker.normals(channels).abs() + 0.25
        maker.case(
            "fixed-batch-norm", fixed, [maker.normals(*shape), *numbers(channels)],
            [maker.normals(channels), variance.float().double()], epsilon=1e-3)
    for shape in [(2, 3, 5, 4), (3, 16, 3, 5)]:
        x = maker.normals(*shape, mean=30, deviation=0.5)
        maker.case("batch-norm", batch, [x, *numbers(shape[1])], epsilon=1e-5, kind="far")
    for groups, shape in GROUPS:
        maker.case(
            "group-norm", lambda x, weight, bias: F.group_norm(x, groups, weight, bias, eps=1e-5),
            [maker.normals(*shape), *numbers(shape[1])], number=groups, epsilon=1e-5)


def make_running(maker):
    """Running statistics of ten batches by `torch.nn.BatchNorm2d`."""
    for momentum, shape in [(0.1, (2, 3, 4, 5)), (0.3, (4, 16, 3, 1))]:
        layer = torch.nn.BatchNorm2d(shape[1], momentum=momentum, dtype=torch.float64)
        batches = [maker.normals(*shape, mean=step - 4, deviation=1 + step) for step in range(10)]
        for batch in batches:
            layer(batch)
        maker.write(
            f"running-{shape[1]}", {
                **{f"x{step}": each for step, each in enumerate(batches)},
                "mean": layer.running_mean, "variance": layer.running_var,
            }, operation="running", momentum=momentum)


def make(folder):
    torch.set_num_threads(1)
    maker = Maker(folder)
    make_sampling(maker)
    make_norms(maker)
    make_running(maker)
    for units, shape in DENSES:
        numbers = shape[1] * shape[2] * shape[3]
        maker.case(
            "dense", lambda x, weight, bias: F.linear(x.flatten(1), weight, bias),
            [maker.normals(*shape), maker.normals(units, numbers, deviation=numbers**-0.5),
             maker.normals(units)])
    write_json(folder / "cases.json", maker.records)
