"""What is on the tape for a function, and what no tape can hold."""

from __future__ import annotations

import copy
import math
import operator
import pickle
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from threading import Barrier, Thread
from typing import Any

import pytest

import autograd_lite as ag
from autograd_lite import Value, lanes
from autograd_lite.modes import current_mode, runtime
from autograd_lite.native.tape import (
    DETACHED,
    LANE_MEAN,
    LANE_VARIANCE,
    PICK,
    Argument,
    Closure,
    Constant,
    Drawn,
    Guard,
    Parameter,
    Tape,
)
from autograd_lite.native.tracing import surroundings
from autograd_lite.native.tracing.recording import record
from autograd_lite.native.tracing.refusals import RecordingError
from autograd_lite.trees import leaves_of, shaped_like

TESTS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def replayed(tape: Tape, *arguments: Any, parameters: Sequence[Value] = ()) -> Any:
    """Return what the tape gives at other numbers; None if a guard does not hold there."""
    numbers: list[float] = []
    columns = [leaves_of(argument) for argument in arguments]
    for source, primitive, operands in zip(
        tape.sources, tape.operations, tape.operands, strict=True
    ):
        given = [numbers[i] for i in operands]
        match source:
            case Argument(position, column):
                numbers.append(float(columns[position][column]))
            case Constant(number):
                numbers.append(number)
            case Closure(value):
                numbers.append(value.data)
            case Parameter(position):
                numbers.append(parameters[position].data)
            case _ if primitive is PICK:
                numbers.append(given[1:][int(given[0]) % (len(given) - 1)])
            case _:
                assert isinstance(primitive, ag.Primitive | ag.Variadic)
                numbers.append(primitive.evaluate(*given))
    for test, a, b, answer in tape.guards:
        if test == "truth":
            held = (numbers[a] != 0.0) == answer
        elif test == "index":
            held = numbers[a] == answer
        else:
            held = TESTS[test](numbers[a], numbers[b]) == answer
        if not held:
            return None
    return shaped_like(tape.result, iter([numbers[i] for i in tape.outputs]))


def changed(tape: Tape) -> list[Any]:
    """Return what is no longer as it was while the tape was recorded."""
    now = [(watch.get(), watch.found) for watch in tape.watches]
    return [one for one, found in now if not surroundings.same(one, found)]


def operations(tape: Tape) -> list[str]:
    return [primitive.name for primitive in tape.operations if primitive is not None]


# -- what is on the tape ---------------------------------------------------------------------------


def test_operations_come_in_the_order_in_which_they_ran() -> None:
    tape = record(lambda x, y: (y - x * x).sin() + 2.0, (3.0, 5.0))
    assert operations(tape) == ["*", "-", "sin", "+"]
    assert tape.sources == [
        Argument(0, 0),
        Argument(1, 0),
        None,
        None,
        None,
        Constant(2.0),
        None,
    ]
    assert [*tape.operands] == [(), (), (0, 0), (1, 2), (3,), (), (4, 5)]
    assert tape.names == {0: "x", 1: "y"}
    assert (tape.outputs, tape.result) == ((6,), 0)


def test_nested_arguments_and_results_keep_their_structure() -> None:
    tape = record(lambda m, b: (m[1][0], [b[1], m[0][1]]), ([[1.0, 2.0], (3.0,)], (4.0, 5.0)))
    assert tape.outputs == (2, 4, 1)
    assert tape.result == (0, [1, 2])
    assert tape.sources[4] == Argument(1, 1)
    assert tape.names[2] == "m[1][0]"


def test_arguments_of_methods_have_their_names() -> None:
    class Model:
        def loss(self, x: Any) -> Any:
            return x * x

    assert record(Model().loss, (1.0,)).names == {0: "x"}


def test_labels_given_inside_are_kept() -> None:
    def f(x: Any) -> Any:
        y = x * x
        y.label = "square"
        return y + 1.0

    assert record(f, (2.0,)).names == {0: "x", 1: "square"}


