"""Random graphs and the optimisers against PyTorch, where it is installed.

How far two correct engines may differ is measured, not chosen: PyTorch runs each program a few
times more with every operand and every result off by a random relative error of 2⁻²⁴. What the
derivatives move by, scaled down to the unit roundoff 2⁻⁵³, is what the rounding of single
operations can do to this program. Points are smooth, with a margin; what happens at kinks, edges
and infinities is compared row by row in test_semantics.py.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest

import nn
from autograd_lite import Value, hvp
from autograd_lite.primitives import TABLE
from autograd_lite.testing import Program
from autograd_lite.testing.operations import Step, resolved
from autograd_lite.testing.smoothness import bounded, smooth

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
functional = torch.nn.functional

HOW_MANY = 5000
SECOND_ORDER_EVERY = 5
MOST_OPERATIONS = 20
PROBES = 7
NOISE = 2.0**-24
UNIT = 2.0**-53
ROUNDINGS = 64.0  # 2 engines, of 4 units in a function, 8 functions in a second derivative


# -- the same program in PyTorch -----------------------------------------------------------------


def column(x: float, **settings: bool) -> Any:
    return torch.full((PROBES + 1,), x, dtype=torch.float64, **settings)


def torch_dot(*operands: Any) -> Any:
    n = len(operands) // 2
    xs, ys, start = operands[:n], operands[n : 2 * n], operands[2 * n :]
    return sum(start, (torch.stack(xs) * torch.stack(ys)).sum(0))


def torch_leaky_relu(x: Any, slope: Any) -> Any:
    if isinstance(slope, float):
        return functional.leaky_relu(x, slope)
    return torch.where(x > 0.0, x, slope * x)


def torch_elu(x: Any, alpha: Any) -> Any:
    if isinstance(alpha, float):
        return functional.elu(x, alpha)
    return torch.where(x > 0.0, x, alpha * torch.expm1(x))


IN_TORCH: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in (
        "floor", "ceil", "round", "sign", "exp", "exp2", "expm1", "log", "log2",
        "log10", "log1p", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "hypot",
        "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "sigmoid", "neg", "abs",
        "fmod", "maximum", "minimum", "logaddexp", "xlogy",
    )},
    **{name: getattr(functional, name) for name in (
        "softplus", "relu", "selu", "silu", "gelu", "mish", "softsign",
    )},
    "copysign": lambda x, y: x.abs() * y.sign(),  # as of prod, below
    "log_sigmoid": functional.logsigmoid,
    "leaky_relu": torch_leaky_relu,
    "elu": torch_elu,
    "normal_cdf": torch.special.ndtr,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div, "**": torch.pow,
    "%": torch.remainder,
    "clamp": torch.clamp,
    "hardtanh": torch.clamp,
    "total": lambda *xs: torch.stack(xs).sum(0),
    "dot": torch_dot,
    "mean": lambda *xs: torch.stack(xs).mean(0),
    "prod": lambda *xs: reduce(torch.mul, xs),  # the second derivative of torch.prod cancels
    "max_of": lambda *xs: torch.stack(xs).amax(0),
    "min_of": lambda *xs: torch.stack(xs).amin(0),
    "logsumexp": lambda *xs: torch.stack(xs).logsumexp(0),
    "norm": lambda *xs: torch.linalg.vector_norm(torch.stack(xs), dim=0),
}  # fmt: skip
NOT_IN_TORCH = {"cbrt", "where"}  # the engine's where has one operand, the side that was taken

# Derivatives that PyTorch computes as 1 - y² and the like: in the tails an absolute error remains.
CANCELLING = {
    "expm1", "tanh", "erf", "erfc", "sigmoid", "softplus", "log_sigmoid", "elu", "selu", "silu",
    "normal_cdf", "gelu", "gelu_tanh", "mish", "softsign", "logsumexp", "logaddexp", "asin", "acos",
    "atan", "asinh", "acosh", "atanh", "hypot", "norm", "sinh", "cosh", "tan",
}  # fmt: skip
PLAIN = {"leaky_relu", "elu"}  # whose second operand may be a plain number


class Noise:
    """Relative errors, one row per rounding; the first column is the exact run."""

    def __init__(self, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        errors = torch.rand((997, PROBES + 1), dtype=torch.float64, generator=draw) * 2.0 - 1.0
        errors[:, 0] = 0.0
        self.errors = itertools.cycle((errors * NOISE).unbind())
        self.factors = itertools.cycle((1.0 + errors.flip(0) * NOISE).unbind())
        self.phases = itertools.cycle((errors * 3.0).unbind())

    def operand(self, x: Any) -> Any:
        """Return x as an operand, with errors of its own in the value and in the derivative."""
        return torch.addcmul(x.detach() * next(self.errors), x, next(self.factors))

    def result(self, y: Any, operands: list[Any], cancelling: bool) -> Any:
        """Return y with an error; with an absolute one in the derivatives if these cancel."""
        if cancelling:
            for x in operands:
                y = torch.addcmul(y, next(self.errors), torch.sin(x + next(self.phases)))
        return y * next(self.factors)


def torch_var(noise: Noise, *operands: Any) -> Any:
    """Return the variance; its derivatives 2(x - m)/n have the rounding of the mean m in common."""
    *xs, freedom = operands
    values = torch.stack(xs)
    common = next(noise.errors) * 2.0 * values.detach().mean(0) / freedom.detach()
    shifts = (values - values.detach()).sum(0)  # 0, with the derivative 1
    return values.var(0, correction=0) * (len(xs) / freedom) + common * shifts


def run_in_torch(program: Program, noise: Noise, changed: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Run a program exactly and with noise; return the results, and the leaves."""
    leaves = [column(x, requires_grad=True) for x in program.inputs]
    nodes: list[Any] = list(leaves)
    for step in program.steps:
        operands = [
            noise.operand(nodes[-1 - x])
            if isinstance(x, int)
            else x
            if step.name in PLAIN
            else column(x)
            for x in step.operands
        ]
        if step.name == "var":
            y = torch_var(noise, *operands)
        else:
            y = changed.get(step.name, IN_TORCH[step.name])(*operands)
        tensors = [x for x in operands if not isinstance(x, float)]
        nodes.append(noise.result(y, tensors, step.name in CANCELLING))
    return nodes[-1], leaves


