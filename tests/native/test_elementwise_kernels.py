"""Kernels of the primitives with a fixed number of operands, held to the table's own formulas."""

from __future__ import annotations

import itertools
import math
import platform
import re

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from measuring import FIXED

from autograd_lite import Primitive
from autograd_lite.native.kernels import building, convention, vector_math
from autograd_lite.native.kernels.elementwise import can_keep, elementwise_kernel, matches_python
from autograd_lite.native.kernels.translation import Untranslatable, translated
from autograd_lite.primitives import TABLE

LANES = 37  # some vectors of eight and a rest
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324]
EDGES += [1e-308, 1e-200, 1e-10, 1e6, 1e7, 1e22, 1e200, 1.7976931348623157e308, -1e308, -1e17]
EDGES += [709.7827, 710.0, -708.5, -745.0, -745.2, 1023.5, 1024.0, 20.0, -40.0, 53.0, 1.5, 2.5]
FEW_EDGES = [0.0, -0.0, -1.0, 0.5, 2.0, math.inf, -math.inf, math.nan, 1e308, -5e-324]


def points(primitive, count=300):
    """Return a row per point: all combinations of edges, ordinary numbers, and any bits."""
    rng = np.random.default_rng(7)
    arity = primitive.arity
    shape = (count, arity)
    edges = list(itertools.product(EDGES if arity < 3 else FEW_EDGES, repeat=arity))
    return np.concatenate(
        [
            np.array(edges),
            rng.normal(size=shape),
            10.0 * rng.normal(size=shape),
            rng.normal(size=shape) * np.exp(20.0 * rng.normal(size=shape)),
            rng.random(shape),
            rng.integers(-5, 6, shape).astype(float),
            rng.integers(0, 2**64, shape, dtype=np.uint64).view(np.float64),
        ]
    )


def kernel(
    primitive, direction, layout, *, mask=None, accurate=False, keeps=False, dtype="float64"
):
    mask = (True,) * primitive.arity if mask is None else mask
    key = f"test {primitive.name} {direction} {mask} {layout} {accurate} {keeps}"
    address = building.address(
        key,
        lambda: elementwise_kernel(
            primitive, direction, mask, layout, accurate=accurate, keeps=keeps, dtype=dtype
        ),
        dtype,
        owner=None if TABLE.get(primitive.name) is primitive else primitive,
    )
    return convention.callable_at(address)


def call(function, v, g, index, start, lanes, adjoints=None):
    stop = start + len(index)
    adjoints = np.arange(stop) if adjoints is None else adjoints
    index = np.append(adjoints, index).astype(np.int32)
    zero = np.zeros(1)
    function(
        v.ctypes.data,
        g.ctypes.data,
        zero.ctypes.data,
        zero.ctypes.data,
        index.ctypes.data,
        index.ctypes.data,
        len(adjoints),
        start,
        stop,
        lanes,
    )