def test_each_operation_that_has_no_gradient_is_data_flow_all_the_same() -> None:
    def f(x: Any) -> Any:
        with ag.no_grad():
            y = x * 2.0
        return y + x.detach() * x

    tape = record(f, (3.0,))
    assert operations(tape) == ["*", "detach", "*", "+"]
    flows = [flow for flow, p in zip(tape.flows, tape.operations, strict=True) if p is not None]
    assert flows == [False, False, True, True]
    assert [*tape.operations].count(DETACHED) == 1
    assert replayed(tape, 10.0) == 120.0


def test_the_modes_of_the_caller_do_not_reach_the_recording() -> None:
    with ag.no_grad(), ag.scope("outside"), ag.detect_anomaly():
        tape = record(lambda x: x * x, (3.0,))
    assert tape.flows == [True, True]


def test_equal_constants_are_one_node_and_both_zeros_two() -> None:
    tape = record(lambda x: [x + 1.0, x * 1, x + 0.0, x + -0.0, x + math.nan], (2.0,))
    constants = [s.number for s in tape.sources if isinstance(s, Constant)]
    assert constants[:3] == [1.0, 0.0, 0.0]
    assert [math.copysign(1.0, c) for c in constants[1:3]] == [1.0, -1.0]
    assert len(constants) == 4


def test_a_neuron_is_one_dot() -> None:
    w, b = [Value(2.0), Value(3.0)], Value(0.5)
    tape = record(lambda xs: ag.linear(xs, [w], [b])[0], ([1.0, 10.0],), parameters=[*w, b])
    assert operations(tape) == ["dot"]
    assert [*tape.operands][-1] == (2, 3, 0, 1, 4)
    assert tape.sources[2:5] == [Parameter(0), Parameter(1), Parameter(2)]
    assert replayed(tape, [1.0, 1.0], parameters=[*w, b]) == 5.5


def test_parameters_may_come_from_an_iterator() -> None:
    w = Value(2.0)
    tape = record(lambda x: x * w, (1.0,), parameters=iter([w]))
    assert tape.sources[1] == Parameter(0)


def test_other_values_outside_are_closures_and_those_made_inside_constants() -> None:
    w = Value(2.0)
    squared = w * w

    def f(x: Any) -> Any:
        start = Value(7.0)
        frozen = Value(8.0, requires_grad=False)
        return start + frozen + x * w + squared

    tape = record(f, (3.0,))
    leaves = [source for source in tape.sources if source is not None]
    assert leaves[0] == Argument(0, 0)
    assert sorted(s.number for s in leaves if isinstance(s, Constant)) == [7.0, 8.0]
    assert {id(s.value) for s in leaves if isinstance(s, Closure)} == {id(w), id(squared)}
    w.data = 10.0
    assert replayed(tape, 1.0) == 7.0 + 8.0 + 10.0 + 4.0


def test_a_value_that_the_function_leaves_behind_is_a_closure() -> None:
    kept = []

    def f(x: Any) -> Any:
        kept.append(Value(7.0))
        return x + kept[0]

    tape = record(f, (3.0,))
    assert tape.sources[1] == Closure(kept[0])


def test_a_tape_keeps_nothing_alive() -> None:
    from weakref import ref

    seen = []

    def f(x: Any) -> Any:
        y = x * x
        seen.append(ref(y))
        return y

    tape = record(f, (3.0,))
    assert len(tape.sources) == 2
    assert seen[0]() is None


def test_a_result_may_be_an_argument_a_closure_or_a_plain_number_beside_values() -> None:
    w = Value(4.0)
    tape = record(lambda x: [x, w, 2], (3.0,))
    assert tape.sources == [Argument(0, 0), Closure(w), Constant(2.0)]
    assert tape.outputs == (0, 1, 2)


