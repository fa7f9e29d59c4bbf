"""Classical denoisers by scikit-image and the bm3d package, and figures of merit by conventions."""

import bm3d
import numpy as np
import torch
from scipy.ndimage import convolve1d
from skimage.filters import gaussian
from skimage.metrics import structural_similarity
from skimage.restoration import (
    denoise_nl_means, denoise_tv_chambolle, denoise_wavelet, estimate_sigma)

from .metrics import body
from .writing import write_array, write_json

SIZE = (48, 56)


def bilateral(image, sigma, color):
    """The definition; scikit-image 0.26 reads its table of distances with a wrong stride."""
    radius = max(2, int(np.ceil(3 * sigma)))
    padded = np.pad(image, radius, mode="symmetric")
    height, width = image.shape
    total, weights = np.zeros_like(image), np.zeros_like(image)
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            shifted = padded[radius + i:radius + i + height, radius + j:radius + j + width]
            weight = np.exp(
                -(i * i + j * j) / (2 * sigma**2) - (shifted - image) ** 2 / (2 * color**2))
            total += weight * shifted
            weights += weight
    return total / weights


def vif(reference, image, noise=2.0):
    """Pixel-domain VIF from its definition, as torchmetrics' visual_information_fidelity, in double."""
    eps = 1e-10
    kept = total = 0.0
    for scale in range(4):
        size = 2 ** (4 - scale) + 1
        window = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * (size / 5) ** 2))
        window /= window.sum()

        def smooth(x):
            r = size // 2
            return convolve1d(convolve1d(x, window, axis=0), window, axis=1)[r:-r, r:-r]

        if scale > 0:
            reference, image = smooth(reference)[::2, ::2], smooth(image)[::2, ::2]
        mx, my = smooth(reference), smooth(image)
        vx = np.maximum(smooth(reference**2) - mx**2, 0)
        vy = np.maximum(smooth(image**2) - my**2, 0)
        cov = smooth(reference * image) - mx * my
        g = cov / (vx + eps)
        rest = vy - g * cov
        low = vx < eps
        g[low], rest[low], vx[low] = 0, vy[low], 0
        low = vy < eps
        g[low], rest[low] = 0, 0
        low = g < 0
        rest[low], g[low] = vy[low], 0
        rest = np.maximum(rest, eps)
        kept += np.log10(1 + g**2 * vx / (rest + noise)).sum()
        total += np.log10(1 + vx / noise).sum()
    return kept / total


def zero_padded_ssim(x, y, data_range):
    """SSIM as pytorch-ssim, on which RED-CNN's and CoreDiff's programs build."""
    line = torch.exp(-((torch.arange(11, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    line /= line.sum()
    window = torch.outer(line, line)[None, None]

    def smooth(a):
        return torch.nn.functional.conv2d(torch.from_numpy(a)[None, None], window, padding=5)

    mx, my = smooth(x), smooth(y)
    vx, vy, cov = smooth(x * x) - mx**2, smooth(y * y) - my**2, smooth(x * y) - mx * my
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return (((2 * mx * my + c1) * (2 * cov + c2))
            / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean().item()


def windowed(x, center, width):
    """apply_center_width of ldct-benchmark."""
    return np.clip((x - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def conventions(clean, noisy):
    rows = [{"convention": "full", "vif": vif(clean, noisy), "mae": float(np.abs(noisy - clean).mean())}]
    for name, center, width in (("chest", -600, 1500), ("abdomen", 50, 400), ("head", 40, 80)):
        x, y = windowed(clean, center, width), windowed(noisy, center, width)
        t, p = np.clip(clean, -1024, 1900), np.clip(noisy, -1024, 1900)
        rows.append({
            "convention": name, "psnr": float(10 * np.log10(1 / ((x - y) ** 2).mean())),
            "ssim": float(structural_similarity(x, y, data_range=1.0)),
            "rmse": float(np.sqrt(((t - p) ** 2).mean())), "vif": vif(p, t),
            "mae": float(np.abs(t - p).mean())})
    for name, low, high, level in (("redcnn", -160, 240, 0), ("corediff", -1000, 1000, -1000)):
        x, y = np.clip(clean, low, high), np.clip(noisy, low, high)
        mse = ((x - y) ** 2).mean()
        rows.append({
            "convention": name, "psnr": float(10 * np.log10((high - low) ** 2 / mse)),
            "ssim": zero_padded_ssim(x - level, y - level, float(high - low)),
            "rmse": float(np.sqrt(mse)), "vif": vif(x, y), "mae": float(np.abs(x - y).mean())})
    return rows


def make(folder):
    generator = np.random.default_rng(60)
    clean = body(generator, SIZE).astype(np.float32)
    noisy = (clean + generator.normal(0, 40, clean.shape)).astype(np.float32)
    write_array(folder / "clean.npy", clean)
    write_array(folder / "noisy.npy", noisy)
    clean, noisy = clean.astype(np.float64), noisy.astype(np.float64)
    results = {
        "gaussian-1": gaussian(noisy, 1),
        "bilateral-1.5-100": bilateral(noisy, 1.5, 100.0),
        "tv-40": denoise_tv_chambolle(noisy, weight=40),
        "nlm-32": denoise_nl_means(noisy, patch_size=7, patch_distance=11, h=32),
        "nlm-24-40": denoise_nl_means(noisy, patch_size=5, patch_distance=6, h=24, sigma=40),
        "wavelet-haar": denoise_wavelet(noisy),
        "wavelet-db2-40": denoise_wavelet(noisy, sigma=40, wavelet="db2"),
        "bm3d-40": bm3d.bm3d(noisy, 40),
    }
    for name, result in results.items():
        write_array(folder / f"{name}.npy", result.astype(np.float32))
    write_json(folder / "cases.json", {
        "sigma": float(estimate_sigma(noisy)), "results": sorted(results),
        "conventions": conventions(clean, noisy)})
