"""Derivatives from values alone: how accurate they are, and that their error estimate is honest."""

import cmath
import math
import random
from importlib.util import find_spec

import pytest
from hypothesis import settings
from mpmath import mp, mpf

import autograd_lite
from autograd_lite import Value, grad, sin
from autograd_lite.testing import Difference, error_curve, finite_difference, step_search
from autograd_lite.testing.extrapolation import MANTISSA
from autograd_lite.testing.step_search import FAILURES

SHARE = settings.default.max_examples / 200  # 1 in the test command, 50 in the nightly run


def lecture(x):
    return (x * x + sin(x * x)) * x * x


# -- the honesty of the estimate -----------------------------------------------------------------


def rounded_inside(a, c):
    """Return functions whose values lose digits to rounding, up to all."""
    return [
        lambda m, x: 1 - m.cos(x),
        lambda m, x: m.log(1 + x * x),
        lambda m, x: m.exp(a * x) - 1,
        lambda m, x: (x + 1e6) - 1e6,
        lambda m, x: m.log(m.cosh(x)),
        lambda m, x: (1 + x) * (1 + x) - 1,
        lambda m, x: c * (1 / (1 + abs(x)) - 1),
        lambda m, x: m.sin(x) + 1e-7 * m.sin(1e3 * x),
        lambda m, x: abs(x) ** x,
        lambda m, x: m.sqrt(4 + x) - 2,
    ]


def random_function(drawn):
    """Return a function of (module, x), the module being math or mpmath."""
    length = 10 ** drawn.uniform(-2, 2)
    a, b, c = drawn.uniform(-2, 2), drawn.uniform(-3, 3), 10 ** drawn.uniform(-3, 3)
    power = drawn.randint(2, 9)
    return drawn.choice(
        [
            lambda m, x: m.sin(length * x + a),
            lambda m, x: m.exp(a * x),
            lambda m, x: x**power,
            lambda m, x: ((b * x + a) * x - c) * x + length,
            lambda m, x: m.tanh(length * (x - a)),
            lambda m, x: c + m.sin(b * x),
            lambda m, x: m.exp(-(length * (x - a)) * (length * (x - a))),
            lambda m, x: (x + a) / (x * x + length),
            lambda m, x: (x + c) - c * m.cos(a * x),
            lambda m, x: m.sin(m.exp(a * x)),
            lambda m, x: m.sqrt(x * x + length * length),
            lambda m, x: m.atan(length * x) + b,
            lambda m, x: 1 / (1 + (length * x) * (length * x)),
            lambda m, x: m.exp(m.sin(length * x)) * b,
            lambda m, x: (x * x + m.sin(x * x)) * (x * x),
            lambda m, x: 1 / (1 + m.exp(-length * x - b)),
            lambda m, x: m.log(x * x + length),
            lambda m, x: m.sin(length * x) / x,
            lambda m, x: m.log(abs(x)) * b,
            lambda m, x: x * m.sin(length / x),
            *rounded_inside(a, c),
        ]
    )


def cases(count, seed):
    """Yield functions of one float, points, and exact derivatives."""
    drawn = random.Random(seed)
    while count:
        f = random_function(drawn)
        large = math.copysign(10 ** drawn.uniform(-12, 6), drawn.random() - 0.5)
        x = drawn.choice([drawn.uniform(-5, 5), drawn.uniform(-5, 5), large])
        try:
            f(math, x)
        except (ValueError, OverflowError):
            continue
        with mp.workprec(200):
            h = mpf(2) ** -70 * max(abs(mpf(x)), mpf(2) ** -20) if abs(x) < 1e-3 else None
            exact = mp.diff(lambda t, f=f: f(mp, t), mpf(x), **({"h": h} if h else {}))
        yield lambda t, f=f: f(math, t), x, exact
        count -= 1


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ({}, 0.002),
        ({"method": "central"}, 0.005),
        ({"method": "central", "order": 6}, 0.005),
        ({"method": "forward"}, 0.005),
        ({"method": "backward", "order": 3}, 0.005),
    ],
    ids=str,
)
def test_the_error_estimate_bounds_the_true_error_in_nearly_all_cases(options, allowed):
    count = int((1000 if not options else 250) * SHARE)
    exceeded = far = told = 0
    for f, x, exact in cases(count, seed=7):
        found = finite_difference(f, x, **options)
        told += math.isfinite(found.error)
        error = float(abs(mpf(found.value) - exact)) if math.isfinite(found.error) else 0.0
        exceeded += error > found.error
        far += error > 4 * found.error
    assert exceeded <= allowed * count + 1
    assert far <= allowed / 4 * count
    assert told >= 0.98 * count


