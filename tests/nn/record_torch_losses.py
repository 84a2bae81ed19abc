"""Record what PyTorch's losses are, with their gradients, into ``torch_losses.json``.

Run with PyTorch 2 installed, from the top of the repository::

    python tests/nn/record_torch_losses.py

Each case has the name of a loss, its settings, predictions and targets, and for every reduction
the value and the gradient with respect to the predictions (for "none" that of Σ l·c with the
recorded factors c). All numbers are float64 with all their digits.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("torch_losses.json")
ROWS, CLASSES = 5, 4
EXTREME = [1000.0, -1000.0, 40.0, -40.0, 0.0, 1e-9]
BY_CLASS: list[dict[str, Any]] = [
    {},
    {"weight": [0.5, 2.0, 1.0, 0.0]},
    {"ignore_index": 2},
    {"weight": [0.5, 2.0, 1.0, 3.0], "ignore_index": 0},
]
SMOOTHED: list[dict[str, Any]] = [
    {"label_smoothing": 0.1},
    {"label_smoothing": 1.0},
    {"label_smoothing": 0.3, "weight": [0.5, 2.0, 1.0, 0.25]},
    {"label_smoothing": 0.2, "weight": [0.5, 2.0, 1.0, 3.0], "ignore_index": 1},
]


def cases(rng: random.Random) -> Iterator[tuple[str, dict[str, Any], Any, Any]]:
    """Yield name, settings, predictions and targets."""

    def matrix(draw: Any) -> list[list[Any]]:
        return [[draw() for _ in range(CLASSES)] for _ in range(ROWS)]

    def number() -> float:
        return rng.gauss(0.0, 3.0)

    for name, settings in (
        ("MSELoss", {}),
        ("L1Loss", {}),
        ("HuberLoss", {}),
        ("HuberLoss", {"delta": 0.25}),
        ("HuberLoss", {"delta": 5.0}),
    ):
        yield name, settings, matrix(number), matrix(number)
    # where the two branches meet, and at no difference
    yield "HuberLoss", {}, [[1.0, -1.0, 0.0, 2.0]], [[0.0, 0.0, 0.0, 2.0]]
    yield "L1Loss", {}, [[1.0, -1.0, 0.0, 2.0]], [[0.0, 0.0, 0.0, 2.0]]
    for labels in (matrix(lambda: rng.randrange(2)), matrix(rng.random)):
        yield "BCELoss", {}, matrix(rng.random), labels
        for settings in ({}, {"pos_weight": 3.0}, {"pos_weight": [0.5, 1.0, 2.0, 0.0]}):
            yield "BCEWithLogitsLoss", settings, matrix(number), labels
    edges = [0.0, 1.0, 1e-300, 1e-13, 1e-11, 1.0 - 1e-13]
    yield "BCELoss", {}, [edges] * 3, [[0] * 6, [1] * 6, [0.5] * 6]
    yield "BCEWithLogitsLoss", {}, [EXTREME] * 3, [[0] * 6, [1] * 6, [0.25] * 6]
    classes = [3, 0, 2, 1, 2]
    for settings in BY_CLASS + SMOOTHED:
        yield "CrossEntropyLoss", settings, matrix(number), classes
        yield (
            "CrossEntropyLoss",
            settings,
            [[1000.0, -1000.0, 0.0, 1000.0], [-1000.0, 1000.0, 999.0, 0.0]],
            [1, 1 if settings.get("ignore_index") != 1 else 0],
        )
    for settings in BY_CLASS:
        logs = [[z - math.log(sum(map(math.exp, row))) for z in row] for row in matrix(number)]
        yield "NLLLoss", settings, logs, classes
    yield "CrossEntropyLoss", {}, [0.5, -1.0, 2.0], 1
    yield "NLLLoss", {}, [-0.5, -1.0, -2.0], 1


def reduced(
    torch: Any, name: str, settings: dict[str, Any], reduction: str, x: Any, y: Any, factors: Any
) -> dict[str, Any]:
    """Return the loss and its gradient."""
    tensors = {
        key: torch.tensor(value, dtype=torch.float64) if "weight" in key else value
        for key, value in settings.items()
    }
    predictions = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    whole = name in ("CrossEntropyLoss", "NLLLoss")
    targets = torch.tensor(y, dtype=torch.int64 if whole else torch.float64)
    loss = getattr(torch.nn, name)(**tensors, reduction=reduction)(predictions, targets)
    if reduction == "none":
        (loss * torch.tensor(factors, dtype=torch.float64)).sum().backward()
    else:
        loss.backward()
    return {"loss": loss.tolist(), "gradient": predictions.grad.tolist()}


def record(torch: Any) -> dict[str, Any]:
    """Return everything that is recorded."""
    rng = random.Random(0)
    recorded = []
    for name, settings, x, y in cases(rng):
        factors = [[rng.gauss(0.0, 1.0) for _ in row] for row in y] if has_rows(y) else None
        if factors is None:
            factors = [rng.gauss(0.0, 1.0) for _ in y] if isinstance(y, list) else 0.5
        results = {
            reduction: reduced(torch, name, settings, reduction, x, y, factors)
            for reduction in ("mean", "sum", "none")
        }
        case = {"name": name, "settings": settings, "predictions": x, "targets": y}
        recorded.append({**case, "factors": factors, **results})
    return {"torch": torch.__version__, "cases": recorded}


def has_rows(y: Any) -> bool:
    return isinstance(y, list) and isinstance(y[0], list)


def main() -> None:
    import torch  # here, since the tests import this file where PyTorch is not installed

    TARGET.write_text(json.dumps(record(torch)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
