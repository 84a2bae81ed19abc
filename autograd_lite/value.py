"""`Value`: a float that remembers how it was computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, SupportsFloat, TypeVar

from autograd_lite import functions
from autograd_lite.allocation import allocator
from autograd_lite.anomaly import check_adjoints, check_result, is_watching, placed
from autograd_lite.copying import deep_copy, reduced, shallow_copy
from autograd_lite.hooks import RemovableHandle, add_hook, hooked
from autograd_lite.lifting import NOTHING, lifted
from autograd_lite.modes import (
    current_mode,
    current_recorder,
    recording_derivatives,
    runtime,
)
from autograd_lite.node import UNREACHED, Node, edges, flag, is_outdated
from autograd_lite.primitives import (
    Primitive,
    activations,
    arithmetic,
    elementary,
    number,
    piecewise,
    rounding,
)
from autograd_lite.primitives.ieee import RAISED_BY_FLOATS
from autograd_lite.slips import warn_mixed, warn_stale
from autograd_lite.sweep import adjoints, set_all, with_order

Function = TypeVar("Function", bound=Callable[..., Any])

_ADD = arithmetic.add
_SUBTRACT = arithmetic.subtract
_MULTIPLY = arithmetic.multiply
_DIVIDED = arithmetic.divided
_NEGATIVE = arithmetic.negative


# -- recording -----------------------------------------------------------------------------------


def _constant(data: float) -> Value:
    """Return a leaf that needs no gradient."""
    out = _blank()
    out._data = data
    out._primitive = out._grad = out._da = out._db = None
    out._position = 0
    out._stamp = runtime.clock
    return out


def _record(primitive: Any, operands: tuple[Any, ...]) -> Value:
    """Apply a primitive to Values and numbers, and record it unless no operand needs a gradient."""
    mode = current_mode() if runtime.special else None
    recorder = None if mode is None else mode.recorder
    if recorder is not None:
        operands = recorder.operands(operands)
    arguments_: list[Any] = []
    numbers: list[float] = []
    needed = False
    for operand in operands:
        if isinstance(operand, Value):
            arguments_.append(operand)
            numbers.append(operand._data)
            needed = needed or operand._grad is not None
        else:
            x = operand if type(operand) is float else number(operand, _wanted(primitive))
            arguments_.append(x)
            numbers.append(x)
    y = primitive.evaluate(*numbers)
    if mode is not None and mode.watching:
        check_result(primitive, arguments_, y)
    if not needed or (mode is not None and not mode.recording):
        out = _constant(y)
        if recorder is not None:
            recorder.operation(primitive, arguments_, out, current_mode().recording)
        return out
    out = _blank()
    out._data = y
    out._primitive = primitive
    out._da = out._db = None
    if primitive.variadic or primitive.arity > 2:
        _record_many(out, primitive, arguments_, numbers)
    else:
        out._a = a = arguments_[0]
        if isinstance(a, Value):
            out._da = primitive.partial(0, *numbers, y)
        if primitive.arity == 2:
            out._b = b = arguments_[1]
            if isinstance(b, Value):
                out._db = primitive.partial(1, *numbers, y)
    out._grad = UNREACHED
    out._position = 0
    out._stamp = runtime.clock
    if mode is not None and mode.watching:
        out._tag = placed(mode.tag)
    elif mode is not None and mode.tag is not None:
        out._tag = mode.tag
    if recorder is not None:
        recorder.results.append(out)
    return out


def _record_many(out: Value, primitive: Any, given: list[Any], numbers: list[float]) -> None:
    """Fill in a node with any number of operands."""
    y = out._data
    if primitive.variadic:
        partials = primitive.evaluate_partials(numbers, y)
    else:
        partials = [
            primitive.partial(i, *numbers, y) if isinstance(x, Value) else None
            for i, x in enumerate(given)
        ]
    pairs = [(x, p) for x, p in zip(given, partials, strict=True) if isinstance(x, Value)]
    out._a = tuple(x for x, _ in pairs)
    out._db = tuple(p for _, p in pairs)
    out._b = (out._a if len(pairs) == len(given) else tuple(given),)


def _wanted(primitive: Any) -> str:
    return f"a number or Value for {primitive.name!r}"


def _binary(primitive: Primitive) -> Callable[[Any, Any], Any]:
    """Make what records an operator of Values and plain numbers; `_foreign` sees other operands."""
    value = primitive.value
    partial_a, partial_b = primitive.partials

    def operator(a: Any, b: Any) -> Any:
        try:
            if isinstance(a, Value):
                x = a._data
                needed = a._grad is not None
            elif type(a) is float or type(a) is int:
                x = a = float(a)
                needed = False
            else:
                return _foreign(primitive, a, b)
            if isinstance(b, Value):
                z = b._data
                needed = needed or b._grad is not None
            elif type(b) is float or type(b) is int:
                z = b = float(b)
            else:
                return _foreign(primitive, a, b)
            mode = None
            if runtime.special:
                mode = current_mode()
                needed = needed and mode.short
                if needed and mode.recorder is not None:  # who replaces some constants
                    needed = (a is x or a._grad is not None) and (b is z or b._grad is not None)
            if not needed:
                return _record(primitive, (a, b))
            y = value(x, z)
            da = partial_a(x, z, y) if a is not x else None
            db = partial_b(x, z, y) if b is not z else None
        except RAISED_BY_FLOATS:
            return _record(primitive, (a, b))
        out = _blank()
        out._data = y
        out._primitive = primitive
        out._a = a
        out._b = b
        out._da = da
        out._db = db
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        if mode is not None:
            if mode.tag is not None:
                out._tag = mode.tag
            if mode.note is not None:
                mode.note(out)
        return out

    return operator


_add = _binary(_ADD)
_subtract = _binary(_SUBTRACT)
_multiply = _binary(_MULTIPLY)
_divide = _binary(_DIVIDED)
_power = _binary(arithmetic.to_the_power)
_remainder = _binary(arithmetic.remainder)

_NEVER_OPERANDS = (str, bytes, list, tuple, dict, set, complex, type(None))


def _foreign(primitive: Primitive, a: Any, b: Any) -> Any:
    """Record an operator of other kinds of numbers; leave what else has one to its own."""
    for other in (a, b):
        if isinstance(other, Value | float | int):
            continue
        dtype = getattr(other, "dtype", None)
        if getattr(other, "shape", ()) != () and str(dtype) == "object":
            return NotImplemented
        try:
            number(other, _wanted(primitive))
        except TypeError:
            if dtype is not None or isinstance(other, _NEVER_OPERANDS):
                raise
            return NotImplemented
    return _record(primitive, (a, b))


_UNARY: dict[Primitive, Callable[[Value], Value]] = {}
"""The methods made so far, for calls such as ``exp(value)``."""


def _unary(primitive: Primitive) -> Callable[[Value], Value]:
    """Make a method of a primitive with one operand."""
    value = primitive.value
    (partial,) = primitive.partials

    def method(self: Value) -> Value:
        mode = None
        if runtime.special:
            mode = current_mode()
            if not mode.short:
                return _record(primitive, (self,))
        if self._grad is None:
            return _record(primitive, (self,))
        x = self._data
        try:
            y = value(x)
            da = partial(x, y)
        except RAISED_BY_FLOATS:
            return _record(primitive, (self,))
        out = _blank()
        out._data = y
        out._primitive = primitive
        out._a = self
        out._da = da
        out._db = None
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        if mode is not None:
            if mode.tag is not None:
                out._tag = mode.tag
            if mode.note is not None:
                mode.note(out)
        return out

    _UNARY[primitive] = method
    return _named(method, primitive)


def _method(primitive: Primitive) -> Callable[[Value, Any], Value]:
    """Make a method of a primitive with two operands."""

    def method(self: Value, other: Any) -> Value:
        return _record(primitive, (self, other))

    return _named(method, primitive)


def _named(method: Function, primitive: Primitive) -> Function:
    method.__name__ = primitive.name
    method.__qualname__ = f"Value.{primitive.name}"
    method.__doc__ = primitive.__doc__
    return method


class Value(Node):
    """A number that records the operations made with it, so that it can be differentiated.

    Arithmetic and the functions of this package on Values give Values; each remembers its
    operation, its operands, and the partial derivative with respect to each of them.
    `backward` then finds the derivative of one Value with respect to all it was computed from.

    Parameters
    ----------
    data : int, float, bool, Fraction or NumPy scalar
        The number.
    label : str
        A name for pictures and messages.
    requires_grad : bool
        False makes a constant: nothing is differentiated with respect to it.

    Raises
    ------
    TypeError
        For text, lists, arrays, complex numbers and whatever else is not one real number; for a
        label that is no text, or a ``requires_grad`` other than True and False.

    Notes
    -----
    ``<``, ``<=``, ``>``, ``>=`` compare data. ``==`` and ``hash`` are those of the object, so that
    Values can live in sets and dicts; compare ``.data`` to compare numbers.

    Examples
    --------
    >>> from autograd_lite import Value
    >>> x = Value(2.0, label="x")
    >>> y = x * x + 3.0 * x
    >>> y.data
    10.0
    >>> y.backward()
    >>> x.grad
    7.0
    """

    __slots__ = ()

    def __init__(self, data: SupportsFloat, label: str = "", *, requires_grad: bool = True) -> None:
        self._data = data if type(data) is float else number(data)
        self._primitive = None
        self._grad = UNREACHED if flag(requires_grad, "requires_grad") else None
        self._da = self._db = None
        self._position = 0
        self._stamp = runtime.clock
        if label != "":
            self.label = label

    def detach(self) -> Value:
        """Return a constant with the same number: gradients do not flow through it."""
        out = _constant(self._data)
        if runtime.special and (recorder := current_recorder()) is not None:
            recorder.detached(self, out)
        return out

    def _held(self) -> Any:
        """Return the number as a constant of a formula: a Value while a program is recorded."""
        return self.detach() if current_recorder() is not None else self._data

    __copy__ = shallow_copy
    __deepcopy__ = deep_copy
    __reduce__ = reduced

    # -- the chain rule -----------------------------------------------------------------------

    def backward(self, create_graph: bool = False) -> None:
        """Add d self / d leaf to the ``grad`` of every leaf; set that of interior nodes.

        Parameters
        ----------
        create_graph : bool
            Compute gradients as Values; those of leaves are recorded in turn, so that they can
            be differentiated again.

        Raises
        ------
        TypeError
            If ``create_graph`` is not True or False. (In PyTorch the first argument is a gradient
            to start from: here write ``(factor * y).backward()``.)
        RuntimeError
            If this Value needs no gradient, or, with ``create_graph``, if an operand's data was
            changed after it was recorded. An exception leaves every gradient as it was.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> x = Value(3.0)
        >>> (x**3).backward(create_graph=True)
        >>> first = x.grad
        >>> first.data
        27.0
        >>> x.zero_grad()
        >>> first.backward()
        >>> x.grad
        18.0
        """
        if (recorder := current_recorder()) is not None:
            recorder.refuse(self, ".backward()")
        flag(create_graph, "backward's create_graph")
        if self._grad is None:
            raise RuntimeError(
                "backward() was called on a Value that needs no gradient: it is a constant, or"
                " it was computed from constants only, or under no_grad()"
            )
        watched = is_watching()
        if create_graph:
            with recording_derivatives():
                with_order(self, lambda order: _backward_recorded(order, watched))
        else:
            with_order(self, lambda order: _backward(order, watched))

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Have a function called with the gradient that passes this node, whenever one does.

        Parameters
        ----------
        hook : callable
            Takes the gradient (a float; a Value with ``create_graph``), of an interior node summed
            over its consumers, of a leaf without what it had before. Returns None, or another
            gradient to go on with. Hooks of one node run in the order of registration.

        Returns
        -------
        RemovableHandle
            ``handle.remove()`` takes the hook away.

        Raises
        ------
        RuntimeError
            If this Value needs no gradient.
        TypeError
            If the hook is no function; in `backward`, if it returns something that is no number.

        Examples
        --------
        >>> from autograd_lite import Value, exp
        >>> x = Value(0.0)
        >>> y = exp(x)
        >>> handle = y.register_hook(lambda gradient: min(gradient, 1.0))
        >>> (100.0 * y).backward()
        >>> y.grad, x.grad
        (1.0, 1.0)
        """
        if not callable(hook):
            raise TypeError(
                f"register_hook expected a function of the gradient, got {type(hook).__name__}:"
                f" {hook!r}"
            )
        if (recorder := current_recorder()) is not None:
            recorder.refuse(self, ".register_hook()")
        if self._grad is None:
            raise RuntimeError(
                "register_hook was called on a Value that needs no gradient, so none would ever"
                " pass it"
            )
        return add_hook(self, hook)

    # -- operators ----------------------------------------------------------------------------
    # The four hot ones and their recording are written out; a test holds them to the table.

    def __add__(self, other: Any) -> Value:
        if runtime.special or self._grad is None:
            return _add(self, other)
        if isinstance(other, Value):
            out = _blank()
            out._data = self._data + other._data
            out._db = 1.0
        elif type(other) is float:
            out = _blank()
            out._data = self._data + other
            out._db = None
        else:
            return _add(self, other)
        out._primitive = _ADD
        out._a = self
        out._b = other
        out._da = 1.0
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        return out

    def __sub__(self, other: Any) -> Value:
        if runtime.special or self._grad is None:
            return _subtract(self, other)
        if isinstance(other, Value):
            out = _blank()
            out._data = self._data - other._data
            out._db = -1.0
        elif type(other) is float:
            out = _blank()
            out._data = self._data - other
            out._db = None
        else:
            return _subtract(self, other)
        out._primitive = _SUBTRACT
        out._a = self
        out._b = other
        out._da = 1.0
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        return out

    def __mul__(self, other: Any) -> Value:
        if runtime.special or self._grad is None:
            return _multiply(self, other)
        if isinstance(other, Value):
            out = _blank()
            out._da = b = other._data
            out._db = a = self._data
            out._data = a * b
        elif type(other) is float:
            out = _blank()
            out._da = other
            out._db = None
            out._data = self._data * other
        else:
            return _multiply(self, other)
        out._primitive = _MULTIPLY
        out._a = self
        out._b = other
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        return out

    def __truediv__(self, other: Any) -> Value:
        if runtime.special or self._grad is None:
            return _divide(self, other)
        if isinstance(other, Value):
            b = other._data
            if not b:
                return _divide(self, other)
            out = _blank()
            out._data = y = self._data / b
            out._da = 1.0 / b
            out._db = -y / b
        elif type(other) is float and other:
            out = _blank()
            out._data = self._data / other
            out._da = 1.0 / other
            out._db = None
        else:
            return _divide(self, other)
        out._primitive = _DIVIDED
        out._a = self
        out._b = other
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        return out

    def __neg__(self) -> Value:
        if runtime.special or self._grad is None:
            return _record(_NEGATIVE, (self,))
        out = _blank()
        out._data = -self._data
        out._primitive = _NEGATIVE
        out._a = self
        out._da = -1.0
        out._db = None
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        return out

    def __radd__(self, other: Any) -> Value:
        return _add(other, self)

    def __rsub__(self, other: Any) -> Value:
        return _subtract(other, self)

    def __rmul__(self, other: Any) -> Value:
        return _multiply(other, self)

    def __rtruediv__(self, other: Any) -> Value:
        return _divide(other, self)

    def __pow__(self, other: Any) -> Value:
        return _power(self, other)

    def __rpow__(self, other: Any) -> Value:
        return _power(other, self)

    def __mod__(self, other: Any) -> Value:
        return _remainder(self, other)

    def __rmod__(self, other: Any) -> Value:
        return _remainder(other, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return _record(arithmetic.absolute, (self,))

    # -- functions as methods ------------------------------------------------------------------

    exp = _unary(elementary.exp)
    exp2 = _unary(elementary.exp2)
    expm1 = _unary(elementary.expm1)
    log = _unary(elementary.log)
    log2 = _unary(elementary.log2)
    log10 = _unary(elementary.log10)
    log1p = _unary(elementary.log1p)
    sqrt = _unary(elementary.sqrt)
    cbrt = _unary(elementary.cbrt)
    sin = _unary(elementary.sin)
    cos = _unary(elementary.cos)
    tan = _unary(elementary.tan)
    asin = _unary(elementary.asin)
    acos = _unary(elementary.acos)
    atan = _unary(elementary.atan)
    sinh = _unary(elementary.sinh)
    cosh = _unary(elementary.cosh)
    tanh = _unary(elementary.tanh)
    asinh = _unary(elementary.asinh)
    acosh = _unary(elementary.acosh)
    atanh = _unary(elementary.atanh)
    erf = _unary(elementary.erf)
    erfc = _unary(elementary.erfc)
    floor = _unary(rounding.floor)
    ceil = _unary(rounding.ceil)
    sign = _unary(rounding.sign)
    sigmoid = _unary(activations.sigmoid)
    log_sigmoid = _unary(activations.log_sigmoid)
    relu = _unary(activations.relu)
    selu = _unary(activations.selu)
    softplus = _unary(activations.softplus)
    silu = _unary(activations.silu)
    mish = _unary(activations.mish)
    softsign = _unary(activations.softsign)
    round = _unary(rounding.rounded)
    atan2 = _method(elementary.atan2)
    hypot = _method(elementary.hypot)
    copysign = _method(rounding.copysign)
    fmod = _method(arithmetic.fmod)
    maximum = _method(piecewise.maximum)
    minimum = _method(piecewise.minimum)
    logaddexp = _method(piecewise.logaddexp)
    xlogy = _method(piecewise.xlogy)

    leaky_relu = functions.leaky_relu
    elu = functions.elu
    gelu = functions.gelu
    hardtanh = functions.hardtanh
    clamp = functions.clamp

    _constant = staticmethod(_constant)

    @staticmethod
    def _record(primitive: Any, operands: tuple[Any, ...]) -> Value:
        method = _UNARY.get(primitive)
        return _record(primitive, operands) if method is None else method(*operands)


_blank = allocator(Value)


# -- backward ------------------------------------------------------------------------------------


def _backward(order: list[Value], watched: bool) -> None:
    """Sweep over the recorded partials, then write all gradients in one step."""
    grads = adjoints(order, 1.0, 0.0, hooked=hooked(order))
    if watched:
        check_adjoints(order, grads)
    leaves = []
    oldest = runtime.clock  # when the first operation was recorded
    for node in order:
        if node._primitive is None:
            leaves.append(node)
        elif node._stamp < oldest:
            oldest = node._stamp
    newest = 0  # when the last leaf was changed
    mixed = []
    for leaf in leaves:
        before = leaf._grad
        if leaf._stamp > newest:
            newest = leaf._stamp
        if before is None:
            grads[leaf._position] = None
            continue
        if before is not UNREACHED and is_outdated(leaf):
            mixed.append(leaf)
        grads[leaf._position] = float(before) + grads[leaf._position]
    if mixed:
        warn_mixed(mixed)
    if newest > oldest:
        _look_for_stale_leaves(order)
    del grads[0]
    set_all(order, "_grad", grads)


def _look_for_stale_leaves(order: list[Value]) -> None:
    for node in order:
        for operand, _ in edges(node):
            if operand._primitive is None and operand._stamp > node._stamp:
                warn_stale(node, operand)
                return


def _backward_recorded(order: list[Value], watched: bool) -> None:
    """The same with partials as Values.

    An interior node gets its gradient as a constant: a graph over the node, held by the node,
    would be a cycle that no `zero_grad` of a leaf breaks.
    """
    grads = adjoints(order, 1.0, NOTHING, lifted(order), hooked=hooked(order))
    if watched:
        check_adjoints(order, grads)
    mixed = [node for node in order if node._primitive is None and is_outdated(node)]
    if mixed:
        warn_mixed(mixed)
    for position, node in enumerate(order, 1):
        grad, adjoint = node._grad, grads[position]
        if grad is None:
            grads[position] = None
            continue
        if node._primitive is not None:
            adjoint = 0.0 if adjoint is NOTHING else float(adjoint)
        elif grad is not UNREACHED:
            adjoint = grad + adjoint
        if not isinstance(adjoint, Value):
            adjoint = _constant(0.0 if adjoint is NOTHING else float(adjoint))
        grads[position] = adjoint
    del grads[0]
    set_all(order, "_grad", grads)
