"""RMSE, PSNR and SSIM of image pairs by scikit-image, in double precision."""

import numpy as np
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from .writing import write_array, write_json


def body(generator, size=(40, 48)):
    """A picture like a slice through a chest, in HU."""
    y, x = np.mgrid[-1:1:size[0] * 1j, -1:1:size[1] * 1j]
    hu = np.full(y.shape, -1000.0)
    hu[(x / 0.9) ** 2 + (y / 0.75) ** 2 < 1] = 45
    for side in (-1, 1):
        hu[((x - side * 0.42) / 0.3) ** 2 + (y / 0.5) ** 2 < 1] = -860
    hu[(x / 0.13) ** 2 + ((y - 0.5) / 0.16) ** 2 < 1] = 620
    hu[((x - 0.35) / 0.07) ** 2 + ((y + 0.1) / 0.07) ** 2 < 1] = 80
    return hu + 20 * np.sin(9 * x + 5 * y) + generator.normal(0, 6, hu.shape)


def pairs():
    """(name, truth, other, ranges, keeps the SSIM map)."""
    generator = np.random.default_rng(40)
    hu = body(generator)
    yield "hu", hu, hu + generator.normal(0, 60, hu.shape), [4096.0, 2000.0], True
    eight_bit = np.clip(np.rint((hu + 1350) * 255 / 1500), 0, 255)
    noisy = np.clip(np.rint(eight_bit + generator.normal(0, 12, hu.shape)), 0, 255)
    yield "8-bit", eight_bit, noisy, [255.0], False
    yield "identical", hu, hu, [4096.0], False
    yield "constant", np.full((16, 20), 40.0), np.full((16, 20), 100.0), [255.0, 4096.0], False
    small = generator.normal(0, 300, (11, 13))
    yield "smallest", small, small * 0.9 + 15, [4096.0], False


def make(folder):
    records = []
    for name, truth, other, ranges, keeps_map in pairs():
        truth, other = truth.astype(np.float32), other.astype(np.float32)
        write_array(folder / f"{name}-truth.npy", truth)
        write_array(folder / f"{name}-other.npy", other)
        truth, other = truth.astype(np.float64), other.astype(np.float64)
        mse = mean_squared_error(truth, other)
        record = {
            "name": name, "shape": list(truth.shape), "rmse": float(np.sqrt(mse)), "ranges": []}
        for data_range in ranges:
            with np.errstate(divide="ignore"):
                psnr = peak_signal_noise_ratio(truth, other, data_range=data_range)
            ssim, ssim_map = structural_similarity(
                truth, other, data_range=data_range, gaussian_weights=True, sigma=1.5,
                use_sample_covariance=False, win_size=11, full=True)
            record["ranges"].append({"range": data_range, "psnr": float(psnr), "ssim": float(ssim)})
            if keeps_map and data_range == ranges[0]:
                record["ssim_map"] = f"{name}-ssim-map.npy"
                record["ssim_map_range"] = data_range
                write_array(folder / record["ssim_map"], ssim_map, "<f8")
        records.append(record)
    write_json(folder / "cases.json", {
        "psnr": "10*log10(range^2 / mse), inf when mse = 0",
        "ssim": "Wang et al. 2004: K1 = 0.01, K2 = 0.03, population covariance; the window is a "
                "Gaussian of sigma 1.5 cut at 3.5 sigma (11 by 11) that sums to 1",
        "borders": "scikit-image filters with the image mirrored, edge pixels repeated "
                   "(d c b a | a b c d | d c b a), so the map has the image's size; the SSIM is "
                   "the mean of the map without its 5 outermost rows and columns on each side. "
                   "An image below 11 by 11 is refused.",
        "precision": "the float32 images were converted to float64 before anything else; "
                     "scikit-image computes in float32 when handed float32",
        "pairs": records,
    })