def test_estimates_are_small_as_well():
    relative = sorted(
        float(finite_difference(f, x).error / abs(exact)) for f, x, exact in cases(300, 8) if exact
    )
    assert relative[150] < 3e-13  # the median
    assert relative[270] < 1e-6


@pytest.mark.parametrize(
    ("f", "x", "slope", "relative"),
    [
        (math.sin, 1e8, math.cos(1e8), 1e-7),
        (math.exp, 1e-8, math.exp(1e-8), 1e-12),
        (autograd_lite.log, 1e-8, 1e8, 1e-12),
        (autograd_lite.log, 1e-200, 1e200, 1e-12),
        (math.exp, 1e-300, 1.0, 1e-12),
        (lambda x: x**2, 1e150, 2e150, 1e-12),
        (lambda x: 1e-9 * x, 1e11, 1e-9, 1e-12),
        (lambda x: 1.0 + 1e-9 * x, 1e11, 1e-9, 1e-12),
        (lambda x: 1e6 + math.sin(x), 2.0, math.cos(2.0), 1e-8),
        (lambda x: (1e8 + 1e-4 * x) - 1e8, 1.0, 1e-4, 1e-3),
        (lambda x: math.sin(64 * math.pi * x), 1.0, 64 * math.pi, 1e-10),
    ],
)
def test_steps_suit_the_function_at_any_magnitude(f, x, slope, relative):
    found = finite_difference(f, x)
    assert found.value == pytest.approx(slope, rel=relative)
    assert abs(found.value - slope) <= found.error


def test_noise_of_the_function_is_measured_not_taken_for_granted():
    """Its values have an error of 1e-8, 1e8 times that of rounding them."""
    found = finite_difference(lambda x: (1e8 + math.sin(x)) - 1e8, 0.5)
    assert 1e-10 < abs(found.value - math.cos(0.5)) <= found.error < 1e-4


@pytest.mark.parametrize(
    ("f", "x", "slope", "error"),
    [
        (lambda x: 1.0 - math.cos(x), 1e-8, 1e-8, 1e-13),
        (lambda x: math.log(1.0 + x), 1e-17, 1.0, 1e-12),
        (lambda x: (x + 1e8) - 1e8, 1e-12, 1.0, 1e-5),
        (lambda x: math.log(math.cosh(x)), -1e-9, -1e-9, 1e-13),
    ],
)
def test_on_a_plateau_that_rounding_makes_larger_steps_tell(f, x, slope, error):
    found = finite_difference(f, x)
    assert abs(found.value - slope) <= found.error < error


def test_where_quotients_grow_forever_there_is_no_estimate():
    """The derivative, log(x) + 1 = -458, is reached at steps that rounding makes useless."""
    found = finite_difference(lambda x: x**x, 2.9e-200)
    assert abs(found.value + 458.0) <= found.error


def test_a_fine_structure_is_seen_at_a_large_number():
    x = 3.3e8
    found = finite_difference(lambda x: math.sin(x) + 1e-7 * math.sin(1e5 * x), x)
    assert abs(found.value - math.cos(x) - 1e-2 * math.cos(1e5 * x)) <= found.error


@pytest.mark.parametrize("ulps", [1, 3, 7, 14])
def test_beside_the_edge_of_a_domain_steps_are_too_coarse_and_the_error_large(ulps):
    t = ulps * 2.0**-52
    found = finite_difference(autograd_lite.acosh, 1.0 + t)
    assert not abs(found.value - 1.0 / math.sqrt(t * (2.0 + t))) > found.error


@pytest.mark.parametrize("f", [lambda x: x**3, lambda x: x * x, math.cos, lambda x: 5.0 * x])
def test_at_0_no_more_evaluations_are_spent_than_steps_can_use(f):
    points = []
    finite_difference(lambda x: points.append(x) or f(x), 0.0)
    assert len(points) < 600


def between(lowest, f):
    """Return f without its values close to 0."""
    return lambda x: f(x) if x == 0.0 or abs(x) > lowest else math.nan


def on_the_mesh(x):
    """Return the square of a step of the search, or of 0, and of nothing else."""
    return x * x if x == 0.0 or abs(math.frexp(x)[0]) == MANTISSA / 2.0 else math.nan


