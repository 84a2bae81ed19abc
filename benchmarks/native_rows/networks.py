"""Networks with one hidden layer, a step of training: NumPy by hand, PyTorch, JAX."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any

from native_rows import all_processors, networks_numpy, networks_ours
from native_rows.images import DIGITS, MNIST, Sizes, images, parameters
from native_rows.measuring import Options, Peer, Table, agree, compare

STEPS = 3  # after which all sides must have the same parameters
LR = 1e-3
JAX_FREE = "JAX jit, all processors"


def rows(table: Table, options: Options) -> None:
    print("Networks with one hidden layer, ReLU and softmax cross-entropy.\n")
    table.begin()
    mnist: Sizes = (20, 8, 10) if options.quick else MNIST
    forward_and_backward(table, DIGITS, 32, {"NumPy": 1.0, "PyTorch": 3.0}, options)
    whole_step(
        table,
        DIGITS,
        32,
        "float64",
        {"NumPy": 1.2, "JAX": 1.5, "PyTorch": 5.0, "PyTorch, fused": 3.0},
        options,
    )
    whole_step(table, mnist, 64, "float64", {"NumPy": 1.1, "JAX": 1.2, "PyTorch": 1.4}, options)
    whole_step(table, mnist, 64, "float32", {"PyTorch": 1.5, "PyTorch, fused": 1.1}, options)
    if find_spec("jax") is None:
        table.absent("the same", JAX_FREE, ImportError(name="jax"))
    else:
        all_processors.run("networks", options)


def name_of(sizes: Sizes, batch: int) -> str:
    return f"{'-'.join(map(str, sizes))}, batch {batch}"


def forward_and_backward(
    table: Table, sizes: Sizes, batch: int, goals: dict[str, float], options: Options
) -> None:
    """Loss and gradient of one batch."""
    what = f"{name_of(sizes, batch)}, forward + backward"
    x, y = images(batch, sizes)
    flat = parameters(sizes)
    ours = networks_ours.Network(sizes, flat, LR)
    by_hand = networks_numpy.Network(sizes, batch, flat)
    loss = ours.loss_and_gradient(x, y)
    agree(what, loss, by_hand.loss_and_gradient(x, y))
    agree(what, ours.gradient, by_hand.gradient)
    peers = [Peer("NumPy by hand", lambda: by_hand.loss_and_gradient(x, y), goals["NumPy"])]
    try:
        from native_rows import networks_torch
    except ImportError as error:
        table.absent(what, "PyTorch eager", error)
    else:
        torch_side = networks_torch.Network(sizes, flat, LR)
        tx, ty = networks_torch.tensors(x, y)
        agree(what, loss, torch_side.loss_and_gradient(tx, ty).item())
        agree(what, ours.gradient, torch_side.gradient)
        peers.append(
            Peer("PyTorch eager", lambda: torch_side.loss_and_gradient(tx, ty), goals["PyTorch"])
        )
    compare(table, what, lambda: ours.loss_and_gradient(x, y), peers, options)


def whole_step(
    table: Table, sizes: Sizes, batch: int, dtype: str, goals: dict[str, float], options: Options
) -> None:
    """Forward, backward and Adam on one batch."""
    what = f"{name_of(sizes, batch)}, with Adam" + (", float32" if dtype == "float32" else "")
    x, y = images(batch, sizes, dtype)
    flat = parameters(sizes, dtype)
    # Adam divides by the size of the gradient, which blows up the rounding of those near 0.
    tolerance = 1e-9 if dtype == "float64" else 1e-4
    ours = networks_ours.Network(sizes, flat, LR, dtype=dtype)
    by_hand = networks_numpy.Network(sizes, batch, flat)
    sides: dict[str, tuple[Any, Any]] = {
        "NumPy": (by_hand, lambda: by_hand.step(x, y, LR)),
        **jax_sides(table, what, sizes, flat, x, y),
        **torch_sides(table, what, sizes, flat, x, y),
    }
    for _ in range(STEPS):
        ours.step(x, y)
        for _, step in sides.values():
            step()
    for name, (side, _) in sides.items():
        agree(f"{what}, {name}", ours.flat, side.flat, tolerance)
    shown = {"NumPy": "NumPy by hand", "JAX": "JAX jit", "PyTorch": "PyTorch eager"}
    peers = [
        Peer(shown.get(name, name), step, goals.get(name)) for name, (_, step) in sides.items()
    ]
    compare(table, what, lambda: ours.step(x, y), peers, options)


def jax_sides(table: Table, what: str, sizes: Sizes, flat: Any, x: Any, y: Any) -> dict[str, Any]:
    try:
        from native_rows import networks_jax
    except ImportError as error:
        table.absent(what, "JAX jit", error)
        return {}
    ahead, awaited = (networks_jax.Network(sizes, flat, LR) for _ in range(2))
    jx, jy = networks_jax.arrays(x, y)
    return {
        "JAX": (ahead, lambda: ahead.step(jx, jy)),
        "JAX, every loss awaited": (awaited, lambda: awaited.step(jx, jy).block_until_ready()),
    }


def rows_on_all_processors(table: Table, options: Options) -> None:
    """JAX as it comes: its steps overlap, its products are shared out. Ours has one thread."""
    from native_rows import networks_jax

    mnist: Sizes = (20, 8, 10) if options.quick else MNIST
    for sizes, batch in ((DIGITS, 32), (mnist, 64)):
        x, y = images(batch, sizes)
        ours = networks_ours.Network(sizes, parameters(sizes), LR)
        theirs = networks_jax.Network(sizes, parameters(sizes), LR)
        jx, jy = networks_jax.arrays(x, y)
        for _ in range(STEPS):
            ours.step(x, y)
            theirs.step(jx, jy)
        compare(
            table,
            f"{name_of(sizes, batch)}, with Adam",
            partial(ours.step, x, y),
            [Peer(JAX_FREE, partial(theirs.step, jx, jy))],
            options,
        )


def torch_sides(table: Table, what: str, sizes: Sizes, flat: Any, x: Any, y: Any) -> dict[str, Any]:
    try:
        from native_rows import networks_torch
    except ImportError as error:
        table.absent(what, "PyTorch", error)
        return {}
    tx, ty = networks_torch.tensors(x, y)
    found: dict[str, Any] = {}
    for name, adam in (
        ("PyTorch", "default"),
        ("PyTorch, foreach", "foreach"),
        ("PyTorch, fused", "fused"),
    ):
        side = networks_torch.Network(sizes, flat, LR, adam)
        found[name] = (side, lambda side=side: side.step(tx, ty))
    return found
