"""What has no peer: preparing, starting, memory, threads."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from native_rows import all_processors, networks_ours
from native_rows.images import MNIST, Sizes, images, parameters
from native_rows.irregular_ours import compiled, function_of
from native_rows.irregular_programs import irregular_program
from native_rows.measuring import Options, Peer, Table, compare, duration, in_turn

FOLDER = Path(__file__).parent.parent
GIGABYTE = 1e9


def rows(table: Table, options: Options) -> None:
    print("Preparing, starting, memory, threads.\n")
    table.begin()
    preparing(table, options)
    first_call(table, options)
    memory(table, options)
    all_processors.run("limits", options)


def preparing(table: Table, options: Options) -> None:
    """Recording and lowering, for each recorded node."""
    from autograd_lite.native.programs.backend import lowering
    from autograd_lite.native.tracing.recording import record

    for length in (options.size(10_000, 300), options.size(100_000, 600)):
        program = irregular_program(length, length // 10, 2)
        function, arguments = function_of(program), [program.points[0].tolist()]
        tape = record(function, arguments)

        def lower(tape: Any = tape) -> Any:
            return lowering("float64")(
                tape,
                varying=frozenset(),
                wanted=frozenset([0]),
                binding=None,
                exact=False,
                dtype="float64",
            )

        def recording(function: Any = function, arguments: Any = arguments) -> Any:
            return record(function, arguments)

        times = in_turn([recording, lower], max(options.few, 3))
        for what, column, goal in zip(("recording", "lowering"), times, (None, 1e-6), strict=True):
            each = statistics.median(column) / len(tape.sources)
            table.figure(
                f"{what} {length:,} operations, for each recorded node",
                each,
                duration(each),
                goal=goal,
                goal_shown="1 µs",
            )


def first_call(table: Table, options: Options) -> None:
    """A process that starts, imports, builds and calls, with kernels and bytecode on the disk."""
    for what in ("function", "network"):
        command = [sys.executable, "-m", "native_rows.limits_first_call", what]
        found = [float(_printed(command)) for _ in range(1 + max(options.few, 1))]
        middle = statistics.median(found[1:])
        table.figure(
            f"imports and first call in a fresh process, a {what}",
            middle,
            duration(middle),
            goal=0.5,
            goal_shown="0.5 s",
        )


def memory(table: Table, options: Options) -> None:
    """The peak of a process, beyond what it had before the first call."""
    for length, inputs, goal in (
        (options.size(10_000, 500), options.size(1_000, 50), 3.0),
        (options.size(1_000_000, 2_000), options.size(1_000, 50), 0.5),
    ):
        lanes = options.size(1_000, 10)
        sizes = map(str, (length, inputs, lanes))
        command = [sys.executable, "-m", "native_rows.limits_memory", *sizes]
        if length < 1_000_000:
            _printed(command)  # compiles what is not on the disk yet
        peak, seconds = map(float, _printed(command).split())
        numbers = (length + inputs) * lanes * 8
        what = f"{length:,} operations × {lanes:,} lanes"
        table.figure(
            f"{what}: memory ÷ (nodes × lanes × 8 bytes)",
            peak / numbers,
            f"{peak / numbers:.2f} ({peak / GIGABYTE:.2f} GB)",
            goal=goal,
        )
        table.figure(f"{what}: first call, recording included", seconds, duration(seconds))


def _printed(command: list[str]) -> str:
    """Return what a process prints whose bytecode may be on the disk, as that of users is."""
    kept = {name: x for name, x in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=FOLDER, check=True, stdout=subprocess.PIPE, text=True, env=kept
    )
    return done.stdout


def rows_on_all_processors(table: Table, options: Options) -> None:
    """Two threads against one; their numbers are the same, to the last bit."""
    program = irregular_program(options.size(10_000, 500), options.size(1_000, 50), 16)
    points = np.tile(program.points, (options.size(250, 2), 1))
    one, two = (compiled(program, threads=count) for count in (1, 2))
    for a, b in zip(one.value_and_grad(points), two.value_and_grad(points), strict=True):
        same_bits(a, b)
    compare(
        table,
        f"{len(program.operations):,} operations, {len(points):,} points, two threads",
        lambda: two.value_and_grad(points),
        [Peer("ours with one thread", lambda: one.value_and_grad(points), 1.6)],
        options,
    )
    sizes: Sizes = (20, 8, 10) if options.quick else MNIST
    x, y = images(options.size(2_048, 64), sizes)
    single, double = (
        networks_ours.Network(sizes, parameters(sizes), 1e-3, threads=count) for count in (1, 2)
    )
    for _ in range(2):
        same_bits(single.step(x, y), double.step(x, y))
    same_bits(single.flat, double.flat)
    compare(
        table,
        f"{'-'.join(map(str, sizes))}, batch {len(x):,}, with Adam, two threads",
        lambda: double.step(x, y),
        [Peer("ours with one thread", lambda: single.step(x, y), 1.6)],
        options,
    )


def same_bits(a: Any, b: Any) -> None:
    if not np.array_equal(a, b):
        raise SystemExit("two threads gave other numbers than one")