def spread(found: Any) -> tuple[float, float]:
    """Return the exact number, and how far rounding may move it."""
    exact, *probes = (column(0.0) + found.detach()).tolist()  # 0 may have no storage
    moved = max(abs(x - exact) for x in probes) / NOISE
    return exact, ROUNDINGS * UNIT * (moved + abs(exact))


def in_torch(
    program: Program, direction: list[float] | None, noise: Noise, changed: dict[str, Any]
) -> list[tuple[float, float]]:
    """Return value, gradient, and Hessian times a direction, if one is given; with tolerances."""
    result, leaves = run_in_torch(program, noise, changed)
    twice = direction is not None
    gradient = torch.autograd.grad(result.sum(), leaves, create_graph=twice, materialize_grads=True)
    found = [result, *gradient]
    if direction is not None:
        along = sum(g * v for g, v in zip(gradient, direction, strict=True)).sum()
        if along.requires_grad:
            found += torch.autograd.grad(along, leaves, materialize_grads=True)
        else:
            found += [column(0.0)] * len(leaves)
    return [spread(x) for x in found]


def in_engine(program: Program, direction: list[float] | None) -> list[float]:
    leaves = [Value(x) for x in program.inputs]
    result = program(leaves)
    result.backward()
    found = [result.data, *(leaf.grad for leaf in leaves)]
    if direction is not None:
        found += hvp(program, (list(program.inputs),), (direction,))
    return found


# -- random programs -----------------------------------------------------------------------------

