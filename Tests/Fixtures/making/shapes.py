"""Small networks of every kind of layer, with loss, gradients and running statistics by PyTorch in double.

The lines are drawn from a seeded generator and built with `torch.nn.functional`. Numbers of weights, of images
and of targets come from a formula, so that only results are stored: of each tensor its sum and its products with
two waves, which a wrong number anywhere would move.

    number k of tensor j = sin(1.3·k + 0.7·j + 0.1) · scale, plus 1 for the weights of norms
"""

import math
import random

import torch
import torch.nn.functional as F

from .networks import ACTIVATIONS
from .writing import write_json

COUNT = 220
SMOOTH = ["linear", "tanh", "sigmoid", "elu", "arctan", "relu", "leaky-relu"]


def numbers(shape, j, scale=0.3, shift=0.0):
    count = math.prod(shape)
    k = torch.arange(count, dtype=torch.float64)
    return (torch.sin(1.3 * k + 0.7 * j + 0.1) * scale + shift).reshape(shape)


def projections(tensor):
    """The sum, and the products with cos(k) and cos(0.37·k²), which no permutation of numbers keeps."""
    flat = tensor.detach().reshape(-1)
    k = torch.arange(flat.numel(), dtype=torch.float64)
    return [float(flat.sum()), float((flat * torch.cos(k)).sum()),
            float((flat * torch.cos(0.37 * k * (k % 97))).sum())]


