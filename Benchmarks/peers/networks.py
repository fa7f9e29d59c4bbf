"""The networks and tasks that are compared, as data that every peer builds its own network from.

A task without layers is a published network, which PyTorch builds from Tests/Fixtures/published.py.
A layer is a dictionary: channels, kernel, act, convs, merge (None for a plain convolution), skip
("block" or "input"), bias.
"""


def layer(channels, kernel=3, act="linear", convs=1, merge=None, skip="block", bias=True):
    return {"channels": channels, "kernel": kernel, "act": act, "convs": convs, "merge": merge,
            "skip": skip, "bias": bias}


def residual(channels):
    """What `backflow bench` trains: conv 1 to C, four blocks of two convolutions, conv C to 1."""
    blocks = [layer(channels, act="relu", convs=2, merge="add") for _ in range(4)]
    return [layer(channels, act="relu")] + blocks + [layer(1)]


def article(merge, blocks):
    """Six blocks of one convolution that join the network's input, as in `net preset article-…`."""
    return [layer(channels, kernel, act, merge=merge, skip="input", bias=False)
            for kernel, channels, act in blocks]


ARTICLE = {
    "article-1a": article("multiply", [
        (1, 1, "arctan"), (3, 3, "sigmoid"), (5, 3, "arctan"), (5, 5, "sigmoid"),
        (3, 7, "sigmoid"), (1, 1, "relu")]),
    "article-2a": article("multiply-add", [
        (13, 5, "sigmoid"), (7, 7, "arctan"), (3, 9, "tanh"), (5, 9, "relu"),
        (3, 3, "tanh"), (1, 1, "relu")]),
    "article-3a": article("multiply-add", [
        (13, 3, "sigmoid"), (7, 3, "tanh"), (3, 3, "arctan"), (5, 3, "relu"),
        (3, 3, "tanh"), (1, 1, "relu")]),
}


def task(name, layers, batch, side, arguments, forward=False):
    return {"name": name, "layers": layers, "batch": batch, "side": side, "forward": forward,
            "arguments": arguments + ["--batch", str(batch), "--size", str(side)]}


TASKS = [
    task(f"{batch} × {channels} × {side}²", residual(channels), batch, side,
         ["--channels", str(channels)])
    for batch, channels, side in
    [(1, 16, 512), (1, 32, 512), (1, 64, 256), (8, 32, 128), (4, 8, 256)]
] + [
    task(f"{name}, 5 × 512²", layers, 5, 512, ["--preset", name])
    for name, layers in ARTICLE.items()
] + [
    task("denoise 1 × 32 × 512²", residual(32), 1, 512, ["--channels", "32", "--forward"],
         forward=True)
] + [
    task(f"{name}, {batch} × {side}²", None, batch, side, ["--preset", name])
    for name, batch, side in
    [("dncnn17", 8, 64), ("ldct-resnet", 8, 64), ("redcnn", 8, 64), ("unet", 4, 128)]
]
