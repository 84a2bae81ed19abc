"""Record what PyTorch's optimisers do, update by update, into ``torch_trajectories.json``.

Run with PyTorch 2 installed, from the top of the repository::

    python tests/nn/record_torch_trajectories.py

Each trajectory has its settings, the start, and for every update the gradient that was given and
the numbers of the parameters afterwards; all numbers are float64, written with all their digits.
Gradients are random, their sizes spread over many orders of magnitude, some of them exactly 0.
Schedulers have the rates of every step, and the momenta; clipping has gradients before and after.
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
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.0, "betas": [0.5, 0.9], "eps": 1e-4}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.5, "eps": 1e-4, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"alpha": 0.8, "weight_decay": 0.1, "momentum": 0.5, "centered": True}),
    ("RMSprop", {"alpha": 0.0}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2}),
    ("Adagrad", {"lr": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
]
GROUPED: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    ("SGD", {"lr": 0.1, "momentum": 0.9}, [{"lr": 0.01, "weight_decay": 0.2}, {"momentum": 0.0}]),
    ("Adam", {"lr": 0.1}, [{"betas": [0.5, 0.9]}, {"lr": 0.01, "eps": 1e-3}]),
    ("AdamW", {}, [{"weight_decay": 0.0}, {"lr": 0.5}]),
    ("RMSprop", {"momentum": 0.5}, [{"alpha": 0.5}, {"centered": True}]),
    ("Adagrad", {}, [{"lr": 0.3}, {"lr_decay": 0.1}]),
]
SCHEDULED_STEPS = 100
MOMENTUM = ("SGD", {"lr": 0.4, "momentum": 0.7})
SCHEDULES: list[tuple[str, dict[str, Any], tuple[str, dict[str, Any]]]] = [
    ("StepLR", {"step_size": 7}, MOMENTUM),
    ("StepLR", {"step_size": 1, "gamma": 0.9}, MOMENTUM),
    ("MultiStepLR", {"milestones": [3, 30, 30, 80]}, MOMENTUM),
    ("MultiStepLR", {"milestones": [50, 10], "gamma": 0.5}, MOMENTUM),
    ("ExponentialLR", {"gamma": 0.93}, MOMENTUM),
    ("LinearLR", {}, MOMENTUM),
    ("LinearLR", {"start_factor": 0.01, "total_iters": 40}, MOMENTUM),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 60}, MOMENTUM),
    ("CosineAnnealingLR", {"T_max": 100}, MOMENTUM),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.05}, MOMENTUM),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 101}, MOMENTUM),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 11, "steps_per_epoch": 10}, ("Adam", {})),
    (
        "OneCycleLR",
        {
            "max_lr": 1.0,
            "total_steps": 120,
            "pct_start": 0.4,
            "anneal_strategy": "linear",
            "base_momentum": 0.5,
            "max_momentum": 0.8,
            "div_factor": 10.0,
            "final_div_factor": 50.0,
        },
        MOMENTUM,
    ),
    (
        "OneCycleLR",
        {"max_lr": 1.0, "total_steps": 101, "three_phase": True, "cycle_momentum": False},
        MOMENTUM,
    ),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 110, "three_phase": True}, MOMENTUM),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 10}, MOMENTUM),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.5,
            "step_size_up": 8,
            "step_size_down": 24,
            "mode": "triangular2",
            "base_momentum": 0.3,
            "max_momentum": 0.6,
        },
        ("AdamW", {}),
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.5,
            "step_size_up": 13,
            "mode": "exp_range",
            "gamma": 0.97,
            "cycle_momentum": False,
        },
        ("Adagrad", {}),
    ),
    ("ReduceLROnPlateau", {}, MOMENTUM),
    ("ReduceLROnPlateau", {"factor": 0.5, "patience": 2, "cooldown": 3}, MOMENTUM),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 1, "min_lr": 0.001}, MOMENTUM),
    (
        "ReduceLROnPlateau",
        {"threshold_mode": "abs", "threshold": 0.05, "patience": 4, "eps": 1e-3, "factor": 0.7},
        MOMENTUM,
    ),
    (
        "ReduceLROnPlateau",
        {"mode": "max", "threshold_mode": "abs", "threshold": 0.01, "patience": 3, "factor": 0.8},
        MOMENTUM,
    ),
]
CLIPPED: list[dict[str, Any]] = [
    {"max_norm": 1.0},
    {"max_norm": 1e6},
    {"max_norm": 2.5, "norm_type": 1.0},
    {"max_norm": 0.3, "norm_type": 3.0},
    {"max_norm": 0.3, "norm_type": 0.5},
    {"max_norm": 0.7, "norm_type": "inf"},
]


def trajectory(
    torch: Any, name: str, settings: dict[str, Any], rng: random.Random
) -> dict[str, Any]:
    """Run one optimiser on random gradients."""
    start = [rng.gauss(0.0, 1.0) for _ in range(4)] + [0.0]
    parameters = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
    optimizer = getattr(torch.optim, name)(parameters, **settings)
    return {
        "optimizer": name,
        "settings": settings,
        "start": start,
        "updates": updated(torch, optimizer, parameters, rng),
    }


def grouped(
    torch: Any,
    name: str,
    settings: dict[str, Any],
    groups: list[dict[str, Any]],
    rng: random.Random,
) -> dict[str, Any]:
    """Run one optimiser with parameter groups of two."""
    start = [rng.gauss(0.0, 1.0) for _ in range(2 * len(groups))]
    parameters = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
    optimizer = getattr(torch.optim, name)(
        [{"params": parameters[2 * i : 2 * i + 2], **group} for i, group in enumerate(groups)],
        **settings,
    )
    return {
        "optimizer": name,
        "settings": settings,
        "groups": groups,
        "start": start,
        "updates": updated(torch, optimizer, parameters, rng),
    }


def updated(
    torch: Any, optimizer: Any, parameters: list[Any], rng: random.Random
) -> list[dict[str, Any]]:
    """Take steps on random gradients and keep them with what comes out."""
    updates = []
    for _ in range(UPDATES):
        gradients = [rng.gauss(0.0, 1.0) * 10.0 ** rng.randint(-6, 3) for _ in parameters]
        gradients[rng.randrange(len(gradients))] = 0.0
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        updates.append({"gradients": gradients, "data": [p.item() for p in parameters]})
    return updates


def default_settings(torch: Any) -> dict[str, Any]:
    """Return the settings of every optimiser that is made without any."""
    parameter = torch.zeros((), requires_grad=True)
    names = sorted({name for name, _ in CASES})
    return {name: getattr(torch.optim, name)([parameter]).defaults for name in names}


def scheduled(
    torch: Any,
    name: str,
    settings: dict[str, Any],
    optimizer_settings: tuple[str, dict[str, Any]],
    rng: random.Random,
) -> dict[str, Any]:
    """Run one scheduler over two groups and keep rates, and momenta or first betas."""
    optimizer_name, given = optimizer_settings
    parameters = [torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2)]
    groups = [{"params": [parameters[0]]}, {"params": [parameters[1]], "lr": 0.03}]
    optimizer = getattr(torch.optim, optimizer_name)(groups, **given)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **settings)
    metrics = []
    if name == "ReduceLROnPlateau":
        sign = -1.0 if settings.get("mode") == "max" else 1.0
        metrics = [sign / (1 + step // 3) + rng.gauss(0.0, 0.02) for step in range(SCHEDULED_STEPS)]
    rates, momenta = [], []
    for step in range(SCHEDULED_STEPS + 1):
        rates.append([group["lr"] for group in optimizer.param_groups])
        momenta.append(
            [
                group["betas"][0] if "betas" in group else group.get("momentum")
                for group in optimizer.param_groups
            ]
        )
        optimizer.step()
        if step < SCHEDULED_STEPS:
            scheduler.step(*metrics[step : step + 1])
    return {
        "scheduler": name,
        "settings": settings,
        "optimizer": optimizer_name,
        "optimizer_settings": given,
        "metrics": metrics,
        "rates": rates,
        "momenta": momenta if name in ("OneCycleLR", "CyclicLR") else [],
    }


def clipped(torch: Any, settings: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Clip random gradients by their norm."""
    gradients = [rng.gauss(0.0, 1.0) * 10.0 ** rng.randint(-3, 2) for _ in range(5)]
    parameters = [torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
    norm = torch.nn.utils.clip_grad_norm_(parameters, **settings)
    return {
        "settings": settings,
        "gradients": gradients,
        "norm": norm.item(),
        "clipped": [parameter.grad.item() for parameter in parameters],
    }


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
        "defaults": default_settings(torch),
        "trajectories": [trajectory(torch, name, settings, rng) for name, settings in CASES],
        "grouped": [grouped(torch, *case, rng) for case in GROUPED],
        "schedules": [scheduled(torch, *case, rng) for case in SCHEDULES],
        "clipped": [clipped(torch, settings, rng) for settings in CLIPPED],
        "regression": regression(torch, rng),
        "classification": classification(torch, rng),
    }


def main() -> None:
    import torch  # here, since the tests import this file where PyTorch is not installed

    TARGET.write_text(json.dumps(record(torch)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
