#!/usr/bin/env python3
"""Compares classical denoisers with scikit-image's and with the package bm3d on whole slices, in turns.

For each slice and each standard deviation of normal noise, the same noisy slice goes through both: the PSNR
(range 4096) of each against the clean slice, and the seconds of each. Those of Backflow are a run with the
baseline less one without; the others are told their deviation, too. Needs scikit-image, PyWavelets and bm3d
from PyPI.

    make build && Benchmarks/peers/baselines.py [FOLDER…] [--slices 0,5] [--sigma 20,40,60] [--only bm3d]

Without a folder of CT slices, a phantom of 512×512 pixels.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

import bm3d
import numpy as np
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

BACKFLOW = pathlib.Path(__file__).resolve().parent.parent.parent / ".build/release/backflow"

# The line after 'baseline', and the same in another implementation.
PEERS = {
    "tv": (lambda s: f"tv weight={s}HU", lambda x, s: denoise_tv_chambolle(x, weight=s)),
    "nlm": (lambda s: f"nlm h={0.8 * s}HU",
            lambda x, s: denoise_nl_means(x, patch_size=7, patch_distance=11, h=0.8 * s)),
    "wavelet": (lambda s: f"wavelet sigma={s}HU", lambda x, s: denoise_wavelet(x, sigma=s)),
    "bm3d": (lambda s: f"bm3d sigma={s}HU", bm3d.bm3d),
}


def run(lines, folder):
    session = folder / "one.session"
    session.write_text("\n".join(lines) + "\n")
    start = time.perf_counter()
    subprocess.run([BACKFLOW, "run", session, "--out", folder], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def psnr(image, clean):
    return 10 * np.log10(4096**2 / np.mean((image - clean) ** 2))


def compare(name, data, index, sigma, rounds):
    line, peer = PEERS[name]
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        start = [*data, f"noise gaussian sigma={sigma}HU", f"split train=slice:{0 if index else 1} test=slice:{index}"]
        run([*start, f"save tensor noisy[{index}] noisy.npy", f"save tensor clean[{index}] clean.npy"], folder)
        noisy, clean = (np.squeeze(np.load(folder / f"{x}.npy")).astype(np.float64) for x in ("noisy", "clean"))
        baseline = [*start, f"baseline {line(sigma)}"]
        run([*baseline, f"save tensor baseline[{index}] baseline.npy"], folder)
        ours = np.squeeze(np.load(folder / "baseline.npy")).astype(np.float64)
        without, seconds, others = [], [], []
        for _ in range(rounds):
            without.append(run(start, folder))
            seconds.append(run(baseline, folder))
            begin = time.perf_counter()
            theirs = peer(noisy, sigma)
            others.append(time.perf_counter() - begin)
    own = statistics.median(seconds) - statistics.median(without)
    other = statistics.median(others)
    print(f"| {name} | {index} | {sigma} | {psnr(noisy, clean):.2f} | {psnr(ours, clean):.2f} | "
          f"{psnr(theirs, clean):.2f} | {psnr(ours, clean) - psnr(theirs, clean):+.2f} | {own:.2f} | {other:.2f} | "
          f"{other / own:.1f} |", flush=True)


def numbers(text):
    return [int(x) for x in text.split(",")]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="*")
    parser.add_argument("--slices", type=numbers, default=[0])
    parser.add_argument("--sigma", type=numbers, default=[20, 40, 60])
    parser.add_argument("--only", choices=PEERS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for folder in options.folder or [None]:
        data = [f'load "{pathlib.Path(folder).resolve()}"' if folder else "phantom size=512 slices=16 patients=1"]
        print(f"\n{folder or 'phantom'}\n")
        print("| baseline | slice | σ HU | noisy dB | Backflow dB | peer dB | difference | Backflow s | peer s | peer to Backflow |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for name in PEERS:
            if options.only in (None, name):
                for index in options.slices:
                    for sigma in options.sigma:
                        compare(name, data, index, sigma, options.rounds)


main()
