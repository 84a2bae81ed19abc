"""Print the seconds from the first import to the end of the first call, in this process."""

from __future__ import annotations

import sys
import time

started = time.perf_counter()

import numpy as np  # noqa: E402

import autograd_lite  # noqa: E402


def function() -> None:
    program = autograd_lite.compile(lambda x, y: (x * y).sin() + x**y)
    program.value_and_grad(np.linspace(1.0, 2.0, 100), np.linspace(2.0, 3.0, 100))


def network() -> None:
    import nn

    model, loss = nn.MLP(64, [32, 10]), nn.CrossEntropyLoss()
    optimizer = nn.optim.Adam(model.parameters())
    step = autograd_lite.compile(lambda x, y: loss(model(x), y), parameters=model.parameters())
    step(np.zeros((32, 64)), np.zeros(32, int))
    optimizer.step()


{"function": function, "network": network}[sys.argv[1]]()
print(time.perf_counter() - started)
