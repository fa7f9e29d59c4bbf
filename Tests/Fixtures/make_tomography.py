"""Writes reference values of projections and reconstructions: tomography/.

    python make_tomography.py

Computed by scikit-image (radon, iradon), by the ASTRA toolbox (Joseph's projector for parallel rays, exact
line integrals for a flat fan), and, for the spectrum of the noise, by a filtered back-projection in NumPy that
shares nothing with Backflow's.
"""

import json
from pathlib import Path

import astra
import numpy as np
from skimage.transform import iradon, radon

HERE = Path(__file__).parent / "tomography"


def blobs(size):
    """A smooth image of a few normal bumps, which vanishes at the border."""
    y, x = np.mgrid[:size, :size] / (size - 1) * 2 - 1
    image = np.zeros((size, size))
    for cx, cy, sx, sy, height in [
        (0.1, -0.1, 0.25, 0.2, 1.0),
        (-0.3, 0.2, 0.12, 0.15, 0.7),
        (0.35, 0.3, 0.1, 0.1, -0.4),
    ]:
        image += height * np.exp(-(((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2) / 2)
    image[x**2 + y**2 > 0.95**2] = 0
    return image


def save(name, array, dtype=np.float32):
    np.save(HERE / f"{name}.npy", np.ascontiguousarray(array, dtype=dtype))


def astra_sinogram(image, kind, geometry):
    volume = astra.create_vol_geom(*image.shape)
    projector = astra.create_projector(kind, geometry, volume)
    _, sinogram = astra.create_sino(image, projector)
    astra.projector.delete(projector)
    return sinogram


def parallel_fbp(sinogram, angles, size, pitch):
    """Filtered back-projection in NumPy: ramp in space, linear interpolation; pixels of 1."""
    views, count = sinogram.shape
    n = np.arange(-count + 1, count)
    h = np.where(n == 0, 1 / 4, np.where(n % 2, -1 / (np.pi * np.where(n == 0, 1, n)) ** 2, 0)) / pitch**2
    filtered = np.array([np.convolve(row, h)[count - 1 : 2 * count - 1] for row in sinogram]) * pitch
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    image = np.zeros((size, size))
    for row, angle in zip(filtered, angles):
        s = (x * np.cos(angle) - y * np.sin(angle)) / pitch + (count - 1) / 2
        image += np.interp(s, np.arange(count), row, left=0, right=0)
    return image * np.pi / views


def fan_fbp(sinogram, angles, size, pitch, distance, to_detector):
    """The same for a fan on an arc over a full turn."""
    views, count = sinogram.shape
    step = pitch / to_detector
    gamma = (np.arange(count) - (count - 1) / 2) * step
    n = np.arange(-count + 1, count)
    sine = np.sin(np.where(n == 0, 1, n) * step)
    g = np.where(n == 0, 1 / (8 * step**2), np.where(n % 2, -1 / (2 * (np.pi * sine) ** 2), 0))
    weighted = sinogram * distance * np.cos(gamma)
    filtered = np.array([np.convolve(row, g)[count - 1 : 2 * count - 1] for row in weighted]) * step
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    y = -y
    image = np.zeros((size, size))
    for row, beta in zip(filtered, angles):
        source = distance * np.array([np.sin(beta), -np.cos(beta)])
        dx, dy = x - source[0], y - source[1]
        across = dx * np.cos(beta) + dy * np.sin(beta)
        along = -dx * np.sin(beta) + dy * np.cos(beta)
        place = np.arctan2(across, along) / step + (count - 1) / 2
        image += np.interp(place, np.arange(count), row, left=0, right=0) / (dx**2 + dy**2)
    return image * 2 * np.pi / views


def spectrum(draw, size, draws, bins):
    """The radial noise power, in bins of equal width up to half a cycle for each pixel."""
    power = np.zeros((size, size))
    for _ in range(draws):
        noise = draw()
        power += np.abs(np.fft.fft2(noise - noise.mean())) ** 2 / size**2
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    place = np.floor(f / 0.5 * bins).astype(int)
    return np.array([(power / draws)[place == b].mean() for b in range(bins)])


def noise_spectra():
    size, views, count, draws, bins = 48, 180, 81, 4000, 8
    distance, to_detector, pitch = 120.0, 220.0, 1.8
    random = np.random.default_rng(5)
    parallel = np.arange(views) * np.pi / views
    full = np.arange(views) * 2 * np.pi / views
    inner = slice(8, 40)
    spectra = {
        "parallel": spectrum(
            lambda: parallel_fbp(random.normal(size=(views, count)), parallel, size, 1.0)[inner, inner],
            32, draws, bins),
        "fan": spectrum(
            lambda: fan_fbp(random.normal(size=(views, count)), full, size, pitch, distance, to_detector)[inner, inner],
            32, draws, bins),
    }
    cases = dict(size=size, views=views, detectors=count, part=[8, 40], bins=bins,
        source_to_center=distance, source_to_detector=to_detector, fan_pitch=pitch,
        parallel=list(spectra["parallel"]), fan=list(spectra["fan"]))
    (HERE / "noise.json").write_text(json.dumps(cases, indent=1) + "\n")
    print({k: np.round(v, 5) for k, v in spectra.items()})


def main():
    HERE.mkdir(exist_ok=True)
    size, views = 65, 60
    image = blobs(size)
    save("image", image)
    degrees = np.arange(views) * 180 / views
    save("radon", radon(image, degrees, circle=True).T)
    count = size
    parallel = astra.create_proj_geom("parallel", 1.0, count, np.deg2rad(degrees))
    joseph = astra_sinogram(image, "linear", parallel)
    save("parallel", joseph)
    fan = astra.create_proj_geom(
        "fanflat", 1.9, 80, np.arange(72) * 2 * np.pi / 72, 120.0, 100.0)
    save("flat", astra_sinogram(image, "line_fanflat", fan))
    for name in ["ramp", "shepp-logan", "cosine", "hann"]:
        save(f"iradon-{name}", iradon(joseph.T, degrees, filter_name=name, circle=True))
    noise_spectra()


main()