def test_a_function_that_ignores_its_arguments_is_a_constant() -> None:
    tape = record(lambda x: Value(2.0) * 3.0, (1.0,))
    assert replayed(tape, 5.0) == 6.0


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (3.0, "returned the plain number 3.0"),
        ([], "returned an empty list"),
        ("text", "this one returned str: 'text'"),
        (None, "this one returned None"),
        ({"loss": 1.0}, "this one returned dict"),
    ],
)
def test_results_that_are_no_values_are_refused(result: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        record(lambda x: result, (1.0,))


def test_text_as_an_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a number in argument 1, got str"):
        record(lambda x, y: x, (1.0, "a"))


# -- guards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "guard"),
    [
        (lambda x, y: x < y, Guard("<", 0, 1, True)),
        (lambda x, y: x <= y, Guard("<=", 0, 1, True)),
        (lambda x, y: x > y, Guard(">", 0, 1, False)),
        (lambda x, y: x >= y, Guard(">=", 0, 1, False)),
        (lambda x, y: x < 2.0, Guard("<", 0, 2, True)),
        (lambda x, y: Fraction(2) > x, Guard("<", 0, 2, True)),
        (lambda x, y: operator.le(2, x), Guard(">=", 0, 2, False)),
        (lambda x, y: bool(x), Guard("truth", 0, 0, True)),
        (lambda x, y: not x, Guard("truth", 0, 0, True)),
    ],
)
def test_questions_are_guards_with_their_answers(question: Any, guard: Guard) -> None:
    def f(x: Any, y: Any) -> Any:
        return x * 2.0 if question(x, y) else y

    tape = record(f, (1.0, 3.0))
    assert tape.guards == (guard,)
    assert operations(tape) == (["*"] if question(1.0, 3.0) else [])


def test_the_same_question_is_asked_once_also_the_other_way_round() -> None:
    def f(x: Any, y: Any) -> Any:
        return x if x < y and y > x and x < y and not y <= x else y

    assert record(f, (1.0, 3.0)).guards == (Guard("<", 0, 1, True), Guard("<=", 1, 0, False))


def test_questions_about_constants_are_no_guards() -> None:
    def f(x: Any) -> Any:
        step = Value(2.0) * 3.0
        return x * step if step > 5.0 else x

    tape = record(f, (1.0,))
    assert tape.guards == ()
    assert replayed(tape, 2.0) == 12.0


def test_questions_about_closures_and_parameters_are_guards() -> None:
    w, p = Value(2.0), Value(3.0)
    tape = record(lambda x: x * p if p > w else x, (1.0,), parameters=[p])
    assert len(tape.guards) == 1


def test_a_nan_answers_no() -> None:
    tape = record(lambda x: x if x < 1.0 else -x, (math.nan,))
    assert tape.guards == (Guard("<", 0, 1, False),)


def test_max_min_sorted_and_loops_ask_questions() -> None:
    def f(xs: Any) -> Any:
        count, x = 0, max(xs)
        while x > 1.0:
            x = x / 2.0
            count += 1
        return x + count, sorted(xs)[0]

    tape = record(f, ([3.0, 8.0, 5.0],))
    assert replayed(tape, [3.0, 7.9, 5.0]) == (7.9 / 8 + 3, 3.0)
    assert replayed(tape, [3.0, 17.0, 5.0]) is None
    assert replayed(tape, [8.5, 8.0, 5.0]) is None


def test_comparisons_with_text_fail_as_ever() -> None:
    with pytest.raises(TypeError, match="not supported"):
        record(lambda x: x if x < "a" else -x, (1.0,))


# -- whole numbers ---------------------------------------------------------------------------------


def test_a_label_can_be_an_index_for_which_the_recording_then_holds() -> None:
    tape = record(lambda xs, label: xs[label] * 2.0, ([1.0, 2.0, 3.0], 2))
    assert tape.sources[3] == Argument(1, 0, True)
    assert tape.guards == (Guard("index", 3, 3, 2),)
    assert replayed(tape, [1.0, 2.0, 5.0], 2) == 10.0
    assert replayed(tape, [1.0, 2.0, 5.0], 1) is None


@pytest.mark.parametrize(
    "use",
    [
        lambda x, k: [x] * int(k),
        lambda x, k: [x + i for i in range(k)],
        lambda x, k: [x, *({0: [x], 3: [x, x]}[k])],
        lambda x, k: [x] * round(k),
        lambda x, k: [x * float(k), x, x],
        lambda x, k: [float(f"{k:d}") * x, x, x],
    ],
)
def test_whatever_needs_the_whole_number_itself_gets_it(use: Any) -> None:
    tape = record(use, (1.0, 3))
    assert len(tape.outputs) == 3
    assert Guard("index", 1, 1, 3) in tape.guards


