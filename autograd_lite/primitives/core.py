"""What a primitive is: a value and one partial derivative per operand.

Both are stated once, as plain arithmetic on the operands and the result. The same statement runs
on floats (recording), on Values (higher derivatives) and, later, on whatever else has operators.
A formula calls other primitives by name; they are polymorphic as well. Two rules keep that sound:
branch with ordered comparisons only, since ``==`` between Values is identity; and write the
branches so that a NaN reaches a formula that returns it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import chain
from numbers import Real
from types import FunctionType
from typing import Any, Never

from autograd_lite.primitives.ieee import IEEE, RAISED_BY_FLOATS, again

Interval = tuple[float, float]
REALS: Interval = (-float("inf"), float("inf"))
POSITIVE: Interval = (0.0, float("inf"))


def number(given: object, what: str = "a number") -> float:
    """Convert ``given`` to a float, or say what to do instead.

    Accepts int, float, bool, Fraction and NumPy scalars. An int beyond the range of floats
    becomes an infinity.
    """
    kind = type(given)
    if kind is float or kind is int or is_number(given):
        try:
            return float(given)  # type: ignore[arg-type]  # Real and NumPy's bool have __float__
        except OverflowError:
            return float("inf") if given > 0 else -float("inf")  # type: ignore[operator]
    name = kind.__name__
    if isinstance(given, str | bytes):
        hint = "; convert text first, as in Value(float(text))"
    elif isinstance(given, complex):
        hint = "; autograd_lite differentiates real numbers: use z.real and z.imag"
    elif getattr(given, "shape", None) == ():
        hint = "; take the number out with .item()"
    elif hasattr(given, "shape"):
        hint = "; make one Value per element, as in [Value(x) for x in array.tolist()]"
    elif isinstance(given, list | tuple):
        hint = "; make one Value per element, as in [Value(x) for x in numbers]"
    else:
        hint = ""
    raise TypeError(f"expected {what}, got {name}: {_shortened(given)}{hint}")


def plain(x: Any) -> Any:
    """Return the number in x as a constant of a formula: no derivative flows through it.

    A float; a Value while a program is recorded, since the number is another at the next call.
    """
    if x.__class__ is float:
        return x
    if hasattr(x, "_held"):
        return x._held()
    return float(x.item()) if hasattr(x, "item") else float(x)


def is_number(given: object) -> bool:
    """Tell whether ``given`` is one real number, NumPy's among them."""
    if isinstance(given, Real):
        return True
    return type(given).__module__ == "numpy" and type(given).__name__ in ("bool", "bool_")


def _shortened(given: object) -> str:
    text = repr(given)
    return text if len(text) <= 40 else text[:37] + "..."


def _inside(interval: Interval) -> float:
    """Return a number for examples."""
    return 0.5 if interval[0] < 0.5 < interval[1] else 1.5


