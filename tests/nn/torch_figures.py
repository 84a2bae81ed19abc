"""PyTorch's recorded figures, and optimisers as they were when these were recorded."""

import json
from pathlib import Path

import nn

RECORDED = json.loads(
    Path(__file__).with_name("torch_trajectories.json").read_text(encoding="utf-8")
)


def named(trajectory):
    settings = ", ".join(f"{name}={value}" for name, value in trajectory["settings"].items())
    return f"{trajectory['optimizer']}({settings})"


def started(trajectory):
    """Return parameters and optimiser as they were recorded."""
    parameters = [nn.Parameter(x) for x in trajectory["start"]]
    params = parameters
    if "groups" in trajectory:
        params = [
            {"params": parameters[2 * i : 2 * i + 2], **group}
            for i, group in enumerate(trajectory["groups"])
        ]
    make = getattr(nn.optim, trajectory["optimizer"])
    return parameters, make(params, **trajectory["settings"])


def take(optimizer, update):
    for parameter, gradient in zip(optimizer.params, update["gradients"], strict=True):
        parameter.grad = gradient
    optimizer.step()
