"""The rows in which JAX may use every processor; ours has one thread all the same.

    python -m native_rows.networks_all_processors 20

JAX decides at its start how many threads it has, so this is a process of its own. The argument is
how many rounds, or "quick".
"""

from __future__ import annotations

import os
import sys
from functools import partial


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # before JAX is imported
    from native_rows import networks_jax, networks_ours
    from native_rows.images import DIGITS, MNIST, images, parameters
    from native_rows.measuring import Options, Peer, Table, compare
    from native_rows.networks import LR, name_of

    quick = sys.argv[1] == "quick"
    options = Options(1 if quick else int(sys.argv[1]), quick)
    table = Table(options)
    for sizes, batch in ((DIGITS, 32), ((20, 8, 10) if quick else MNIST, 64)):
        x, y = images(batch, sizes)
        ours = networks_ours.Network(sizes, parameters(sizes), LR)
        theirs = networks_jax.Network(sizes, parameters(sizes), LR)
        jx, jy = networks_jax.arrays(x, y)
        ours.step(x, y)
        compare(
            table,
            f"{name_of(sizes, batch)}, with Adam",
            partial(ours.step, x, y),
            [Peer("JAX jit, all processors", partial(theirs.step, jx, jy))],
            options,
        )


if __name__ == "__main__":
    main()
