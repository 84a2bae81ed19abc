"""Which kernel does which operation of a plan, and where it is in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.native.kernels.across import special_kernel
from autograd_lite.native.kernels.building import address
from autograd_lite.native.kernels.elementwise import (
    can_keep,
    elementwise_kernel,
    matches_python,
    pays_together,
)
from autograd_lite.native.kernels.many import variadic_kernel
from autograd_lite.native.kernels.translation import Untranslatable
from autograd_lite.native.tape import DETACHED, LANE_MEAN, LANE_VARIANCE, PICK
from autograd_lite.primitives import is_stated

KINDS = 128  # a kind is an operation's position times this, plus its mask and these marks
ACTIVE = 7  # the mask's bits
UNIFORM_OPTIONS = 8
SOLE = 16  # times the mask of the operands whose adjoint is written, not added to
LAYOUTS = ("point", "lanes")
LONG = 8  # rows of a run from which on it can pay to compute some of them together


class Kernels:
    """The kernels of a plan's operations.

    Parameters
    ----------
    operations : sequence
        The operations, of which a kind names one by its position; the first, None, stands for a
        broadcast.
    live : sequence of bool
        Which of them have to be computed.
    exact : bool
        Whether only kernels that give Python's own bits are to be taken.
    dtype : str

    Attributes
    ----------
    in_python, tabled, labelled, joining, keeping : bool arrays
        Of every operation: whether no kernel does it; whether its operands are counted in a table;
        whether its first operand is a label; whether it makes one number of those of all lanes;
        whether in lanes its partial is kept on the way forward, if there is to be a way back.
    """

    def __init__(
        self, operations: Sequence[Any], live: Sequence[bool], *, exact: bool, dtype: str
    ) -> None:
        import numpy as np

        self._operations = operations
        self._exact = exact
        self._dtype = dtype
        self.tabled = np.array([getattr(x, "variadic", False) or x is PICK for x in operations])
        self.labelled = np.array([x is PICK for x in operations])
        self.joining = np.array([x is LANE_MEAN or x is LANE_VARIANCE for x in operations])
        self.keeping = np.array([x is not None and not exact and can_keep(x) for x in operations])
        self.in_python = np.array(
            [
                needed and x is not None and self._is_foreign(x)
                for x, needed in zip(operations, live, strict=True)
            ]
        )

    def _is_foreign(self, operation: Any) -> bool:
        """Tell whether an operation has to be computed by Python."""
        if operation in (PICK, LANE_MEAN, LANE_VARIANCE, DETACHED):
            return False
        own = not is_stated(operation)
        if self._exact and (own or not self._matches_python(operation)):
            return True
        if operation.variadic:
            return own
        try:
            for direction in ("forward", "backward") if own else ():
                mask = (True,) * operation.arity
                elementwise_kernel(operation, direction, mask, "point")
        except Untranslatable:
            return True
        return False

    @staticmethod
    def _matches_python(operation: Any) -> bool:
        return matches_python(operation, "forward") and matches_python(operation, "backward")

    def addresses(self, direction: str, kinds: Any, spaces: Any, sizes: Any) -> Any:
        """Return the kernels for runs of these kinds, in these spaces, of so many rows.

        Of the directions, "keeping" is the way forward on which partials are kept.
        """
        import numpy as np

        long = sizes >= LONG
        different, which = np.unique(4 * kinds + 2 * long + spaces, return_inverse=True)
        found = []
        for number in different.tolist():
            kind, how = divmod(number, 4)
            code, marks = divmod(kind, KINDS)
            layout = "lanes" if how % 2 else "point"
            keeps = self.keeping[code] and layout == "lanes" and bool(marks & ACTIVE)
            keeps = keeps and direction != "forward"
            way = "backward" if direction == "backward" else "forward"
            found.append(self._address(way, code, marks, layout, long=how > 1, keeps=keeps))
        return np.array(found, np.int64)[which]

    def special(self, name: str, direction: str, space: int) -> int:
        """Return the kernel of something that is no operation of a tape: a bias or a copy."""
        return special_address(name, direction, LAYOUTS[space], self._dtype)

    def _address(
        self, direction: str, code: int, marks: int, layout: str, *, long: bool, keeps: bool
    ) -> int:
        operation = self._operations[code]
        if operation is None:
            return special_address("broadcast", direction, layout, self._dtype)
        if operation is DETACHED:
            return special_address("copy", direction, layout, self._dtype)
        if operation is PICK:
            name = "pick uniform" if marks & UNIFORM_OPTIONS else "pick"
            return special_address(name, direction, layout, self._dtype)
        if operation in (LANE_MEAN, LANE_VARIANCE):
            return special_address(operation.name, direction, layout, self._dtype)
        accurate = self._exact
        described = " exact" if accurate else " keeping" if keeps else ""
        owner = None if is_stated(operation) else operation
        if operation.variadic:
            return address(
                f"{operation.name} {direction} {layout}{described}",
                lambda: variadic_kernel(
                    operation, direction, layout, accurate=accurate, dtype=self._dtype
                ),
                self._dtype,
            )
        together = long and layout == "point" and not accurate
        if together and pays_together(operation, direction):
            layout = "together"
        mask = [bool(marks >> slot & 1) for slot in range(operation.arity)]
        if direction == "forward":
            mask = [False] * operation.arity  # which has no effect
            marks = 0
        sole = [needed and bool(marks // SOLE >> slot & 1) for slot, needed in enumerate(mask)]
        bits = "".join("01="[needed + first] for needed, first in zip(mask, sole, strict=True))
        return address(
            f"{operation.name} {direction} {bits} {layout}{described}",
            lambda: elementwise_kernel(
                operation,
                direction,
                mask,
                layout,
                accurate=accurate,
                sole=sole,
                keeps=keeps,
                dtype=self._dtype,
            ),
            self._dtype,
            owner=owner,
            in_strips=layout == "lanes",
        )


def special_address(name: str, direction: str, layout: str, dtype: str) -> int:
    """Return the address of a kernel that belongs to no primitive; see `special_kernel`."""
    return address(
        f"{name} {direction} {layout}",
        lambda: special_kernel(name, direction, layout, dtype=dtype),
        dtype,
    )
