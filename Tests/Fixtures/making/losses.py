"""Charbonnier, SSIM, sinogram, bias and mixed losses with their gradients, by PyTorch in double; SSIM checked with
scikit-image."""

import numpy as np
import torch
from skimage.metrics import structural_similarity

from .writing import write_array, write_json

RADIUS, SIGMA = 5, 1.5


def window():
    """The Gaussian window of 11 by 11 that sums to 1."""
    taps = np.exp(-np.arange(-RADIUS, RADIUS + 1) ** 2 / (2 * SIGMA**2))
    taps /= taps.sum()
    return torch.tensor(np.outer(taps, taps))[None, None]


def ssim_map(x, y, data_range):
    """The similarity where the window lies inside the image, [N, 1, H - 10, W - 10]."""
    def mean(z):
        return torch.nn.functional.conv2d(z, window())

    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    return (2 * mx * my + c1) * (2 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))


def charbonnier(x, y, mask, epsilon):
    return (mask * torch.sqrt((x - y) ** 2 + epsilon**2)).sum() / mask.sum()


def dissimilarity(x, y, mask, data_range):
    inner = mask[..., RADIUS:-RADIUS, RADIUS:-RADIUS]
    return (inner * (1 - ssim_map(x, y, data_range))).sum() / inner.sum()


def l1(x, y, mask):
    return (mask * (x - y).abs()).sum() / mask.sum()


def half_squares(x, y, mask):
    return (mask * (0.5 * (x - y)) ** 2).sum()


def projector(height, width, views):
    """The lengths, [rays, pixels], of parallel rays a pixel apart in pixels, by Joseph's interpolation.

    Ray s of the view at the angle b runs along (-sin b, cos b) through s·(cos b, sin b), with y upward.
    """
    middle = (np.array([height, width]) - 1) / 2
    count = 2 * int(np.ceil(np.hypot(*middle))) + 3
    rows = []
    for b in np.arange(views) * np.pi / views:
        for s in np.arange(count) - (count - 1) / 2:
            row = np.zeros((height, width))
            cos, sin = np.cos(b), np.sin(b)
            upright = abs(cos) >= abs(sin)
            for line in range(height if upright else width):
                if upright:
                    t = (middle[0] - line - s * sin) / cos
                    place = middle[1] + s * cos - t * sin
                else:
                    t = (s * cos - (line - middle[1])) / sin
                    place = middle[0] - s * sin - t * cos
                left = int(np.floor(place))
                for pixel, weight in ((left, left + 1 - place), (left + 1, place - left)):
                    if upright and 0 <= pixel < width:
                        row[line, pixel] += weight / abs(cos)
                    if not upright and 0 <= pixel < height:
                        row[pixel, line] += weight / abs(sin)
            rows.append(row.ravel())
    return torch.tensor(np.array(rows))


def sinogram(x, y, mask, views):
    images, _, height, width = x.shape
    error = (mask * (x - y)).reshape(images, height * width)
    return ((error @ projector(height, width, views).T) ** 2).mean()


def bias(x, y, mask, width):
    """The mean over pixels of the squared mean error of those with similar targets in the same image."""
    total = 0
    for image in range(x.shape[0]):
        intervals = torch.floor(y[image] / width)
        for interval in intervals.unique():
            like = mask[image] * (intervals == interval)
            if like.sum() > 0:
                total = total + (like * (x[image] - y[image])).sum() ** 2 / like.sum()
    return total / mask.sum()


LOSSES = {
    "loss charbonnier epsilon=0.001": lambda x, y, m: charbonnier(x, y, m, 1e-3),
    "loss charbonnier epsilon=0.1": lambda x, y, m: charbonnier(x, y, m, 0.1),
    "loss ssim range=1.0": lambda x, y, m: dissimilarity(x, y, m, 1.0),
    "loss ssim range=2.5": lambda x, y, m: dissimilarity(x, y, m, 2.5),
    "loss l1:0.84 ssim:0.16 range=1.0":
        lambda x, y, m: 0.84 * l1(x, y, m) + 0.16 * dissimilarity(x, y, m, 1.0),
    "loss charbonnier:0.5 half-squares:2.0 epsilon=0.01 gradient=exact":
        lambda x, y, m: 0.5 * charbonnier(x, y, m, 0.01) + 2 * half_squares(x, y, m),
    "loss sinogram views=11": lambda x, y, m: sinogram(x, y, m, 11),
    "loss mse:0.5 sinogram:0.1 views=7":
        lambda x, y, m: 0.5 * (m * (x - y) ** 2).sum() / m.sum() + 0.1 * sinogram(x, y, m, 7),
    "loss bias width=0.25": lambda x, y, m: bias(x, y, m, 0.25),
    "loss mse:1.0 bias:10.0 width=0.05":
        lambda x, y, m: (m * (x - y) ** 2).sum() / m.sum() + 10 * bias(x, y, m, 0.05),
}

SHAPES = {"smallest": (1, 1, 11, 11), "odd": (2, 1, 17, 24), "strips": (1, 1, 70, 13)}


def make(folder):
    generator = np.random.default_rng(70)
    records = []
    for name, shape in SHAPES.items():
        # Numbers that float32 holds, so that both sides begin alike.
        y = np.float64(np.float32(generator.uniform(0.1, 0.9, shape)))
        x = np.float64(np.float32(0.8 * y + 0.1 + generator.normal(0, 0.05, shape)))
        mask = np.ones(shape)
        mask[..., : shape[2] // 3, : shape[3] // 2] = 0
        for kind, array in {"output": x, "target": y, "mask": mask}.items():
            write_array(folder / name / f"{kind}.npy", array, "<f8")
        for image in range(shape[0]):
            ours = ssim_map(torch.tensor(x), torch.tensor(y), 1.0)[image].mean().item()
            theirs = structural_similarity(
                x[image, 0], y[image, 0], data_range=1.0, gaussian_weights=True, sigma=SIGMA,
                use_sample_covariance=False, win_size=11)
            assert abs(ours - theirs) < 1e-12, (name, ours, theirs)
        for number, (line, loss) in enumerate(LOSSES.items()):
            for masked in (False, True):
                output = torch.tensor(x, requires_grad=True)
                weights = torch.tensor(mask if masked else np.ones(shape))
                # Without a window that counts there is nothing to compare.
                if masked and "ssim" in line and not weights[..., 5:-5, 5:-5].any():
                    continue
                value = loss(output, torch.tensor(y), weights)
                value.backward()
                case = f"gradient{number}{'-masked' if masked else ''}"
                write_array(folder / name / f"{case}.npy", output.grad.numpy(), "<f8")
                records.append({
                    "folder": name, "gradient": case, "line": line, "masked": masked,
                    "value": value.item()})
    write_json(folder / "cases.json", {"cases": records})
