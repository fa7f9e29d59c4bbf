"""Median filters by SciPy, under the two usual ways to continue an image past its border."""

import numpy as np
from scipy.ndimage import median_filter

from .writing import write_array, write_json

MODES = {
    "nearest": "the edge pixel repeats: a a a a | a b c d | d d d d",
    "reflect": "mirrored, edge pixels repeated: d c b a | a b c d | d c b a",
    "mirror": "mirrored about the edge pixel: d c b | a b c d | c b a",
}


def make(folder):
    generator = np.random.default_rng(50)
    image = generator.normal(0, 200, (13, 17)).astype(np.float32)
    image[3:7, 2:9] = np.rint(image[3:7, 2:9] / 200)  # with equal values among them
    image[9, 12] = 3000
    write_array(folder / "image.npy", image)
    records = []
    for size in (3, 5):
        for mode in MODES:
            name = f"median-{size}-{mode}.npy"
            write_array(folder / name, median_filter(image, size=size, mode=mode))
            records.append({"file": name, "filter": "median", "size": size, "mode": mode})
    write_json(folder / "cases.json", {
        "input": "image.npy", "modes": MODES,
        "note": "exact: every result is one of the input's values. Modes differ at most in the "
                "outermost size//2 rows and columns.",
        "cases": records,
    })
