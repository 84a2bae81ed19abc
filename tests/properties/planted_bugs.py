"""Bugs to plant into the engine, each for as long as a ``with`` statement lasts.

They are other people's: every one was found in an engine, a paper or a student's homework, or is
what a slip of the pen would make. The oracle has to notice each of them.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from autograd_lite import lifting, sweep, value
from autograd_lite.primitives import TABLE
from autograd_lite.primitives.core import plain
from autograd_lite.value import Value


@dataclass(frozen=True)
class Bug:
    """Something wrong, and the context in which the engine does it."""

    name: str
    planted: Callable[[], Any]
    affects: tuple[str, ...] = ()  # the primitives that show it; () for all


BUGS: list[Bug] = []


def bug(name: str, *affects: str) -> Callable[[Callable[[], Iterator[None]]], Any]:
    def enter(planted: Callable[[], Iterator[None]]) -> Any:
        BUGS.append(Bug(name, contextmanager(planted), affects))
        return planted

    return enter


# -- in the table ----------------------------------------------------------------------------------


@contextmanager
def changed(name: str, **attributes: Any) -> Iterator[None]:
    """Give a primitive other formulas, also where a method of Value has them built in."""
    primitive = TABLE[name]
    with ExitStack() as stack:
        for attribute, new in attributes.items():
            stack.enter_context(patch.object(primitive, attribute, new))
        if primitive in value._UNARY:
            stack.enter_context(patch.dict(value._UNARY))
            del value._UNARY[primitive]
        yield


def partial(name: str, formula: Callable[..., Any], position: int = 0) -> Any:
    """Give a primitive another partial."""
    partials = list(TABLE[name].partials)
    partials[position] = formula
    return changed(name, partials=tuple(partials))


def in_table(what: str, name: str, formula: Callable[..., Any], position: int = 0) -> None:
    """Enter a bug that is one wrong partial; of an n-ary primitive, the function for all."""
    if TABLE[name].variadic:
        BUGS.append(Bug(what, lambda: changed(name, all_partials=formula), (name,)))
    else:
        BUGS.append(Bug(what, lambda: partial(name, formula, position), (name,)))


def as_float32(x: Any) -> Any:
    """Round to 24 bits (also a Value, as far as its own operators go)."""
    return struct.unpack("f", struct.pack("f", x))[0] if type(x) is float else x


sin, cos, exp, log = (TABLE[name] for name in ("sin", "cos", "exp", "log"))
sigmoid, tanh, sqrt, hypot = (TABLE[name] for name in ("sigmoid", "tanh", "sqrt", "hypot"))
total, mean = TABLE["total"], TABLE["mean"]
dot_partials, norm_partials = TABLE["dot"].all_partials, TABLE["norm"].all_partials

in_table("cos′ has the wrong sign", "cos", lambda x, y: sin(x))
in_table("sin′ is off by a millionth", "sin", lambda x, y: cos(x) * (1.0 + 1e-6))
in_table("exp′ leaks through a float32", "exp", lambda x, y: as_float32(y))
in_table("log2′ has a constant of ten digits", "log2", lambda x, y: 1.442695041 / x)
in_table("erf′ has a constant of ten digits", "erf", lambda x, y: 1.128379167 * exp(-x * x))
in_table("tanh′ is pasted from relu", "tanh", lambda x, y: 1.0 if y > 0.0 else 0.0)
in_table("tanh′ cancels in the tails", "tanh", lambda x, y: 1.0 - y * y)
in_table("sigmoid′ cancels in the tail", "sigmoid", lambda x, y: y * (1.0 - y))
in_table("expm1′ is its value", "expm1", lambda x, y: y)
in_table("the exponent has no gradient", "**", lambda a, b, y: 0.0, 1)
in_table("the power rule forgets to subtract 1", "**", lambda a, b, y: b * y)
in_table(
    "the power rule is for whole exponents", "**", lambda a, b, y: b * a ** (round(plain(b)) - 1.0)
)
in_table("log′ is guarded by an epsilon", "log", lambda x, y: 1.0 / (x + 1e-8))
in_table("sqrt′ is guarded by an epsilon", "sqrt", lambda x, y: 0.5 / (y + 1e-10))
in_table("abs′ is 1 for negative numbers", "abs", lambda x, y: 1.0)
in_table("relu′ leaks for negative numbers", "relu", lambda x, y: 1.0 if x > 0.0 else 0.01)
in_table("acos′ is asin′", "acos", lambda x, y: 1.0 / sqrt((1.0 - x) * (1.0 + x)))
in_table("gelu′ is that of the tanh approximation", "gelu", TABLE["gelu_tanh"].partials[0])
in_table("log1p′ forgets the 1", "log1p", lambda x, y: 1.0 / x)
in_table("round is differentiated straight through", "round", lambda x, y: 1.0)
in_table("the remainder ignores its divisor", "%", lambda a, b, y: 0.0, 1)
in_table("hypot's second partial is its first", "hypot", lambda a, b, y: a / hypot(a, b), 1)
in_table("clamp passes gradients outside its limits", "clamp", lambda x, low, high, y: 1.0)
in_table("the tie of two goes to the first", "maximum", lambda a, b, y: 1.0 if a >= b else 0.0)
in_table("mean divides by n - 1", "mean", lambda xs, y: [1.0 / max(1.0, len(xs) - 1.0)] * len(xs))
in_table(
    "var's partials divide by n",
    "var",
    lambda xs, y: [*((x - mean(xs[:-1])) * (2.0 / (len(xs) - 1)) for x in xs[:-1]), -y / xs[-1]],
)
in_table("prod divides by the factor", "prod", lambda xs, y: [y / x for x in xs])
in_table("norm is guarded by an epsilon", "norm", lambda xs, y: [x / (y + 1e-8) for x in xs])
in_table(
    "logsumexp is not shifted",
    "logsumexp",
    lambda xs, y: [exp(x) / total([exp(x) for x in xs]) for x in xs],
)
in_table("dot loses its last operand", "dot", lambda xs, y: [*dot_partials(xs, y)[:-1], 0.0])


@bug("atan2's partials are swapped", "atan2")
def _() -> Iterator[None]:
    with changed("atan2", partials=TABLE["atan2"].partials[::-1]):
        yield


@bug("softplus is log(1 + exp(x))", "softplus")
def _() -> Iterator[None]:
    with changed("softplus", value=lambda x: math.log(1.0 + math.exp(x)) if x < 700.0 else x):
        yield


@bug("log1p is log(1 + x)", "log1p")
def _() -> Iterator[None]:
    with changed("log1p", value=lambda x: math.log(1.0 + x)):
        yield


@bug("tanh leaks through a float32", "tanh")
def _() -> Iterator[None]:
    with changed("tanh", value=lambda x: as_float32(math.tanh(x))):
        yield


# -- in what the operators record ------------------------------------------------------------------


@contextmanager
def recorded(name: str, spoil: Callable[[Any], None]) -> Iterator[None]:
    """Spoil what an operator of Value has recorded."""
    right = getattr(Value, name)

    def operator(self: Any, other: Any) -> Any:
        out = right(self, other)
        if type(out) is Value and out._primitive is not None and out._a is self:
            spoil(out)
        return out

    with patch.object(Value, name, operator):
        yield


def in_operator(what: str, name: str, symbol: str, spoil: Callable[[Any], None]) -> None:
    BUGS.append(Bug(what, lambda: recorded(name, spoil), (symbol,)))


def _set_db(change: Callable[[Any], Any]) -> Callable[[Any], None]:
    def spoil(out: Any) -> None:
        if out._db is not None:
            out._db = change(out)

    return spoil


in_operator(
    "the sign of a division's second partial", "__truediv__", "/", _set_db(lambda y: -y._db)
)
in_operator("the sign of a difference", "__sub__", "-", _set_db(lambda y: 1.0))
in_operator("a product drops its second operand", "__mul__", "*", _set_db(lambda y: None))
in_operator(
    "a quotient's partial in float32", "__truediv__", "/", _set_db(lambda y: as_float32(y._db))
)


# -- in the sweeps ---------------------------------------------------------------------------------


@contextmanager
def replaced(right: Callable[..., Any], wrong: Callable[..., Any]) -> Iterator[None]:
    """Put another function wherever a module of the engine has imported the right one."""
    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.startswith("autograd_lite.") and vars(module).get(right.__name__) is right:
                stack.enter_context(patch.object(module, right.__name__, wrong))
        yield


def pairs(node: Any, lifted: Any) -> list[tuple[Any, Any]]:
    """Return the operands of a node with their partials."""
    da, db = (node._da, node._db) if lifted is None else lifted[node]
    if type(db) is tuple:
        return [(x, p) for x, p in zip(node._a, db, strict=True) if p is not None]
    found = [] if da is None else [(node._a, da)]
    return found if db is None else [*found, (node._b, db)]


@contextmanager
def sweeping_with(
    contribute: Callable[..., Any],
    *,
    edges: Callable[[Any, Any], list[tuple[Any, Any]]] = pairs,
    first: Callable[[Any], Any] | None = None,
) -> Iterator[None]:
    """Sweep backward with another way to sum, other partials, or other numbers to start from."""

    def adjoints(order: Any, seed: Any, zero: Any, lifted: Any = None, **_: Any) -> list[Any]:
        sums = [zero, *(zero if first is None else first(node) for node in order)]
        sums[-1] = seed
        for position in range(len(order), 0, -1):
            node = order[position - 1]
            for operand, slope in edges(node, lifted):
                at = operand._position
                sums[at] = contribute(sums[at], sums[position] * slope, operand)
        return sums

    with replaced(sweep.adjoints, adjoints):
        yield


def added(before: Any, more: Any, operand: Any) -> Any:
    return before + more


@bug("= for +=")
def _() -> Iterator[None]:
    with sweeping_with(lambda before, more, operand: more):
        yield


@bug("a leaf that is reached twice keeps the last contribution")
def _() -> Iterator[None]:
    with sweeping_with(lambda b, more, x: more if x._primitive is None else b + more):
        yield


@bug("adjoints are summed in float32")
def _() -> Iterator[None]:
    with sweeping_with(lambda before, more, operand: as_float32(before + more)):
        yield


@bug("operands are a set: duplicates are lost")
def _() -> Iterator[None]:
    def edges(node: Any, lifted: Any) -> list[tuple[Any, Any]]:
        return list({id(x): (x, p) for x, p in pairs(node, lifted)}.values())

    with sweeping_with(added, edges=edges):
        yield


@bug("a product's partials are today's data, not what was recorded", "*")
def _() -> Iterator[None]:
    def edges(node: Any, lifted: Any) -> list[tuple[Any, Any]]:
        found = pairs(node, lifted)
        if lifted is None and node.op == "*" and len(found) == 2:
            return [(node._a, node._b._data), (node._b, node._a._data)]
        return found

    with sweeping_with(added, edges=edges):
        yield


@bug("a second backward() starts from stale interior gradients")
def _() -> Iterator[None]:
    def stale(node: Any) -> float:
        return 0.0 if node._primitive is None else float(node.grad)

    with sweeping_with(added, first=stale):
        yield


@bug("a second backward() overwrites the gradients of leaves")
def _() -> Iterator[None]:
    right = Value.backward

    def backward(self: Any, create_graph: bool = False) -> None:
        for node in sweep.with_order(self, list):
            node.zero_grad()
        right(self, create_graph)

    with patch.object(Value, "backward", backward):
        yield


@bug("no topological order: nodes in the order of their discovery")
def _() -> Iterator[None]:
    def discovered(root: Any, use: Callable[[list[Any]], Any]) -> Any:
        def use_disorder(order: list[Any]) -> Any:
            found = [root]
            for node in found:
                found += [x for x, _ in pairs(node, None) if x not in found]
            order[:] = reversed(found)
            for position, node in enumerate(order, 1):
                node._position = position
            return use(order)

        return sweep.with_order(root, use_disorder)

    with patch.object(value, "with_order", discovered):
        yield


@contextmanager
def lifting_with(change: Callable[[Any, Any], Any]) -> Iterator[None]:
    """Spoil the partials as Values, which only higher derivatives use."""
    right = lifting.lifted

    def lifted(order: Any) -> Any:
        return {node: change(node, found) for node, found in right(order).items()}

    with replaced(right, lifted):
        yield


@bug("second derivatives: partials are constants")
def _() -> Iterator[None]:
    with lifting_with(lambda node, found: (node._da, node._db)):
        yield


@bug("second derivatives: a quotient's partial holds the result fast", "/")
def _() -> Iterator[None]:
    def held(node: Any, found: Any) -> Any:
        if node.op == "/" and isinstance(found[1], Value):
            return found[0], -node._data / node._b
        return found

    with lifting_with(held):
        yield


@bug("second derivatives: tanh″ by a formula off by a millionth", "tanh")
def _() -> Iterator[None]:
    def off(node: Any, found: Any) -> Any:
        if node.op == "tanh":
            return found[0] + 1e-6 * (found[0] - node._da), None
        return found

    with lifting_with(off):
        yield


@bug("forward mode: an operand that comes twice counts once")
def _() -> Iterator[None]:
    def tangents(order: Any, seeds: Any, zero: Any, lifted: Any = None, **_: Any) -> list[Any]:
        along = [zero]
        for node in order:
            tangent = seeds.get(node, zero)
            for operand, slope in {id(x): (x, p) for x, p in pairs(node, lifted)}.values():
                tangent = tangent + along[operand._position] * slope
            along.append(tangent)
        return along

    with replaced(sweep.tangents, tangents):
        yield


@bug("forward mode: the tangent of the second operand is dropped")
def _() -> Iterator[None]:
    def tangents(order: Any, seeds: Any, zero: Any, lifted: Any = None, **_: Any) -> list[Any]:
        along = [zero]
        for node in order:
            tangent = seeds.get(node, zero)
            for operand, slope in pairs(node, lifted)[:1]:
                tangent = tangent + along[operand._position] * slope
            along.append(tangent)
        return along

    with replaced(sweep.tangents, tangents):
        yield
