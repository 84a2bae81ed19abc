"""Worst errors of every value and derivative, in units of the last place, against mpmath.

    python -m pip install -e ".[test]"
    python benchmarks/accuracy.py
    python benchmarks/accuracy.py --points 2000 --only gelu --only erf
    python benchmarks/accuracy.py --write

The points and the oracle are those of the tests: `tests/measuring.py` draws all over the domain,
`tests/textbook.py` evaluates the textbook formulas with as many digits as they lose, and
`tests/conditioning.py` has the n-ary operations. The same seed gives the same points. ``--write``
keeps the tables in `benchmarks/accuracy.md`; the full run takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import platform
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

import mpmath  # noqa: E402 - the line above finds the tests' modules
from conditioning import NARY, limit, list_errors, lists  # noqa: E402
from measuring import (  # noqa: E402
    EXEMPTIONS,
    FIXED,
    LIMIT,
    Point,
    bound,
    errors,
    points,
    quantities,
)

from autograd_lite.primitives import TABLE, Variadic  # noqa: E402

CHUNK = 1000
SHARES = {1: 1.0, 2: 0.2, 3: 0.1, None: 0.02}  # of the points, by the number of operands


@dataclass(frozen=True, order=True)
class Worst:
    """The part of its bound that an error takes, the error, and where."""

    used: float
    error: float
    point: Point


class Job(NamedTuple):
    """A piece of the work."""

    primitive: str
    seed: str
    points: int


Result = dict[str, Worst]  # by quantity


def jobs(names: list[str], how_many: int, seed: int) -> list[Job]:
    """Cut the work into pieces; each has a seed of its own, so that their order does not matter."""
    shares = {name: SHARES[getattr(TABLE[name], "arity", None)] for name in names}
    return [
        Job(name, f"{seed}/{done}", min(CHUNK, wanted - done))
        for name, share in shares.items()
        for wanted in [math.ceil(how_many * share)]
        for done in range(0, wanted, CHUNK)
    ]


def measure(job: Job) -> tuple[Job, Result]:
    worst: Result = {}
    for quantity, found in measured(*job):
        worst[quantity] = max(found, worst.get(quantity, found))
    return job, worst


def measured(name: str, seed: str, how_many: int) -> Iterator[tuple[str, Worst]]:
    """Yield every error where something is promised."""
    primitive = TABLE[name]
    if isinstance(primitive, Variadic):
        for operands in lists(primitive, how_many, seed=seed):
            for quantity, error in list_errors(primitive, operands):
                yield quantity, Worst(error / limit(operands), error, operands)
        return
    for point in points(primitive, how_many, seed=seed):
        for quantity, error in errors(primitive, point):
            allowed = bound(primitive, quantity, point)
            if allowed < float("inf"):
                yield quantity, Worst(error / allowed, error, point)


def measure_all(work: list[Job], processes: int) -> tuple[dict[str, Result], Counter[str]]:
    worst: dict[str, Result] = defaultdict(dict)
    counted: Counter[str] = Counter()
    with multiprocessing.Pool(processes) as pool:
        for i, (job, found) in enumerate(pool.imap_unordered(measure, work), 1):
            counted[job.primitive] += job.points
            known = worst[job.primitive]
            for quantity, candidate in found.items():
                known[quantity] = max(candidate, known.get(quantity, candidate))
            if sys.stderr.isatty():
                print(f"\r{i} of {len(work)} pieces", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return worst, counted


# -- the tables ------------------------------------------------------------------------------------


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def header(*cells: str) -> str:
    return row(*cells) + "\n" + row(*("---" for _ in cells))


def place(worst: Worst) -> str:
    return f"`{', '.join(map(repr, worst.point))}`" if worst.error > 0.0 else "–"


def digits(error: float) -> str:
    return f"{error:.2f}" if error < 1e6 else f"{error:.1e}"


def unary_table(worst: dict[str, Result], counted: Counter[str]) -> Iterator[str]:
    yield header("primitive", "points", "value, ulp", "at x", "derivative, ulp", "at x")
    for name, found in worst.items():
        cells = [cell for w in found.values() for cell in (digits(w.error), place(w))]
        yield row(f"`{name}`", f"{counted[name]:,}", *cells)


def fixed_table(worst: dict[str, Result], counted: Counter[str]) -> Iterator[str]:
    yield header("primitive", "points", "quantity", "ulp", "at a, b, …")
    for name, found in worst.items():
        for quantity, w in found.items():
            marked = quantity + (" †" if (name, quantity) in EXEMPTIONS else "")
            yield row(f"`{name}`", f"{counted[name]:,}", marked, digits(w.error), place(w))


def nary_table(worst: dict[str, Result], counted: Counter[str]) -> Iterator[str]:
    yield header("primitive", "lists", "value, units", "operands", "partials, units", "operands")
    for name, found in worst.items():
        cells = [cell for w in found.values() for cell in (digits(w.error), len(w.point))]
        yield row(f"`{name}`", f"{counted[name]:,}", *cells)


def exemption_table() -> Iterator[str]:
    yield header("primitive", "quantity", "bound", "reason")
    for (name, quantity), exemption in EXEMPTIONS.items():
        yield row(f"`{name}`", quantity, exemption.bound, exemption.reason)


def document(worst: dict[str, Result], counted: Counter[str], options: str) -> str:
    def part(chosen: list[str]) -> dict[str, Result]:
        return {name: worst[name] for name in chosen if name in worst}

    unary = part([p.name for p in FIXED if p.arity == 1])
    fixed = part([p.name for p in FIXED if p.arity > 1])
    nary = part([p.name for p in NARY])
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    libc = " ".join(platform.libc_ver()) or platform.system()
    sections = [
        f"""\