def test_whole_numbers_are_equal_to_numbers() -> None:
    def f(x: Any, k: Any) -> Any:
        return x * 2.0 if k == 3 else x if k != 4 else -x

    tapes = [record(f, (1.0, k)) for k in (3, 4, 5)]
    found = [[replayed(tape, 1.0, k) for tape in tapes] for k in (3, 4, 5, 6)]
    assert found == [[2.0, None, None], [None, -1.0, None], [None, None, 1.0], [None, None, 1.0]]


def test_whole_numbers_are_numbers_in_arithmetic() -> None:
    tape = record(lambda x, k: [x * k + k / 2, 1 + k, ag.dot([k, k], [x, 1.0])], (1.5, 4))
    assert tape.guards == ()
    assert replayed(tape, 2.0, 3) == [7.5, 4.0, 9.0]


def test_derivatives_inside_take_whole_numbers_too() -> None:
    tape = record(lambda x, k: ag.grad(lambda a, b: a * a * b)(x, k), (1.5, 4))
    assert tape.guards == ()
    assert replayed(tape, 2.0, 3) == 12.0


# -- lanes -----------------------------------------------------------------------------------------


def test_pick_is_one_node_that_holds_for_every_label() -> None:
    tape = record(lambda xs, label: lanes.pick(xs, label) * 2.0, ([1.0, 2.0, 3.0], 2))
    assert tape.operands[[*tape.operations].index(PICK)] == (3, 0, 1, 2)
    assert [replayed(tape, [1.0, 2.0, 5.0], k) for k in (0, 1, 2, 3, -1)] == [
        *(2.0, 4.0, 10.0),
        *(None, None),
    ]


def test_the_derivative_of_a_pick_inside_holds_for_every_label() -> None:
    def f(xs: Any, label: Any) -> Any:
        return ag.grad(lambda v: lanes.pick(v, label) ** 2.0)(xs)

    tape = record(f, ([1.0, 2.0, 3.0], 2))
    assert replayed(tape, [4.0, 5.0, 6.0], 1) == [0.0, 10.0, 0.0]


def test_pick_refuses_labels_that_are_not_there() -> None:
    for f in (lambda xs, k: lanes.pick(xs, k), lambda xs, k: lanes.pick([1.0, 2.0], 2)):
        with pytest.raises(IndexError, match=r"a label from 0 to 1, got [25]"):
            record(f, ([1.0, 2.0], 5))
    with pytest.raises(TypeError, match="expected a whole number as label, got float"):
        lanes.pick([1.0], 0.0)
    with pytest.raises(TypeError, match="expected a whole number as label, got Value"):
        record(lambda x: lanes.pick([x], x), (0.0,))


def test_fresh_numbers_are_leaves_and_nothing_is_drawn() -> None:
    source = random.Random(0)

    def draw(rows: int, count: int) -> list[list[float]]:
        return [[source.random() for _ in range(count)] for _ in range(rows)]

    def f(x: Any) -> Any:
        a, b = lanes.fresh(2, draw)
        (c,) = lanes.fresh(1, draw)
        return x * a + b if c < 0.7 else x

    state = source.getstate()
    tape = record(f, (1.0,))
    assert source.getstate() == state
    assert tape.sources[1:4] == [Drawn(0, 0), Drawn(0, 1), Drawn(1, 0)]
    assert [(d.function, d.size) for d in tape.draws] == [(draw, 2), (draw, 1)]
    assert operations(record(f, (1.0,), drawn=[[0.1, 0.2], [0.9]])) == []
    with pytest.raises(ValueError, match="draw 0 expected 2 numbers, got 1"):
        record(f, (1.0,), drawn=[[0.1]])


def test_statistics_over_lanes_are_nodes() -> None:
    tape = record(lambda x: (lanes.mean(x * 2.0) - x) / (lanes.variance(x) + 1.0), (1.0,))
    assert [*tape.operations].count(LANE_MEAN) == [*tape.operations].count(LANE_VARIANCE) == 1
    with pytest.raises(RecordingError, match="over all lanes, of which it sees one"):
        record(ag.grad(lambda x: lanes.mean(x) * x), (1.0,))


