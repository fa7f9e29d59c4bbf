"""Optimizers, schedules and clipping: PyTorch's; the article's variants of Adam by NumPy from formulas."""

import numpy as np
import torch

from .writing import write_array, write_json

STEPS, SIZE = 10, 6

ADAM = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
        "correction": "step", "update": "direct"}

FORMULAS = {
    "update=direct": "m = beta1*m + (1-beta1)*g; v = beta2*v + (1-beta2)*g*g",
    "update=incremental": "m = m + (1-beta1)*(g-m); v = v + (1-beta2)*(g*g-v)",
    "correction=step": "mhat = m/(1-beta1^t), vhat = v/(1-beta2^t), t = 1 at the first step",
    "correction=constant": "mhat = m/(1-beta1), vhat = v/(1-beta2) at every step",
    "weights": "w = w - lr*mhat/(sqrt(vhat) + epsilon); m = v = 0 at the start",
}

ADAM_CASES = {
    "adam": {},
    "adam-other": {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
    "adam-constant": {"correction": "constant"},
    "adam-incremental": {"update": "incremental", "lr": 0.02},
    "adam-constant-incremental": {
        "correction": "constant", "update": "incremental", "lr": 0.01, "beta1": 0.7,
        "beta2": 0.99, "epsilon": 1e-4},
}

SGD_CASES = {
    "sgd": {"lr": 0.01, "momentum": 0.0, "nesterov": False},
    "sgd-momentum": {"lr": 0.02, "momentum": 0.9, "nesterov": False},
    "sgd-nesterov": {"lr": 0.02, "momentum": 0.9, "nesterov": True},
}

RMSPROP_CASES = {
    "rmsprop": {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.0},
    "rmsprop-momentum": {"lr": 0.003, "alpha": 0.9, "eps": 1e-4, "momentum": 0.8},
}
ADAGRAD_CASES = {
    "adagrad": {"lr": 0.01, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10},
    "adagrad-decay": {"lr": 0.1, "lr_decay": 0.05, "initial_accumulator_value": 0.1, "eps": 1e-6},
}
ADADELTA_CASES = {
    "adadelta": {"lr": 1.0, "rho": 0.9, "eps": 1e-6},
    "adadelta-other": {"lr": 0.5, "rho": 0.95, "eps": 1e-4},
}
# Weight decay: L2 in the gradient of SGD and Adam, beside it in AdamW.
DECAY_CASES = {
    "sgd-decay": ("sgd", {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    "sgd-decay-plain": ("sgd", {"lr": 0.02, "momentum": 0.0, "nesterov": False, "weight_decay": 0.5}),
    "adam-decay": ("adam", {
        "lr": 0.02, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0.1}),
    "adamw": ("adamw", {
        "lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}),
    "adamw-other": ("adamw", {
        "lr": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weight_decay": 0.3}),
}
# What PyTorch calls the moments that Backflow calls m and v.
MOMENTS = {
    "rmsprop": {"m": "momentum_buffer", "v": "square_avg"},
    "adagrad": {"v": "sum"},
    "adadelta": {"m": "acc_delta", "v": "square_avg"},
}
OTHERS = [
    ("rmsprop", torch.optim.RMSprop, RMSPROP_CASES),
    ("adagrad", torch.optim.Adagrad, ADAGRAD_CASES),
    ("adadelta", torch.optim.Adadelta, ADADELTA_CASES),
]

# Horizons from one update to many, and what `torch.optim.lr_scheduler` makes of them.
SCHEDULE_LR = 0.02
SCHEDULES = {
    "cosine": ("CosineAnnealingLR", 40, {"T_max": 40, "eta_min": 0.0}),
    "cosine-final": ("CosineAnnealingLR", 7, {"T_max": 7, "eta_min": 0.001}),
    "one-cycle": ("OneCycleLR", 40, {"max_lr": 0.02, "total_steps": 40, "pct_start": 0.3}),
    "one-cycle-other": ("OneCycleLR", 11, {
        "max_lr": 0.02, "total_steps": 11, "pct_start": 0.5, "div_factor": 10,
        "final_div_factor": 50}),
    "one-cycle-short": ("OneCycleLR", 2, {"max_lr": 0.02, "total_steps": 2, "pct_start": 0.3}),
    "warm-up": ("LinearLR", 20, {"start_factor": 0.04, "end_factor": 1.0, "total_iters": 8}),
    # One step of StepLR is an epoch here, of four updates.
    "step": ("StepLR", 12, {"step_size": 3, "gamma": 0.1}),
}


def schedule_rates(kind, count, options):
    """The rate of each of `count` updates (for StepLR, epochs)."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=SCHEDULE_LR)
    if kind == "OneCycleLR":
        options = options | {"cycle_momentum": False}
    scheduler = getattr(torch.optim.lr_scheduler, kind)(optimizer, **options)
    rates = []
    for _ in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < count:
            scheduler.step()
    return rates


def clipped(gradients, limit, by):
    """Gradients of two parameters, clipped by PyTorch, and their norm before."""
    parameters = [torch.zeros(g.shape, dtype=torch.float64) for g in gradients]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = torch.tensor(gradient)
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters]).item()
    if by == "norm":
        torch.nn.utils.clip_grad_norm_(parameters, limit)
    else:
        torch.nn.utils.clip_grad_value_(parameters, limit)
    return [p.grad.numpy() for p in parameters], norm


def by_torch(start, gradients, make_optimizer):
    """The weights after each step, and the optimizer's state after each."""
    weight = torch.tensor(start, requires_grad=True)
    optimizer = make_optimizer([weight])
    weights, states = [], []
    for gradient in gradients:
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        weights.append(weight.detach().numpy().copy())
        states.append({
            key: value.numpy().copy() for key, value in optimizer.state[weight].items()
            if torch.is_tensor(value)
        })
    return np.array(weights), states


def by_formula(start, gradients, options):
    """Adam as `FORMULAS` has it, in the precision of `start`: weights, m, v after each step."""
    kind = start.dtype.type
    lr, beta1, beta2, epsilon = (kind(options[k]) for k in ("lr", "beta1", "beta2", "epsilon"))
    one = kind(1)
    w, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    record = []
    for t, g in enumerate(gradients, start=1):
        if options["update"] == "incremental":
            m = m + (one - beta1) * (g - m)
            v = v + (one - beta2) * (g * g - v)
        else:
            m = beta1 * m + (one - beta1) * g
            v = beta2 * v + (one - beta2) * (g * g)
        power = t if options["correction"] == "step" else 1
        mhat = m / (one - beta1**power)
        vhat = v / (one - beta2**power)
        w = w - lr * mhat / (np.sqrt(vhat) + epsilon)
        record.append((w, m, v))
    return tuple(np.array(each) for each in zip(*record))


def make(folder):
    generator = np.random.default_rng(30)
    start = generator.normal(size=SIZE)
    # From large to tiny gradients, one always zero, and a zero now and then.
    gradients = generator.normal(size=(STEPS, SIZE)) * [1, 1, 30, 1e-3, 1e-7, 0]
    gradients[3, 1] = gradients[0, 0] = 0
    write_array(folder / "start.npy", start, "<f8")
    write_array(folder / "gradients.npy", gradients, "<f8")

    records = []
    for name, changes in ADAM_CASES.items():
        options = ADAM | changes
        weights, m, v = by_formula(start, gradients, options)
        computed_by = "NumPy, from the formulas"
        if options["correction"] == "step" and options["update"] == "direct":
            exact, states = by_torch(start, gradients, lambda parameters: torch.optim.Adam(
                parameters, lr=options["lr"], betas=(options["beta1"], options["beta2"]),
                eps=options["epsilon"]))
            np.testing.assert_allclose(weights, exact, rtol=1e-13)
            weights = exact
            m = np.array([state["exp_avg"] for state in states])
            v = np.array([state["exp_avg_sq"] for state in states])
            computed_by = "torch.optim.Adam"
        for kind, values in {"weights": weights, "m": m, "v": v}.items():
            write_array(folder / name / f"{kind}.npy", values, "<f8")
        records.append({"name": name, "optimizer": "adam", "computed_by": computed_by, **options})
    for name, options in SGD_CASES.items():
        weights, _ = by_torch(
            start, gradients, lambda parameters: torch.optim.SGD(parameters, **options))
        write_array(folder / name / "weights.npy", weights, "<f8")
        records.append({
            "name": name, "optimizer": "sgd", "computed_by": "torch.optim.SGD", **options})
    for name, (kind, options) in DECAY_CASES.items():
        make_optimizer = {
            "sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
        theirs = options if kind == "sgd" else {
            "lr": options["lr"], "betas": (options["beta1"], options["beta2"]),
            "eps": options["epsilon"], "weight_decay": options["weight_decay"]}
        weights, states = by_torch(
            start, gradients, lambda parameters: make_optimizer(parameters, **theirs))
        write_array(folder / name / "weights.npy", weights, "<f8")
        for moment, key in {"m": "exp_avg", "v": "exp_avg_sq"}.items():
            if key in states[-1]:
                write_array(
                    folder / name / f"{moment}.npy", np.array([state[key] for state in states]),
                    "<f8")
        records.append({
            "name": name, "optimizer": kind,
            "computed_by": f"torch.optim.{make_optimizer.__name__}", **options})
    for kind, make_optimizer, cases in OTHERS:
        for name, options in cases.items():
            weights, states = by_torch(
                start, gradients, lambda parameters: make_optimizer(parameters, **options))
            write_array(folder / name / "weights.npy", weights, "<f8")
            for moment, theirs in MOMENTS[kind].items():
                if theirs in states[-1] and (moment != "m" or options.get("momentum") != 0):
                    write_array(
                        folder / name / f"{moment}.npy",
                        np.array([state[theirs] for state in states]), "<f8")
            records.append({
                "name": name, "optimizer": kind,
                "computed_by": f"torch.optim.{make_optimizer.__name__}", **options})

    two = [generator.normal(size=(2, 3)), generator.normal(size=4)]
    for i, gradient in enumerate(two):
        write_array(folder / "clipping" / f"gradient{i}.npy", gradient, "<f8")
    clippings = []
    for name, by, limit in [
        ("norm", "norm", 1.0), ("norm-wide", "norm", 100.0), ("value", "value", 0.5),
    ]:
        after, norm = clipped(two, limit, by)
        for i, gradient in enumerate(after):
            write_array(folder / "clipping" / name / f"gradient{i}.npy", gradient, "<f8")
        clippings.append({"name": name, "by": by, "limit": limit, "norm": norm})

    overflow = {"start": 0.5, "gradients": [1e25, 1e25, 1.0], "lr": 0.001, "correction": "step"}
    for update in ("direct", "incremental"):
        with np.errstate(over="ignore", invalid="ignore"):
            w, m, v = by_formula(
                np.float32([overflow["start"]]), np.float32(overflow["gradients"]),
                ADAM | {"update": update})
        overflow[update] = {
            "weights": w[:, 0].tolist(), "m": m[:, 0].tolist(), "v": v[:, 0].tolist()}

    write_json(folder / "cases.json", {
        "formulas": FORMULAS,
        "sgd": "torch.optim.SGD: the first step's velocity is the gradient itself; "
               "u = momentum*u + g; w = w - lr*u, with Nesterov w = w - lr*(g + momentum*u)",
        "cases": records,
        "schedules": [
            {"name": name, "kind": kind, "lr": SCHEDULE_LR, "horizon": count, **options,
             "rates": schedule_rates(kind, count, options)}
            for name, (kind, count, options) in SCHEDULES.items()
        ],
        "clippings": clippings,
        "float32_overflow": {
            "note": "g*g overflows float32: direct keeps v = inf and the weight stays, incremental "
                    "makes v = inf - inf = nan at the second step",
            **overflow,
        },
    })