NAMES = [name for name in TABLE if name not in NOT_IN_TORCH]


def operand_count(name: str, draw: random.Random) -> int:
    primitive = TABLE[name]
    if not primitive.variadic:
        return primitive.arity
    if name == "dot":
        return 2 * draw.randint(1, 3) + draw.randint(0, 1)
    return draw.randint(2, 5) + (name == "var")


def random_program(draw: random.Random) -> Program:
    """Draw 1 to 20 operations of all kinds, on nodes not used so far before all others."""
    inputs = [round(draw.uniform(-3.0, 3.0), 4) for _ in range(draw.randint(1, 4))]
    nodes, steps = list(inputs), []
    unused = set(range(len(nodes)))
    wanted = draw.randint(1, MOST_OPERATIONS)
    while len(steps) < wanted:
        name = draw.choice(NAMES)
        chosen: list[int | float] = []
        for _ in range(operand_count(name, draw)):
            kind = draw.random()
            if chosen and kind < 0.15:
                chosen.append(round(draw.uniform(-3.0, 3.0), 4))
            elif unused and kind < 0.7:
                chosen.append(len(nodes) - 1 - draw.choice(sorted(unused)))
            else:
                chosen.append(draw.randrange(len(nodes)))
        step = Step(name, tuple(chosen))
        operands = resolved(step, nodes)
        if not (smooth(step.primitive, operands) and bounded(step.primitive, operands, 20.0)):
            continue
        unused -= {len(nodes) - 1 - x for x in chosen if isinstance(x, int)}
        unused.add(len(nodes))
        steps.append(step)
        nodes.append(step.primitive.evaluate(*operands))
    return without_unused(inputs, steps)


def without_unused(inputs: list[float], steps: list[Step]) -> Program:
    """Leave out the steps that the last one does not depend on."""
    needed = {len(inputs) + len(steps) - 1}
    for place in range(len(steps) - 1, -1, -1):
        if (at := len(inputs) + place) in needed:
            needed.update(at - 1 - x for x in steps[place].operands if isinstance(x, int))
    kept = [*range(len(inputs)), *(k for k in sorted(needed) if k >= len(inputs))]
    number = {old: new for new, old in enumerate(kept)}
    found = []
    for old in kept[len(inputs) :]:
        step = steps[old - len(inputs)]
        operands = tuple(
            number[old] - 1 - number[old - 1 - x] if isinstance(x, int) else x
            for x in step.operands
        )
        found.append(Step(step.name, operands))
    return Program(tuple(inputs), tuple(found))


class Comparison:
    """What came of comparing a number of random programs."""

    def __init__(self, how_many: int, seed: str, changed: dict[str, Any] | None = None) -> None:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            self._compare(how_many, seed, changed or {})
        finally:
            torch.set_num_threads(threads)

    def _compare(self, how_many: int, seed: str, changed: dict[str, Any]) -> None:
        draw = random.Random(seed)
        noise = Noise(draw.getrandbits(32))
        self.wrong: list[tuple[Program, int, float, float, float]] = []  # order of derivative, …
        self.relative: list[float] = []  # tolerances, of derivatives that are not 0
        self.operations: Counter[str] = Counter()
        self.second_order = 0
        for number in range(how_many):
            program = random_program(draw)
            direction = None
            if number % SECOND_ORDER_EVERY == 0:
                direction = [draw.uniform(-1.0, 1.0) for _ in program.inputs]
                self.second_order += 1
            self.operations.update({step.name for step in program.steps})
            expected = in_torch(program, direction, noise, changed)
            got = in_engine(program, direction)
            for place, (x, (exact, tolerance)) in enumerate(zip(got, expected, strict=True)):
                if exact:
                    self.relative.append(tolerance / abs(exact))
                if not abs(x - exact) <= tolerance:
                    order = 0 if place == 0 else 1 if place <= len(program.inputs) else 2
                    self.wrong.append((program, order, x, exact, tolerance))


