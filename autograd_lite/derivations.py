"""An expression, its values and the derivation of each gradient as environments of LaTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd_lite.graphs import Graph
from autograd_lite.node import arguments, edges
from autograd_lite.notation import short
from autograd_lite.sweep import adjoints, with_order
from autograd_lite.tex import (
    PRODUCT,
    SHOWN,
    Tex,
    derivative,
    factor,
    number,
    operation,
    shortened,
    symbol,
    within,
)
from autograd_lite.value import Value

LONG = 80
"""An operation without a name whose LaTeX is longer than this gets a line of its own."""

WIDE = 70
"""A line of so many signs is broken before its numbers and its result."""


class Typeset:
    """A function and its derivatives in LaTeX; see `latex`.

    Each part is an ``align*`` environment of the package amsmath. ``str()`` is all three parts,
    and so is what a notebook shows.

    Attributes
    ----------
    expression : str
        The function: operations without a name that are used once are written out where they are
        used, all others have a line each.
    values : str
        Every number of the forward pass and how it was computed.
    derivation : str
        Every derivative of the backward pass: the chain rule, the same with the textbook's
        derivatives, and with the numbers. The total derivative of the root with respect to a node
        is written with d, the local partials with ∂.
    """

    def __init__(self, root: Value, names: Mapping[str, Any] | None, max_nodes: int) -> None:
        self._graph = Graph(root, names)
        if not root.requires_grad:
            raise RuntimeError(
                f"{self._graph.root.name!r} needs no gradient, so there is no derivation: it is a"
                " constant, or it was computed from constants only, or under no_grad()"
            )
        self._max = max_nodes
        self._adjoints = with_order(root, lambda order: adjoints(order, 1.0, 0.0))[1:]
        self._given = {name for name, thing in (names or {}).items() if isinstance(thing, Value)}
        self._consumers: list[list[tuple[int, int]]] = [[] for _ in self._graph]
        for edge in self._graph.edges:
            self._consumers[edge.operand].append((edge.consumer, edge.position))
        lines = self._definitions()
        self.expression = self._aligned(list(lines), lines.__getitem__)
        self.values = self._aligned(range(len(self._graph)), self._value)
        needed = [node for node in self._below() if self._graph._values[node].requires_grad]
        self.derivation = self._aligned(needed, self._gradient, "[1ex]")

    def __str__(self) -> str:
        return f"{self.expression}\n{self.values}\n{self.derivation}"

    def __repr__(self) -> str:
        return f"<LaTeX of {self._graph.root.name!r}: {len(self._graph)} nodes>"

    def _repr_latex_(self) -> str:
        return str(self)

    def _aligned(
        self, places: Sequence[int], written: Callable[[int], str], apart: str = ""
    ) -> str:
        """Return an environment with an entry per place, the middle of many left out."""
        left_out = max(len(places) - self._max, 0)
        half = (len(places) - left_out) // 2
        entries = [written(place) for place in places[:half]]
        if left_out:
            entries.append(rf"& \;\;\vdots \quad \text{{({left_out} more)}}")
        entries += [written(place) for place in places[half + left_out :]]
        lines = f" \\\\{apart}\n".join(entries)
        return f"\\begin{{align*}}\n{lines}\n\\end{{align*}}"

    # -- nodes -----------------------------------------------------------------------------------

    def _symbol(self, index: int) -> str:
        return symbol(self._graph._names[index])

    def _has_name(self, index: int) -> bool:
        name = self._graph._names[index]
        label = self._graph._values[index].label
        return bool(label or name in self._given or not re.fullmatch(r"v\d+", name))

    def _operands(self, index: int) -> list[Tex]:
        """Return what a node was computed from, as symbols; constants without a name as numbers."""
        found = []
        for x in arguments(self._graph._values[index]):
            if not isinstance(x, Value):
                found.append(number(x, given=True))
            elif x.requires_grad or self._has_name(self._graph._index[x]):
                found.append(Tex(self._symbol(self._graph._index[x])))
            else:
                found.append(number(x.data, given=True))
        return found

    # -- the expression --------------------------------------------------------------------------

    def _definitions(self) -> dict[int, str]:
        """Return a line for each operation that is not written out where it is used."""
        lines = {}
        inside: dict[int, tuple[Tex, bool]] = {}
        root = len(self._graph) - 1
        for index, value in enumerate(self._graph._values):
            if not value.operands:
                continue
            operands = self._operands(index)
            exact = _all_exact(operands)
            for place, x in enumerate(arguments(value)):
                if isinstance(x, Value) and (written := inside.pop(self._graph._index[x], None)):
                    operands[place] = written[0]
                    exact = exact and written[1]
            tex = operation(value._primitive, operands)
            once = len(self._consumers[index]) == 1 and not self._has_name(index)
            if index != root and once and len(tex.text) <= LONG and self._is_shown(index):
                inside[index] = tex, exact
            else:
                lines[index] = f"{self._symbol(index)} &{_relation(exact)} {tex.text}"
        return lines or {root: self._symbol(root)}

    def _is_shown(self, index: int) -> bool:
        """Whether the one consumer of a node shows all of its operands."""
        ((consumer, _),) = self._consumers[index]
        return len(arguments(self._graph._values[consumer])) <= SHOWN

    # -- the numbers -----------------------------------------------------------------------------

    def _value(self, index: int) -> str:
        """Return a line with an operation, the same with its numbers, and the result."""
        value, data = self._graph._values[index], self._graph._data[index]
        start = f"{self._symbol(index)} &"
        if not value.operands:
            return f"{start}{_relation(_exact(data))} {number(data).text}"
        given = [
            self._graph._data[self._graph._index[x]] if isinstance(x, Value) else x
            for x in arguments(value)
        ]
        operands = self._operands(index)
        parts = [
            f"{_relation(_all_exact(operands))} {operation(value._primitive, operands).text}",
            f"{_relation(all(map(_exact, given)))}"
            f" {operation(value._primitive, [number(x) for x in given], simplify=False).text}",
            f"{_relation(_comes_to(value._primitive, given, data))} {number(data).text}",
        ]
        symbols, numbers, result = (part.split(" ", 1)[1] for part in parts)
        if numbers in (symbols, result):
            del parts[1]
        wide = len(re.sub(r"\\\w+|[{}_^\\ ]", "", "".join(parts))) > WIDE
        return start + (" \\\\\n&" if wide else " ").join(parts)

    # -- the derivation --------------------------------------------------------------------------

    def _below(self) -> range:
        """Return the nodes in the order of the backward pass."""
        return range(len(self._graph) - 1, -1, -1)

    def _gradient(self, index: int) -> str:
        """Return the rows that derive one gradient."""
        root = len(self._graph) - 1
        left = self._total(index)
        if index == root:
            return f"{left} &= 1"
        arriving = sorted(self._consumers[index], key=lambda edge: (-edge[0], edge[1]))
        terms = [
            (self._adjoints[consumer], edges(self._graph._values[consumer])[position][1])
            for consumer, position in arriving
        ]
        rules, forms, numbers = [], [], []
        for (consumer, position), (upstream, local) in zip(arriving, terms, strict=True):
            above, below = self._symbol(consumer), self._symbol(index)
            partial = rf"\frac{{\partial {above}}}{{\partial {below}}}"
            form = self._textbook(consumer, position)
            textbook = partial if form is None else within(form, PRODUCT)
            rules.append(rf"{self._total(consumer)} \cdot {partial}")
            forms.append(rf"{self._total(consumer)} \cdot {textbook}")
            numbers.append(rf"{factor(upstream)} \cdot {factor(local)}")
        gradient = self._adjoints[index]
        exact = all(_exact(x) for pair in terms for x in pair)
        rows = [f"{left} &= {_sum(rules)}"]
        if forms != rules:
            rows.append(f"&= {_sum(forms)}")
        rows.append(
            f"&{_relation(exact)} {_sum(numbers)}"
            f" {_relation(_adds_up(terms, gradient))} {number(gradient).text}"
        )
        return " \\\\\n".join(rows)

    def _total(self, index: int) -> str:
        root = len(self._graph) - 1
        return rf"\frac{{\mathrm{{d}}{self._symbol(root)}}}{{\mathrm{{d}}{self._symbol(index)}}}"

    def _textbook(self, consumer: int, position: int) -> Tex | None:
        """Return the table's derivative of a node with respect to one of its Value operands."""
        value = self._graph._values[consumer]
        given = arguments(value)
        place = [i for i, x in enumerate(given) if isinstance(x, Value)][position]
        result = Tex(self._symbol(consumer))
        return derivative(value._primitive, place, self._operands(consumer), result)


def _sum(terms: list[str]) -> str:
    return " + ".join(shortened(terms, r"\cdots"))


# -- signs ---------------------------------------------------------------------------------------


def _relation(exact: bool) -> str:
    return "=" if exact else r"\approx"


def _exact(x: float) -> bool:
    """Whether the shown digits are the number."""
    return float(short(x)) == x or x != x


def _all_exact(operands: Sequence[Tex]) -> bool:
    return all(x.number is None or _exact(x.number) for x in operands)


def _comes_to(primitive: Any, operands: Sequence[float], result: float) -> bool:
    """Whether an operation on the shown numbers gives the shown number."""
    found = primitive.evaluate(*(float(short(x)) for x in operands))
    shown = float(short(result))
    return found == shown or math.isclose(found, shown, rel_tol=1e-15) or found != found


def _adds_up(terms: Sequence[tuple[float, float]], result: float) -> bool:
    """Whether the sum of products of the shown numbers is the shown number."""
    if not all(x - x == 0.0 for pair in (*terms, (result, 0.0)) for x in pair):
        return True
    from fractions import Fraction

    products = (Fraction(short(a)) * Fraction(short(b)) for a, b in terms)
    return sum(products) == Fraction(short(result))
