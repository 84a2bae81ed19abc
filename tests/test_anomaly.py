"""detect_anomaly: the first NaN or infinity, forward or backward, with its operation and line."""

import math
import threading
import warnings
from types import SimpleNamespace

import pytest

from autograd_lite import (
    Primitive,
    Value,
    detect_anomaly,
    dot,
    enable_grad,
    exp,
    grad,
    hessian,
    jvp,
    linear,
    log,
    no_grad,
    scope,
    sqrt,
    total,
)


def message_of(action):
    with detect_anomaly(), pytest.raises(FloatingPointError) as caught:
        action()
    return str(caught.value)


# -- forward -------------------------------------------------------------------------------------


def test_the_operation_its_operands_and_the_users_line_are_named():
    x = Value(0.0, label="x")

    def user_function():
        y = x * 2.0
        return log(y) + 1.0  # the line that is named

    message = message_of(user_function)
    assert message.startswith("log(0.0) gave -inf, the first number here that is not finite\n")
    assert f'File "{__file__}", line ' in message
    assert message.endswith("in user_function\n    return log(y) + 1.0  # the line that is named")


@pytest.mark.parametrize(
    ("action", "start"),
    [
        (lambda x: x / 0.0, "x=-2.0 / 0.0 gave -inf"),
        (lambda x: 1.0 / (x - x), "1.0 / 0.0 gave inf"),
        (lambda x: x**0.5, "x=-2.0 ** 0.5 gave nan"),
        (lambda x: exp(-1000.0 * x), "exp(2000.0) gave inf"),
        (lambda x: x.log1p(), "log1p(x=-2.0) gave nan"),
        (lambda x: (-1e200 * x) * 1e200, "2e+200 * 1e+200 gave inf"),
        (lambda x: total([x, math.inf, 1.0]), "total(x=-2.0, inf, 1.0) gave inf"),
        (
            lambda x: dot([x] * 3, [math.nan] * 3),
            "dot(x=-2.0, x=-2.0, x=-2.0, … 6 operands, operand 3 is nan) gave",
        ),
        (
            lambda x: total([x] * 40 + [math.nan] + [x] * 80),
            "total(x=-2.0, x=-2.0, x=-2.0, … 121 operands, operand 40 is nan) gave nan",
        ),
        (lambda x: linear([1.0, 2.0], [[x, math.inf]], None), "dot(x=-2.0, inf, 1.0, "),
        (lambda x: -(x * math.inf), "x=-2.0 * inf gave -inf"),
    ],
)
def test_each_way_of_recording_is_watched(action, start):
    assert message_of(lambda: action(Value(-2.0, label="x"))).startswith(start)


def test_what_stays_finite_is_recorded_as_ever():
    def f(x):
        return (exp(x) * 3.0 - 2.0 / x).tanh() + linear([x, 1.0], [[x, 2.0]], [x])[0]

    x, watched = Value(0.5), Value(0.5)
    f(x).backward()
    with detect_anomaly(), scope("inner"):
        y = f(watched)
        y.backward()
    assert y.scope == "inner"
    assert watched.grad == x.grad


def test_leaves_and_limits_may_be_infinite():
    with detect_anomaly():
        assert exp(Value(-math.inf)).data == 0.0
        assert Value(3.0).clamp(min=0.0).data == 3.0


def test_results_that_need_no_gradient_are_watched_too():
    def run():
        with no_grad():
            log(Value(-1.0))

    assert message_of(run).startswith("log(-1.0) gave nan")


# -- backward ------------------------------------------------------------------------------------


def test_a_gradient_that_is_infinite_where_the_value_is_not():
    x = Value(0.0, label="x")
    with detect_anomaly():
        y = 3.0 * sqrt(x)  # the line of the root
        with pytest.raises(FloatingPointError) as caught:
            y.backward()
    message = str(caught.value)
    assert message.startswith(
        "the gradient is inf on its way back through sqrt(x=0.0) = 0.0: 3.0, what came from above,"
        " times inf, the partial for the operand x=0.0\n"
    )
    assert "y = 3.0 * sqrt(x)  # the line of the root" in message
    assert x.grad == 0.0
    assert not y.reached


def test_zero_times_infinity():
    x = Value(0.0)
    assert message_of((sqrt(x) * 0.0).backward).startswith(
        "the gradient is nan on its way back through sqrt(0.0)"
    )


