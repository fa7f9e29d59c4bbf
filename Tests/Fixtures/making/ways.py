"""Ways back that are no gradient, or only a part of one, by PyTorch in double: ten steps of SGD for each network.

Random kernels come from the formula of `shapes`, so that only results are stored; those that are drawn for every step come from the
definition of the random streams. `autograd.Function` puts another kernel into the pullback of a convolution, `detach` cuts, and the
feedback of the output's error is given to `torch.autograd.backward`.
"""

import math
import random

import numpy as np
import torch
import torch.nn.functional as F

from .networks import ACTIVATIONS
from .random_streams import fraction, words
from .shapes import SMOOTH, Builder, Pass, numbers, options, projections
from .writing import write_json

COUNT = 32
STEPS = 10
RATE = 0.002
LETTERS = {"conv": "c", "block": "b", "pool": "p", "up": "u", "join": "j", "norm": "n"}

SETTINGS = [
    {"flow": "feedback signs=none mirror=no"},
    {"flow": "feedback signs=fixed mirror=no"},
    {"flow": "feedback signs=none mirror=yes", "decay": 0.1},
    {"flow": "direct"},
    {"flow": "truncated depth=1"},
    {"flow": "truncated depth=2"},
    {"flow": "local"},
    {"flow": "synthetic kernel=3 predictor-lr=0.05"},
    {"flow": "feedback signs=redrawn mirror=no"},
]
SLOPES = 60


def draw(r):
    """Lines of layers that fit one another, with blocks among them more often than not."""
    lines, places, counts, channels, scale = [], [("net.in", 1, 0)], {}, 1, 0
    for _ in range(r.randint(3, 6)):
        kind = r.choice(["conv", "block", "block", "block", "join", "norm", "pool"])
        norm = r.choice(["", "", "", " norm=batch", " norm=group:1"])
        act, kernel, bias = r.choice(SMOOTH), r.choice([1, 3, 5]), r.choice(["yes", "no"])
        if kind == "conv":
            groups = 2 if channels % 2 == 0 and r.random() < 0.3 else 1
            channels = r.choice([2, 3, 4]) * groups
            line = f"conv channels={channels} kernel={kernel} act={act} bias={bias} groups={groups}{norm}"
        elif kind == "block":
            skip = r.choice(["block", "project"] + (["input"] if scale == 0 else []))
            channels = channels if skip == "block" and channels > 1 else r.choice([2, 3, 4])
            line = (f"block channels={channels} kernel={kernel} act={act} merge={r.choice(['add', 'add', 'multiply', 'multiply-add'])} "
                    f"skip={skip} convs={r.choice([1, 2])} bias={bias}{norm}")
        elif kind == "join":
            fitting = [p for p in places if p[2] == scale]
            other = r.choice(fitting) if fitting else None
            if other is None:
                continue
            how = r.choice(["add", "concat"]) if other[1] in (1, channels) else "concat"
            line = f"join {other[0]} how={how} act={act}"
            channels += other[1] if how == "concat" else 0
        elif kind == "norm":
            line = "norm group groups=1"
        elif scale == 0:
            line, scale = "pool mean", 1
        else:
            continue
        lines.append(line)
        letter = LETTERS[line.split()[0]]
        counts[letter] = counts.get(letter, 0) + 1
        places.append((f"{letter}{counts[letter]}", channels, scale))
    if scale:
        lines.append("up")
    lines.append("conv")
    if r.random() < 0.4:
        lines.append("output subtract")
    return lines, (2, 6, 8)


