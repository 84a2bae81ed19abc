"""Products by tiles are those of the textbook, and do not depend on where tiles begin."""

from __future__ import annotations

import math
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("numba")

from autograd_lite.native.kernels import convention, runner, tiles  # noqa: E402

SHAPES = [(1, 1, 1), (4, 32, 3), (5, 33, 7), (3, 8, 64), (9, 70, 20), (6, 100, 1), (2, 5, 0)]


def multiply(a: Any, b: Any, c: Any, *, add: bool = False) -> None:
    fields = tiles.fields_of(a, b, c, add=add)
    records = np.array([tiles.product(fields, c.dtype.name)], np.int64)
    call = convention.call(records)
    runner.runner()(int(call.ctypes.data))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_a_product_is_written_or_added_where_it_belongs(
    shape: tuple[int, int, int], dtype: str, add: bool, turned: bool
) -> None:
    rows, columns, terms = shape
    draw = np.random.default_rng(sum(shape))
    a = draw.normal(size=(rows, terms)).astype(dtype)
    if turned:
        a = np.asfortranarray(a)
    b = draw.normal(size=(terms + 1, columns + 5)).astype(dtype)[:terms, 2 : 2 + columns]
    around = draw.normal(size=(rows + 2, columns + 7)).astype(dtype)
    kept = around.copy()
    c = around[1:-1, 3 : 3 + columns]
    multiply(a, b, c, add=add)
    wanted = np.array(
        [
            [math.fsum(x * y for x, y in zip(row, column, strict=True)) for column in b.T.tolist()]
            for row in a.tolist()
        ]
    ).reshape(rows, columns)
    if add:
        wanted = wanted + kept[1:-1, 3 : 3 + columns]
    rounding = 1e-13 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(c, wanted, rtol=rounding, atol=rounding)
    around[1:-1, 3 : 3 + columns] = kept[1:-1, 3 : 3 + columns]
    assert np.array_equal(around, kept)


def test_every_number_is_summed_up_in_the_same_way_wherever_it_is() -> None:
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(11, 50)), draw.normal(size=(50, 83))
    whole = np.empty((11, 83))
    multiply(a, b, whole)
    for i, j, rows, columns in ((0, 0, 1, 83), (3, 5, 4, 1), (7, 30, 4, 40), (10, 82, 1, 1)):
        part = np.empty((rows, columns))
        multiply(a[i : i + rows], b[:, j : j + columns], part)
        assert np.array_equal(part, whole[i : i + rows, j : j + columns])


def test_nan_and_infinities_stay_where_they_are() -> None:
    a, b = np.ones((5, 3)), np.ones((3, 35))
    a[2, 1], b[0, 34] = np.nan, np.inf
    c = np.empty((5, 35))
    multiply(a, b, c)
    assert np.isnan(c[2]).all()
    assert (c[[0, 1, 3, 4], 34] == np.inf).all()
    assert (c[[0, 1, 3, 4], :34] == 3.0).all()