class Numbers:
    """Rows of operands, one block of rows for each, and after them the rows of results."""

    def __init__(self, primitive, given, layout, dtype="float64"):
        self.primitive, self.layout, self.dtype = primitive, layout, dtype
        self.count = len(given)
        self.lanes = LANES if layout == "lanes" else 1
        self.rows = -(-self.count // self.lanes)
        self.start = primitive.arity * self.rows
        self.v = np.zeros(((primitive.arity + 1) * self.rows, self.lanes), dtype)
        for j in range(primitive.arity):
            self.block(j)[: self.count] = given[:, j]
        self.given = np.stack([self.block(j) for j in range(primitive.arity)], axis=1)
        self.index = np.arange(self.start).reshape(primitive.arity, self.rows).T

    def block(self, j, array=None):
        array = self.v if array is None else array
        return array[j * self.rows : (j + 1) * self.rows].reshape(-1)

    def values(self, **options):
        """Return what the forward kernel and what the table gives."""
        forward = kernel(self.primitive, "forward", self.layout, dtype=self.dtype, **options)
        call(forward, self.v, self.v, self.index, self.start, self.lanes)
        got = self.block(self.primitive.arity).copy()
        with np.errstate(over="ignore", under="ignore"):
            want = [self.primitive.evaluate(*x) for x in self.given.astype(float).tolist()]
            return got, np.array(want).astype(self.dtype)

    def partials(self, **options):
        """Return lists of what the backward kernel and what the table gives for every operand."""
        arity = self.primitive.arity
        points_of = self.given.astype(float).tolist()
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            self.block(arity)[:] = [self.primitive.evaluate(*x) for x in points_of]
            g = np.zeros_like(self.v)
            self.block(arity, g)[:] = 1.0
            backward = kernel(self.primitive, "backward", self.layout, dtype=self.dtype, **options)
            call(backward, self.v, g, self.index, self.start, self.lanes)
            results = self.block(arity).astype(float).tolist()
            at = [(*x, y) for x, y in zip(points_of, results, strict=True)]
            want = [
                0.0 + np.array([self.primitive.partial(j, *x) for x in at]).astype(self.dtype)
                for j in range(arity)
            ]
        return [self.block(j, g) for j in range(arity)], want


def units_apart(got, want):
    """Return how many floats lie between two numbers; 0 for two NaN, infinite for one."""
    whole = {"float64": np.int64, "float32": np.int32}[str(got.dtype)]
    got_bits, want_bits = got.view(whole).tolist(), want.view(whole).tolist()
    smallest = int(np.iinfo(whole).min)
    apart = []
    for a, b, x, y in zip(got_bits, want_bits, got.tolist(), want.tolist(), strict=True):
        if math.isnan(x) or math.isnan(y):
            apart.append(0.0 if math.isnan(x) and math.isnan(y) else math.inf)
        else:
            apart.append(abs((a if a >= 0 else smallest - a) - (b if b >= 0 else smallest - b)))
    return np.array(apart, float)


def assert_within(numbers, got, want, units):
    apart = units_apart(got, want)
    worst = int(np.argmax(apart))
    assert apart[worst] <= units, (numbers.given[worst].tolist(), got[worst], want[worst])
    zeros = (got == 0.0) & (want == 0.0)
    assert (np.signbit(got) == np.signbit(want))[zeros].all()


def named(primitive):
    return primitive.name


# -- the whole table -------------------------------------------------------------------------------


def python_units(primitive, direction):
    """Return how far Python's own hypot lies from C's, in what a primitive makes of it."""
    return 0 if matches_python(primitive, direction) else 4


@pytest.mark.parametrize("primitive", FIXED, ids=named)
def test_points_have_the_bits_of_python(primitive):
    numbers = Numbers(primitive, points(primitive), "point")
    assert_within(numbers, *numbers.values(accurate=True), python_units(primitive, "forward"))
    for got, want in zip(*numbers.partials(accurate=True), strict=True):
        assert_within(numbers, got, want, python_units(primitive, "backward"))


VECTORISED = ["+", "clamp", "exp", "expm1", "log", "log1p", "sin", "cos", "sinh", "cosh", "tanh"]
VECTORISED += ["erfc", "sigmoid", "softplus", "log_sigmoid", "elu", "selu", "silu", "gelu"]
VECTORISED += ["normal_cdf", "gelu_tanh", "mish", "**", "logaddexp", "xlogy"]


@pytest.mark.parametrize("primitive", [TABLE[name] for name in VECTORISED], ids=named)
def test_lanes_have_the_numbers_of_python_to_8_units(primitive):
    numbers = Numbers(primitive, points(primitive), "lanes")
    got, want = numbers.values()
    if primitive.name == "logaddexp":  # next to its zero it is as wrong as what it adds
        near = np.abs(want) < 0.1
        assert np.abs(got[near] - want[near]).max() < 1e-15
        got = np.where(near, want, got)
    assert_within(numbers, got, want, 8)
    for got, want in zip(*numbers.partials(), strict=True):
        assert_within(numbers, got, want, 8)


UNITS = {"exp": 1, "expm1": 2, "log": 1, "log1p": 2, "sin": 2, "cos": 2, "tanh": 4, "sinh": 4}
UNITS |= {"cosh": 3, "sigmoid": 4, "softplus": 2}


@pytest.mark.parametrize("name", UNITS)
def test_mathematics_over_lanes_is_as_good_as_the_c_library_over_the_whole_range(name):
    rng = np.random.default_rng(3)
    scales = [1e-20, 1e-3, 0.3, 1.0, 3.0, 20.0, 800.0, 1e6]
    parts = [s * rng.uniform(-1.0, 1.0, 4000) for s in scales]
    parts += [-700.0 - 50.0 * rng.random(2000), 1.0 + 1e-3 * rng.uniform(-1.0, 1.0, 2000)]
    parts += [0.5 * math.pi * np.arange(1.0, 600_000.0, 299.0)]  # where sine or cosine is almost 0
    numbers = Numbers(TABLE[name], np.sort(np.concatenate(parts))[:, None], "lanes")
    assert_within(numbers, *numbers.values(), UNITS[name])


@pytest.mark.parametrize("name", UNITS)
def test_mathematics_over_lanes_is_as_good_without_fused_multiply_add(name):
    rng = np.random.default_rng(4)
    low = 0.0 if name == "log" else -0.99 if name == "log1p" else -1.0
    xs = [x for s in (1e-9, 0.3, 1.0, 3.0, 20.0, 700.0) for x in s * rng.uniform(low, 1.0, 500)]
    xs = [float(x) for x in xs if name != "log1p" or x > -1.0]
    got = np.array([getattr(vector_math, name)(x) for x in xs])
    want = np.array([TABLE[name](x) for x in xs])
    assert units_apart(got, want).max() <= UNITS[name]


@pytest.mark.parametrize("name", ["/", "**", "%", "sin", "tanh", "abs", "atan2"])
def test_accurate_lanes_have_the_bits_of_python(name):
    numbers = Numbers(TABLE[name], points(TABLE[name]), "lanes")
    assert_within(numbers, *numbers.values(accurate=True), 0)
    for got, want in zip(*numbers.partials(accurate=True), strict=True):
        assert_within(numbers, got, want, 0)


@pytest.mark.parametrize("layout", ["point", "lanes"])
@pytest.mark.parametrize("name", ["*", "/", "relu", "sin", "tanh", "cbrt"])
def test_single_precision_is_the_rounded_result_of_double_precision(name, layout):
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        given = points(TABLE[name], 100).astype(np.float32)
    numbers = Numbers(TABLE[name], given, layout, "float32")
    units = 0 if layout == "point" else 1
    assert_within(numbers, *numbers.values(), units)
    for got, want in zip(*numbers.partials(), strict=True):
        assert_within(numbers, got, want, units)


def test_powers_2_3_and_minus_1_of_points_are_products():
    power = TABLE["**"]
    given = np.array([(x, b) for x in EDGES for b in (2.0, 3.0, -1.0, 0.5)])
    numbers = Numbers(power, given, "point")
    assert_within(numbers, *numbers.values(), 2)
    for got, want in zip(*numbers.partials(), strict=True):
        assert_within(numbers, got, want, 3)


# -- what a kernel does to memory ------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["point", "lanes"])
def test_one_row_can_be_both_operands_and_both_contributions_are_added(layout):
    lanes = 11 if layout == "lanes" else 1
    v = np.zeros((2, lanes))
    v[0] = np.arange(1.0, lanes + 1.0)
    g = np.zeros_like(v)
    g[0], g[1] = 100.0, 3.0
    call(kernel(TABLE["*"], "forward", layout), v, g, [[0, 0]], 1, lanes)
    assert v[1].tolist() == (v[0] * v[0]).tolist()
    call(kernel(TABLE["*"], "backward", layout), v, g, [[0, 0]], 1, lanes)
    assert g[0].tolist() == (100.0 + 6.0 * v[0]).tolist()
    assert g[1].tolist() == [3.0] * lanes


@pytest.mark.parametrize("layout", ["point", "lanes"])
def test_rows_of_one_run_can_share_operands(layout):
    lanes = 9 if layout == "lanes" else 1
    v = np.ones((5, lanes)) * [[2.0], [5.0], [0.0], [0.0], [0.0]]
    index = [[0, 1], [1, 0], [0, 0]]
    g = np.zeros_like(v)
    g[2:] = [[1.0], [10.0], [100.0]]
    call(kernel(TABLE["-"], "forward", layout), v, g, index, 2, lanes)
    assert v[2:, -1].tolist() == [-3.0, 3.0, 0.0]
    call(kernel(TABLE["-"], "backward", layout), v, g, index, 2, lanes)
    assert g[:2, -1].tolist() == [1.0 - 10.0, -1.0 + 10.0]


def test_over_lanes_an_adjoint_can_have_another_row():
    lanes = 9
    v = np.ones((6, lanes)) * [[2.0], [3.0], [5.0], [6.0], [10.0], [0.0]]
    g = np.ones((6, lanes)) * [[0.0], [0.0], [0.0], [-7.0], [-7.0], [100.0]]
    adjoints = [0, 1, 2, 5, 4, 5]
    call(kernel(TABLE["*"], "backward", "lanes"), v, g, [[0, 1], [0, 2]], 3, lanes, adjoints)
    assert g[:, -1].tolist() == [300.0 - 35.0, 200.0, -14.0, -7.0, -7.0, 100.0]


@pytest.mark.parametrize("layout", ["point", "lanes"])
def test_an_operand_that_needs_no_gradient_gets_none(layout):
    lanes = 8 if layout == "lanes" else 1
    v = np.ones((3, lanes)) * [[-3.0], [2.0], [9.0]]
    g = np.ones((3, lanes)) * [[0.0], [7.0], [1.0]]
    call(kernel(TABLE["**"], "backward", layout, mask=(True, False)), v, g, [[0, 1]], 2, lanes)
    assert g[0].tolist() == [-6.0] * lanes
    assert g[1].tolist() == [7.0] * lanes  # log(-3) would have made it NaN


@pytest.mark.parametrize("lanes", [1, 2, 7, 8, 9, 64])
def test_any_number_of_lanes_is_computed_to_the_last_and_no_further(lanes):
    v = np.zeros(3 * lanes)
    v[:lanes] = np.linspace(-2.0, 2.0, lanes)
    v[2 * lanes :] = 5.0
    call(kernel(TABLE["tanh"], "forward", "lanes"), v, v, [[0]], 1, lanes)
    assert v[lanes : 2 * lanes] == pytest.approx(np.tanh(v[:lanes]), rel=1e-15)
    assert v[2 * lanes :].tolist() == [5.0] * lanes


@pytest.mark.parametrize(
    ("name", "strange"),
    [
        ("sin", [(1e300,), (math.inf,)]),
        ("cos", [(-1e7,)]),
        ("**", [(0.5, 0.5), (-8.0, 1 / 3)]),
        ("exp", [(800.0,), (-740.0,)]),
        ("log", [(5e-324,), (0.0,)]),
        ("tanh", [(-360.0,), (math.nan,)]),
        ("/", [(1e-300, 1e-310), (0.0, -5e-324)]),
    ],
)
def test_a_lane_that_needs_another_formula_changes_no_other_lane_of_its_row(name, strange):
    primitive, lanes = TABLE[name], 20
    arity = primitive.arity
    v = np.zeros((arity + 1, lanes))
    v[0] = np.linspace(-9.0, 9.0, lanes)
    v[1:arity] = 3.0
    results, gradients = [], []
    for _ in range(2):
        g = np.zeros_like(v)
        g[arity] = 1.0
        call(kernel(primitive, "forward", "lanes"), v, g, [range(arity)], arity, lanes)
        call(kernel(primitive, "backward", "lanes"), v, g, [range(arity)], arity, lanes)
        results.append(v[arity].copy())
        gradients.append(g[0].copy())
        for place, operands in zip((3, 11), strange, strict=False):
            v[:arity, place] = operands
    for place, operands in zip((3, 11), strange, strict=False):
        y = primitive(*operands)
        assert results[1][place] == pytest.approx(y, rel=1e-15, nan_ok=True)
        partial = primitive.partial(0, *operands, y)
        assert gradients[1][place] == pytest.approx(partial, rel=1e-15, nan_ok=True)
        for found in (results, gradients):
            found[0][place] = found[1][place]
    assert results[0].tobytes() == results[1].tobytes()
    assert gradients[0].tobytes() == gradients[1].tobytes()


BEYOND = [("sin", (1e300,)), ("cos", (1e7,)), ("tanh", (-360.0,)), ("/", (1e-300, 1e-310))]


@pytest.mark.parametrize("adjoint", [1.0, math.inf])
@pytest.mark.parametrize(("name", "strange"), [*BEYOND, ("**", (4.0, 0.5))])
def test_a_lane_that_needs_another_formula_is_added_to_its_adjoint_once(name, strange, adjoint):
    primitive, lanes, rows = TABLE[name], 11, 3
    arity = primitive.arity
    v = np.full(((arity + 1) * rows, lanes), 2.0)
    v[1:rows] = 0.75
    v[1 : arity * rows : rows, 4] = strange  # of the row in the middle
    index = np.arange(arity * rows).reshape(arity, rows).T
    call(kernel(primitive, "forward", "lanes"), v, v, index, arity * rows, lanes)
    g = np.full_like(v, 100.0)
    g[arity * rows :] = adjoint
    call(kernel(primitive, "backward", "lanes"), v, g, index, arity * rows, lanes)
    for row, operands in enumerate(index):
        for lane in range(lanes):
            numbers = [*v[operands, lane].tolist(), float(v[arity * rows + row, lane])]
            for slot, operand in enumerate(operands):
                with np.errstate(over="ignore", invalid="ignore"):
                    want = 100.0 + adjoint * primitive.partial(slot, *numbers)
                assert g[operand, lane] == pytest.approx(want, rel=1e-15, nan_ok=True)


AVX = ["haswell", "skylake-avx512"]


def processors(names):
    """Return LLVM's descriptions of processors on which a loop is to work on several lanes."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return [building.target_machine()]
    building.target_machine()  # makes LLVM ready
    target = llvm.Target.from_default_triple()
    return [target.create_target_machine(cpu=name, opt=3, jit=True) for name in names]


@pytest.mark.parametrize("in_strips", [False, True])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize(
    ("name", "on"),
    [
        *((x, AVX) for x in ("*", "/", "relu", "exp", "log", "sin", "tanh", "sigmoid")),
        ("silu", ["znver4"]),  # its branches cost too much elsewhere, as LLVM reckons
    ],
)
def test_loops_over_lanes_work_on_several_lanes_at_once(name, on, direction, in_strips):
    primitive = TABLE[name]
    made = elementwise_kernel(primitive, direction, (True,) * primitive.arity, "lanes")
    for machine in processors(on):
        text = str(building.optimised(made, "float64", "kernel", in_strips, machine))
        assert re.search(r"store <\d+ x (double|i64)>", text)  # bits are whole numbers


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("primitive", [x for x in FIXED if can_keep(x)], ids=named)
def test_a_partial_that_is_kept_is_that_of_the_table(primitive, dtype):
    with np.errstate(over="ignore", invalid="ignore"):
        given = points(primitive).astype(dtype)
    numbers = Numbers(primitive, given, "lanes", dtype)
    [[_], [partials]] = numbers.partials()
    [values, _] = numbers.values()
    rows = numbers.rows
    v = np.concatenate([numbers.v, np.zeros((rows, LANES), dtype)])
    v[rows:] = 7.0
    forward, backward = (
        kernel(primitive, direction, "lanes", keeps=True, dtype=dtype)
        for direction in ("forward", "backward")
    )
    call(forward, v, v, numbers.index, rows, LANES)
    assert v[rows : 2 * rows].tobytes() == values.tobytes()
    found = 0.0 + v[2 * rows :].reshape(-1)  # as if added to an adjoint: no -0.0
    assert_within(numbers, found, partials, 8 if dtype == "float64" else 1)
    g = np.zeros_like(v)
    g[:rows], g[rows : 2 * rows] = 3.0, 0.25
    kept = np.random.default_rng(1).normal(size=(rows, LANES)).astype(dtype)
    v[2 * rows :] = kept
    call(backward, v, g, numbers.index, rows, LANES)
    assert g[:rows].tobytes() == (3.0 + (0.25 * kept.astype(float)).astype(dtype)).tobytes()


# -- primitives of a user's own --------------------------------------------------------------------


def own(value, *partials, **options):
    return Primitive("own", value, partials or [lambda x, y: 0.0], **options)


def evaluated(primitive, x, layout="point"):
    numbers = Numbers(primitive, np.full((1, 1), x), layout)
    return float(numbers.values()[0][0])


OFFSET = 0.25


def offset(x, by=OFFSET):
    return x + by


def factorial(n):
    return 1.0 if n <= 1.0 else n * factorial(n - 1.0)


def horner(x, coefficients=(1.0, 2.0, 3.0)):
    whole = 0.0
    for c in coefficients:
        whole = whole * x + c
    return whole


@pytest.mark.parametrize("layout", ["point", "lanes"])
@pytest.mark.parametrize(
    ("value", "x"),
    [
        (lambda x: 1, 3.0),
        (lambda x: 1.0 / x, -0.0),
        (lambda x: TABLE_TANH(offset(x)), 0.5),
        (factorial, 6.0),
        (horner, 2.0),
        (lambda x: max(x, 1.0) + min(0.0, x), math.nan),
        (lambda x: max(1.0, x) + min(x, 0.5), 0.25),
        (lambda x: math.pi * math.hypot(x, 4.0), 3.0),
        (lambda x: round(x) + math.floor(x) - math.ceil(x), 2.5),
        (lambda x: math.frexp(x)[0] + math.frexp(x)[1], 5e-324),
        (lambda x: math.ldexp(x, -3), 5.0),
        (lambda x: abs(x) if math.isfinite(x) else 7.0, -math.inf),
        (lambda x: pow(x, 2.5) + x**0.5, 2.0),
        (lambda x: math.fmod(x, 3.0) + x % 3.0, -7.0),
    ],
)
def test_a_users_formula_is_translated_with_all_that_it_calls(value, x, layout):
    with np.errstate(all="ignore"):
        want = own(value).evaluate(x)
    assert evaluated(own(value), x, layout) == pytest.approx(want, rel=1e-15, nan_ok=True)


TABLE_TANH = TABLE["tanh"]


def test_a_formula_keeps_what_it_closed_over():
    def scaled(factor):
        return own(lambda x: factor * x)

    assert evaluated(scaled(3.0), 2.0) == 6.0
    assert evaluated(scaled(-5.0), 2.0) == -10.0


def raising(x):
    if x < 0.0:
        raise ValueError("negative")
    return x


MEMORY = [1.0]


@pytest.mark.parametrize(
    ("primitive", "reason"),
    [
        (own(raising), "raises or catches"),
        (own(lambda x: MEMORY[0] * x), "MEMORY, list: not a number"),
        (own(lambda x: offset(raising(x))), "raising, and .* raises or catches"),
        (own(lambda x: x, beyond=lambda x: 0.0), "beyond"),
        (own(lambda x: (x, x)), "not a number"),
        (own(lambda x: x.hex()), "cannot be compiled"),
        (own(lambda x: undefined_name + x), "'undefined_name', not yet defined"),  # noqa: F821
        (own(lambda x: sum((x, x))), "sum"),
        (Primitive("four", lambda a, b, c, d: a, [lambda a, b, c, d, y: 0.0] * 4), "4 operands"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_a_reason(primitive, reason):
    with pytest.raises(Untranslatable, match=reason):
        elementwise_kernel(primitive, "forward", (True,) * primitive.arity, "point")


def test_rules_of_optimisers_are_translated_too():
    from nn.optim.adam import Adam

    rule, root = translated(Adam.rule), translated(math.sqrt)
    step = numba.njit(
        lambda data, gradient: rule(
            data, gradient, (2.0, 0.5, 0.25), (0.1, (0.9, 0.99), 1e-8, 0.01), root
        )
    )
    want = Adam.rule(1.5, -0.5, (2.0, 0.5, 0.25), (0.1, (0.9, 0.99), 1e-8, 0.01), math.sqrt)
    assert step(1.5, -0.5) == want


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_sine_and_cosine_over_lanes_are_at_most_one(name):
    """Around their largest values, where the rounding of a series could take them beyond."""
    rng = np.random.default_rng(6)
    tops = (np.arange(-2_000, 2_000) + (0.5 if name == "sin" else 0.0)) * math.pi
    near = (tops[:, None] + rng.normal(size=(1, 40)) * 10.0 ** rng.uniform(-17, -1, 40)).reshape(-1)
    got, _ = Numbers(TABLE[name], np.concatenate([near, tops])[:, None], "lanes").values()
    assert np.abs(got).max() == 1.0
    assert (vector_math.cos(0.0), vector_math.cos(-0.0)) == (1.0, 1.0)
    assert [repr(vector_math.sin(x)) for x in (0.0, -0.0)] == ["0.0", "-0.0"]
