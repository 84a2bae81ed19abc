"""Whole epochs, shuffling included: PyTorch with its DataLoader and with batches by index."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np

from native_rows import networks_ours
from native_rows.images import DIGITS, MNIST, Sizes, images, parameters
from native_rows.measuring import DisagreementError, Options, Table, duration, in_turn

LR = 1e-3
LOOP = "a loop of one's own"
EPOCHS, MNIST_EPOCHS = 50, 5  # of one call of `nn.fit`, which records the network once


def rows(table: Table, options: Options) -> None:
    print(
        "Epochs with Adam, shuffling included. PyTorch keeps its tensors in float32, as it comes,"
        " or in float64.\n"
    )
    table.begin()
    together = options.size(EPOCHS, 10)
    epochs(table, DIGITS, options.size(1797, 96), 32, together, options, goal=6.0, rounds=5)
    mnist: Sizes = (20, 8, 10) if options.quick else MNIST
    together = options.size(MNIST_EPOCHS, 1)
    epochs(table, mnist, options.size(60_000, 128), 64, together, options, rounds=2, second=True)


def epochs(
    table: Table,
    sizes: Sizes,
    count: int,
    batch: int,
    together: int,
    options: Options,
    *,
    goal: float | None = None,
    rounds: int | None = None,
    second: bool = False,
) -> None:
    """Time epochs, ``together`` of them at a time; their losses must be alike."""
    name = f"{'-'.join(map(str, sizes))}, batch {batch}"
    what = f"an epoch of {count:,} images, {name}"
    x, y = images(count, sizes)
    flat = parameters(sizes)
    works: dict[str, Any] = {}
    losses: dict[str, float] = {}

    def keep(side: str, epoch: Any) -> None:
        def work() -> None:
            losses[side] = epoch()

        works[side] = work

    rng = np.random.default_rng(0)
    fitted, looped = (networks_ours.Network(sizes, flat, LR) for _ in range(2))
    keep("nn.fit", lambda: fitted.fit(x, y, batch, together))
    keep(LOOP, lambda: [looped.epoch(x, y, batch, rng) for _ in range(together)][-1])
    try:
        from native_rows import networks_torch
    except ImportError as error:
        table.absent(what, "PyTorch, DataLoader", error)
    else:
        for dtype in ("float64", "float32"):
            tx, ty = networks_torch.tensors(x.astype(dtype), y)
            for how, batches in (
                ("DataLoader", networks_torch.loader(tx, ty, batch)),
                ("batches by index", networks_torch.Indexed(tx, ty, batch)),
            ):
                side = networks_torch.Network(sizes, flat.astype(dtype), LR)
                keep(
                    f"PyTorch {dtype}, {how}",
                    lambda side=side, batches=batches: [
                        side.epoch(batches) for _ in range(together)
                    ][-1],
                )
    for work in works.values():
        work()
    wanted = losses[LOOP]
    for side, loss in losses.items():
        if not abs(loss - wanted) <= 0.1 * wanted:  # the orders differ
            raise DisagreementError(f"{what}: the loss is {loss} with {side}, {wanted} in our loop")
    found = in_turn(list(works.values()), min(rounds or options.rounds, options.rounds))
    times = {
        side: [t / together for t in column] for side, column in zip(works, found, strict=True)
    }
    for side in times:
        if side.startswith("PyTorch"):
            wanted_ratio = goal if side == "PyTorch float64, DataLoader" else None
            table.ratio(what, side, times[side], times["nn.fit"], wanted_ratio)
    for how, goal_in_seconds in (("nn.fit", 1.2 if second else None), (LOOP, None)):
        middle = statistics.median(times[how])
        table.figure(
            f"{what}, {how}",
            middle,
            duration(middle),
            goal=goal_in_seconds,
            goal_shown="about 1 s",
        )