def test_effects_are_kept_for_later() -> None:
    seen: list[Any] = []

    def f(x: Any) -> Any:
        lanes.after(seen.append, x * 2.0)
        return x

    tape = record(f, (3.0,))
    assert seen == []
    assert tape.effects == ((seen.append, (2,)),)


def test_outside_of_a_recording_there_is_one_lane() -> None:
    seen: list[float] = []
    lanes.after(seen.append, Value(2.0))
    assert seen == [2.0]
    assert lanes.fresh(2, lambda rows, count: [[1, 2]] * rows) == [1.0, 2.0]
    assert (lanes.mean(4.0), lanes.variance(4.0), lanes.tracing()) == (4.0, 0.0, False)
    assert lanes.pick([5.0, 6.0], 1) == 6.0
    with pytest.raises(ValueError, match="rows of 3 numbers from draw, got 2"):
        lanes.fresh(3, lambda rows, count: [[1, 2]])
    with pytest.raises(TypeError, match="fresh expected a function"):
        lanes.fresh(3, 0.5)  # type: ignore[arg-type]


# -- what is refused -------------------------------------------------------------------------------


def _set_data(x: Any) -> None:
    x.data = 2.0


def _set_grad(x: Any) -> None:
    x.grad = None


def _set_requires_grad(x: Any) -> None:
    x.requires_grad = False


REFUSED: list[tuple[str, Callable[[Any], Any], str]] = [
    ("float()", float, "in place of math.sin"),
    ("float()", math.sin, "in place of math.sin"),
    ("float()", lambda x: math.isclose(x, 1.0), "in place of math.sin"),
    ("int()", int, "floor"),
    ("round()", round, "x.round()"),
    (".data", lambda x: x.data, "x.detach() for a constant"),
    (".item()", lambda x: x.item(), "x.detach() for a constant"),
    (".grad", lambda x: x.grad, "autograd_lite.grad inside"),
    (".partials", lambda x: x.partials, "autograd_lite.grad inside"),
    (".data = …", _set_data, "compute a new Value"),
    (".grad = …", _set_grad, "outside of the function"),
    (".requires_grad = …", _set_requires_grad, "x.detach()"),
    (".backward()", lambda x: x.backward(), "return the loss"),
    (".register_hook()", lambda x: x.register_hook(print), "programs call no hooks"),
    ("format()", lambda x: f"{x:.3f}", "print what the program returns"),
    ("copy()", copy.copy, "the Value itself"),
    ("copy()", lambda x: copy.deepcopy([x]), "the Value itself"),
    ("copy()", pickle.dumps, "the Value itself"),
]


@pytest.mark.parametrize(("how", "use", "advice"), REFUSED)
def test_what_would_freeze_a_number_is_refused(
    how: str, use: Callable[[Any], Any], advice: str
) -> None:
    def f(x: Any) -> Any:
        use(x)
        return x

    with pytest.raises(RecordingError) as caught:
        record(f, (0.5,))
    message = str(caught.value)
    assert message.startswith(f"{how} was used on 'x' while the function was being recorded")
    assert advice in message
    assert message.count("\n") == 0
    assert runtime.special == 0


@pytest.mark.parametrize(("how", "use", "advice"), REFUSED)
def test_what_is_refused_is_fine_outside(how: str, use: Callable[[Any], Any], advice: str) -> None:
    use(Value(0.5))


def test_results_parameters_and_whole_numbers_are_refused_alike() -> None:
    w = Value(2.0)
    with pytest.raises(RecordingError, match=r"float\(\) was used on a result of 'exp' while"):
        record(lambda x: float(x.exp()), (1.0,))
    with pytest.raises(RecordingError, match=r"\.data was used on a parameter while"):
        record(lambda x: x * w.data, (1.0,), parameters=[w])
    with pytest.raises(RecordingError, match=r"\.data was used on 'k' while"):
        record(lambda k: k.data, (1,))
    with ag.no_grad(), pytest.raises(RecordingError, match="a result of 'exp'"):
        record(lambda x: float(x.exp()), (1.0,))


def test_repr_shows_the_number_of_the_recording() -> None:
    shown = []

    def f(x: Any) -> Any:
        shown.append(f"{x} {x!r}")
        return x

    record(f, (2.0,))
    assert shown == ["Value(data=2.0, grad=0.0) Value(data=2.0, grad=0.0)"]


