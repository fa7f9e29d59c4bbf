"""Dilated back-propagation: gradients of every weight, by the equations, in NumPy and float64.

    G_L = ∂loss/∂out    G_k = g_{k+1} + ρ(t)·C_{j}(g_j)    ρ(t) = rate/(1 + decay·t)

C is a sum or a product over the linked blocks j. Forward and backward passes of each layer are
written out here from their definitions; nothing is differentiated automatically.
"""

import numpy as np
from scipy.signal import correlate2d

from .writing import write_array, write_json

# act, and act′ as a function of z.
ACTIVATIONS = {
    "linear": (lambda z: z, np.ones_like),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "arctan": (np.arctan, lambda z: 1 / (1 + z ** 2)),
}

DEFAULTS = {
    "block": {
        "channels": 8, "kernel": 3, "act": "relu", "merge": "add", "skip": "block", "convs": 1,
        "bias": "yes",
    },
    "conv": {"channels": 1, "kernel": 3, "act": "linear", "bias": "yes"},
}

# The article's dilated network, with kernels that fit small images.
ARTICLE = [
    "block channels=3 kernel=5 act=sigmoid merge=multiply-add skip=input bias=no",
    "block channels=3 kernel=3 act=tanh merge=multiply-add skip=input bias=no",
    "block channels=3 kernel=3 act=arctan merge=multiply-add skip=input bias=no",
    "block channels=3 kernel=5 act=relu merge=multiply-add skip=input bias=no",
    "block channels=3 kernel=3 act=tanh merge=multiply-add skip=input bias=no",
    "block channels=1 kernel=1 act=linear merge=multiply-add skip=input bias=no",
]

# Skips from the block, several convolutions, a projection, and plain convolutions between.
MIXED = [
    "conv channels=4 kernel=3 act=tanh",
    "block channels=4 kernel=3 act=tanh merge=add skip=block convs=2",
    "block channels=4 kernel=3 act=arctan merge=multiply skip=project",
    "conv channels=4 kernel=1 act=sigmoid",
    "block channels=4 kernel=3 act=sigmoid merge=multiply-add skip=block",
    "block channels=4 kernel=1 act=tanh merge=none",
    "block channels=4 kernel=3 act=tanh merge=add skip=input convs=3 bias=no",
    "conv channels=1",
]

CASES = {
    "dense-sum": {"lines": ARTICLE, "rate": 1000, "decay": 0.08},
    "dense-sum-epoch": {"lines": ARTICLE, "rate": 0.7, "decay": 0.08, "epoch": 9},
    "dense-product": {"lines": ARTICLE, "rate": 800, "decay": 0.064, "combine": "product"},
    "sparse": {"lines": ARTICLE, "rate": 0.5, "links": "sparse"},
    "include-next": {"lines": ARTICLE, "rate": 0.5, "links": "include-next"},
    "after": {"lines": ARTICLE, "rate": 0.05, "decay": 0.07, "insert": "after", "epoch": 3},
    "product-in-b1": {
        "lines": ARTICLE, "rate": 500, "decay": 0.04, "combine": "product", "blocks": [1]},
    "mixed-dense": {"lines": MIXED, "rate": 0.3},
    "mixed-sparse-after": {
        "lines": MIXED, "rate": 0.3, "links": "sparse", "insert": "after", "epoch": 1},
    "mixed-include-next-product": {
        "lines": MIXED, "rate": 2, "links": "include-next", "combine": "product", "blocks": [2, 3]},
    "rate-zero": {"lines": MIXED, "rate": 0},
}

SETTINGS = {
    "rate": 1000, "decay": 0.08, "links": "dense", "combine": "sum", "blocks": [],
    "insert": "before", "epoch": 0,
}


def conv(x, weight, bias=None):
    """z[n,o] = Σ_c x[n,c] ⋆ weight[o,c], zero outside, same size."""
    z = np.array([
        [sum(correlate2d(x[n, c], weight[o, c], mode="same") for c in range(x.shape[1]))
         for o in range(weight.shape[0])] for n in range(x.shape[0])])
    return z if bias is None else z + bias[None, :, None, None]


def conv_input_gradient(dz, weight):
    """The same correlation with the kernel turned and its channels exchanged."""
    return conv(dz, weight[:, :, ::-1, ::-1].swapaxes(0, 1))


def conv_weight_gradient(x, dz, shape):
    """dweight[o,c,u,v] = Σ dz[n,o,y,x]·x[n,c,y+u−p,x+v−p]."""
    pad = shape[-1] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = x.shape[2:]
    return np.array([[[[
        (dz[:, o] * padded[:, c, u:u + height, v:v + width]).sum() for v in range(shape[3])]
        for u in range(shape[2])] for c in range(shape[1])] for o in range(shape[0])])


