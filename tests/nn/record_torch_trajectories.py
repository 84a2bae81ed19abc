"""Record what PyTorch's optimisers do, update by update, into ``torch_trajectories.json``.

Run with PyTorch 2 installed, from the top of the repository::

    python tests/nn/record_torch_trajectories.py

Each trajectory has its settings, the start, and for every update the gradient that was given and
the numbers of the parameters afterwards; all numbers are float64, written with all their digits.
Gradients are random, their sizes spread over many orders of magnitude, some of them exactly 0.
Two whole trainings, those of the lectures, have the data, the first weights, the loss of every
step and the last weights.
"""

from __future__ import annotations

import json
import math
import random
from collections import OrderedDict
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("torch_trajectories.json")
UPDATES = 20
CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "dampening": 0.5, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "betas": [0.5, 0.9]}),
    ("Adam", {"lr": 0.01, "betas": [0.2, 0.99], "eps": 1e-3}),
    ("Adam", {"lr": 0.01, "betas": [0.0, 0.0]}),
]


def trajectory(
    torch: Any, name: str, settings: dict[str, Any], rng: random.Random
) -> dict[str, Any]:
    """Run one optimiser on random gradients."""
    start = [rng.gauss(0.0, 1.0) for _ in range(4)] + [0.0]
    parameters = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
    optimizer = getattr(torch.optim, name)(parameters, **settings)
    updates = []
    for _ in range(UPDATES):
        gradients = [rng.gauss(0.0, 1.0) * 10.0 ** rng.randint(-6, 3) for _ in parameters]
        gradients[rng.randrange(len(gradients))] = 0.0
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        updates.append({"gradients": gradients, "data": [p.item() for p in parameters]})
    return {"optimizer": name, "settings": settings, "start": start, "updates": updates}


def regression(torch: Any, rng: random.Random) -> dict[str, Any]:
    """Train Z's network with full batches of a regression problem."""
    model = torch.nn.Sequential(
        torch.nn.Linear(5, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1)
    ).double()
    inputs = [[rng.gauss(0.0, 1.0) for _ in range(5)] for _ in range(8)]
    targets = [math.sin(sum(row)) for row in inputs]
    x = torch.tensor(inputs, dtype=torch.float64)
    y = torch.tensor(targets, dtype=torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    batches = [(x, y)] * 20
    run = trained(model, torch.nn.MSELoss(), optimizer, batches)
    return {"inputs": inputs, "targets": targets, **run}


def classification(torch: Any, rng: random.Random) -> dict[str, Any]:
    """Train G's network, here 6-4-3, on mini-batches of a problem with three classes."""
    model = torch.nn.Sequential(
        OrderedDict(fc1=torch.nn.Linear(6, 4), relu=torch.nn.ReLU(), fc2=torch.nn.Linear(4, 3))
    ).double()
    inputs = [[rng.random() for _ in range(6)] for _ in range(12)]
    targets = [rng.randrange(3) for _ in range(12)]
    x, y = torch.tensor(inputs, dtype=torch.float64), torch.tensor(targets)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    batches = [(x[i : i + 4], y[i : i + 4]) for _ in range(8) for i in range(0, 12, 4)]
    run = trained(model, torch.nn.CrossEntropyLoss(), optimizer, batches)
    return {"inputs": inputs, "targets": targets, **run}


def trained(model: Any, loss_function: Any, optimizer: Any, batches: Any) -> dict[str, Any]:
    """Run the training loop and keep what can be compared."""
    first = {name: p.tolist() for name, p in model.named_parameters()}
    losses = []
    for x, y in batches:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    last = {name: p.tolist() for name, p in model.named_parameters()}
    return {"first": first, "losses": losses, "last": last}


def record(torch: Any) -> dict[str, Any]:
    """Return everything that is recorded."""
    rng = random.Random(0)
    torch.manual_seed(0)
    return {
        "torch": torch.__version__,
        "trajectories": [trajectory(torch, name, settings, rng) for name, settings in CASES],
        "regression": regression(torch, rng),
        "classification": classification(torch, rng),
    }


def main() -> None:
    import torch  # here, since the tests import this file where PyTorch is not installed

    TARGET.write_text(json.dumps(record(torch)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