def test_a_number_read_from_a_closed_over_value_is_watched() -> None:
    w = Value(2.0)
    tape = record(lambda x: x * w.data + Value(3.0).data, (1.0,))
    assert replayed(tape, 1.0) == 5.0
    assert not changed(tape)
    w.data = 4.0
    assert changed(tape) == [4.0]


def test_a_value_computed_from_a_parameter_outside_is_refused() -> None:
    w = Value(2.0, label="w")
    doubled = (w * 2.0) + 1.0
    doubled.label = "doubled"
    with pytest.raises(RecordingError, match="the Value 'doubled', computed from a parameter"):
        record(lambda x: x * doubled, (1.0,), parameters=[w])
    with pytest.raises(RecordingError, match="the Value 'doubled', computed from a parameter"):
        record(lambda x: x * doubled.data, (1.0,), parameters=[w])
    assert replayed(record(lambda x: x * doubled, (1.0,)), 3.0) == 15.0


def test_values_from_another_thread_are_refused() -> None:
    def f(x: Any) -> Any:
        found: list[Value] = []
        thread = Thread(target=lambda: found.append(x * 2.0))
        thread.start()
        thread.join()
        return found[0] + 1.0

    with pytest.raises(RecordingError, match="in another thread, which is not recorded"):
        record(f, (1.0,))


def test_random_numbers_are_refused() -> None:
    own = random.Random(0)
    with pytest.raises(RecordingError, match=r"from Python's random .* nn.Dropout, or .*fresh"):
        record(lambda x: x * random.random(), (1.0,))
    with pytest.raises(RecordingError, match=r"from a random.Random while"):
        record(lambda x: x * own.random(), (1.0,))


def test_random_numbers_of_numpy_are_refused() -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(RecordingError, match="from NumPy's random"):
        record(lambda x: x * numpy.random.rand(), (1.0,))


# -- what the function uses beside its arguments --------------------------------------------------

SCALE = 2.0


def scaled(x: Any) -> Any:
    return x * SCALE


def with_default(x: Any, rate: float = 0.5, *, shift: int = 1) -> Any:
    return x * rate + shift


def test_names_outside_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    factor: Any = 3.0

    def f(x: Any) -> Any:
        return next(x * factor for _ in range(1))

    tape = record(f, (1.0,))
    assert not changed(tape)
    factor = 3
    assert changed(tape)
    for function in (scaled, lambda x: scaled(x), ag.grad(scaled)):
        tape = record(function, (1.0,))
        assert not changed(tape)
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "SCALE", 7.0)
            assert changed(tape)
    tape = record(with_default, (1.0,))
    assert not changed(tape)
    with monkeypatch.context() as patch:
        patch.setattr(with_default, "__defaults__", (0.25,))
        assert changed(tape)


def test_another_object_under_the_same_name_is_seen() -> None:
    w = Value(2.0)

    def f(x: Any) -> Any:
        return x * w

    tape = record(f, (1.0,))
    w.data = 3.0
    assert not changed(tape)
    w = Value(3.0)
    assert changed(tape)


def test_modules_say_what_a_recording_depends_on() -> None:
    class Layer:
        training = True

        def settings(self) -> Any:
            return (self.training, 0.5)

        def __call__(self, x: Any) -> Any:
            lanes.depends(self.settings)
            return x * 2.0 if self.training else x

    layer = Layer()
    tape = record(lambda x: layer(layer(x)), (1.0,))
    assert len(tape.watches) == 2  # the name layer, and its settings once
    assert not changed(tape)
    layer.training = False
    assert changed(tape)


@pytest.mark.parametrize(
    ("now", "found", "same"),
    [
        (1.0, 1.0, True),
        (1, 1.0, False),
        (True, 1, False),
        (0.0, -0.0, False),
        (math.nan, float("nan"), True),
        ("ab", "".join(["a", "b"]), True),
        ((1, (2.0, None)), (1, (2.0, None)), True),
        ((1, 2), (1, 3), False),
        ([1], [1], False),
    ],
)
def test_what_counts_as_unchanged(now: Any, found: Any, same: bool) -> None:
    assert surroundings.same(now, found) is same


