"""Times a task in PyTorch. Usage: torch_peer.py TASK STEPS THREADS WAY,…

The ways are NCHW, channels_last, compiled, and bfloat16: channels_last with what PyTorch's autocast takes
down to 8 bits of precision.
"""

import json
import pathlib
import resource
import statistics
import sys
import time

import torch

from networks import TASKS

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "Tests/Fixtures"))
from published import NETWORKS

ACTIVATIONS = {"linear": lambda z: z, "relu": torch.relu, "sigmoid": torch.sigmoid,
               "tanh": torch.tanh, "arctan": torch.arctan}


class Network(torch.nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers
        self.convolutions = torch.nn.ModuleList()
        inputs = 1
        for one in layers:
            for _ in range(one["convs"]):
                self.convolutions.append(torch.nn.Conv2d(
                    inputs, one["channels"], one["kernel"], padding="same", bias=one["bias"]))
                inputs = one["channels"]

    def forward(self, image):
        x = image
        remaining = iter(self.convolutions)
        for one in self.layers:
            skip = image if one["skip"] == "input" else x
            for _ in range(one["convs"]):
                x = ACTIVATIONS[one["act"]](next(remaining)(x))
            if one["merge"] == "add":
                x = x + skip
            elif one["merge"] == "multiply":
                x = x * skip
            elif one["merge"] == "multiply-add":
                x = x * skip + skip
        return x


def seconds(task, steps, layout, compiles, is_short):
    torch.manual_seed(1)
    layers = task["layers"]
    network = Network(layers) if layers else NETWORKS[task["arguments"][1]]()
    network = network.to(memory_format=layout)
    run = torch.compile(network) if compiles else network
    shape = (task["batch"], 1, task["side"], task["side"])
    clean = torch.rand(shape).contiguous(memory_format=layout)
    noisy = clean + 0.1 * torch.randn(shape)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    times = []
    short = torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_short)
    for _ in range(steps + 2):
        start = time.perf_counter()
        if task["forward"]:
            with torch.no_grad(), short:
                run(noisy)
        else:
            optimizer.zero_grad()
            with short:
                output = run(noisy)
            loss = torch.nn.functional.mse_loss(output.float(), clean)
            loss.backward()
            optimizer.step()
            loss.item()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def main():
    task = TASKS[int(sys.argv[1])]
    steps, threads = int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    ways = {"NCHW": (torch.contiguous_format, False, False),
            "channels_last": (torch.channels_last, False, False),
            "compiled": (torch.channels_last, True, False),
            "bfloat16": (torch.channels_last, False, True)}
    times = {}
    peak = None
    for name in sys.argv[4].split(","):
        layout, compiles, is_short = ways[name]
        try:
            times[name] = seconds(task, steps, layout, compiles, is_short)
        except Exception as error:  # the compiler may be missing
            print(f"{name}: {error}", file=sys.stderr)
        # That of the compiler is not the network's.
        if not compiles:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": times, "peak_mib": peak}))


main()
