"""What is probably wrong with an engine, from the numbers it gives.

The wrong numbers are compared with those of engines that have one bug each. A bug is the diagnosis
if its engine gives the same numbers in every program of the milestone (or, where two mistakes meet,
in every one with a single operation), and the right ones wherever the engine was right before;
among several, the one that also explains most of what went wrong before. No source is read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd_lite.testing.grading.hypotheses import DIAGNOSES, Hypothesis, hypotheses
from autograd_lite.testing.grading.parts import InCommon
from autograd_lite.testing.grading.trials import (
    Missing,
    Numbers,
    Observed,
    Raised,
    TooManyCalls,
    Trial,
    expected,
    first_wrong,
    run,
    shares,
    size,
)

REFLECTED = {
    "2 + a": "__radd__",
    "2 - a": "__rsub__",
    "2 * a": "__rmul__",
    "2 / a": "__rtruediv__",
    "2.5 * a + 0.5": "__rmul__",
}
LEAF = Trial("Value(3.0).backward()", ("a = Value(3.0)", "a.backward()"), ("a.grad",))
SUM = Trial("a + b", ("a = Value(2.0)", "b = Value(3.0)", "y = a + b", "y.backward()"), ("a.grad",))
START = Trial("Value(3.0).grad", ("a = Value(3.0)",), ("a.grad",))

OUT_OF_MEMORY = "the engine needs more memory than there is"

RUNS = 3
"""How often a failing program is run again, to see whether its numbers change."""

NUMBER_LAST = ("a + 2", "a - 2", "a * 2", "a / 2")


class Diagnosis(NamedTuple):
    """A cause by name, for programs, and in words; the name is empty if it is not known."""

    cause: str
    words: str


class WrongNumber(NamedTuple):
    """A program, all that its checks gave, and which check was the first to give a wrong number."""

    trial: Trial
    numbers: Numbers
    check: int

    @property
    def name(self) -> str:
        """What was checked, such as ``"a.grad"``."""
        return self.trial.checks[self.check]

    @property
    def got(self) -> Any:
        """What the engine gave, usually a float."""
        return self.numbers.results[self.check]

    @property
    def wanted(self) -> float:
        """What it should have given."""
        return expected(self.trial)[self.check]


def of_exception(trial: Trial, raised: Raised, value_class: type[Any]) -> Diagnosis:
    """Explain an exception."""
    if issubclass(raised.kind, TooManyCalls):
        words = (
            "backward() follows every path, and their number doubles with every sharing:"
            " visit every node once, in topological order"
        )
        return Diagnosis("every-path", words)
    if known := _of_every_program(raised, value_class):
        return known
    reflected = REFLECTED.get(trial.title)
    if issubclass(raised.kind, RecursionError):
        return _of_recursion(trial, raised, reflected)
    if reflected and not hasattr(value_class, reflected):
        words = f"a number on the left of a Value is not supported: {reflected} is missing"
        return Diagnosis("reflected-operator", words)
    also = run(SUM, value_class)
    without_numbers = isinstance(also, Raised) and str(also) == str(raised)
    if not without_numbers and (
        trial.title in NUMBER_LAST
        or (reflected and raised.recording)
        or raised.message.startswith(("'int' object has no", "'float' object has no"))
    ):
        return Diagnosis("numbers", DIAGNOSES["numbers"])
    where = raised.program.splitlines()[-1]
    return Diagnosis("", f"the line {where!r} of this program should not raise an exception")


def _of_every_program(raised: Raised, value_class: type[Any]) -> Diagnosis | None:
    """Explain an exception by what the class lacks, whatever the operation, or return None."""
    if issubclass(raised.kind, MemoryError):
        return Diagnosis("memory", OUT_OF_MEMORY)
    if not issubclass(raised.kind, TypeError):
        return None
    hashing = getattr(value_class, "__hash__", None)  # None where __eq__ alone is defined
    if "unhashable type" in raised.message and hashing is None:
        words = (
            "__eq__ without __hash__: add __hash__ = object.__hash__, or"
            " def __hash__(self): return id(self)"
        )
        return Diagnosis("unhashable", words)
    if "backward() missing" in raised.message and not raised.recording:
        words = "backward() has to work without an argument, with 1 as the gradient of the result"
        return Diagnosis("backward-argument", words)
    if "NoneType" in raised.message and run(START, value_class) == Numbers(("None",)):
        return Diagnosis("grad-none", "the gradient starts as None; start it at 0.0")
    return None


def _of_recursion(trial: Trial, raised: Raised, reflected: str | None) -> Diagnosis:
    """Explain a recursion that is too deep: for the length of the graph, or without an end."""
    if any(line.startswith("for ") for line in trial.lines):
        return Diagnosis("recursion-limit", DIAGNOSES["recursion-limit"])
    if reflected:
        words = f"{reflected} calls itself without an end: turn the number into a Value first"
    elif raised.recording:
        words = "the operation calls itself without an end"
    else:
        words = "backward() calls itself without an end on a graph of a few nodes"
    return Diagnosis("endless-recursion", words)


def of_numbers(
    found: WrongNumber, trials: Sequence[Trial], earlier: Sequence[Trial], value_class: type[Any]
) -> Diagnosis:
    """Explain a wrong number.

    Parameters
    ----------
    found : WrongNumber
        What is to be explained.
    trials : sequence of Trial
        Those of the same milestone.
    earlier : sequence of Trial
        Those of the milestones before.
    value_class : type
        The engine.
    """
    if not isinstance(found.got, float):
        return Diagnosis("not-a-number", f"{found.name} is not a number")
    if found.name in ("a.data", "b.data") and (changed := _changing(found, value_class)):
        return changed
    if found.trial == LEAF:
        return _of_leaf(found, value_class)
    again = [run(found.trial, value_class) for _ in range(RUNS)]
    if not all(_same(observed, found.numbers) for observed in again):
        return _unsteady(found, earlier)
    before = {t: run(t, value_class) for t in earlier}
    right = {t: o for t, o in before.items() if not _wrong(t, o)}
    broken = [t for t, o in before.items() if _wrong(t, o)]
    common = InCommon(broken, list(right), value_class)
    observed: dict[Trial, Observed] = {found.trial: found.numbers}  # first: it refutes most
    observed |= {t: run(t, value_class) for t in trials if t != found.trial}
    candidates = _matching(observed, right)
    if not candidates and size(found.trial) == 1:  # a second mistake may show in larger programs
        candidates = _matching({t: o for t, o in observed.items() if size(t) == 1}, right)
    blamed = None if candidates else common.first_with(found.trial)
    if not candidates and not blamed:  # an earlier mistake may show in the other programs
        undisturbed = {t: o for t, o in observed.items() if not common.first_with(t)}
        candidates = _matching(undisturbed, right)
    if candidates:
        return _best(candidates, before)
    if blamed:
        words = f"{blamed.title} goes wrong as well; repair that first"
        return Diagnosis("earlier-mistake", words)
    return _by_kind(found, list(right))


def _matching(observed: dict[Trial, Observed], right: dict[Trial, Observed]) -> list[Hypothesis]:
    """Return the hypotheses that predict all these numbers."""
    return [
        h
        for h in hypotheses()
        if all(map(h.predicts, observed, observed.values()))
        and all(map(h.predicts, right, right.values()))
    ]


def _of_leaf(found: WrongNumber, value_class: type[Any]) -> Diagnosis:
    """Explain a wrong derivative of a number by itself: of every number, or of leaves only?"""
    observed = run(SUM, value_class)
    if isinstance(observed, Numbers) and first_wrong(SUM, observed) is None:
        return Diagnosis("seed", "backward() of a leaf has to start from self.grad = 1, too")
    if found.got == 0:
        return Diagnosis("seed", DIAGNOSES["seed"])
    return Diagnosis("seed", "backward() has to start from self.grad = 1")


def _same(observed: Observed, numbers: Numbers) -> bool:
    """Whether a program gave the same results once more, NaN included."""
    return isinstance(observed, Numbers) and repr(observed) == repr(numbers)


def _unsteady(found: WrongNumber, earlier: Sequence[Trial]) -> Diagnosis:
    """Explain numbers that differ from run to run: something depends on the order of a set."""
    if shares(found.trial) and any(map(shares, earlier)):
        return Diagnosis("topological-order", DIAGNOSES["topological-order"])
    words = "the number differs from run to run: operands are kept in a set, which has no order"
    return Diagnosis("unordered-operands", words)


def _changing(found: WrongNumber, value_class: type[Any]) -> Diagnosis | None:
    """Say which part of a program changes a leaf's data, if they were right before."""
    trial = found.trial

    def right(lines: tuple[str, ...]) -> bool:
        part = trial._replace(lines=lines, checks=(found.name,))
        observed = run(part, value_class)
        return isinstance(observed, Numbers) and first_wrong(part, observed) is None

    leaves = tuple(line for line in trial.lines if "= Value(" in line)
    recording = tuple(line for line in trial.lines if ".backward()" not in line)
    if leaves == trial.lines or not right(leaves):
        return None
    if right(recording):
        return Diagnosis("mutated-by-backward", "backward() changes data; it should not")
    return Diagnosis("mutated-operand", DIAGNOSES["mutated-operand"])


