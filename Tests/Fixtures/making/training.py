"""A small network trained in double by PyTorch: AdamW, an average of weights, batches in parts."""

import copy

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .writing import write_array, write_json

NAMES = ["c1.weight", "c1.bias", "c2.weight", "c2.bias"]


def network():
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.Tanh(), torch.nn.Conv2d(4, 1, 3, padding=1),
    ).double()
    for parameter in net.parameters():
        parameter.data = parameter.data.float().double()
    return net


def weights(net):
    return dict(zip(NAMES, (p.detach().numpy().copy() for p in net.parameters())))


def write(folder, net):
    for name, array in weights(net).items():
        write_array(folder / f"{name}.npy", array, "<f8")


def make(folder):
    torch.manual_seed(71)
    generator = np.random.default_rng(71)
    first = network()
    write(folder / "start", first)
    clean = np.float64(np.float32(generator.uniform(0, 1, (4, 1, 9, 12))))
    noisy = np.float64(np.float32(clean + generator.normal(0, 0.1, clean.shape)))
    write_array(folder / "clean.npy", clean, "<f8")
    write_array(folder / "noisy.npy", noisy, "<f8")

    def train(options, steps):
        net = copy.deepcopy(first)
        average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9))
        optimizer = torch.optim.AdamW(net.parameters(), **options)
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(net(torch.tensor(noisy)), torch.tensor(clean))
            loss.backward()
            losses.append(loss.item())
            optimizer.step()
            average.update_parameters(net)
        return net, average.module, losses

    options = {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.05}
    net, average, losses = train(options, 10)
    write(folder / "adamw", net)
    write(folder / "average", average)
    write_json(folder / "case.json", {
        "lines": ["conv channels=4 act=tanh", "conv"],
        "optimizer": "optimizer adamw lr=0.01 beta1=0.9 beta2=0.999 epsilon=1e-8 weight-decay=0.05",
        "decay_of_average": 0.9, "losses": losses,
    })
