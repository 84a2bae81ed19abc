"""An expression as a list of its distinct subexpressions, operands before results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from autograd_lite.commandline.vocabulary import ATOM, COMPARISON, SIGN, Function, Operator

RESULT_NAMES = ("f", "y", "z", "g", "h", "result")
LETTERS = "abcdghkmnpqrstuvw"  # without e, which reads as Euler's number, f, and look-alikes


class Entry(NamedTuple):
    """One distinct subexpression: a variable, a constant, or an operation on earlier entries."""

    variable: str = ""
    constant: float | str = 0.0
    text: str = ""
    operation: Operator | Function | None = None
    operands: tuple[int, ...] = ()
    keywords: tuple[str, ...] = ()
    varies: bool = False

    @property
    def is_condition(self) -> bool:
        """Whether the entry is a comparison, which has a truth value instead of a number."""
        return self.operation is not None and self.operation.level == COMPARISON


class Program:
    """Distinct subexpressions with names: equal ones are entered once, constants included.

    Attributes
    ----------
    entries : list of Entry
    names : dict
        Each name (of a variable, given by the user, or generated) to its entry's position.
    result : int
        The position of the entry that the whole expression stands for.
    result_name : str
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.names: dict[str, int] = {}
        self.result = 0
        self.result_name = ""
        self._known: dict[tuple[Any, ...], int] = {}

    @property
    def variables(self) -> list[str]:
        """The variables, in the order in which they first occur."""
        return [entry.variable for entry in self.entries if entry.variable]

    def variable(self, name: str) -> int:
        """Return the position of a variable."""
        position = self._entered(("variable", name), Entry(variable=name, varies=True))
        self.names[name] = position
        return position

    def constant(self, value: float | str, text: str) -> int:
        """Return the position of a constant; ``text`` is how it was first written."""
        return self._entered(("constant", repr(value)), Entry(constant=value, text=text))

    def operation(
        self,
        operation: Operator | Function,
        operands: tuple[int, ...],
        keywords: tuple[str, ...] = (),
    ) -> int:
        """Return the position of an operation; its last operands are given by keyword."""
        varies = any(self.entries[operand].varies for operand in operands)
        return self._entered(
            (operation.name, operands, keywords),
            Entry(operation=operation, operands=operands, keywords=keywords, varies=varies),
        )

    def _entered(self, key: tuple[Any, ...], entry: Entry) -> int:
        position = self._known.setdefault(key, len(self.entries))
        if position == len(self.entries):
            self.entries.append(entry)
        return position

    def finish(self, result: int, name: str = "") -> None:
        """Say which entry is the result, and name it and every intermediate value."""
        self.result = result
        own = [known for known, position in self.names.items() if position == result]
        if not name and own and not self.entries[result].variable:
            name = own[0]
        self.result_name = name or next(free for free in RESULT_NAMES if free not in self.names)
        self.names.setdefault(self.result_name, result)
        named = set(self.names.values())
        fresh = self.fresh_names()
        for position, entry in enumerate(self.entries):
            if entry.varies and not entry.is_condition and position not in named:
                self.names[next(fresh)] = position

    def fresh_names(self) -> Iterator[str]:
        """Yield names that are not taken: letters, then v1, v2, …"""
        for name in LETTERS:
            if name not in self.names:
                yield name
        for number in count(1):
            if f"v{number}" not in self.names:
                yield f"v{number}"

    def evaluate(self, point: Mapping[str, Any]) -> list[Any]:
        """Return every entry's value; floats if the point is one of floats, else Values."""
        values: list[Any] = []
        for entry in self.entries:
            if entry.variable:
                values.append(point[entry.variable])
            elif entry.operation is None:
                values.append(entry.constant)
            else:
                operands = [values[operand] for operand in entry.operands]
                positional = len(operands) - len(entry.keywords)
                by_name = dict(zip(entry.keywords, operands[positional:], strict=True))
                values.append(entry.operation.apply(*operands[:positional], **by_name))
        return values

    def written(self) -> list[str]:
        """Return every entry as text, in terms of the names of its operands."""
        names: dict[int, str] = {}
        for name, position in self.names.items():
            names.setdefault(position, name)
        texts: list[str] = []
        as_operands: list[tuple[str, int]] = []
        for position, entry in enumerate(self.entries):
            if entry.operation is None:
                text = entry.variable or entry.text
                level = SIGN if text.startswith("-") else ATOM
            else:
                operands = [as_operands[operand] for operand in entry.operands]
                text = entry.operation.written(operands, entry.keywords)
                level = entry.operation.level
            texts.append(text)
            named = names.get(position)
            literal = entry.operation is None and not entry.variable
            as_operands.append((text, level) if named is None or literal else (named, ATOM))
        return texts