class Builder:
    """Draws lines that fit one another, and computes them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.layers = []  # (name, kind, channels, scale of height)
        self.counts = {}

    def name(self, letter):
        self.counts[letter] = self.counts.get(letter, 0) + 1
        return f"{letter}{self.counts[letter]}"

    def draw(self):
        r = self.random
        channels, scale = 1, 0
        places = [("net.in", 1, 0)]
        for _ in range(r.randint(2, 5)):
            kind = r.choice(["conv", "conv", "conv", "block", "pool", "up", "join", "norm"])
            if kind == "conv":
                line, channels, scale = self.conv(channels, scale)
                letter = "c"
            elif kind == "block":
                line, channels = self.block(channels)
                letter = "b"
            elif kind == "pool" and scale < 2:
                line, letter = f"pool {r.choice(['max', 'mean'])}", "p"
                scale += 1
            elif kind == "up" and scale > 0:
                by = r.choice(["nearest", "bilinear"])
                if channels % 4 == 0 and r.random() < 0.4:
                    by, channels = "shuffle", channels // 4
                line, letter = f"up by={by}", "u"
                scale -= 1
            elif kind == "join" and len(places) > 1:
                fitting = [p for p in places[:-1] if p[2] == scale]
                if not fitting:
                    continue
                other = r.choice(fitting)
                how = r.choice(["add", "multiply", "multiply-add", "concat"])
                if how != "concat" and other[1] not in (1, channels):
                    how = "concat"
                line, letter = f"join {other[0]} how={how} act={r.choice(SMOOTH)}", "j"
                channels += other[1] if how == "concat" else 0
            elif kind == "norm":
                line, letter = r.choice([
                    "norm batch momentum=0.3",
                    f"norm group groups={r.choice([g for g in (1, 2, 3, 4) if channels % g == 0])}",
                ]), "n"
            else:
                continue
            self.lines.append(line)
            places.append((self.name(letter), channels, scale))
        while scale > 0:
            self.lines.append("up")
            scale -= 1
        self.lines.append(r.choice(["conv", "conv kernel=1", "conv bias=no kernel=5"]))
        if r.random() < 0.4:
            self.lines.append("output subtract")
        self.size = (r.randint(2, 4) if any("batch" in l for l in self.lines) else r.randint(1, 4),
                     4 * r.randint(1, 4) , 4 * r.randint(1, 4))
        if not any(w in l for l in self.lines for w in ("pool", "stride")):
            self.size = (self.size[0], self.size[1] + 1, self.size[2] + 3)
        return self

    def conv(self, channels, scale):
        r = self.random
        groups = r.choice([g for g in (1, 1, 2, 3, 4) if channels % g == 0])
        new = groups * r.choice([1, 2, 3, 4])
        kernel, extra = r.choice([1, 3, 3, 5, 7]), ""
        way = r.random()
        if way < 0.2 and scale < 2:
            kernel, extra, scale = r.choice([2, 3, 4, 5]), " stride=2", scale + 1
        elif way < 0.35 and scale > 0:
            kernel, extra, scale = 2, " stride=2 pad=none transpose=yes", scale - 1
        elif way < 0.5:
            extra = f" dilation={r.choice([2, 3])}"
        elif way < 0.6:
            kernel, extra = 3, " transpose=yes"
        norm = r.choice(["", "", " norm=batch"] + [f" norm=group:{g}" for g in (1, 2, 3) if new % g == 0])
        line = (f"conv channels={new} kernel={kernel} act={r.choice(SMOOTH)} bias={r.choice(['yes', 'no'])}"
                f"{extra}" + (f" groups={groups}" if groups > 1 else "") + norm)
        return line, new, scale

    def block(self, channels):
        r = self.random
        skip = r.choice(["block", "input" if all("pool" not in l and "stride" not in l for l in self.lines) else "project",
                         "project"])
        new = channels if skip == "block" and channels != 1 else r.choice([2, 3, 4, 6])
        groups = r.choice([g for g in (1, 1, 2) if channels % g == 0 and new % g == 0])
        norm = r.choice(["", " norm=batch"] + [f" norm=group:{g}" for g in (1, 2) if new % g == 0])
        return (f"block channels={new} kernel={r.choice([1, 3, 5])} act={r.choice(SMOOTH)} "
                f"merge={r.choice(['add', 'multiply', 'multiply-add', 'none'])} skip={skip} "
                f"convs={r.choice([1, 2])} bias={r.choice(['yes', 'no'])}"
                + (f" dilation={r.choice([2])}" if r.random() < 0.2 else "")
                + (f" groups={groups}" if groups > 1 else "") + norm), new


def options(line):
    words = line.split()
    return words[0], [w for w in words[1:] if "=" not in w], dict(w.split("=") for w in words if "=" in w)


class Pass:
    """The pass of a batch; parameters are made in the order in which layers ask for them."""

    def __init__(self, builder):
        self.parameters, self.statistics = {}, {}
        self.number = 0
        n, h, w = builder.size
        self.input = numbers((n, 1, h, w), 91, 1.0)
        self.target = numbers((n, 1, h, w), 57, 0.5)
        self.outputs = {"net.in": self.input}
        self.counts = {}
        self.deferred = []
        x = self.input
        output = "plain"
        for line in builder.lines:
            kind, words, given = options(line)
            if kind == "output":
                output = words[0]
                continue
            letter = {"conv": "c", "block": "b", "pool": "p", "up": "u", "join": "j", "norm": "n"}[kind]
            self.counts[letter] = self.counts.get(letter, 0) + 1
            name = f"{letter}{self.counts[letter]}"
            x = getattr(self, kind)(name, x, words, given)
            self.outputs[name] = x
        self.output = self.input - x if output == "subtract" else x
        self.loss = F.mse_loss(self.output, self.target)
        self.loss.backward()

    def parameter(self, name, shape, shift=0.0):
        self.number += 1
        value = numbers(shape, self.number, 0.3, shift).requires_grad_()
        self.parameters[name] = value
        return value

    def convolution(self, name, x, outputs, kernel, bias, groups=1, stride=1, dilation=1, pad="same",
                    transpose=False):
        inputs = x.shape[1]
        shape = (inputs, outputs // groups, kernel, kernel) if transpose else (
            outputs, inputs // groups, kernel, kernel)
        weight = self.parameter(f"{name}weight", shape)
        b = self.parameter(f"{name}bias", (outputs,)) if bias else None
        reach = dilation * (kernel - 1) + 1
        zeros = 0 if pad == "none" else reach // 2 if reach % 2 else max(0, (reach - stride + 1) // 2)
        f = F.conv_transpose2d if transpose else F.conv2d
        return f(x, weight, b, stride=stride, padding=zeros, dilation=dilation, groups=groups)

    def normalized(self, name, x, rule, momentum=0.1):
        weight = self.parameter(f"{name}norm.weight", (x.shape[1],), 1.0)
        bias = self.parameter(f"{name}norm.bias", (x.shape[1],))
        if rule == "batch":
            mean, variance = torch.zeros(x.shape[1], dtype=torch.float64), torch.ones(x.shape[1], dtype=torch.float64)
            self.statistics[f"{name}norm.running_mean"] = mean
            self.statistics[f"{name}norm.running_var"] = variance
            return F.batch_norm(x, mean, variance, weight, bias, True, momentum)
        return F.group_norm(x, int(rule.split(":")[1]), weight, bias)

    def conv(self, name, x, words, given):
        z = self.convolution(
            f"{name}.", x, int(given.get("channels", 1)), int(given.get("kernel", 3)),
            given.get("bias", "yes") == "yes", int(given.get("groups", 1)), int(given.get("stride", 1)),
            int(given.get("dilation", 1)), given.get("pad", "same"), given.get("transpose") == "yes")
        if "norm" in given:
            z = self.normalized(f"{name}.", z, given["norm"])
        return ACTIVATIONS[given.get("act", "linear")](z)

    def block(self, name, x, words, given):
        channels, a = int(given["channels"]), x
        for i in range(int(given["convs"])):
            a = self.convolution(
                f"{name}.conv{i + 1}.", a, channels, int(given["kernel"]), given["bias"] == "yes",
                int(given.get("groups", 1)), dilation=int(given.get("dilation", 1)))
            if "norm" in given:
                a = self.normalized(f"{name}.conv{i + 1}.", a, given["norm"])
            a = ACTIVATIONS[given["act"]](a)
        if given["merge"] == "none":
            return a
        s = {"block": x, "input": self.input}.get(given["skip"])
        if s is None:
            s = self.convolution(f"{name}.project.", x, channels, 1, given["bias"] == "yes")
        return {"add": lambda: a + s, "multiply": lambda: a * s, "multiply-add": lambda: a * s + s}[given["merge"]]()

    def pool(self, name, x, words, given):
        return F.max_pool2d(x, 2) if words[0] == "max" else F.avg_pool2d(x, 2)

    def up(self, name, x, words, given):
        by = given.get("by", "nearest")
        if by == "shuffle":
            return F.pixel_shuffle(x, 2)
        extra = {} if by == "nearest" else {"align_corners": False}
        return F.interpolate(x, scale_factor=2, mode=by, **extra)

    def join(self, name, x, words, given):
        s = self.outputs[words[0]]
        how = given["how"]
        z = torch.cat([x, s], 1) if how == "concat" else {
            "add": lambda: x + s, "multiply": lambda: x * s, "multiply-add": lambda: x * s + s}[how]()
        return ACTIVATIONS[given["act"]](z)

    def norm(self, name, x, words, given):
        rule = "batch" if words[0] == "batch" else f"group:{given['groups']}"
        return self.normalized(f"{name}.", x, rule, float(given.get("momentum", 0.1)))


def make(folder):
    cases = []
    seed = 0
    while len(cases) < COUNT:
        seed += 1
        builder = Builder(seed).draw()
        try:
            done = Pass(builder)
        except RuntimeError:  # Sizes that do not join.
            continue
        if done.output.shape != done.input.shape or not math.isfinite(float(done.loss)):
            continue
        cases.append({
            "lines": builder.lines, "size": list(builder.size), "loss": float(done.loss.detach()),
            "output": projections(done.output),
            "gradients": {n: projections(p.grad) for n, p in done.parameters.items()},
            "statistics": {n: projections(s) for n, s in done.statistics.items()},
        })
    write_json(folder / "cases.json", cases)
