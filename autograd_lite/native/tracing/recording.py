"""A function runs once, on the numbers of one lane, and all that it does lands on a tape."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from math import copysign
from typing import Any
from weakref import ref

from autograd_lite.modes import collector_paused, recorded_by
from autograd_lite.native.columns import Operands, Operations
from autograd_lite.native.tape import (
    DETACHED,
    Argument,
    Closure,
    Constant,
    Draw,
    Drawn,
    Effect,
    Guard,
    Parameter,
    Source,
    Tape,
    Watch,
)
from autograd_lite.native.tracing.lane_operations import SPECIAL
from autograd_lite.native.tracing.refusals import RecordingError, refusal
from autograd_lite.native.tracing.surroundings import Randomness, watches_of
from autograd_lite.native.tracing.whole_numbers import WholeNumber
from autograd_lite.node import Node, arguments, edges
from autograd_lite.primitives import is_number, number
from autograd_lite.trees import BRANCHES, leaves_of, shaped_like, unpacked
from autograd_lite.value import Value

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {">": "<", ">=": "<="}


def record(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    *,
    parameters: Iterable[Value] | None = None,
    drawn: Sequence[Sequence[float]] = (),
) -> Tape:
    """Run a function once and return what it did.

    Gradients flow, and no mode of the caller's holds, until the function itself says otherwise.

    Parameters
    ----------
    function : callable
        Takes numbers or nested lists of them, returns Values or nested lists of them.
    arguments : sequence
        The numbers of one lane, one entry for each positional argument: floats, or ints where the
        argument is of whole numbers, or nested lists and tuples of either.
    parameters : iterable of Value, optional
        Values that are learned. Others that the function uses are closures.
    drawn : sequence of sequences of float
        What the function is to see as drawn by the first, the second … `lanes.fresh`. Where there
        is nothing it sees 0.5, so that recording draws nothing.

    Returns
    -------
    Tape

    Raises
    ------
    RecordingError
        If the function does what a recording could not repeat for other numbers: turns a Value
        into a plain number, draws random numbers by itself, changes data or gradients.
    TypeError
        If it returns something else than Values and numbers, or no Value.

    Notes
    -----
    Unseen go changes of attributes of objects (unless a module tells of them by `lanes.depends`),
    of what is in lists and other containers, and of what functions of other modules use, random
    numbers of generators that are attributes of objects, and Values that other threads compute
    under `no_grad`. That another thread draws from the global random numbers meanwhile looks as
    if the function had.

    Examples
    --------
    >>> from autograd_lite.native.tracing.recording import record
    >>> tape = record(lambda x, y: (x * y).sin() if x > 0.0 else y, (2.0, 3.0))
    >>> [operation.name for operation in tape.operations if operation is not None]
    ['*', 'sin']
    >>> tape.guards
    (Guard(test='>', a=0, b=2, answer=True),)
    """
    recorder = Recorder(parameters, drawn)
    given = [
        recorder.argument(position, unpacked(argument), name)
        for position, (argument, name) in enumerate(
            zip(arguments, _names(function, len(arguments)), strict=True)
        )
    ]
    for watch in watches_of(function):
        recorder.watch(watch)
    randomness = Randomness(function)
    with collector_paused():
        with recorded_by(recorder):
            result = function(*given)
        randomness.refuse_changes()
        result = unpacked(result)
        outputs = recorder.outputs(result)
        shape = shaped_like(result, iter(range(len(outputs))))
        del given, result  # so that what only they hold is known to be the function's own
        return recorder.tape(outputs, shape)


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """Return what the function calls its positional arguments, "" where that is unknown."""
    code = getattr(function, "__code__", None)
    names = [] if code is None else list(code.co_varnames[: code.co_argcount])
    if hasattr(function, "__self__"):
        del names[:1]
    return (names + [""] * count)[:count]


class Recorder:
    """Who is told of all that happens while a function is recorded.

    A Value is known by its identity, so all that were met are kept until the end.
    """

    def __init__(
        self, parameters: Iterable[Value] | None = None, drawn: Sequence[Sequence[float]] = ()
    ) -> None:
        self._operations = Operations()
        self._operands = Operands()
        self._sources: dict[int, Source] = {}  # of leaves
        self._held: set[int] = set()  # results through which no gradient flows
        self._codes: dict[Any, int] = {}  # of the primitives that were met
        self._arities = [0]  # of their codes, 3 for more than 2
        self._names: dict[int, str] = {}
        self._nodes: dict[int, int] = {}  # of every Value that was met, by its id
        self._kept: list[Node] = []
        self.results: list[Value] = []  # nodes in the order in which they were recorded
        self.labelled: list[Node] = []  # Values that have a label, or were given one
        self._placed = 0  # how many of them are on the tape
        self._constants: dict[Any, int] = {}
        self._guards: dict[tuple[str, int, int], Guard] = {}
        self._draws: list[Draw] = []
        self._effects: list[Effect] = []
        self._watches: dict[Any, Watch] = {}
        self._drawn = drawn
        self._plain: dict[int, Value] = {}  # what is computed with in place of a whole number
        self._learned = list(parameters or ())
        self._parameters = {id(p): i for i, p in enumerate(self._learned)}
        self._undecided: dict[int, Node] = {}  # leaves that may be the function's own
        self._read: dict[int, tuple[Node, str]] = {}  # those whose numbers were read
        self._harmless: set[int] = set()  # Values outside that depend on no parameter

    # -- leaves ---------------------------------------------------------------------------------

    def argument(self, position: int, argument: Any, name: str) -> Any:
        """Return an argument with a fresh Value for each number."""
        leaves = leaves_of(argument)
        first = len(self._operations)
        if {*map(type, leaves)} == {float}:
            made = self._floats(position, leaves)
        else:
            made = [self._number(position, column, leaf) for column, leaf in enumerate(leaves)]
        if name:
            self._names.update(enumerate(_paths(argument, name), first))
        return shaped_like(argument, iter(made))

    def _floats(self, position: int, leaves: list[float]) -> list[Value]:
        """Return Values for the numbers of an argument, all at once."""
        values = [*map(Value, leaves)]
        sources = map(Argument, repeat(position), range(len(values)))
        self._add_leaves(map(id, values), sources, len(values))
        self._kept += values
        return values

    def _number(self, position: int, column: int, leaf: Any) -> Value:
        """Return a Value for one number of an argument."""
        whole = isinstance(leaf, int)
        data = leaf if type(leaf) is float else number(leaf, f"a number in argument {position}")
        node = self._new(Argument(position, column, whole))
        value = Value(data, requires_grad=not whole)
        self._know(value, node)
        if not whole:
            return value
        label = WholeNumber(data, requires_grad=False)
        self._know(label, node)
        self._plain[id(label)] = value
        return label

    def draw(self, function: Callable[[int, int], Any], count: int) -> list[Value]:
        """Return Values for numbers that are drawn anew at every call."""
        draw = len(self._draws)
        self._draws.append(Draw(function, count))
        row = self._drawn[draw] if draw < len(self._drawn) else (0.5,) * count
        values = [Value(float(x), requires_grad=False) for x in row]
        if len(values) != count:
            raise ValueError(f"draw {draw} expected {count} numbers, got {len(values)}")
        for column, value in enumerate(values):
            self._know(value, self._new(Drawn(draw, column)))
        return values

    def fresh(self, x: Any) -> Value:
        """Return a leaf for a derivative inside of the function: the same number as ``x``."""
        if not isinstance(x, Value):
            return Value(float(x))
        leaf = Value(x._data)
        self._know(leaf, self.node(x))
        return leaf

    def node(self, x: Any) -> int:
        """Return the node of a Value or number."""
        if type(x) is float:
            key: Any = x if x and x == x else (repr(x), copysign(1.0, x))
            node = self._constants.get(key)
            if node is None:
                node = self._constants[key] = self._new(Constant(x))
            return node
        if len(self.results) > self._placed:
            self._catch_up()
        found = self._nodes.get(id(x))
        return self._from_outside(x) if found is None else found

    def _catch_up(self) -> None:
        """Put on the tape what was recorded since the last time."""
        waiting = self.results[self._placed :]
        self._placed = len(self.results)
        known, node, code_of = self._nodes, self.node, self._code_of
        find, find_code, arities = known.get, self._codes.get, self._arities
        codes, nodes, starts = self._operations.codes, self._operands.nodes, self._operands.starts
        own, end = len(codes), len(nodes)
        for key, result in zip(map(id, waiting), waiting, strict=True):
            code = find_code(result._primitive) or code_of(result._primitive)
            arity = arities[code]
            if arity == 2:
                a, b = result._a, result._b
                i, k = find(id(a)), find(id(b))
                if i is None or k is None:
                    i, k = node(a), node(b)
                    own = len(codes)  # there may be new leaves
                nodes.append(i)
                nodes.append(k)
                end += 2
            elif arity == 1:
                a = result._a
                i = find(id(a))
                if i is None:
                    i = node(a)
                    own = len(codes)
                nodes.append(i)
                end += 1
            else:
                given = arguments(result)
                found: list[Any] = [*map(find, map(id, given))]
                if None in found:
                    self._add_parameters(x for x, i in zip(given, found, strict=True) if i is None)
                    found = [node(x) if (i := find(id(x))) is None else i for x in given]
                nodes += found
                own, end = len(codes), len(nodes)
            known[key] = own
            own += 1
            codes.append(code)
            starts.append(end)

    def _code_of(self, primitive: Any) -> int:
        """Return the code of a primitive that was met for the first time, perhaps."""
        code = self._operations.code(SPECIAL.get(primitive, primitive))
        self._codes[primitive] = code
        if code == len(self._arities):
            many = primitive.variadic or primitive.arity > 2
            self._arities.append(3 if many else primitive.arity)
        return code

    def _add_parameters(self, values: Iterable[Any]) -> None:
        """Put on the tape the parameters among what was not met before, all at once."""
        positions = self._parameters
        new = {key: value for value in values if (key := id(value)) in positions}
        self._add_leaves(new, map(Parameter, map(positions.__getitem__, new)), len(new))
        self.labelled += new.values()

    def _from_outside(self, value: Node) -> int:
        """Return the node of a Value that is no result and no argument."""
        if id(value) in self._parameters:
            self._add_parameters([value])
            return self._nodes[id(value)]
        if value.label:
            self.labelled.append(value)
        if value._primitive is not None:
            self._refuse_hidden_gradient(value)
        node = self._new(Closure(value))
        self._know(value, node)
        self._undecided[node] = value
        return node

    def _refuse_hidden_gradient(self, value: Node) -> None:
        """Raise if a Value was computed outside from what gradients are wanted for."""
        stack = [value]
        while stack:
            node = stack.pop()
            if id(node) in self._harmless:
                continue
            if id(node) in self._parameters:
                raise RecordingError(
                    f"the function uses {_called(value)}, computed from a parameter before the"
                    " function was called, so that the parameter would not get its gradient:"
                    " compute it inside of the function"
                )
            known = self._nodes.get(id(node))
            if known is not None and known not in self._undecided:
                raise RecordingError(
                    f"the function uses {_called(value)}, computed from its arguments in another"
                    " thread, which is not recorded: compute it in the thread of the function"
                )
            self._harmless.add(id(node))
            self._kept.append(node)
            stack += [operand for operand, _ in edges(node)]

    def _add_leaves(self, keys: Iterable[int], sources: Iterable[Source], count: int) -> None:
        """Put leaves on the tape, whose Values have these identities."""
        first = len(self._operations)
        nodes = range(first, first + count)
        self._operations.add_leaves(count)
        self._operands.add_leaves(count)
        self._sources.update(zip(nodes, sources, strict=True))
        self._nodes.update(zip(keys, nodes, strict=True))

    def _new(self, source: Source) -> int:
        node = len(self._operations)
        self._sources[node] = source
        self._operations.append(None)
        self._operands.append(())
        return node

    def _know(self, value: Node, node: int) -> None:
        self._nodes[id(value)] = node
        self._kept.append(value)

    # -- what the engine tells ------------------------------------------------------------------

    def operands(self, given: Iterable[Any]) -> tuple[Any, ...]:
        """Return operands with a plain Value for each whole number."""
        plain = self._plain
        if not plain:
            return tuple(given)
        return tuple([plain.get(id(x), x) for x in given])

    def operation(self, primitive: Any, given: Sequence[Any], result: Value, flows: bool) -> None:
        """Put an operation on the tape whose result is a constant."""
        operands = [self.node(x) for x in given]
        node = len(self._operations)
        self._operations.codes.append(self._code_of(primitive))
        self._operands.append(operands)
        if not flows:
            self._held.add(node)
        self._know(result, node)

    def detached(self, given: Value, result: Value) -> None:
        """Put `Value.detach` on the tape."""
        self.operation(DETACHED, (given,), result, False)

    def compare(self, test: str, a: Node, b: Any) -> Any:
        """Answer a comparison, and note the question."""
        if not isinstance(b, Node):
            if not is_number(b):
                return NotImplemented
            b = number(b)
        answer = _COMPARISONS[test](a._data, b._data if isinstance(b, Node) else b)
        self._ask(test, self.node(a), self.node(b), answer)
        return answer

    def truth(self, value: Node) -> bool:
        """Answer whether a number is not 0, and note the question."""
        node = self.node(value)
        answer = value._data != 0.0
        self._ask("truth", node, node, answer)
        return answer

    def index(self, value: Node) -> int:
        """Return a whole number as Python's, for which alone the recording then holds."""
        node = self.node(value)
        answer = int(value._data)
        self._ask("index", node, node, answer)
        return answer

    def _ask(self, test: str, a: int, b: int, answer: bool | int) -> None:
        key = (test, a, b) if test not in _MIRRORED else (_MIRRORED[test], b, a)
        if key not in self._guards:
            self._guards[key] = Guard(test, a, b, answer)

    def seen(self, value: Node, how: str) -> None:
        """Raise if a number that leaves the graph is one that the recording is about."""
        self._catch_up()
        node = self._nodes.get(id(value))
        if id(value) in self._parameters or (node is not None and node not in self._undecided):
            self.refuse(value, how)
        if value._primitive is not None:
            self._refuse_hidden_gradient(value)
        self._read.setdefault(id(value), (value, how))

    def refuse(self, value: Node, how: str) -> None:
        """Raise for something that no program can do."""
        self._catch_up()
        node = self._nodes.get(id(value))
        name = self._names.get(node, "") if node is not None else ""
        if id(value) in self._parameters and not value.label:
            raise refusal(how, "a parameter")
        raise refusal(how, f"{name!r}" if name else _called(value))

    def watch(self, watch: Watch) -> None:
        """Note what the recording holds for; the same reader (a method, say) once."""
        self._watches.setdefault(watch.get, watch)

    def effect(self, function: Callable[..., None], values: Sequence[Any]) -> None:
        """Note a function that is to be called with numbers after every call."""
        nodes = [self.node(x if isinstance(x, Node) else number(x)) for x in values]
        self._effects.append(Effect(function, tuple(nodes)))

    # -- the end --------------------------------------------------------------------------------

    def outputs(self, result: Any) -> tuple[int, ...]:
        """Return the nodes of what the function returned, or say what is wrong with it."""
        leaves = leaves_of(result)
        for leaf in leaves:
            if not isinstance(leaf, Value) and not is_number(leaf):
                shown = "None" if leaf is None else f"{type(leaf).__name__}: {leaf!r}"
                raise TypeError(
                    "a function that is compiled returns a Value or nested lists of them, this one"
                    f" returned {shown}"
                )
        if not self._guards and not any(isinstance(leaf, Value) for leaf in leaves):
            shown = f"the plain number {leaves[0]!r}" if leaves else "an empty list"
            raise TypeError(
                "a function that is compiled returns a Value that was computed from its arguments,"
                f" this one returned {shown}"
            )
        return tuple(self.node(x if isinstance(x, Node) else number(x)) for x in leaves)

    def tape(self, outputs: tuple[int, ...], shape: Any) -> Tape:
        """Return the tape, and forget all Values."""
        self._catch_up()
        self._take_labels()
        undecided = {node: (ref(value), value._data) for node, value in self._undecided.items()}
        read = [ref(value) for value, _ in self._read.values()]
        for node in undecided:
            del self._sources[node]
        self._nodes.clear()
        self._plain.clear()
        self._undecided.clear()
        self._read.clear()
        self._kept.clear()
        self.results.clear()
        self.labelled.clear()
        for node, (reference, data) in undecided.items():
            alive = reference()
            self._sources[node] = Constant(data) if alive is None else Closure(alive)
        for reference in read:
            alive = reference()
            if alive is not None:  # somebody else's, who may change it
                self.watch(Watch(partial(getattr, alive, "_data"), alive._data))
        nodes = range(len(self._operations))
        flows = [True] * len(nodes)
        for node in self._held:
            flows[node] = False
        return Tape(
            list(map(self._sources.get, nodes)),
            self._operations,
            self._operands,
            flows,
            self._names,
            outputs,
            shape,
            self._open_guards(),
            tuple(self._draws),
            tuple(self._effects),
            tuple(self._watches.values()),
        )

    def _take_labels(self) -> None:
        nodes = map(self._nodes.get, map(id, self.labelled))
        for node, value in zip(nodes, self.labelled, strict=True):
            if node is not None and (label := value.label):
                self._names[node] = label

    def _is_given(self, node: int) -> bool:
        """Tell whether a node is a leaf whose number may be another one."""
        return not isinstance(self._sources.get(node), Constant | None)

    def _open_guards(self) -> tuple[Guard, ...]:
        """Return the questions whose answers may change."""
        if not self._guards:
            return ()
        guards = tuple(self._guards.values())
        if all(self._is_given(guard.a) or self._is_given(guard.b) for guard in guards):
            return guards
        fixed: list[bool] = []
        for node, operands in enumerate(self._operands):
            source = self._sources.get(node)
            if source is None:
                fixed.append(all(fixed[i] for i in operands))
            else:
                fixed.append(isinstance(source, Constant))
        return tuple(guard for guard in guards if not (fixed[guard.a] and fixed[guard.b]))


def _called(value: Node) -> str:
    """Return what a message calls a Value."""
    if value.label:
        return f"the Value {value.label!r}"
    return f"a result of {value.op!r}" if value._primitive is not None else "a Value"


def _paths(tree: Any, name: str) -> list[str]:
    """Return what the numbers of nested lists are called, left to right."""
    if not isinstance(tree, BRANCHES):
        return [name]
    found = []
    for i, branch in enumerate(tree):
        path = f"{name}[{i}]"
        if isinstance(branch, BRANCHES):
            found += _paths(branch, path)
        else:
            found.append(path)
    return found