class Layer:
    """One line, its weights, and what its forward pass computed."""

    def __init__(self, name, line, inputs, generator):
        self.name = name
        self.options = dict(DEFAULTS[line.split()[0]])
        for word in line.split()[1:]:
            key, value = word.split("=")
            self.options[key] = int(value) if value.isdigit() else value
        self.is_block = name[0] == "b"
        self.channels = self.options["channels"]
        self.convs = []
        read = inputs
        for i in range(self.options.get("convs", 1)):
            label = f"{name}.conv{i + 1}" if self.is_block else name
            self.convs.append(self._new(label, read, self.options["kernel"], generator))
            read = self.channels
        self.project = None
        if self.options.get("skip") == "project":
            self.project = self._new(f"{name}.project", inputs, 1, generator)

    def _new(self, label, inputs, kernel, generator):
        weight = generator.normal(
            0, 1 / np.sqrt(inputs * kernel * kernel), (self.channels, inputs, kernel, kernel))
        bias = (generator.normal(0, 0.1, self.channels)
                if self.options["bias"] == "yes" else None)
        return label, weight.astype(np.float32).astype(float), (
            None if bias is None else bias.astype(np.float32).astype(float))

    def weights(self):
        """Names and values in Backflow's order."""
        for label, weight, bias in self.convs + ([self.project] if self.project else []):
            yield f"{label}.weight", weight
            if bias is not None:
                yield f"{label}.bias", bias

    def forward(self, x, image):
        act, _ = ACTIVATIONS[self.options["act"]]
        self.x, self.inputs, self.z = x, [], []
        for _, weight, bias in self.convs:
            self.inputs.append(x)
            self.z.append(conv(x, weight, bias))
            x = act(self.z[-1])
        self.a = x
        if not self.is_block or self.options["merge"] == "none":
            return x
        skip = self.options["skip"]
        self.s = (image if skip == "input" else self.x if skip == "block"
                  else conv(self.x, self.project[1], self.project[2]))
        merge = self.options["merge"]
        return x + self.s if merge == "add" else x * self.s + (self.s if merge == "multiply-add" else 0)

    def backward(self, gradient, insertion, gradients):
        """g from G; writes the gradients of the weights."""
        _, derivative = ACTIVATIONS[self.options["act"]]
        merge = self.options.get("merge", "none")
        da, ds = gradient, None
        if merge == "add":
            ds = gradient
        elif merge != "none":
            da = gradient * self.s
            ds = gradient * self.a + (gradient if merge == "multiply-add" else 0)
        for i in reversed(range(len(self.convs))):
            label, weight, bias = self.convs[i]
            dz = derivative(self.z[i]) * da
            if i == len(self.convs) - 1 and insertion is not None:
                dz = dz + insertion
            gradients[f"{label}.weight"] = conv_weight_gradient(self.inputs[i], dz, weight.shape)
            if bias is not None:
                gradients[f"{label}.bias"] = dz.sum((0, 2, 3))
            da = conv_input_gradient(dz, weight)
        if ds is not None and self.options["skip"] != "input":
            if self.s.shape[1] == 1:
                ds = ds.sum(1, keepdims=True)
            if self.project:
                label, weight, bias = self.project
                gradients[f"{label}.weight"] = conv_weight_gradient(self.x, ds, weight.shape)
                if bias is not None:
                    gradients[f"{label}.bias"] = ds.sum((0, 2, 3))
                ds = conv_input_gradient(ds, weight)
            da = da + ds
        return da


def backward(layers, error, case, gradients):
    """G_k of each layer, by the flow."""
    ρ = case["rate"] / (1 + case["decay"] * case["epoch"])
    blocks = [layer for layer in layers if layer.is_block]
    passed_on, fed = {}, {}
    incoming = error
    for layer in reversed(layers):
        insertion = None
        if layer.is_block:
            k = blocks.index(layer) + 1
            linked = {
                "dense": range(k + 2, len(blocks) + 1),
                "sparse": range(k + 2, min(k + 2, len(blocks)) + 1),
                "include-next": range(k + 1, len(blocks) + 1),
            }[case["links"]]
            terms = [passed_on[j] for j in linked]
            if terms:
                is_named = not case["blocks"] or k in case["blocks"]
                is_sum = (case["combine"] == "sum") == is_named
                extra = ρ * (sum(terms) if is_sum else np.prod(terms, axis=0))
                if case["insert"] == "after":
                    insertion = extra
                else:
                    incoming = incoming + extra
        fed[f"{layer.name}.out"] = incoming
        incoming = layer.backward(incoming, insertion, gradients)
        if layer.is_block:
            passed_on[k] = incoming
    return fed


def make(folder):
    for number, (name, settings) in enumerate(CASES.items()):
        case = SETTINGS | settings
        generator = np.random.default_rng(100 + number)
        layers, channels, counts = [], 1, {"b": 0, "c": 0}
        for line in case["lines"]:
            counts[line[0]] += 1
            layers.append(Layer(f"{line[0]}{counts[line[0]]}", line, channels, generator))
            channels = layers[-1].channels
        image, target = (
            generator.uniform(0, 1, (2, 1, 8, 7)).astype(np.float32).astype(float)
            for _ in range(2))
        x = image
        for layer in layers:
            x = layer.forward(x, image)
        gradients = {}
        fed = backward(layers, 2 * (x - target) / x.size, case, gradients)
        weights = {key: value for layer in layers for key, value in layer.weights()}
        write_array(folder / name / "input.npy", image)
        write_array(folder / name / "target.npy", target)
        write_array(folder / name / "output.npy", x, "<f8")
        for key, value in weights.items():
            write_array(folder / name / "weights" / f"{key}.npy", value)
        for key, value in (gradients | fed).items():
            write_array(folder / name / "gradients" / f"{key}.npy", value, "<f8")
        write_json(folder / name / "case.json", case | {
            "weights": list(weights), "gradients": list(gradients) + list(fed)})
