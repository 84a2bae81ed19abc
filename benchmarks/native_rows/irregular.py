"""Irregular graphs, value and gradient: CasADi, NumPy, JAX."""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from native_rows.irregular_numpy import OneCallPerNode
from native_rows.irregular_ours import compiled, recorded
from native_rows.irregular_programs import Program, irregular_program
from native_rows.measuring import Options, Peer, Table, agree, compare, duration, in_turn, seconds

MACHINE, IN_C, MAP = "CasADi, virtual machine", "CasADi → C → gcc -O2", "CasADi → C, map"


def rows(table: Table, options: Options) -> None:
    small = irregular_program(
        options.size(1_000, 60), options.size(100, 10), options.size(1_000, 20)
    )
    medium = irregular_program(
        options.size(10_000, 600), options.size(1_000, 60), options.size(1_000, 20)
    )
    print(f"Irregular graphs, such as {medium}.\n")
    table.begin()
    one_point(table, small, options, goal=2.5)
    in_c(table, medium, options)
    one_point(
        table,
        irregular_program(options.size(100_000, 2_000), options.size(10_000, 200), 2),
        options,
        goal=3.5,
    )
    deep = irregular_program(options.size(10_000, 500), options.size(100, 10), 2)
    one_point(table, deep, options, remark=f", {deep.depth} deep")
    plain = irregular_program(options.size(5_000, 500), options.size(500, 50), 2, functions=0.0)
    plain_in_c(table, plain, options)
    many_points_in_numpy(table, medium, options)
    many_points_in_jax(table, small, options)


def title(program: Program, points: int = 1) -> str:
    where = "one point" if points == 1 else f"{points:,} points"
    return f"{len(program.operations):,} operations, {where}"


# -- one point -----------------------------------------------------------------------------------


class OnePoint:
    """Our side at the first point, checked against the eager engine."""

    def __init__(self, program: Program) -> None:
        self.function = compiled(program)
        self.run = partial(self.function.value_and_grad, np.ascontiguousarray(program.points[:1]))
        value, gradient = self.run()
        wanted, wanted_gradient = recorded(program)
        agree("compiled and eager value", value, [wanted])
        agree("compiled and eager gradient", gradient, [wanted_gradient])
        self.gradient = gradient


def one_point(
    table: Table,
    program: Program,
    options: Options,
    *,
    goal: float | None = None,
    remark: str = "",
) -> None:
    """CasADi's virtual machine, through its buffer interface."""
    what = title(program) + remark
    ours = OnePoint(program)
    try:
        from native_rows import irregular_casadi
    except ImportError as error:
        table.absent(what, MACHINE, error)
        return
    function = irregular_casadi.value_and_gradient(program)
    machine = irregular_casadi.Buffered(function, program.points[:1])
    machine.run()
    agree(what, ours.gradient, machine.gradients)
    compare(table, what, ours.run, [Peer(MACHINE, machine.run, goal)], options)


def in_c(table: Table, program: Program, options: Options) -> None:
    """CasADi's virtual machine and the C that it generates: one point, many, the preparation."""
    what, over_points = title(program), title(program, len(program.points))
    ours = OnePoint(program)
    many = compiled(program)
    _, our_gradients = many.value_and_grad(program.points)
    try:
        from native_rows import irregular_casadi
    except ImportError as error:
        for name in (MACHINE, IN_C, MAP):
            table.absent(over_points if name == MAP else what, name, error)
        return

    def prepare() -> tuple[Any, Any]:
        function = irregular_casadi.value_and_gradient(program)
        return function, irregular_casadi.in_c(function, Path(tempfile.mkdtemp(dir=folder)))

    with tempfile.TemporaryDirectory() as folder:
        function, library = prepare()
        machine = irregular_casadi.Buffered(function, program.points[:1])
        native = irregular_casadi.Buffered(library, program.points[:1])
        mapped = irregular_casadi.Buffered(library.map(len(program.points)), program.points)
        for side, gradients in ((machine, ours.gradient), (native, ours.gradient)):
            side.run()
            agree(what, gradients, side.gradients)
        mapped.run()
        agree(over_points, our_gradients, mapped.gradients)
        compare(
            table,
            what,
            ours.run,
            [Peer(MACHINE, machine.run, 4.0), Peer(IN_C, native.run, 1.0)],
            options,
        )
        point = program.points[0].tolist()
        [listed] = in_turn([lambda: ours.function.value_and_grad(point)], options.rounds)
        table.figure(
            f"{what}, a list in and a list out",
            statistics.median(listed),
            duration(statistics.median(listed)),
        )
        compare(
            table,
            f"{len(program.operations):,} operations: preparing it",
            lambda: compiled(program).value_and_grad(*ours.run.args),
            [Peer(IN_C, prepare, 500.0)],
            options._replace(rounds=options.few),
        )
        compare(
            table,
            over_points,
            lambda: many.value_and_grad(program.points),
            [Peer(MAP, mapped.run, 5.0)],
            options,
        )


def plain_in_c(table: Table, program: Program, options: Options) -> None:
    """A graph without functions, in which compiled C has nothing but arithmetic to do."""
    what = f"{title(program)}, + − × ÷ alone"
    ours = OnePoint(program)
    try:
        from native_rows import irregular_casadi
    except ImportError as error:
        table.absent(what, IN_C, error)
        return
    function = irregular_casadi.value_and_gradient(program)
    with tempfile.TemporaryDirectory() as folder:
        library = irregular_casadi.in_c(function, Path(folder))
        sides = [irregular_casadi.Buffered(f, program.points[:1]) for f in (function, library)]
        for side in sides:
            side.run()
            agree(what, ours.gradient, side.gradients)
        peers = [Peer(name, side.run) for name, side in zip((MACHINE, IN_C), sides, strict=True)]
        compare(table, what, ours.run, peers, options)


# -- many points ---------------------------------------------------------------------------------


def many_points_in_numpy(table: Table, program: Program, options: Options) -> None:
    """NumPy, one call for each operation."""
    what = title(program, len(program.points))
    ours, theirs = compiled(program), OneCallPerNode(program)
    value, gradient = ours.value_and_grad(program.points)
    theirs.run()
    agree(what, value, theirs.values)
    agree(what, gradient, theirs.gradients)
    compare(
        table,
        what,
        lambda: ours.value_and_grad(program.points),
        [Peer("NumPy, one call per node", theirs.run, 3.0)],
        options,
    )


def many_points_in_jax(table: Table, program: Program, options: Options) -> None:
    """JAX, which compiles a function for this graph."""
    what, peer = title(program, len(program.points)), "JAX jit + vmap"
    ours = compiled(program)
    value, gradient = ours.value_and_grad(program.points)
    try:
        from native_rows import irregular_jax
    except ImportError as error:
        table.absent(what, peer, error)
        return
    prepared: list[Any] = []
    theirs = seconds(lambda: prepared.extend(irregular_jax.compiled(program)))
    function, points = prepared
    values, gradients = function(points)
    agree(what, value, values)
    agree(what, gradient, gradients)
    compare(
        table,
        what,
        lambda: ours.value_and_grad(program.points),
        [Peer(peer, lambda: function(points)[0], 10.0)],
        options,
    )
    [preparing] = in_turn([lambda: compiled(program).value_and_grad(program.points)], options.few)
    table.ratio(
        f"{len(program.operations):,} operations: preparing it",
        peer,
        [theirs] * len(preparing),
        preparing,
    )