def test_nodes_recorded_before_the_context_are_named_without_a_line():
    y = sqrt(Value(0.0))
    message = message_of(y.backward)
    assert message.endswith(
        "the partial for the operand 0.0 (recorded outside of detect_anomaly(), or by the formula"
        " of a derivative)"
    )


def test_a_sum_over_consumers_that_overflows():
    x = Value(1.0, label="x")
    y = 1e308 * x + 1e308 * x
    assert message_of(y.backward) == (
        "the gradient of the leaf x=1.0 is inf, the sum of what came from its consumers"
        " (recorded outside of detect_anomaly(), or by the formula of a derivative)"
    )


def test_a_hook_that_returns_nan():
    x = Value(1.0, label="x")
    x.register_hook(lambda gradient: math.nan)
    assert "gradient of the leaf x=1.0 is nan, as its hooks left it" in message_of((x * x).backward)


def test_a_constant_has_no_gradient_that_could_be_infinite():
    x, c = Value(2.0), Value(0.0, requires_grad=False)
    with detect_anomaly():
        (x * sqrt(c) + dot([x, c], [c, x])).backward()
    assert x.grad == 0.0


def test_with_create_graph_it_is_the_users_operation_that_is_named():
    x = Value(0.0, label="x")
    with detect_anomaly():
        y = sqrt(x)
        with pytest.raises(FloatingPointError, match=r"back through sqrt\(x=0.0\)"):
            y.backward(create_graph=True)
    assert x.grad == 0.0


def test_transforms_are_watched():
    with detect_anomaly():
        with pytest.raises(FloatingPointError, match=r"back through sqrt\(0.0\)"):
            grad(sqrt)(0.0)
        with pytest.raises(FloatingPointError, match=r"tangent of sqrt\(0.0\) = 0.0 is inf"):
            jvp(sqrt, (0.0,), (1.0,))
        with pytest.raises(FloatingPointError, match=r"back through"):
            hessian(lambda x: x**1.5)(0.0)
        assert hessian(lambda x: x**3)(2.0) == 12.0


def test_a_primitive_of_ones_own_is_watched():
    wrong = Primitive("wrong", lambda x: x, [lambda x, y: math.nan])
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"through wrong\(1.0\) = 1.0"):
        wrong(Value(1.0)).backward()


# -- the mode ------------------------------------------------------------------------------------


def test_outside_nothing_is_watched():
    with detect_anomaly():
        pass
    x = Value(0.0)
    log(x).backward()
    assert x.grad == math.inf


def test_it_decorates_functions():
    @detect_anomaly
    def f(x):
        return log(x)

    with pytest.raises(FloatingPointError, match=r"log\(0.0\) gave -inf"):
        f(Value(0.0))
    assert log(Value(0.0)).data == -math.inf


def test_it_lives_with_the_other_modes():
    with no_grad(), detect_anomaly(), enable_grad():
        y = Value(2.0) * 3.0
        assert y.requires_grad
        with pytest.raises(FloatingPointError):
            y / 0.0
    with detect_anomaly(), no_grad():
        assert not (Value(2.0) * 3.0).requires_grad


def test_other_threads_are_not_watched():
    found = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: found.append(log(Value(0.0)).data))
        thread.start()
        thread.join()
    assert found == [-math.inf]


# -- notebooks -----------------------------------------------------------------------------------


@pytest.fixture
def cell(monkeypatch):
    """Run source as IPython runs the cell number 3 of a notebook; return what it defines."""
    compiler = pytest.importorskip("IPython.core.compilerop").CachingCompiler()
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(compile=compiler))

    def run(source):
        file, found = compiler.cache(source, 3), {}
        exec(compile(source, file, "exec"), found)
        return found

    return run


def test_a_line_of_a_notebook_is_told_by_its_cell(cell):
    source = """
from autograd_lite import Value, detect_anomaly, log
with detect_anomaly():
    try:
        log(Value(-1.0))
    except FloatingPointError as error:
        told = str(error)
"""
    assert cell(source)["told"].splitlines()[1:] == [
        "  Cell In[3], line 5, in <module>",
        "    log(Value(-1.0))",
    ]


def test_a_slip_in_a_notebook_is_told_by_its_cell(cell):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cell("import autograd_lite\nautograd_lite.Value(1.0) == 1")
    assert [(w.filename, w.lineno) for w in caught] == [("Cell In[3]", 2)]
