"""Animations of three grey frames, as Pillow writes them."""

import numpy as np
from PIL import Image

from making.writing import write_array


def make(folder):
    rng = np.random.default_rng(7)
    # Whole frames differ everywhere, so that Pillow leaves out no unchanged rows. In a GIF, all levels
    # in each frame keep the palette the same.
    levels = np.arange(24 * 16) % 256
    frames = np.stack([rng.permutation(levels).reshape(24, 16) for _ in range(3)]).astype(np.uint8)
    write_array(folder / "three.npy", frames)
    pictures = [Image.fromarray(frame) for frame in frames]
    for name in ["three.png", "three.gif"]:
        options = {"optimize": False, "interlace": 0} if name.endswith("gif") else {"default_image": False}
        pictures[0].save(
            folder / name, save_all=True, append_images=pictures[1:], duration=200, loop=0, **options
        )