def drawn(name, step, shape, seed=1):
    """The numbers that `signs=redrawn` draws for a kernel in a step: single precision, deviation sqrt(2 / n)."""
    count = math.prod(shape)
    deviation = math.sqrt(2 / (count // shape[0]))
    stream = f"flow/{name}/{step}"
    drawn = [words(seed, stream, pair) for pair in range((count + 1) // 2)]
    u = np.array([(fraction(w[0], w[1]) + 0.5) * 2.0**-53 for w in drawn])
    turns = np.array([fraction(w[2], w[3]) * 2.0**-53 for w in drawn]) * 2 * np.pi
    waves = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    normals = (np.sqrt(-2 * np.log(u))[:, None] * waves).reshape(-1)[:count]
    return torch.tensor((deviation * normals).astype(np.float32).astype(np.float64)).reshape(shape)


class Through(torch.autograd.Function):
    """A convolution whose gradient goes back to x through another kernel."""

    @staticmethod
    def forward(ctx, x, w, b, other, f):
        ctx.save_for_backward(x, w, *([] if b is None else [b]), other)
        ctx.f, ctx.has_bias = f, b is not None
        return f(x, w, b)

    @staticmethod
    def backward(ctx, g):
        x, w, *b, other = ctx.saved_tensors
        with torch.enable_grad():
            own = [t.detach().requires_grad_() for t in [w, *b]]
            dw = torch.autograd.grad(ctx.f(x.detach(), own[0], own[1] if b else None), own, g)
            image = x.detach().requires_grad_()
            dx, = torch.autograd.grad(ctx.f(image, other, None), image, g)
        return dx, dw[0], dw[1] if b else None, None, None


class Way(Pass):
    """The pass of a batch under a flow; weights and the flow's own tensors are made once."""

    def __init__(self, lines, size, flow):
        self.lines, (n, h, w) = lines, size
        self.input, self.target = numbers((n, 1, h, w), 91, 1.0), numbers((n, 1, h, w), 57, 0.5)
        self.word, self.settings = flow.split()[0], dict(s.split("=") for s in flow.split()[1:])
        self.parameters, self.own, self.number, self.statistics = {}, {}, 0, {}
        self.step = 0
        self.layers = [l for l in lines if not l.startswith("output")]
        with_weights = [i for i, l in enumerate(self.layers) if l.split()[0] in ("conv", "block", "norm")]
        blocks = [i for i, l in enumerate(self.layers) if l.startswith("block")]
        self.ends = list(blocks or with_weights)
        self.ends[-1] = len(self.layers) - 1
        self.fed = with_weights[:-1]

    def parameter(self, name, shape, shift=0.0):
        if name not in self.parameters:
            super().parameter(name, shape, shift)
        return self.parameters[name]

    def tensor(self, name, shape, is_trained=False):
        """A tensor of the flow's own."""
        if name not in self.own:
            self.own[name] = numbers(shape, 200 + len(self.own), 0.3).requires_grad_(is_trained)
        return self.own[name]

    def part(self, layer):
        return next((k for k, end in enumerate(self.ends) if layer <= end), len(self.ends) - 1)

    def is_cut(self, reader, read):
        if self.word == "truncated":
            depth = int(self.settings["depth"])
            first = 0 if len(self.ends) <= depth else self.ends[len(self.ends) - depth - 1] + 1
            return reader >= first > read
        if self.word in ("local", "synthetic"):
            return self.part(reader) != self.part(read)
        return self.word == "direct" and read in self.fed

    def read(self, reader, name):
        """What a layer reads of another."""
        x = self.outputs[name]
        layer = self.places.get(name)
        return x.detach() if layer is not None and self.is_cut(reader, layer) else x

    def run(self):
        """One pass; leaves the gradients at the parameters and returns the loss."""
        self.outputs, self.places, counts, self.boundaries = {"net.in": self.input}, {}, {}, []
        below, subtracts = "net.in", "output subtract" in self.lines
        for layer, line in enumerate(self.layers):
            self.layer = layer
            kind, words, given = options(line)
            letter = LETTERS[kind]
            counts[letter] = counts.get(letter, 0) + 1
            name = f"{letter}{counts[letter]}"
            x = self.read(layer, below)
            if self.word == "synthetic" and layer - 1 in self.ends[:-1]:
                # What is read has a gradient of its own, which teaches the predictor.
                x = x.requires_grad_()
                self.boundaries.append((below, self.outputs[below], x))
            self.outputs[name] = getattr(self, kind)(name, x, words, given)
            self.places[name] = layer
            below = name
        last = self.outputs[below]
        self.output = self.input - last if subtracts else last
        self.loss = F.mse_loss(self.output, self.target)
        for p in [*self.parameters.values(), *self.own.values()]:
            p.grad = None
        names = {layer: name for name, layer in self.places.items()}
        if self.word == "direct":
            error, = torch.autograd.grad(self.loss, self.output, retain_graph=True)
            ends, seeds = [self.loss], [torch.ones((), dtype=torch.float64)]
            for layer in self.fed:
                u = self.outputs[names[layer]]
                kernel = self.tensor(f"{names[layer]}.out.feedback", (1, u.shape[1], 3, 3))
                factor = error.shape[-1] // u.shape[-1]
                image = torch.zeros_like(u).repeat_interleave(factor, 2).repeat_interleave(factor, 3).requires_grad_()
                g, = torch.autograd.grad(F.conv2d(image, kernel, padding=1), image, error)
                ends.append(u)
                seeds.append(F.avg_pool2d(g, factor, divisor_override=1))
            torch.autograd.backward(ends, seeds)
        else:
            self.loss.backward()
        if self.word == "local":
            for layer in self.ends[:-1]:
                h = self.outputs[names[layer]]
                out = F.conv2d(h, self.tensor(f"{names[layer]}.local.weight", (1, h.shape[1], 1, 1), True),
                               self.tensor(f"{names[layer]}.local.bias", (1,), True))
                out = F.interpolate(out, size=self.target.shape[-2:], mode="nearest")
                F.mse_loss(self.input - out if subtracts else out, self.target).backward()
        for name, h, read in reversed(self.boundaries):
            channels, pixels = h.shape[1], h.numel() // h.shape[1]
            weight = self.tensor(f"{name}.out.synthetic.weight", (channels, channels, 3, 3), True)
            bias = self.tensor(f"{name}.out.synthetic.bias", (channels,), True)
            predicted = F.conv2d(h.detach(), weight, bias, padding=1) / pixels
            (0.5 * pixels * ((predicted - read.grad) ** 2).sum()).backward()
            h.backward(predicted.detach())
        for p in self.parameters.values():
            p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        return float(self.loss.detach())

    def convolution(self, name, x, outputs, kernel, bias, groups=1, dilation=1, **_):
        weight = self.parameter(f"{name}weight", (outputs, x.shape[1] // groups, kernel, kernel))
        b = self.parameter(f"{name}bias", (outputs,)) if bias else None
        f = lambda x, w, b: F.conv2d(x, w, b, padding=dilation * (kernel - 1) // 2, dilation=dilation, groups=groups)
        if self.word != "feedback" or x is self.input:
            return f(x, weight, b)
        own = f"{name}weight.feedback"
        if self.settings["signs"] == "redrawn":
            self.own[own] = drawn(own, self.step, weight.shape).abs() * torch.sign(weight.detach())
        other = self.tensor(own, weight.shape)
        if self.settings["signs"] != "none":
            other = other.abs() * torch.sign(weight.detach())
        return Through.apply(x, weight, b, other, f)

    def conv(self, name, x, words, given):
        z = self.convolution(f"{name}.", x, int(given.get("channels", 1)), int(given.get("kernel", 3)),
                             given.get("bias", "yes") == "yes", int(given.get("groups", 1)))
        if "norm" in given:
            z = self.normalized(f"{name}.", z, given["norm"])
        return ACTIVATIONS[given.get("act", "linear")](z)

    def join(self, name, x, words, given):
        kept = self.outputs[words[0]]
        self.outputs[words[0]] = self.read(self.layer, words[0])
        try:
            return super().join(name, x, words, given)
        finally:
            self.outputs[words[0]] = kept

    def descend(self, decay):
        """One step of SGD, w ← w − rate·(g + decay·w); under a mirror, the kernels get the same gradients."""
        self.step += 1
        with torch.no_grad():
            for name, p in self.parameters.items():
                p -= RATE * (p.grad + decay * p)
                other = self.own.get(f"{name}.feedback")
                if other is not None and self.settings.get("mirror") == "yes":
                    other -= RATE * (p.grad + decay * other)
            for own in self.own.values():
                if own.requires_grad:
                    own -= RATE * (own.grad + decay * own)


def case(lines, size, setting):
    way = Way(lines, size, setting["flow"])
    losses = [way.run()]
    if way.output.shape != way.input.shape:
        raise RuntimeError("The output is of another size.")
    gradients = {name: projections(p.grad) for name, p in way.parameters.items()}
    for _ in range(STEPS - 1):
        way.descend(setting.get("decay", 0))
        losses.append(way.run())
    way.descend(setting.get("decay", 0))
    if "redrawn" in setting["flow"]:
        way.run()  # The kernels of the next step.
    if not all(math.isfinite(l) and l < 1e3 for l in losses):
        raise RuntimeError("The training diverges.")
    shown = lambda values: [float(f"{v:.14g}") for v in values]
    return {
        "lines": lines, "size": list(size), "flow": setting["flow"], "decay": setting.get("decay", 0),
        "rate": RATE, "losses": shown(losses),
        "gradients": {name: shown(g) for name, g in gradients.items()},
        "own": {name: list(t.shape) for name, t in way.own.items()},
        "after": shown(projections(torch.cat([p.detach().reshape(-1) for p in way.parameters.values()]))),
        "ownAfter": shown(projections(torch.cat(
            [t.detach().reshape(-1) for t in way.own.values()] or [torch.zeros(0, dtype=torch.float64)]))),
    }


class Slope(Pass):
    """The loss of a network of any shape as a function of its parameters, which `given` holds by their order; None at first."""

    def __init__(self, builder, given=None):
        self.given, self.made = given, []
        super().__init__(builder)

    def parameter(self, name, shape, shift=0.0):
        self.made.append(numbers(shape, len(self.made) + 1, 0.3, shift))
        return self.made[-1] if self.given is None else self.given[len(self.made) - 1]

    @property
    def loss(self):
        return self

    @loss.setter
    def loss(self, value):
        self.value = value

    def backward(self):
        """Nothing goes back here."""

    def normalized(self, name, x, rule, momentum=0.1):
        weight = self.parameter(f"{name}norm.weight", (x.shape[1],), 1.0)
        bias = self.parameter(f"{name}norm.bias", (x.shape[1],))
        if rule == "batch":
            return F.batch_norm(x, None, None, weight, bias, True)
        return F.group_norm(x, int(rule.split(":")[1]), weight, bias)


def slopes():
    """Derivatives of the loss along a direction of the parameters, by `torch.func.jvp`."""
    cases, seed = [], 5000
    while len(cases) < SLOPES:
        seed += 1
        builder = Builder(seed).draw()
        try:
            done = Slope(builder)
        except (RuntimeError, ValueError):  # Sizes that do not join.
            continue
        if done.output.shape != done.input.shape:
            continue
        directions = [numbers(p.shape, 301 + k, 0.3) for k, p in enumerate(done.made)]
        _, slope = torch.func.jvp(lambda given: Slope(builder, given).value, (done.made,), (directions,))
        cases.append({"lines": builder.lines, "size": list(builder.size), "slope": float(slope)})
    return cases


def make(folder):
    cases = []
    for number, setting in enumerate(SETTINGS):
        seed, found = 1000 * number, 0
        while found < COUNT:
            seed += 1
            lines, size = draw(random.Random(seed))
            try:
                cases.append(case(lines, size, setting))
                found += 1
            except RuntimeError:
                continue
    write_json(folder / "cases.json", cases)
    write_json(folder / "slopes.json", slopes())