@pytest.mark.usefixtures("looked_up")
@pytest.mark.parametrize("lowest", [1e-13, 3e-13, 1e-8, 1e-5])
@pytest.mark.parametrize("power", [2, 3, 4, 5, 8])
def test_a_function_without_values_close_to_0_is_confirmed_at_larger_steps(power, lowest):
    points = []
    found = finite_difference(
        lambda x: points.append(x) or between(lowest, lambda x: x**power)(x), 0.0
    )
    assert abs(found.value) <= found.error < 1e-7
    assert len(points) < 3000


@pytest.mark.usefixtures("looked_up")
@pytest.mark.parametrize(
    "f",
    [
        lambda x: math.exp(-1.0 / (x * x)) if x else 0.0,
        lambda x: x * x * math.sin(1.0 / x) if x else 0.0,
        lambda x: x**20,
        lambda x: 0.0 * x,
        between(1e-3, lambda x: math.exp(-1.0 / (x * x)) if x else 0.0),
        between(1e-9, abs),
        between(1e-5, math.exp),
    ],
)
def test_a_search_ends_on_flat_functions_and_beside_holes(f):
    points = []
    finite_difference(lambda x: points.append(x) or f(x), 0.0)
    assert len(points) < 3000


@pytest.mark.usefixtures("looked_up")
def test_an_estimate_that_nothing_can_confirm_has_no_error_bound():
    assert finite_difference(on_the_mesh, 0.0).error == math.inf


@pytest.mark.parametrize("x", [1.2e-8, -2e-10])
def test_a_kink_hidden_in_a_plateau_is_spanned(x):
    """It is about the square root of 2 times |x|."""
    found = finite_difference(lambda x: math.acosh(1.0 + x * x), x)
    assert abs(found.value - math.copysign(math.sqrt(2.0), x)) <= found.error * 1.001


def test_known_noise_counts_as_what_is_measured_does():
    found = finite_difference(math.sin, 0.5, noise=1e-6)
    assert abs(found.value - math.cos(0.5)) <= found.error
    assert 1e-6 < found.error < 1e-4


def test_a_function_that_is_noise_has_no_derivative():
    assert finite_difference(lambda x: math.sin(1e20 * x), 0.7).error == math.inf


# -- edges and kinks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "slope", "method"),
    [
        (lambda x: x * math.sqrt(x) + x, 0.0, 1.0, "forward"),
        (math.asin, 0.999999, 1.0 / math.sqrt(1.0 - 0.999999**2), "central"),
        (lambda x: (1.0 - x) ** 2.5 + x, 1.0, 1.0, "backward"),
        (lambda x: autograd_lite.log(Value(x) + 2.0), -1.999, 1000.0, "central"),
    ],
)
def test_quotients_are_one_sided_at_the_edge_of_a_domain(f, x, slope, method):
    found = finite_difference(f, x)
    assert found.method == method
    assert found.value == pytest.approx(slope, rel=1e-6)
    assert abs(found.value - slope) <= found.error


@pytest.mark.parametrize(
    ("f", "x", "left", "right"),
    [
        (abs, 0.0, -1.0, 1.0),
        (lambda x: max(x, 0.0), 0.0, 0.0, 1.0),
        (lambda x: max(math.sin(x), math.cos(x)), math.pi / 4, -(0.5**0.5), 0.5**0.5),
        (lambda x: abs(x - 1e11), 1e11, -1.0, 1.0),
    ],
)
def test_a_kink_shows_both_derivatives_and_the_error_spans_them(f, x, left, right):
    found = finite_difference(f, x)
    assert found.method == "kink"
    assert (found.left, found.right) == pytest.approx((left, right), abs=1e-9)
    assert found.value - found.error <= left < right <= found.value + found.error


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (math.floor, 2.0),
        (math.floor, -1.0),
        (math.floor, 0.0),
        (lambda x: 1.0 if x >= 0.0 else 0.0, 0.0),
        (lambda x: math.copysign(1e-9, x) + 1e-9 * x, 0.0),
        (lambda x: x % 1.0, 3.0),
        (round, 0.5),
    ],
)
def test_at_a_jump_there_is_no_derivative(f, x):
    found = finite_difference(f, x)
    assert (found.method, found.error, found.left) == ("jump", math.inf, None)
    assert math.isnan(found.value)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: (x + 1e8) - 1e8, 7.450580596923828e-09),  # a step of rounding
        (math.tan, math.pi / 2),
        (lambda x: math.sqrt(abs(x)), 0.0),
        (abs, 0.0),
        (math.floor, 1.5),
        (lambda x: 1e6 * math.atan(1e6 * x), 0.0),
    ],
)
def test_what_is_steep_or_rounded_is_no_jump(f, x):
    assert finite_difference(f, x).method != "jump"