def _best(candidates: Sequence[Hypothesis], before: dict[Trial, Observed]) -> Diagnosis:
    """Return the candidate that explains most of what came before, or those that tie."""
    explained = [sum(h.predicts(t, o) for t, o in before.items()) for h in candidates]
    best = [h for h, n in zip(candidates, explained, strict=True) if n == max(explained)]
    causes = dict.fromkeys((h.cause, h.diagnosis) for h in best)
    return Diagnosis(
        " or ".join(dict.fromkeys(cause for cause, _ in causes)),
        "; or ".join(diagnosis for _, diagnosis in causes),
    )


def _wrong(trial: Trial, observed: Observed) -> bool:
    if isinstance(observed, Missing):
        return False
    return isinstance(observed, Raised) or first_wrong(trial, observed) is not None


def _by_kind(found: WrongNumber, earlier: Sequence[Trial]) -> Diagnosis:
    """Say what the numbers show by themselves; the trials before are those that went right."""
    got, wanted = found.got, found.wanted
    if math.isclose(got, wanted, rel_tol=1e-4):
        words = "only the first digits are right: single precision, or an approximate formula"
        return Diagnosis("precision", words)
    if found.name.endswith(".data"):
        return Diagnosis("value", "the value is wrong, before any gradient is computed")
    if size(found.trial) == 1 and f"y = {found.trial.title}" in found.trial.lines:
        if got == 0:
            return Diagnosis("no-gradient", "no gradient arrives at the operand")
        if got == -wanted:
            return Diagnosis("sign", "the local derivative has the wrong sign")
        return Diagnosis("local-derivative", "the local derivative of this operation is wrong")
    if shares(found.trial) and any(map(shares, earlier)):
        return Diagnosis("topological-order", DIAGNOSES["topological-order"])
    return Diagnosis("", "no known mistake gives these numbers")