class Primitive:
    """A differentiable operation with a fixed number of operands.

    Parameters
    ----------
    name : str
        How a recorded node shows the operation (its ``op``).
    value : callable
        ``value(*operands)``, the result, for floats.
    partials : sequence of callables
        One per operand: ``partial(*operands, result)``, the derivative of the result with respect
        to that operand. Written with operators and other primitives, it works on floats and on
        Values, and so gives higher derivatives too.
    beyond : callable, optional
        The IEEE result where ``value`` raises ``ZeroDivisionError``, ``OverflowError`` or
        ``ValueError``. By default ``value`` runs again with ``/`` and ``**`` that never raise.
    domain : sequence of (low, high), optional
        For each operand the interval where value and partials are finite numbers.
    kinks : sequence of float, optional
        Operand values (or differences of two operands) at which no derivative exists.
    formula, derivatives : str, sequence of str
        The textbook formulas, as Python expressions of ``x`` (or ``a``, ``b``, ``c``) and ``y``.
    doc : str
        One sentence for ``help()``.

    Examples
    --------
    >>> from autograd_lite import Primitive, Value, grad
    >>> cube = Primitive("cube", lambda x: x * x * x, [lambda x, y: 3.0 * x * x])
    >>> cube(2.0)
    8.0
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    >>> grad(grad(cube))(2.0)
    12.0
    """

    variadic = False

    def __init__(
        self,
        name: str,
        value: Callable[..., Any],
        partials: Sequence[Callable[..., Any]],
        *,
        beyond: Callable[..., float] | None = None,
        domain: Sequence[Interval] | None = None,
        kinks: Sequence[float] = (),
        formula: str = "",
        derivatives: Sequence[str] = (),
        doc: str = "",
    ) -> None:
        _check_name(name)
        if not isinstance(partials, Sequence) or not all(map(callable, (value, *partials))):
            raise TypeError(
                f"primitive {name!r} expected a function for its value and a list of functions,"
                " one per operand, for its partials"
            )
        if not partials:
            raise ValueError(f"primitive {name!r} needs one partial per operand, got none")
        self.name = name
        self.value = value
        self.partials = tuple(partials)
        self.arity = len(self.partials)
        self.beyond = beyond
        self.domain = tuple(domain) if domain is not None else (REALS,) * self.arity
        self.kinks = tuple(kinks)
        self.formula = formula
        self.derivatives = tuple(derivatives)
        self.__doc__ = self._documentation(doc)
        self.__name__ = name

    def _documentation(self, doc: str) -> str:
        names = ("x",) if self.arity == 1 else "abcdefghijkl"[: self.arity]
        called = f"{self.name}({', '.join(names)})"
        lines = [doc or f"The operation {self.name}.", "", called]
        if self.formula not in ("", called):
            lines[-1] += f" = {self.formula}"
        for name, text in zip(names, self.derivatives, strict=False):
            lines.append(f"d/d{name} = {text}")
        lines += ["", "Takes numbers and gives a float; takes a Value and gives a Value."]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        if is_stated(self):
            return find, (self.name,)
        _refuse_nameless(self)
        return super().__reduce__()

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def evaluate(self, *numbers: float) -> float:
        """Return the value at plain floats; where Python raises, the IEEE result."""
        try:
            result = self.value(*numbers)
        except RAISED_BY_FLOATS:
            beyond = self.beyond
            result = beyond(*numbers) if beyond is not None else again(self.value, *numbers)
        return result if result.__class__ is float else float(result)

    def partial(self, position: int, *numbers: float) -> float:
        """Return the partial for one operand at plain floats ``(*operands, result)``."""
        try:
            result = self.partials[position](*numbers)
        except RAISED_BY_FLOATS:
            result = again(self.partials[position], *numbers)
        return result if result.__class__ is float else float(result)

    def __call__(self, *operands: Any) -> Any:
        if len(operands) != self.arity:
            self._refuse(len(operands))
        for operand in operands:
            if operand.__class__ is not float:
                record = getattr(operand, "_record", None)
                return self._apply(operands) if record is None else record(self, operands)
        try:  # as `evaluate`, without another call: formulas call primitives on floats
            result = self.value(*operands)
        except RAISED_BY_FLOATS:
            return self.evaluate(*operands)
        return result if result.__class__ is float else float(result)

    def _apply(self, operands: tuple[Any, ...]) -> Any:
        """Apply to operands that are not all floats: the first that records takes over."""
        for operand in operands:
            record = getattr(operand, "_record", None)
            if record is not None:
                return record(self, operands)
        numbers = [number(operand, f"a number or Value for {self.name}") for operand in operands]
        result = self.evaluate(*numbers)
        return IEEE(result) if any(x.__class__ is IEEE for x in operands) else result

    def _refuse(self, got: int) -> None:
        raise TypeError(f"{self.name} expected {counted(self.arity, 'operand')}, got {got}")


