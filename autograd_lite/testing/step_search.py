"""Which steps to try for a difference quotient, and whether to believe what they give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from autograd_lite.testing.extrapolation import (
    MANTISSA,
    UNKNOWN,
    Estimate,
    Samples,
    Table,
    exact_step,
    steps_below,
)

TINY = 2.0**-20  # beside such an x steps of its own size are tried first
ACCURATE = 1e-8  # relative error from which on other steps are tried as well
DISAGREEMENT = 4.0  # how many times their errors estimates differ that exclude each other
ANOTHER = 0.77  # of a step: multiples of the one are none of the other
PATIENCE = 8  # steps without improvement after which accurate estimates are kept
NOTHING = 2.0**-200  # of the largest values and steps, as good as none at x = 0
FEW = 64.0  # ulps of x, below which there are no smaller steps to confirm what is found
FURTHER = 4.0  # how much smaller steps become after a failure,
FAILURES = 16  # the square of that after so many, then the square of the square: as at a cusp
SIDES = {"central": (1.0, -1.0), "forward": (1.0,), "backward": (-1.0,)}


class StepSearch:
    """Tables of quotients on both sides of a point, for the same steps.

    Parameters
    ----------
    samples : Samples
    names : sequence of str
        Which tables: "central", "forward", "backward".
    columns : range
        Which columns of the tables may be used.
    steps : iterable of float
        The steps, each half the one before; taken until rounding makes the rest useless.
    """

    def __init__(
        self, samples: Samples, names: Iterable[str], columns: range, steps: Iterable[float]
    ) -> None:
        self.samples = samples
        self.columns = columns
        self.steps: list[float] = []
        self.tables = self._empty(names)
        improved = 0
        for step in steps:
            before = [table.best for table in self.tables.values()]
            self.steps.append(step)
            self._add(self.tables, step)
            found = [table.best for table in self.tables.values()]
            if found != before:
                improved = len(self.steps)
            least = samples.rounding(samples.at(0.0)) / step
            if all(least > best.error for best in found):
                break
            if not samples.x and step < NOTHING * self.steps[0]:
                nothing = NOTHING * samples.level / self.steps[0]
                if any(best.error <= nothing for best in found):
                    break
            settled = ACCURATE * max((abs(x.value) for x in found if x is not UNKNOWN), default=0)
            if len(self.steps) > improved + PATIENCE and all(x.error <= settled for x in found):
                break
        self._measure()

    def _empty(self, names: Iterable[str]) -> dict[str, Table]:
        return {name: Table(2 if name == "central" else 1, self.columns) for name in names}

    def _add(self, tables: dict[str, Table], step: float) -> None:
        samples = self.samples
        quotients = {"central": samples.central, "forward": samples.right, "backward": samples.left}
        for name, table in tables.items():
            table.add(quotients[name](step))

    def _measure(self) -> None:
        """Measure the noise of f around the best step, and judge all steps again with it."""
        if not self.steps:
            return
        name, best = self.best()
        self.samples.measure_noise(self.steps[-1] if best is UNKNOWN else best.step, SIDES[name])
        self.tables = self._empty(self.tables)
        for step in self.steps:
            self._add(self.tables, step)

    def best(self) -> tuple[str, Estimate]:
        """Return the table with the smallest error, and what it gives."""
        found = ((name, table.best) for name, table in self.tables.items())
        return min(found, key=lambda pair: pair[1].error)

    def smooth(self) -> bool:
        """Tell whether f has no structure finer than the best step."""
        name, best = self.best()
        return self.samples.smooth_within(best.step, SIDES[name])

    def confirm(self, name: str) -> bool:
        """Tell whether other steps give a table's estimate as well; widen its error if not.

        Where f has no value at smaller steps, the others are larger than the estimate's own.
        """
        best = self.tables[name].best
        if best.error == math.inf:
            return True  # it excludes nothing, and cannot be widened
        column = best.order // self.tables[name].growth - 1
        found = self._between(name, column, ANOTHER * best.step)
        if math.isnan(found):
            found = self._between(name, column, 2.0 * ANOTHER * best.step)
        difference = abs(found - best.value)
        if difference <= DISAGREEMENT * best.error:
            return True
        error = best.error + 2.0 * difference
        self.tables[name].best = best._replace(error=error if error == error else math.inf)
        return False

    def _between(self, name: str, column: int, step: float) -> float:
        """Return what a column gives at a step that is not among those of the tables."""
        other = Table(self.tables[name].growth, range(column, column + 1))
        for i in reversed(range(column + 1)):
            self._add({name: other}, exact_step(self.samples.x, math.ldexp(step, i)))
        return other.value(column)

    def accurate(self) -> bool:
        """Tell whether there is no need to try other steps."""
        _, best = self.best()
        return best.error <= ACCURATE * abs(best.value)

    def kink(self) -> tuple[Estimate, Estimate] | None:
        """Return the derivatives from the left and from the right, if they differ."""
        if not self._disagree():
            return None
        self.confirm("forward")
        self.confirm("backward")
        if not self._disagree():
            return None
        return self.tables["backward"].best, self.tables["forward"].best

    def _disagree(self) -> bool:
        return _apart(self.tables["backward"].best, self.tables["forward"].best)


def _apart(a: Estimate, b: Estimate) -> bool:
    """Tell whether two estimates exclude each other."""
    return abs(a.value - b.value) > DISAGREEMENT * (a.error + b.error)


def search(samples: Samples, names: Sequence[str], columns: range) -> StepSearch:
    """Try steps and find those that suit f; on a plateau that rounding makes, beyond it."""
    found = _at_all_scales(samples, names, columns)
    name, best = found.best()
    if best is UNKNOWN or best.value:
        return found
    granule = found.samples.granule(best.step, 2.0 * max(abs(samples.x), 1.0), SIDES[name])
    if granule <= samples.known:
        return found
    return _at_all_scales(Samples(samples.f, samples.x, granule), names, columns)


def _at_all_scales(samples: Samples, names: Sequence[str], columns: range) -> StepSearch:
    """Try steps from about max(|x|, 1) downward; for a tiny x from |x|, and then from 1."""
    x = samples.x
    if not 0.0 < abs(x) < TINY:
        return _search(samples, names, columns, max(abs(x), 1.0))
    found = _search(samples, names, columns, abs(x))
    if found.accurate():
        return found
    other = _search(Samples(samples.f, x, samples.known), names, columns, 1.0)
    return min((found, other), key=lambda search: search.best()[1].error)


def _search(samples: Samples, names: Sequence[str], columns: range, scale: float) -> StepSearch:
    """Try steps downward until an estimate is found that others confirm."""
    _, exponent = math.frexp(scale)
    start = math.ldexp(MANTISSA, exponent - 1)
    tried: list[StepSearch] = []
    further = FURTHER
    while True:
        found = StepSearch(samples, names, columns, steps_below(samples.x, start))
        name, best = found.best()
        if best is UNKNOWN:
            break
        if len(tried) >= FAILURES:
            further *= further
        start = best.step / further
        smooth = found.smooth()
        if not smooth:
            for table in found.tables.values():
                table.best = table.best._replace(error=math.inf)
        tried.append(found)
        if smooth and found.confirm(name):
            break
        while smooth and not found.confirm(found.best()[0]):
            continue
    chosen = min(tried or [found], key=lambda search: search.best()[1].error)
    for table in chosen.tables.values():
        if table.best.step < FEW * math.ulp(samples.x):
            table.best = table.best._replace(error=FEW * table.best.error)
    if samples.drowned():
        for table in chosen.tables.values():
            table.best = table.best._replace(error=math.inf)
    return chosen


def at_step(samples: Samples, name: str, columns: range, step: float) -> Estimate:
    """Return what a step gives, with steps above it for the estimate of the error."""
    steps = [math.ldexp(step, i) for i in reversed(range(columns.start + 3))]
    return StepSearch(samples, (name,), columns, steps).tables[name].last
