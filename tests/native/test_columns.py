"""The columns of a tape read like lists."""

from __future__ import annotations

import pytest

from autograd_lite.native.columns import Operands, Operations

GIVEN = [None, "sin", None, "*", "sin"]
ROWS = [(), (0,), (), (1, 2), (3,)]


def test_operations_read_like_a_list() -> None:
    column = Operations(GIVEN)
    assert len(column) == 5
    assert [column[i] for i in range(5)] == [*column] == GIVEN
    assert repr(column) == repr(GIVEN)
    assert "*" in column
    assert "cos" not in column
    with pytest.raises(IndexError):
        column[5]


def test_an_operation_that_no_node_has_is_not_in_the_column() -> None:
    column = Operations()
    column.code("sin")
    assert "sin" not in column
    assert None not in column
    column.add_leaves(2)
    assert None in column
    assert [*column] == [None, None]


def test_operands_read_like_a_list_of_tuples() -> None:
    column = Operands(ROWS)
    assert len(column) == 5
    assert [column[i] for i in range(5)] == [*column] == ROWS
    assert repr(column) == repr(ROWS)
    column.add_leaves(2)
    column.append((4, 4))
    assert [*column] == [*ROWS, (), (), (4, 4)]
    with pytest.raises(IndexError):
        column[8]