class Variadic:
    """A differentiable operation on any number of operands, recorded as one node.

    Parameters
    ----------
    name : str
        How a recorded node shows the operation.
    value : callable
        ``value(operands)``, the result; the operands come as one tuple.
    partials : callable
        ``partials(operands, result)``, one derivative per operand, written as in `Primitive`.
    formula : str, optional
        The textbook formula in terms of ``x[0]``, ``x[1]``, …
    derivatives : sequence of str, optional
        The textbook derivatives with respect to ``x[i]`` (and to ``y[i]``, where half of the
        operands go by that name), ``n`` being the number of operands.
    doc : str
        One sentence for ``help()``.

    Raises
    ------
    TypeError
        If the name is no text, or value or partials are no functions; when called, for something
        else than one list of numbers and Values.
    ValueError
        When called, for no operands, or if there are not as many partials as operands.

    Examples
    --------
    >>> from autograd_lite import Value, Variadic
    >>> sum_of_squares = Variadic(
    ...     "sum_of_squares",
    ...     lambda xs: sum(x * x for x in xs),
    ...     lambda xs, y: [2.0 * x for x in xs],
    ... )
    >>> y = sum_of_squares([Value(1.0), 2.0, Value(3.0)])
    >>> y.data, y.partials
    (14.0, (2.0, 6.0))
    """

    variadic = True

    def __init__(
        self,
        name: str,
        value: Callable[[Sequence[Any]], Any],
        partials: Callable[[Sequence[Any], Any], Sequence[Any]],
        *,
        formula: str = "",
        derivatives: Sequence[str] = (),
        doc: str = "",
    ) -> None:
        _check_name(name)
        if not callable(value) or not callable(partials):
            raise TypeError(
                f"primitive {name!r} expected a function for its value and one for its partials,"
                " which returns a list of one per operand"
            )
        self.name = name
        self.value = value
        self.all_partials = partials
        self.formula = formula
        self.derivatives = tuple(derivatives)
        self.__doc__ = self._documentation(doc)
        self.__name__ = name

    def _documentation(self, doc: str) -> str:
        lines = [doc or f"The operation {self.name}.", "", f"{self.name}(x)"]
        if self.formula:
            lines[-1] += f" = {self.formula}"
        lines += [
            "",
            "One recorded node, however many operands. A list of numbers gives a float, a",
        ]
        lines += ["list with Values a Value."]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        if is_stated(self):
            return find, (self.name,)
        _refuse_nameless(self)
        return super().__reduce__()

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def evaluate(self, *numbers: float) -> float:
        """Return the value at plain floats; where Python raises, the IEEE result."""
        try:
            result = self.value(numbers)
        except RAISED_BY_FLOATS:
            result = self.value([IEEE(x) for x in numbers])
        return result if result.__class__ is float else float(result)

    def evaluate_partials(self, numbers: Sequence[float], result: float) -> tuple[float, ...]:
        """Return all partials at plain floats; where Python raises, the IEEE results."""
        try:
            partials = self.all_partials(numbers, result)
        except RAISED_BY_FLOATS:
            partials = self.all_partials([IEEE(x) for x in numbers], IEEE(result))
        if len(partials) != len(numbers):
            raise ValueError(
                f"the partials of {self.name!r} are {len(partials)} for"
                f" {counted(len(numbers), 'operand')}; there must be one for each"
            )
        return tuple(map(float, partials))

    def __call__(self, operands: Sequence[Any], *more: Never) -> Any:
        if more:
            raise TypeError(
                f"{self.name} expected one list of numbers or Values, as in {self.name}([a, b]),"
                f" got {1 + len(more)} arguments"
            )
        operands = operands_of(self.name, operands)
        for operand in operands:
            record = getattr(operand, "_record", None)
            if record is not None:
                return record(self, operands)
        return self.evaluate(*[number(x, f"numbers or Values for {self.name}") for x in operands])


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a primitive's name is text, got {type(name).__name__}: {name!r}")


def _refuse_nameless(primitive: Primitive | Variadic) -> None:
    """Say which function of a primitive of the user's own pickle would look for in vain."""
    from pickle import PicklingError

    for function in chain(*(x if type(x) is tuple else (x,) for x in vars(primitive).values())):
        if not isinstance(function, FunctionType):
            continue
        found: Any = sys.modules.get(function.__module__)
        for name in function.__qualname__.split("."):
            found = getattr(found, name, None)
        if found is not function:
            raise PicklingError(
                f"the primitive {primitive.name!r} cannot be pickled, because pickle stores"
                f" functions by name and {function.__qualname__!r} of {function.__module__!r} is"
                " not to be found by name: write its functions with def at the top of a module"
            )


def operands_of(name: str, given: Any, *, at_least: int = 1) -> tuple[Any, ...]:
    """Return the operands of an n-ary operation as a tuple, or say what was wrong."""
    try:
        operands = tuple(given)
    except TypeError:
        raise TypeError(
            f"{name} expected a list of numbers or Values, got {type(given).__name__}"
        ) from None
    if len(operands) < at_least:
        wanted = counted(at_least, "operand")
        raise ValueError(f"{name} expected at least {wanted}, got {len(operands)}")
    return operands


def counted(number_of: int, noun: str) -> str:
    """Return "1 operand", "2 operands", …"""
    return f"{number_of} {noun}" if number_of == 1 else f"{number_of} {noun}s"


TABLE: dict[str, Primitive | Variadic] = {}
"""Every primitive of the library by name, in the order of the documentation."""


def is_stated(operation: Any) -> bool:
    """Tell whether an operation is the one of the table that has its name, not a user's own."""
    return TABLE.get(operation.name) is operation


def entry(primitive: Primitive) -> Primitive:
    """Enter a primitive into the table."""
    TABLE[primitive.name] = primitive
    if primitive.name.isidentifier():
        point = [_inside(interval) for interval in primitive.domain]
        _add_example(primitive, ", ".join(map(str, point)), primitive.evaluate(*point))
    return primitive


def _add_example(primitive: Primitive | Variadic, operands: str, result: float) -> None:
    lines = ["", "", "Examples", "--------", ">>> import autograd_lite as ag"]
    lines += [f">>> ag.{primitive.name}({operands})", repr(result)]
    primitive.__doc__ = (primitive.__doc__ or "") + "\n".join(lines)


def variadic_entry(primitive: Variadic) -> Variadic:
    """Enter an n-ary primitive into the table."""
    TABLE[primitive.name] = primitive
    _add_example(primitive, "[1.0, 2.0, 4.0]", primitive.evaluate(1.0, 2.0, 4.0))
    return primitive


def find(name: str) -> Primitive | Variadic:
    """Return the primitive with this name."""
    return TABLE[name]