def test_five_thousand_random_programs_have_pytorchs_values_and_derivatives() -> None:
    found = Comparison(HOW_MANY, "programs")
    assert found.wrong == []
    assert found.second_order == 1000
    assert found.operations.keys() | NOT_IN_TORCH == TABLE.keys()
    assert min(found.operations.values()) >= 100
    # Tight: of a hundred numbers half are compared to 13 digits, and 95 to 9.
    tolerances = sorted(found.relative)
    assert tolerances[len(tolerances) // 2] < 1e-13
    assert tolerances[len(tolerances) * 95 // 100] < 1e-9


def straight(x: Any) -> Any:
    """Return sigmoid(x), with its derivative, but none of that."""
    y = torch.sigmoid(x).detach()
    return y + y * (1.0 - y) * (x - x.detach())


@pytest.mark.parametrize(
    ("name", "wrong", "orders"),
    [
        ("tanh", lambda x: torch.tanh(x) + 1e-9 * (x - x.detach()), {1, 2}),
        ("*", lambda x, y: x * y + 1e-9 * (x - x.detach()), {1, 2}),
        ("sigmoid", straight, {2}),
        ("floor", lambda x: torch.floor(x) + (x - x.detach()), {1, 2}),
        ("gelu", lambda x: functional.gelu(x, approximate="tanh"), {0, 1, 2}),
        ("max_of", lambda *xs: torch.stack(xs).logsumexp(0), {0, 1, 2}),
    ],
)
def test_a_slightly_wrong_operation_is_found(
    name: str, wrong: Callable[..., Any], orders: set[int]
) -> None:
    found = Comparison(500, "planted", {name: wrong}).wrong
    assert {order for _, order, *_ in found} == orders
    assert all(any(step.name == name for step in program.steps) for program, *_ in found)


# -- optimisers ----------------------------------------------------------------------------------

UPDATES = 50


def random_settings(name: str, draw: random.Random) -> dict[str, Any]:
    settings: dict[str, Any] = {"lr": 10.0 ** draw.uniform(-4.0, 0.0)}
    if draw.getrandbits(1):
        settings["weight_decay"] = draw.uniform(0.0, 0.2)
    if name == "Adam":
        settings["betas"] = (draw.uniform(0.0, 0.99), draw.uniform(0.5, 0.9999))
        settings["eps"] = 10.0 ** draw.uniform(-10.0, -2.0)
        return settings
    kind = draw.choice(["plain", "momentum", "dampening", "nesterov"])
    if kind != "plain":
        settings["momentum"] = draw.uniform(0.1, 0.99)
    if kind == "dampening":
        settings["dampening"] = draw.uniform(0.0, 1.0)
    return {**settings, "nesterov": kind == "nesterov"}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_fifty_updates_on_random_gradients_are_pytorchs(name: str, seed: int) -> None:
    draw = random.Random(f"{name} {seed}")
    settings = random_settings(name, draw)
    start = [draw.gauss(0.0, 1.0) for _ in range(4)]
    ours = [nn.Parameter(x) for x in start]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
    optimizer = getattr(nn.optim, name)(ours, **settings)
    reference = getattr(torch.optim, name)(theirs, **settings)
    sizes = [abs(x) for x in start]
    for _ in range(UPDATES):
        for parameter, tensor in zip(ours, theirs, strict=True):
            gradient = draw.choice((0.0, draw.gauss(0.0, 1.0) * 10.0 ** draw.randint(-6, 3)))
            parameter.grad = gradient
            tensor.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        reference.step()
        expected = [tensor.item() for tensor in theirs]
        sizes = [max(size, abs(x)) for size, x in zip(sizes, expected, strict=True)]
        for parameter, x, size in zip(ours, expected, sizes, strict=True):
            assert abs(parameter.data - x) <= 1e-12 * size, settings
    assert [p.data for p in ours] != start