# -- derivatives inside ----------------------------------------------------------------------------


def _mixed(p: Any) -> Any:
    x, y = p
    return x.tanh() * y**2.0 + ag.hypot(x, y) + ag.atan2(x, y) + ag.logsumexp([x, y, x * y])


def _normed(p: Any) -> Any:
    return ag.norm([p[0], 2.0 * p[1], 1.0]) + ag.softmax(p)[0] * ag.log_softmax(p)[1]


@pytest.mark.parametrize("f", [_mixed, _normed])
@pytest.mark.parametrize(
    "transform",
    [
        lambda f: f,
        ag.grad,
        ag.hessian,
        lambda f: lambda p: ag.grad(lambda q: ag.grad(f)(q)[0])(p),
        lambda f: lambda p: ag.hvp(f, (p,), ([1.0, 2.0],)),
        lambda f: lambda p: list(ag.jvp(f, (p,), ([1.0, 2.0],))),
        lambda f: lambda p: list(ag.vjp(f, p)[1](1.0)),
        lambda f: lambda p: list(ag.value_and_grad(f)(p)),
        lambda f: ag.jacobian(lambda p: [f(p), p[0] * p[1]]),
    ],
)
def test_derivatives_inside_are_recorded(f: Any, transform: Any) -> None:
    """The tape of one point gives the numbers of the engine at another, bit for bit."""
    function = transform(f)
    tape = record(function, ([1.25, 2.0],))
    for point in ([1.25, 2.0], [1.3, 2.1]):
        leaves = [Value(x) for x in point]
        expected = [x.data if isinstance(x, Value) else x for x in leaves_of(function(leaves))]
        found = replayed(tape, point)
        assert found is not None
        assert leaves_of(found) == expected


def test_a_derivative_at_a_plain_number_depends_on_what_is_around_it() -> None:
    def f(x: Any) -> Any:
        return ag.grad(lambda p: p * p * x.detach())(3.0)

    tape = record(f, (2.0,))
    assert replayed(tape, 5.0) == 30.0


def test_the_largest_of_a_softmax_is_not_frozen() -> None:
    for function in (ag.softmax, ag.log_softmax):
        tape = record(function, ([1.0, 2.0, 800.0],))
        assert tape.guards == ()
        assert replayed(tape, [900.0, 2.0, 1.0]) == function([900.0, 2.0, 1.0])


def test_where_takes_the_side_that_a_guard_says() -> None:
    tape = record(lambda x: ag.where(x > 0.0, x * 2.0, 1.0), (-1.0,))
    assert replayed(tape, -3.0) == 1.0
    assert replayed(tape, 3.0) is None


# -- threads and exceptions ------------------------------------------------------------------------


def test_two_threads_record_at_once_and_see_nothing_of_each_other() -> None:
    barrier = Barrier(3)
    tapes: dict[int, Tape] = {}

    def f(x: Any) -> Any:
        for _ in range(200):
            barrier.wait(10)
            x = x * 2.0
        return x

    def work(name: int) -> None:
        tapes[name] = record(f, (1.0,))

    threads = [Thread(target=work, args=(name,)) for name in range(2)]
    for thread in threads:
        thread.start()
    y = Value(1.0)
    for _ in range(200):
        barrier.wait(10)
        y = y + 1.0
        assert y.data > 0.0
        assert not lanes.tracing()
    for thread in threads:
        thread.join()
    for tape in tapes.values():
        assert operations(tape) == ["*"] * 200
    assert runtime.special == 0


def test_an_exception_leaves_no_mode_behind() -> None:
    def f(x: Any) -> Any:
        with ag.no_grad():
            raise KeyError("inside")

    before = current_mode()
    with pytest.raises(KeyError, match="inside"):
        record(f, (1.0,))
    assert current_mode() is before
    assert runtime.special == 0
    assert (Value(2.0) * 3.0).requires_grad


def test_a_long_chain_is_recorded() -> None:
    def f(x: Any) -> Any:
        for _ in range(20_000):
            x = x + 1.0
        return x

    tape = record(f, (0.0,))
    assert len(tape.sources) == 20_002
    assert replayed(tape, 1.0) == 20_001.0
