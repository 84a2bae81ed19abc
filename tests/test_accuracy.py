"""Values and derivatives are as accurate as `benchmarks/accuracy.md` promises, at other points."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conditioning import NARY, limit, list_errors, lists
from measuring import (
    EXEMPTIONS,
    FIXED,
    UNARY,
    bound,
    errors,
    names_of,
    points,
    quantities,
)
from mpmath import mp, mpf
from textbook import evaluate, exactly, ulps

from autograd_lite import Primitive, Variadic, grad, hessian
from autograd_lite.primitives import TABLE

ROOT = Path(__file__).parent.parent
SEED = "another than the document's"


def named(case) -> str:
    return getattr(case, "name", str(case))


def beyond(primitive: Primitive, point) -> list[str]:
    """Return the quantities whose error at a point is beyond its bound."""
    found = errors(primitive, point)
    return [quantity for quantity, e in found if not e <= bound(primitive, quantity, point)]


# -- the table of primitives -----------------------------------------------------------------------


def test_every_primitive_of_fixed_arity_states_its_textbook_formulas():
    for primitive in FIXED:
        assert primitive.formula, primitive
        assert len(primitive.derivatives) == primitive.arity, primitive


@pytest.mark.parametrize("primitive", FIXED, ids=named)
def test_a_value_and_its_derivatives_are_the_textbooks_to_8_ulp(primitive):
    for point in points(primitive, 500 if primitive.arity == 1 else 200, seed=SEED):
        assert not beyond(primitive, point), point


@pytest.mark.parametrize("primitive", NARY, ids=named)
def test_an_operation_on_many_numbers_rounds_no_more_than_its_conditioning_says(primitive):
    for operands in lists(primitive, 50, seed=SEED):
        for quantity, error in list_errors(primitive, operands):
            assert error <= limit(operands), (quantity, operands)


@pytest.mark.parametrize(
    ("primitive", "point"),
    [
        (TABLE["silu"], -1.2784645427610737),
        (TABLE["mish"], -1.1924312145154952),
        (TABLE["gelu_tanh"], -0.7524614220710163),
        (TABLE["gelu"], -0.7517915246935645),
    ],
    ids=named,
)
def test_a_derivative_is_accurate_beside_its_zero(primitive, point):
    """Where the textbook formula, a difference of equal numbers, has not one right digit."""
    for x in (point, math.nextafter(point, 0.0), point - 1e-9, point + 1e-9):
        got = primitive.partial(0, x, primitive.evaluate(x))
        assert 0.0 < abs(got) < 1e-8
        assert ulps(got, exactly(primitive.derivatives[0], x=x)) <= 8.0


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("exp2", (1024.25,)),
        ("log10", (1.7e308,)),
        ("hypot", (1.5e308, 1.5e308)),
        ("hypot", (5e-324, 1e-323)),
        ("atan2", (1e200, 1e200)),
        ("atan2", (1e-200, 1e-200)),
        ("atan2", (1e-320, 1e-10)),
        ("tanh", (20.0,)),
        ("tanh", (-372.0,)),
        ("sigmoid", (745.0,)),
        ("silu", (-745.0,)),
        ("elu", (-745.1332191200889, 6.074139324881739e239)),
        ("gelu", (-38.5,)),
        ("gelu_tanh", (-21.3,)),
        ("**", (1e300, 0.1)),
        ("asinh", (1e200,)),
        ("atan", (1e160,)),
    ],
)
def test_a_partial_survives_what_overflows_or_vanishes_on_the_way(name, operands):
    primitive = TABLE[name]
    y = primitive.evaluate(*operands)
    for i, text in enumerate(primitive.derivatives):
        got = primitive.partial(i, *operands, y)
        assert 0.0 < abs(got) < math.inf
        assert ulps(got, exactly(text, **names_of(primitive, operands))) <= 4.0


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("gelu", -38.48540833556561),  # the value: x magnified the digits that Φ(x) lacks there
        ("gelu", -1.1827981145942),  # the derivative: Φ(x) + x φ(x) cancelled a little
        ("gelu_tanh", -989.6016858807849),  # both: a NaN, as one factor was 0 and another infinite
    ],
)
def test_what_the_benchmark_found_beyond_8_ulp_has_been_mended(name, x):
    assert not beyond(TABLE[name], (x,))


@pytest.mark.parametrize("name", ["asin", "acos", "atanh", "tanh"])
@pytest.mark.parametrize("x", [0.3, -1e-3, 1e-9, -1e-20, 1e-300])
def test_a_second_derivative_keeps_its_digits_beside_its_zero(name, x):
    """Where it is nearly proportional to x, and a formula made for the ends of [-1, 1] gave 0."""
    exact = {
        "asin": "x / (1 - x**2)**1.5",
        "acos": "-x / (1 - x**2)**1.5",
        "atanh": "2 * x / (1 - x**2)**2",
        "tanh": "-2 * tanh(x) * (1 - tanh(x)**2)",
    }[name]
    assert ulps(grad(grad(TABLE[name]))(x), exactly(exact, x=x)) <= 4.0


def vector(primitive):
    """Return an operation on two numbers, or on many, as a function of one list."""
    return primitive if primitive.variadic else lambda xs: primitive(*xs)


@pytest.mark.parametrize("name", ["hypot", "norm"])
@pytest.mark.parametrize("b", [1e-9, 1e9, -0.3, 7.0, 1e-50, -1e50])
def test_the_curvature_of_a_length_keeps_its_digits_where_one_operand_dominates(name, b):
    """As a difference, 1/y - a²/y³, it had none of them left."""
    found = hessian(vector(TABLE[name]))([1.0, b])
    for i, j, numerator in ((0, 0, "b**2"), (0, 1, "-a * b"), (1, 0, "-a * b"), (1, 1, "a**2")):
        exact = exactly(f"{numerator} / (a**2 + b**2)**1.5", a=1.0, b=b)
        assert ulps(found[i][j], exact) <= 8.0, (i, j)


def test_the_curvature_of_a_length_of_many_keeps_its_digits():
    found = hessian(TABLE["norm"])([1e-3, -1e6, 2.0])
    parts = {"a": 1e-3, "b": -1e6, "c": 2.0}
    for row, x in zip(found, "abc", strict=True):
        for got, y in zip(row, "abc", strict=True):
            others = " + ".join(f"{other}**2" for other in "abc" if other != x)
            numerator = f"({others})" if x == y else f"-{x} * {y}"
            exact = exactly(f"{numerator} / (a**2 + b**2 + c**2)**1.5", **parts)
            assert ulps(got, exact) <= 8.0, (x, y)


@pytest.mark.parametrize("xs", [(31.5, 0.5), (0.5, 31.5), (60.0, 0.0), (0.25, 40.0, 39.0)])
def test_the_curvature_of_logsumexp_keeps_its_digits_where_one_term_dominates(xs):
    """As p - p², with p next to 1, it was off by 1 % at (31.5, 0.5)."""
    names = dict(zip("abc", xs, strict=False))
    whole = " + ".join(f"exp({x})" for x in names)
    for row, x in zip(hessian(TABLE["logsumexp"])(list(xs)), names, strict=True):
        for got, y in zip(row, names, strict=True):
            others = " + ".join(f"exp({other})" for other in names if other != x)
            factor = f"({others})" if x == y else f"-exp({y})"
            assert ulps(got, exactly(f"exp({x}) * {factor} / ({whole})**2", **names)) <= 8.0


@pytest.mark.parametrize("x", [1e-300, -1e-12, 3e-5, 0.01, -0.1, 0.7, 0.999, 1.0, -1.5, 30.0])
def test_the_second_derivative_of_sigmoid_keeps_its_digits_beside_its_zero(x):
    exact = exactly("-sinh(x / 2) / (4 * cosh(x / 2)**3)", x=x)
    assert ulps(grad(grad(TABLE["sigmoid"]))(x), exact) <= 8.0


@pytest.mark.parametrize("x", [2.5, 5.0, 9.3, 14.723781108113437, 17.1, 19.9])
def test_the_second_derivative_of_gelu_tanh_keeps_its_digits_in_the_right_tail(x):
    """Where exp(-u), for a rounded u of up to 700, lost as many."""
    u = "(2 * sqrt(2 / pi) * (x + 0.044715 * x**3))"
    slope, bend = "(2 * sqrt(2 / pi) * (1 + 0.134145 * x**2))", "(0.53658 * sqrt(2 / pi) * x)"
    exact = exactly(
        f"exp(-{u}) / (1 + exp(-{u}))**2"
        f" * (2 * {slope} + x * {bend} - x * {slope}**2 * tanh({u} / 2))",
        x=x,
    )
    assert ulps(grad(grad(TABLE["gelu_tanh"]))(x), exact) <= 16.0


@pytest.mark.parametrize("x", [1e-179, -1e-182, 1e-185, -5e-186, 1e-200, -1e-241, 1e-300, 5e-324])
def test_the_second_derivative_of_cbrt_overflows_to_an_infinity(x):
    exact = exactly("-2 / (9 * x * cbrt(x)**2)", x=x)
    assert ulps(grad(grad(TABLE["cbrt"]))(x), exact) <= 16.0


# -- the document ----------------------------------------------------------------------------------


def document() -> str:
    return (ROOT / "benchmarks" / "accuracy.md").read_text(encoding="utf-8")


def plain_text(cell: str) -> str:
    text = cell.strip()
    return text.strip("`") if text.count("`") == 2 else text


def rows(section: str) -> list[list[str]]:
    """Return the rows of the table under a heading of the document, below the table's own."""
    text = document().split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[plain_text(cell) for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def documented() -> list[tuple[Primitive, str, float, str]]:
    """Return primitive, quantity, worst error and where (or a dash) for each row."""
    found = []
    for name, _, value, at, derivative, where in rows("One operand"):
        found += [(TABLE[name], "value", float(value), at)]
        found += [(TABLE[name], "d/dx", float(derivative), where)]
    for name, _, quantity, error, at in rows("Two and three operands"):
        found.append((TABLE[name], quantity.removesuffix(" †"), float(error), at))
    return found


def test_the_document_has_every_value_and_derivative_of_the_table():
    assert [(p.name, quantity) for p, quantity, _, _ in documented()] == [
        (p.name, quantity)
        for p in sorted(FIXED, key=lambda p: p.arity > 1)
        for quantity in quantities(p)
    ]
    assert [row[0] for row in rows("Any number of operands")] == [p.name for p in NARY]


def test_the_document_has_at_least_100_000_points_for_each_function_of_one_operand():
    counts = [int(row[1].replace(",", "")) for row in rows("One operand")]
    assert len(counts) == len(UNARY)
    assert min(counts) >= 100_000


def test_no_error_of_the_document_is_beyond_its_bound_there_or_here():
    """Neither as measured where the document was written, nor on this machine at those points."""
    for primitive, quantity, error, at in documented():
        if at != "–":
            point = tuple(map(float, at.split(", ")))
            assert error <= bound(primitive, quantity, point) + 0.005, (primitive, quantity)
            assert not beyond(primitive, point), (primitive, point)


def test_the_exceptions_of_the_document_are_those_the_tests_make():
    stated = [(name, quantity, allowed) for name, quantity, allowed, _ in rows("Exceptions")]
    assert stated == [(*key, plain_text(exemption.bound)) for key, exemption in EXEMPTIONS.items()]
    marked = re.findall(r"^\| `(.+?)` \| [\d,]+ \| (\S+) † \|", document(), re.MULTILINE)
    assert sorted(marked) == sorted(EXEMPTIONS)
    assert all(TABLE[name].arity > 1 for name, _ in EXEMPTIONS)  # none for one operand


# -- the instruments -------------------------------------------------------------------------------


@pytest.mark.parametrize("primitive", FIXED, ids=named)
def test_the_oracle_is_exact_to_100_bits(primitive):
    """Held against so many bits that no formula of the table can lose them."""
    for point in points(primitive, 8, seed=SEED):
        names = names_of(primitive, point)
        for formula in (primitive.formula, *primitive.derivatives):
            got = exactly(formula, **names)
            with mp.workprec(5200):
                exact = evaluate(formula, **names)
                unit = max(abs(exact) * mpf(2) ** -100, mpf(2) ** -1170)
                assert got == exact or abs(got - exact) <= unit, (formula, point)


@pytest.mark.parametrize(
    ("partial", "found"),
    [
        (lambda x, y: 1.0 - y * y, True),  # the textbook's: cancels in the tails
        (lambda x, y: 1.0 / math.cosh(max(-350.0, min(350.0, x))) ** 2, True),  # ends too early
        (lambda x, y: TABLE["tanh"].partial(0, x, y) * (1.0 + 2.0**-49), True),  # 8 ulp and more
        (lambda x, y: TABLE["tanh"].partial(0, x, y), False),
    ],
)
def test_an_inaccurate_derivative_is_found(partial, found):
    suspect = Primitive(
        "tanh", math.tanh, [partial], formula="tanh(x)", derivatives=("1 - tanh(x)**2",)
    )
    wrong = [
        quantity for point in points(suspect, 300, seed=SEED) for quantity in beyond(suspect, point)
    ]
    assert set(wrong) == ({"d/dx"} if found else set())


@pytest.mark.parametrize(
    ("value", "partials", "found"),
    [
        (lambda xs: float(mp.fsum(xs)), lambda xs, y: [1.0] * len(xs), set()),
        (lambda xs: sum(xs[1:], 0.0), lambda xs, y: [1.0] * len(xs), {"value"}),
        (lambda xs: float(mp.fsum(xs)), lambda xs, y: [1.0 + 1e-12] * len(xs), {"d/dx"}),
    ],
)
def test_an_inaccurate_sum_is_found(value, partials, found):
    suspect = Variadic("total", value, partials)
    wrong = {
        quantity
        for operands in lists(suspect, 50, seed=SEED)
        for quantity, error in list_errors(suspect, operands)
        if error > limit(operands)
    }
    assert wrong == found


def test_points_are_drawn_again_with_the_same_seed_and_differ_with_another():
    erf = TABLE["erf"]
    assert points(erf, 50, seed=1) == points(erf, 50, seed=1) != points(erf, 50, seed=2)


@pytest.mark.parametrize("primitive", UNARY, ids=named)
def test_points_reach_the_whole_domain(primitive):
    ((low, high),) = primitive.domain
    drawn = [x for (x,) in points(primitive, 3000, seed=SEED)]
    assert all(low < x < high for x in drawn)
    for end in (low, high):
        if math.isinf(end):
            assert max(math.copysign(1.0, end) * x for x in drawn) > 1e300
        else:
            assert min(abs(x - end) for x in drawn) <= 2.0**-45
    if low < 0.0:
        assert min(abs(x) for x in drawn if x != 0.0) < 1e-310


@pytest.mark.parametrize(
    ("got", "exact", "error"),
    [
        (1.0, mpf(1), 0.0),
        (1.0 + 2.0**-52, mpf(1), 1.0),
        (5e-324, mpf(2) ** -1075, 0.5),
        (0.0, mpf(2) ** -1073, 2.0),
        (math.inf, mpf(2) ** 1024, 0.0),
        (math.inf, mpf(2) ** 1023, 2.0**52),
        (1.7976931348623157e308, mpf(2) ** 1024, 1.0),
        (1.0, mp.inf, math.inf),
        (math.nan, mpf(1), math.inf),
        (-1.0, mpf(1), 2.0**53),
    ],
)
def test_an_ulp_is_the_last_place_of_the_exact_number(got, exact, error):
    assert ulps(got, exact) == error


# -- the benchmark ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def benchmark():
    path = ROOT / "benchmarks" / "accuracy.py"
    specification = importlib.util.spec_from_file_location("accuracy", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["accuracy"] = module
    specification.loader.exec_module(module)
    yield module
    sys.path.remove(str(ROOT / "tests"))
    del sys.modules["accuracy"]


def test_the_benchmark_runs_as_the_document_says():
    script = str(ROOT / "benchmarks" / "accuracy.py")
    command = [sys.executable, script, "--points", "40", "--only", "tanh", "--only", "total"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(
        r"^\| `tanh` \| 40 \| [01]\.\d\d \| `-?[\d.e-]+` \|", done.stdout, re.MULTILINE
    )
    assert re.search(r"^\| `total` \| 1 \| ", done.stdout, re.MULTILINE)
    assert "`erf`" not in done.stdout


def test_the_benchmark_finds_the_worst_error_of_all_points(benchmark):
    tanh = TABLE["tanh"]
    job = benchmark.Job("tanh", "0/0", 50)
    _, found = benchmark.measure(job)
    each = [dict(errors(tanh, point)) for point in points(tanh, 50, seed="0/0")]
    for quantity in ("value", "d/dx"):
        assert found[quantity].error == max(e[quantity] for e in each)
        assert dict(errors(tanh, found[quantity].point))[quantity] == found[quantity].error


def test_the_benchmark_gives_the_points_it_was_asked_for(benchmark):
    work = benchmark.jobs(["tanh", "*", "clamp", "total"], 10_500, seed=3)
    assert len(set(work)) == len(work)
    counted = Counter()
    for job in work:
        counted[job.primitive] += job.points
    assert counted == {"tanh": 10_500, "*": 2_100, "clamp": 1_050, "total": 210}


def test_the_benchmark_fails_where_an_error_is_beyond_its_bound(benchmark, monkeypatch, capsys):
    good, bad = benchmark.Worst(0.25, 2.0, (0.5,)), benchmark.Worst(1.5, 12.0, (3.0,))
    measured = {"tanh": {"value": good, "d/dx": bad}}
    monkeypatch.setattr(benchmark, "measure_all", lambda *_: (measured, Counter(tanh=7)))
    with pytest.raises(SystemExit, match=r"^beyond the bound:\ntanh d/dx: 12\.00 at `3\.0`$"):
        benchmark.main(["--only", "tanh"])
    assert "| `tanh` | 7 | 2.00 | `0.5` | 12.00 | `3.0` |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--write", "--only", "tanh"], "--write keeps the tables of all primitives"),
        (["--points", "0"], "expected a whole number from 1 on, got '0'"),
        (["--only", "tahn"], "invalid choice: 'tahn'"),
    ],
)
def test_the_benchmark_refuses_what_it_cannot_measure(benchmark, capsys, arguments, message):
    with pytest.raises(SystemExit):
        benchmark.main(arguments)
    assert message in capsys.readouterr().err
