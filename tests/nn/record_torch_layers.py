"""Record what PyTorch's layers compute into ``torch_layers.json``.

Run with PyTorch 2 installed, from the top of the repository::

    python tests/nn/record_torch_layers.py

Each case has a layer with its arguments and state, and the batches that it is called with, one
after the other. Of each call, there are the output y, the gradients of the loss Σ c · y² with
respect to the inputs and all parameters, the matrix of its second derivatives (inputs first, then
the parameters, each in reading order), and the state afterwards. All numbers are float64, written
with all their digits.
"""

from __future__ import annotations

import json
import random
import warnings
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("torch_layers.json")

CASES: list[tuple[str, list[Any], dict[str, Any], list[int]]] = [
    ("BatchNorm1d", [3], {}, [5, 3]),
    ("BatchNorm1d", [3], {"eps": 0.1, "momentum": 0.3}, [5, 3]),
    ("BatchNorm1d", [3], {"momentum": None}, [2, 3]),
    ("BatchNorm1d", [2], {"affine": False}, [4, 2]),
    ("BatchNorm1d", [2], {"bias": False}, [4, 2]),
    ("BatchNorm1d", [2], {"track_running_stats": False}, [4, 2]),
    ("LayerNorm", [4], {}, [3, 4]),
    ("LayerNorm", [4], {"eps": 0.1, "bias": False}, [3, 4]),
    ("LayerNorm", [4], {"elementwise_affine": False}, [2, 4]),
    ("LayerNorm", [[2, 3]], {}, [2, 2, 3]),
    ("LayerNorm", [3], {}, [2, 2, 3]),
    ("LayerNorm", [3], {}, [3]),
    ("Softmax", [-1], {}, [2, 4]),
    ("Softmax", [0], {}, [3, 2]),
    ("Softmax", [1], {}, [2, 3, 2]),
    ("Softmax", [0], {}, [4]),
    ("LogSoftmax", [-1], {}, [2, 4]),
    ("LogSoftmax", [0], {}, [3, 2]),
    ("WeightNorm", [4, 2], {}, [3, 4]),
    ("WeightNorm", [4, 2], {"bias": False}, [3, 4]),
]
"""The layer, its arguments, and the shape of its first input."""

LABELS = [[1, 4, 1], [0, 1, 2]]


def drawn(shape: list[int], rng: random.Random) -> Any:
    """Draw numbers whose mean and spread are not 0 and 1."""
    if not shape:
        return rng.gauss(0.7, 2.0)
    return [drawn(shape[1:], rng) for _ in range(shape[0])]


def made(torch: Any, name: str, arguments: list[Any], settings: dict[str, Any]) -> Any:
    """Make a layer of PyTorch with random parameters."""
    if name == "WeightNorm":
        linear = torch.nn.Linear(*arguments, **settings).double()
        with warnings.catch_warnings():
            # Its successor does the same under other names, and has no such simple state.
            warnings.simplefilter("ignore", FutureWarning)
            layer = torch.nn.utils.weight_norm(linear)
    else:
        layer = getattr(torch.nn, name)(*arguments, **settings).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, 0.5, 1.0)
    return layer


def called(torch: Any, layer: Any, given: Any, rng: random.Random) -> dict[str, Any]:
    """Call a layer and keep what can be compared."""
    labels = isinstance(layer, torch.nn.Embedding)
    x = torch.tensor(given) if labels else torch.tensor(given, dtype=torch.float64)
    inputs = [] if labels else [x.requires_grad_()]
    wanted = inputs + list(layer.parameters())
    y = layer(x)
    if hasattr(layer, "weight_v"):
        y = weight_normalised(torch, layer, x, y)
    state = numbers_of(layer)
    coefficients = drawn(list(y.shape), rng)
    loss = (torch.tensor(coefficients, dtype=torch.float64) * y * y).sum()
    gradients = torch.autograd.grad(loss, wanted, create_graph=True)
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    rows = []
    for first in flat:
        second = torch.autograd.grad(
            first, wanted, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        rows.append(torch.cat([row.reshape(-1) for row in second]).tolist())
    return {
        "training": layer.training,
        "x": given,
        "c": coefficients,
        "y": y.tolist(),
        "gradients": flat.tolist(),
        "second": rows,
        "state": state,
    }


def weight_normalised(torch: Any, layer: Any, x: Any, y: Any) -> Any:
    """Return the output of weight normalisation, from PyTorch's basic operations.

    PyTorch's own function (2.13) has wrong second derivatives, not even symmetric ones: it takes
    the norm of v for a constant in its backward pass.
    """
    weight = layer.weight_g * layer.weight_v / layer.weight_v.norm(dim=1, keepdim=True)
    output = torch.nn.functional.linear(x, weight, layer.bias)
    torch.testing.assert_close(output, y, rtol=1e-14, atol=1e-14)
    return output


def numbers_of(layer: Any) -> dict[str, Any]:
    """Return the state as lists."""
    return {name: tensor.tolist() for name, tensor in layer.state_dict().items()}


def record(torch: Any) -> dict[str, Any]:
    """Return everything that is recorded."""
    rng = random.Random(0)
    torch.manual_seed(0)
    cases = []
    for name, arguments, settings, shape in CASES:
        layer = made(torch, name, arguments, settings)
        first = numbers_of(layer)
        calls = [called(torch, layer, drawn(shape, rng), rng) for _ in range(2)]
        layer.eval()
        calls.append(called(torch, layer, drawn(shape, rng), rng))
        cases.append(
            {
                "layer": name,
                "arguments": arguments,
                "settings": settings,
                "first": first,
                "parameters": [parameter for parameter, _ in layer.named_parameters()],
                "calls": calls,
            }
        )
    embedding = made(torch, "Embedding", [5, 2], {})
    cases.append(
        {
            "layer": "Embedding",
            "arguments": [5, 2],
            "settings": {},
            "first": numbers_of(embedding),
            "parameters": ["weight"],
            "calls": [called(torch, embedding, LABELS, rng)],
        }
    )
    return {"torch": torch.__version__, "cases": cases}


def main() -> None:
    import torch  # here, since the tests import this file where PyTorch is not installed

    TARGET.write_text(json.dumps(record(torch)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