# Accuracy of values and derivatives

The worst error found of every value and every derivative, over whole domains: ordinary numbers,
huge ones, subnormals, neighbours of zeros, kinks, ends of domains, overflow thresholds and of every
constant in the formulas. One ulp is the distance between the floats at the exact result (2⁻¹⁰⁷⁴
in the subnormals), which is the textbook formula in mpmath with as many digits as it loses. A
correctly rounded result is off by at most 0.50 ulp.

**Promised: at most {LIMIT:g} ulp, for every value and derivative**, but for what is marked † and
explained under [Exceptions](#exceptions). Points at which no derivative exists, infinities and NaN
have tests of their own.

Written by

    .venv/bin/python benchmarks/accuracy.py --write{options}

with autograd-lite {version}, mpmath {mpmath.__version__} and CPython {platform.python_version()}
on {platform.machine()}, {libc}. Part of the errors is the C library's, whose exp, sin, erf, …
the formulas call: another library gives other figures at the same points, which the seed fixes.
`tests/test_accuracy.py` draws other points and holds the same bounds.

## One operand
""",
        "\n".join(unary_table(unary, counted)),
        """
## Two and three operands

No operand is 0. Of a quantity marked † the table has the error that takes the largest part of its
bound, where there is one.
""",
        "\n".join(fixed_table(fixed, counted)),
        f"""
## Any number of operands

A sum whose terms cancel cannot be right in its last place. Here the unit is 2⁻⁵² of the sizes that
were added up: Σ|x| for a sum, and what `tests/conditioning.py` says for each. Lists have 2 to 30
operands, like or very unlike in size, and cancel in every second case. The bound is
{limit(()):g} units and {limit((1.0,)) - limit(()):g} more for each operand.
""",
        "\n".join(nary_table(nary, counted)),
        """
## Exceptions
""",
        "\n".join(exemption_table()),
    ]
    return "\n".join(sections) + "\n"


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the accuracy of every derivative.")
    parser.add_argument(
        "--points",
        type=positive,
        default=100_000,
        metavar="N",
        help="points per primitive of one operand (default 100,000); of two a fifth, of three a"
        " tenth, of any number a fiftieth",
    )
    parser.add_argument("--only", action="append", metavar="NAME", choices=list(TABLE))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=positive, default=multiprocessing.cpu_count())
    parser.add_argument("--write", action="store_true", help="keep the tables in accuracy.md")
    given = parser.parse_args(arguments)
    if given.write and given.only:
        parser.error("--write keeps the tables of all primitives: leave out --only")
    names = given.only or list(TABLE)
    worst, counted = measure_all(jobs(names, given.points, given.seed), given.processes)
    ordered = {n: {q: worst[n][q] for q in order(n) if q in worst[n]} for n in names}
    options = f" --points {given.points}" if given.points != parser.get_default("points") else ""
    options += f" --seed {given.seed}" if given.seed != 0 else ""
    text = document(ordered, counted, options)
    if given.write:
        (HERE / "accuracy.md").write_text(text, encoding="utf-8")
    else:
        print(text)
    beyond = [
        f"{name} {quantity}: {digits(w.error)} at {place(w)}"
        for name, found in ordered.items()
        for quantity, w in found.items()
        if w.used > 1.0
    ]
    if beyond:
        sys.exit("beyond the bound:\n" + "\n".join(beyond))


def order(name: str) -> list[str]:
    primitive = TABLE[name]
    return ["value", "d/dx"] if isinstance(primitive, Variadic) else quantities(primitive)


if __name__ == "__main__":
    main()
