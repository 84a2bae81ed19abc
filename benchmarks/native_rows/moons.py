"""micrograd's demo: two moons, 2-16-16-1, hinge loss and L2, plain gradient descent."""

from __future__ import annotations

from native_rows.measuring import Options, Peer, Table, agree, compare
from native_rows.moons_ours import Demo, two_moons

MICROGRAD = "micrograd"


def rows(table: Table, options: Options) -> None:
    what = "micrograd's demo step, 100 samples"
    print("micrograd's demo: two moons, 2-16-16-1, hinge loss and L2, gradient descent.\n")
    table.begin()
    inputs, labels = two_moons(options.size(100, 10))
    ours = Demo(inputs, labels)
    try:
        from native_rows import moons_micrograd
    except ImportError as error:
        table.absent(what, MICROGRAD, error)
        return
    theirs = moons_micrograd.Demo(inputs, labels, ours.flat)
    for _ in range(2):
        agree(what, ours.step(), theirs.step())
    agree(what, ours.flat, [p.data for p in theirs.model.parameters()])
    for enabled, goal in ((True, 2000.0), (False, None)):
        name = f"{MICROGRAD}, collector {'on' if enabled else 'off'}"
        compare(table, what, ours.step, [Peer(name, theirs.step, goal)], options, enabled=enabled)
