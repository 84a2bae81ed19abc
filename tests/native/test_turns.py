"""Work that is shared out between threads comes to the same as without them."""

from __future__ import annotations

import threading
import time

import pytest

from autograd_lite.native.running.turns import AHEAD, in_turns


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_results_are_taken_in_order_one_at_a_time(threads: int, count: int) -> None:
    taken: list[int] = []
    taking = threading.Lock()

    def compute(item: int) -> int:
        time.sleep(0.002 * (item % 3 == 0))
        return item

    def take(item: int) -> None:
        assert taking.acquire(blocking=False)
        taken.append(item)
        taking.release()

    in_turns(threads, range(count), compute, take)
    assert taken == [*range(count)]


def test_a_slow_thread_gets_fewer_items_and_the_others_do_not_run_away() -> None:
    """While the first item takes long, another thread does the next ones, up to a limit."""
    taken: list[int] = []
    by: dict[int, int] = {}
    last = AHEAD * 2 - 1  # that can be begun before the first is taken
    reached = threading.Event()

    def compute(item: int) -> int:
        if item == 0:
            assert reached.wait(60.0)
            time.sleep(0.05)  # time enough for another item, if one could be begun
            assert max(by) == last
        by[item] = threading.get_ident()
        if item == last:
            reached.set()
        return item

    in_turns(2, range(20), compute, taken.append)
    assert taken == [*range(20)]
    assert len({by[item] for item in range(1, last + 1)} | {by[0]}) == 2
    assert by[0] not in {by[item] for item in range(1, last + 1)}


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
    assert taken == [*range(len(taken))]
    assert len(taken) <= 2  # others may have been on their way
