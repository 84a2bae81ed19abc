"""Work that is shared out between threads comes to the same as without them."""

from __future__ import annotations

import threading
import time

import pytest

from autograd_lite.native.running.turns import in_turns


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_results_are_taken_in_order_each_by_the_thread_that_computed_it(
    threads: int, count: int
) -> None:
    taken: list[int] = []
    by: list[bool] = []

    def compute(item: int) -> tuple[int, int]:
        time.sleep(0.002 * (item % 3 == 0))
        return item, threading.get_ident()

    def take(result: tuple[int, int]) -> None:
        item, thread = result
        taken.append(item)
        by.append(thread == threading.get_ident())

    in_turns(threads, range(count), compute, take)
    assert taken == [*range(count)]
    assert all(by)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("bad", [0, 1, 5, 9])
@pytest.mark.parametrize("where", ["compute", "take"])
def test_an_error_ends_all_and_is_raised(threads: int, bad: int, where: str) -> None:
    taken: list[int] = []

    def compute(item: int) -> int:
        if where == "compute" and item == bad:
            raise ZeroDivisionError(f"item {item}")
        return item

    def take(item: int) -> None:
        if where == "take" and item == bad:
            raise ZeroDivisionError(f"item {item}")
        taken.append(item)

    before = threading.active_count()
    with pytest.raises(ZeroDivisionError, match=f"item {bad}"):
        in_turns(threads, range(10), compute, take)
    assert threading.active_count() == before
    assert taken == [*range(len(taken))]
    assert len(taken) <= bad


@pytest.mark.parametrize("where", ["compute", "take"])
def test_an_interrupt_of_the_calling_thread_ends_the_others(where: str) -> None:
    taken: list[int] = []

    def compute(item: int) -> int:
        if where == "compute" and item == 2:
            raise KeyboardInterrupt
        return item

    def take(item: int) -> None:
        if where == "take" and item == 2:
            raise KeyboardInterrupt
        taken.append(item)

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        in_turns(2, range(10), compute, take)
    assert threading.active_count() == before
    assert taken in ([0], [0, 1])  # item 1 may have been on its way
