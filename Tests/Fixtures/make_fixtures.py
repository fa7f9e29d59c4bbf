"""Computes the reference files that Backflow's tests read.

Everything here is computed by somebody else's code (PyTorch, SciPy, scikit-image, pydicom) or evaluated in
Python from the definition, never by Backflow. Run it in a virtual environment:

    python make_fixtures.py            # all folders
    python make_fixtures.py networks   # some
"""

import argparse
from pathlib import Path

from making import (
    animations,
    baselines,
    convolutions,
    filters,
    flows,
    geometries,
    losses,
    metrics,
    networks,
    npy_samples,
    operations,
    optimizers,
    packs,
    random_streams,
    safetensors_samples,
    shapes,
    slices,
    training,
    ways,
)
from making.writing import emptied

HERE = Path(__file__).resolve().parent

MAKERS = {
    "networks": networks.make,
    "flows": flows.make,
    "shapes": shapes.make,
    "ways": ways.make,
    "conv": convolutions.make,
    "geometries": geometries.make,
    "operations": operations.make,
    "adam": optimizers.make,
    "losses": losses.make,
    "training": training.make,
    "metrics": metrics.make,
    "filters": filters.make,
    "baselines": baselines.make,
    "random": random_streams.make,
    "npy": npy_samples.make,
    "safetensors": safetensors_samples.make,
    "animations": animations.make,
    "packs": packs.make,
    "windows": slices.make_windows,
    "values": slices.make_values,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help=f"one of {', '.join(MAKERS)}")
    parser.add_argument("--out", type=Path, default=HERE, help="write below this folder")
    arguments = parser.parse_args()
    for name in arguments.folders:
        if name not in MAKERS:
            parser.error(f"unknown folder {name}")
    for name in arguments.folders or MAKERS:
        folder = emptied(arguments.out / name)
        MAKERS[name](folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        print(f"{name}: {len(files)} files, {sum(path.stat().st_size for path in files)} bytes")


if __name__ == "__main__":
    main()