@pytest.mark.parametrize("power", [0.1, 0.5, 0.9])
def test_at_a_cusp_few_scales_are_tried(power, monkeypatch):
    searches = []

    class Counted(step_search.StepSearch):
        def __init__(self, *given):
            searches.append(given)
            super().__init__(*given)

    monkeypatch.setattr(step_search, "StepSearch", Counted)
    found = finite_difference(lambda x: abs(x) ** power, 0.0)
    assert found.error == math.inf
    assert FAILURES < len(searches) <= 30


def test_beside_a_kink_there_is_none():
    assert finite_difference(lambda x: max(x, 0.0), 1e-6)[:1] == (1.0,)
    assert finite_difference(lambda x: max(x, 0.0), -0.132388)[:1] == (0.0,)


def test_a_step_function_is_constant_between_its_steps_and_a_sawtooth_rises():
    assert finite_difference(math.floor, 2.5).value == 0.0
    found = finite_difference(lambda x: x % 0.7344152886666988, 2.4605050083458693)
    assert found.value == pytest.approx(1.0, rel=1e-13)


def test_outside_the_domain_there_is_no_derivative():
    found = finite_difference(math.log, -1.0)
    assert math.isnan(found.value)
    assert found.error == math.inf


# -- methods -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "order"),
    [("central", 2), ("central", 4), ("central", 6), ("forward", 1), ("backward", 2)],
)
def test_the_truncation_error_shrinks_with_the_power_of_the_step(method, order):
    errors = [
        abs(finite_difference(math.exp, 1.0, method=method, order=order, step=h).value - math.e)
        for h in (0.1, 0.05)
    ]
    assert errors[0] / errors[1] == pytest.approx(2.0**order, rel=0.15)


def test_a_given_step_is_used():
    found = finite_difference(lambda x: x**3, 2.0, method="forward", step=0.5)
    assert found[0] == (2.5**3 - 2.0**3) / 0.5
    assert found[2:5] == (0.5, "forward", 1)
    assert finite_difference(lambda x: x**3, 2.0, method="central", step=0.5).value == 12.25


def test_a_complex_step_is_as_exact_as_the_function():
    exact = grad(lambda x: (x**3 - 2.0 * x) / (x * x + 1.0))(0.3)
    found = finite_difference(lambda x: (x**3 - 2.0 * x) / (x * x + 1.0), 0.3, method="complex")
    assert abs(found.value - exact) <= found.error < 1e-14
    assert finite_difference(cmath.exp, 1e-300, method="complex").value == 1.0


def test_a_complex_step_refuses_functions_that_are_not_arithmetic():
    with pytest.raises(TypeError, match="plain arithmetic on its argument, but for a complex"):
        finite_difference(math.sin, 0.3, method="complex")
    with pytest.raises(TypeError, match=r"but for a complex number it returned 0\.3"):
        finite_difference(abs, 0.3, method="complex")


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: abs(x) * x, r"but gave 2, where real steps give 4 ± .*: abs, conjugate, real"),
        (lambda x: x.conjugate() * x, "but gave 0, where real steps give 4 ±"),
        (lambda x: x * x.real, "but gave 2, where real steps give 4 ±"),
    ],
)
def test_a_complex_step_that_real_steps_exclude_is_refused(f, message):
    with pytest.raises(TypeError, match=message):
        finite_difference(f, 2.0, method="complex")


@pytest.mark.parametrize("x", [2.0, -1e-12, 1e9, 3e-200])
def test_a_complex_step_is_accepted_where_real_steps_lose_all_digits(x):
    found = finite_difference(lambda x: (x * x + 1.0) ** 0.5 - x, x, method="complex")
    assert found.value == pytest.approx(x / math.hypot(x, 1.0) - 1.0, abs=1e-15)
    found = finite_difference(lambda x: 1.0 - x * x, x, method="complex")
    assert found.value == pytest.approx(-2.0 * x, rel=1e-14)


def test_a_gradient_has_the_shape_of_the_point():
    found = finite_difference(lambda p: p[0] * p[1][0] + p[1][1] ** 2, [2.0, [3.0, 5.0]])
    assert isinstance(found, Difference)
    assert found.value[0] == pytest.approx(3.0)
    assert found.value[1] == pytest.approx([2.0, 10.0])
    assert all(error < 1e-11 for error in (found.error[0], *found.error[1]))


