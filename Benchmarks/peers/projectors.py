#!/usr/bin/env python3
"""Times one slice through a fan beam in Backflow and in ASTRA, one after the other, in turns.

512×512 pixels, 1160 views, 672 elements on a flat detector. Backflow's command projects, reconstructs
without noise, disturbs and reconstructs again, and judges the result; ASTRA's projector alone is on one
thread, as its CPU code always is. Needs astra-toolbox from PyPI.

    make build && Benchmarks/peers/projectors.py
"""

import pathlib
import statistics
import subprocess
import tempfile
import time

import astra
import numpy as np

BACKFLOW = pathlib.Path(__file__).resolve().parent.parent.parent / ".build/release/backflow"
ROUNDS = 5
PIXEL, VIEWS, ELEMENTS, PITCH = 360 / 512, 1160, 672, 1.85


def astra_seconds(image):
    geometry = astra.create_proj_geom(
        "fanflat", PITCH / PIXEL, ELEMENTS, np.arange(VIEWS) * 2 * np.pi / VIEWS, 746.02 / PIXEL, 615.18 / PIXEL)
    projector = astra.create_projector("line_fanflat", geometry, astra.create_vol_geom(*image.shape))
    start = time.perf_counter()
    identifier, _ = astra.create_sino(image, projector)
    seconds = time.perf_counter() - start
    astra.data2d.delete(identifier)
    astra.projector.delete(projector)
    return seconds


def backflow_seconds(lines, folder):
    session = pathlib.Path(folder) / "slice.session"
    session.write_text("\n".join(lines) + "\n")
    start = time.perf_counter()
    subprocess.run([BACKFLOW, "run", session, "--out", folder], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    image = np.random.default_rng(1).random((512, 512), dtype=np.float32)
    load = ["phantom size=512 slices=1 patients=1", "tensor x = clean[0]"]
    options = f"detector=flat views={VIEWS} detectors={ELEMENTS}"
    sessions = {
        "start and phantom": load,
        "project": [*load, f"project x as=S {options}"],
        "noise lowdose": [*load, f"noise lowdose dose=0.25 {options}"],
    }
    times = {name: [] for name in ["ASTRA line_fanflat", *sessions]}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            times["ASTRA line_fanflat"].append(astra_seconds(image))
            for name, lines in sessions.items():
                times[name].append(backflow_seconds(lines, folder))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, seconds in medians.items():
        own = f"   {seconds - medians['start and phantom']:.3f} s of its own" if name in sessions else ""
        print(f"{name:20}{seconds:8.3f} s{own}")


main()