def test_functions_may_return_values():
    assert finite_difference(lambda x: Value(x) ** 2, 3.0).value == pytest.approx(6.0)


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "options", "kind", "message"),
    [
        (3, 1.0, {}, TypeError, "expected a function, got int: 3"),
        (lambda x: "a", 1.0, {}, TypeError, "expected f to return a number, got str: 'a'"),
        (lambda x: None, 1.0, {}, TypeError, "expected f to return a number, got NoneType"),
        (math.sin, "1", {}, TypeError, "expected a number or list of numbers for x, got str"),
        (math.sin, math.nan, {}, ValueError, "expected a finite number for x, got nan"),
        (sum, [1.0, math.inf], {}, ValueError, "expected a finite number for x, got inf"),
        (
            math.sin,
            1.0,
            {"method": "best"},
            ValueError,
            "a method among ridders, central, forward, backward, complex, got 'best'",
        ),
        (
            math.sin,
            1.0,
            {"method": "central", "order": 3},
            ValueError,
            "an order among 2, 4, 6 for the method 'central', got 3",
        ),
        (math.sin, 1.0, {"order": 2}, ValueError, "takes no order for the method 'ridders'"),
        (math.sin, 1.0, {"step": 0.1}, ValueError, "takes no step for the method 'ridders'"),
        (math.sin, 1.0, {"noise": -1.0}, ValueError, "a noise of 0 or more, got -1.0"),
        (math.sin, 1.0, {"method": "central", "step": 0.0}, ValueError, "a step above 0, got 0.0"),
    ],
)
def test_what_cannot_be_differenced_is_refused(f, x, options, kind, message):
    with pytest.raises(kind, match=message):
        finite_difference(f, x, **options)


# -- error against step size ---------------------------------------------------------------------


def test_the_lectures_curve_is_best_where_the_lecture_says():
    curve = error_curve(lecture, 2.0)
    assert curve.derivative == 18.514492084950497
    step, error = curve.best("forward")
    assert (step, error) == (1e-8, pytest.approx(2e-8, rel=0.2))
    step, error = curve.best("central")
    assert (step, error) == (1e-6, pytest.approx(6e-11, rel=0.1))


def test_the_curve_is_v_shaped():
    errors = error_curve(lecture, 2.0).errors
    assert errors["forward"][1] / errors["forward"][4] == pytest.approx(1.2e3, rel=0.05)
    assert errors["central"][1] / errors["central"][4] == pytest.approx(1e6, rel=0.05)
    assert errors["forward"][13] > 1e3 * errors["forward"][8]
    assert errors["central"][13] > 1e3 * errors["central"][6]


def test_a_curve_for_a_given_derivative_needs_no_values():
    curve = error_curve(math.exp, 1.0, derivative=math.e, steps=[0.1, 0.2], methods=["backward"])
    assert curve.errors["backward"][0] == pytest.approx(1 - (1 - math.exp(-0.1)) / 0.1, rel=1e-9)
    assert curve.steps == (0.1, 0.2)


def test_a_curve_needs_a_function_that_keeps_its_value():
    with pytest.raises(TypeError, match="turned the Value into a plain float, as functions of ma"):
        error_curve(math.sin, 1.0)


def test_a_curve_prints_as_a_table():
    text = str(error_curve(lecture, 2.0)).splitlines()
    assert text[0] == "relative error of the derivative 18.514492084950497"
    assert [line.split()[2:4] for line in text if "best" in line] == [
        ["1e-08", "2.3e-08"],
        ["1e-06", "6.3e-11"],
    ]
    assert str(error_curve(lambda x: x * x, 0.0)).startswith("absolute error")


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs the extra plot")
def test_a_curve_plots_on_logarithmic_axes():
    axes = error_curve(lecture, 2.0).plot()
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [line.get_label() for line in axes.get_lines()] == ["forward", "central"]
    assert error_curve(lecture, 1.0).plot(axes) is axes
    assert len(axes.get_lines()) == 4


def test_without_matplotlib_a_plot_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'autograd-lite\[plot\]'"):
        error_curve(lecture, 2.0).plot()


def test_a_curve_needs_steps_and_known_methods():
    with pytest.raises(ValueError, match="at least one step, got none"):
        error_curve(lecture, 2.0, steps=[])
    with pytest.raises(ValueError, match="methods among forward, central, backward, got 'best'"):
        error_curve(lecture, 2.0, methods=["best"])
