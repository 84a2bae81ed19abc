"""Threads, tasks and generators that share leaves and modes: nothing is lost, nothing leaks."""

import asyncio
import contextvars
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from interrupting import interrupted
from threads import switching_often, together

import nn
from autograd_lite import (
    Value,
    enable_grad,
    exp,
    grad,
    hvp,
    jvp,
    no_grad,
    scope,
    total,
    value_and_grad,
)
from autograd_lite.modes import current_mode, runtime

ROUNDS = 60


@pytest.fixture(autouse=True)
def _every_mode_is_off_before_and_after():
    assert runtime.special == 0
    yield
    assert (runtime.special, runtime.sweeping) == (0, False)
    assert current_mode().recording


def recording():
    """Tell whether operations are recorded here and now."""
    return (Value(1.0) * 2.0).requires_grad


# -- threads that share leaves -------------------------------------------------------------------


@pytest.mark.parametrize("create_graph", [False, True])
def test_threads_that_share_leaves_lose_no_contribution(create_graph):
    shared = [Value(float(i)) for i in range(20)]

    def work():
        for _ in range(ROUNDS):
            y = total([x * 2.0 for x in shared]) * 0.5
            y.backward(create_graph=create_graph)

    with switching_often():
        together(*[work] * 4)
    assert [float(x.grad) for x in shared] == [4.0 * ROUNDS] * 20


def test_threads_that_share_one_graph_lose_no_contribution():
    x = Value(3.0)
    y = total([x * x, x.tanh() * 0.0, x])

    def work():
        for _ in range(200):
            y.backward()

    with switching_often():
        together(*[work] * 4)
    assert (x.grad, y.grad) == (800 * 7.0, 1.0)


def test_threads_that_share_interior_nodes_lose_no_contribution():
    x = Value(3.0)
    middle = x * x

    def work(factor):
        for _ in range(ROUNDS):
            (middle * factor + middle).backward()
            assert middle.grad in (2.0, 3.0, 4.0, 5.0)  # that of some whole sweep

    with switching_often():
        together(*[lambda f=f: work(f) for f in (1.0, 2.0, 3.0, 4.0)])
    assert x.grad == ROUNDS * 6.0 * (2.0 + 3.0 + 4.0 + 5.0)


def test_threads_that_share_a_model_add_up_its_batch():
    samples = [[0.1 * i, -0.2 * i] for i in range(40)]
    model = nn.MLP(2, [3, 1], activation="tanh")
    weights = [4.0, 2.0, 0.5, 8.0]  # powers of two: sums of their multiples are the same anyhow

    def work(weight):
        for sample in samples:
            (model(sample) * weight).backward()

    model(samples[0])
    gradients = []
    for sample in samples:
        model.zero_grad()
        model(sample).backward()
        gradients.append([p.grad for p in model.parameters()])
    model.zero_grad()
    with switching_often():
        together(*[lambda w=w: work(w) for w in weights])
    for parameter, *each in zip(model.parameters(), *gradients, strict=True):
        expected = sum(weights) * sum(each)
        bound = sum(weights) * sum(map(abs, each)) * len(samples) * 4 * 2.0**-52
        assert abs(parameter.grad - expected) <= bound
        assert any(each)


def test_recording_goes_on_while_others_sweep():
    x = Value(0.5)
    deep = x
    for _ in range(3_000):
        deep = deep * 0.5 + x
    stop = threading.Event()

    def sweep():
        try:
            for _ in range(20):
                deep.backward()
        finally:
            stop.set()

    def record():
        found = set()
        while not stop.is_set() or not found:
            y = exp(x) * x + deep
            found.add((y.data, y.partials, y._position))
        return found

    with switching_often():
        _, *seen = together(sweep, record, record, record)
    y = exp(x) * x + deep
    assert seen == [{(y.data, (1.0, 1.0), 0)}] * 3
    assert x.grad == pytest.approx(20 * 2.0, rel=1e-15)


def test_transforms_in_many_threads_agree_with_one():
    def f(x):
        y = x
        for _ in range(20):
            y = (y * x).tanh() + x
        return y

    points = [0.1 * i for i in range(24)]

    def all_of(x):
        return value_and_grad(f)(x), grad(grad(f))(x), jvp(f, (x,), (2.0,)), hvp(f, (x,), (1.0,))

    expected = [all_of(x) for x in points]
    with switching_often(), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(all_of, points)) == expected


def test_zero_grad_and_backward_in_turns_leave_whole_gradients():
    xs = [Value(1.0) for _ in range(50)]

    def work():
        for _ in range(ROUNDS):
            total(xs).backward()

    def zero():
        for _ in range(ROUNDS):
            for x in xs:
                x.zero_grad()

    with switching_often():
        together(work, work, zero)
    assert all(x.grad == int(x.grad) and 0.0 <= x.grad <= 2 * ROUNDS for x in xs)


# -- failures while others go on -----------------------------------------------------------------


def test_a_failure_in_one_thread_loses_nothing_of_the_others():
    shared = [Value(float(i)) for i in range(10)]
    bad = Value(1.0)
    failures = []

    def hook(gradient):
        raise LookupError("no gradient for you")

    bad.register_hook(hook)

    def work():
        for _ in range(ROUNDS):
            (total(shared) * 2.0).backward()

    def fail():
        for _ in range(ROUNDS):
            with pytest.raises(LookupError):
                (total([*shared, bad]) * 2.0).backward()
            failures.append(bad.grad)

    with switching_often():
        together(work, fail, work, fail)
    assert failures == [0.0] * (2 * ROUNDS)
    assert [x.grad for x in shared] == [2.0 * 2 * ROUNDS] * 10


@pytest.mark.parametrize("kind", ["at_calls", "at_lines"])
@pytest.mark.parametrize("create_graph", [False, True])
def test_an_interrupt_anywhere_in_one_thread_loses_nothing_of_the_others(create_graph, kind):
    shared = [Value(1.0 + i) for i in range(4)]
    done = threading.Event()

    def recorded():
        a, b, c, d = shared
        return total([a * b, b * c, exp(c * 0.0), d, a]) * 2.0

    def work():
        rounds = 0
        while not done.is_set():
            recorded().backward(create_graph=create_graph)
            rounds += 1
        return rounds

    def interrupt_everywhere():
        """Interrupt at one event after the other, until there are no more."""
        try:
            n = 0
            y = recorded()
            while interrupted(lambda: y.backward(create_graph=create_graph), n := n + 1, kind):
                pass
            return n
        finally:
            done.set()

    others = [recorded() for _ in range(2)]
    for y in others:
        y.backward()
    once = [x.grad / 2.0 for x in shared]
    for x in shared:
        x.zero_grad()
    with switching_often():
        events, first, second = together(interrupt_everywhere, work, work)
    (sweeps,) = {float(x.grad) / g for x, g in zip(shared, once, strict=True)}
    assert events > 10
    # whole sweeps: those of the others, the last one here, and those interrupted after they ended
    assert first + second + 1 <= sweeps <= first + second + events
    assert sweeps == int(sweeps)
    for x in shared:
        x.zero_grad()


# -- modes in threads and pools ------------------------------------------------------------------


def test_modes_switched_in_many_threads_stay_apart():
    x = Value(2.0)

    def quiet():
        seen = set()
        for _ in range(ROUNDS):
            with no_grad():
                seen.add((x * x).requires_grad)
                with enable_grad(), scope("inside"):
                    y = x * x
                    seen.add((y.requires_grad, y.scope))
        return seen

    def loud():
        return {((y := x * x).requires_grad, y.scope, y.partials) for _ in range(8 * ROUNDS)}

    with switching_often():
        found = together(quiet, loud, quiet, loud)
    assert found[0] == found[2] == {False, (True, "inside")}
    assert found[1] == found[3] == {(True, "", (2.0, 2.0))}


def test_a_pool_does_not_inherit_a_mode_unless_given_the_context():
    with ThreadPoolExecutor(1) as pool, no_grad():
        assert pool.submit(recording).result() is True
        context = contextvars.copy_context()
        assert pool.submit(context.run, recording).result() is False
        assert pool.submit(recording).result() is True


def test_a_decorated_function_in_a_pool():
    with ThreadPoolExecutor(4) as pool, switching_often():
        found = list(pool.map(lambda i: (no_grad(recording) if i % 2 else recording)(), range(80)))
    assert found == [True, False] * 40


# -- tasks ---------------------------------------------------------------------------------------


def test_tasks_that_share_leaves_and_differ_in_modes():
    x = Value(3.0)

    async def learn():
        for _ in range(10):
            y = x * x
            await asyncio.sleep(0)
            y.backward()
            await asyncio.sleep(0)

    async def predict():
        found = []
        for _ in range(10):
            with no_grad():
                await asyncio.sleep(0)
                y = x * x
                await asyncio.sleep(0)
            found.append((y.data, y.requires_grad, recording()))
        return found

    async def main():
        return await asyncio.gather(learn(), predict(), learn(), predict(), learn())

    _, first, _, second, _ = asyncio.run(main())
    assert first == second == [(9.0, False, True)] * 10
    assert x.grad == 3 * 10 * 6.0


def test_a_task_and_a_thread_started_in_a_mode_inherit_it():
    async def ask():
        return recording()

    async def main():
        with no_grad():
            task = asyncio.create_task(ask())
            inside = await asyncio.to_thread(recording)
        return inside, await task, await asyncio.create_task(ask()), recording()

    assert asyncio.run(main()) == (False, False, True, True)


def test_a_cancelled_task_leaves_the_mode_of_others():
    async def main():
        @no_grad
        async def hang():
            await asyncio.Event().wait()

        async def hang_in_a_block():
            with no_grad(), scope("hanging"):
                await asyncio.Event().wait()

        tasks = [asyncio.create_task(f()) for f in (hang, hang_in_a_block) for _ in range(3)]
        await asyncio.sleep(0)
        assert runtime.special == 9
        assert recording()
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(error) for error in ended} == {asyncio.CancelledError}
        assert runtime.special == 0

    asyncio.run(main())


# -- generators ----------------------------------------------------------------------------------


def test_decorated_generators_of_many_threads():
    @no_grad
    def quiet():
        for _ in range(ROUNDS):
            yield recording()

    def work():
        return {(inside, recording()) for inside in quiet()}

    with switching_often():
        assert together(*[work] * 4) == [{(False, True)}] * 4


def test_a_decorated_generator_moves_between_threads():
    @no_grad
    def quiet():
        while True:
            yield recording()

    generator = quiet()
    for _ in range(3):
        assert together(lambda: (next(generator), recording())) == [(False, True)]
        assert (next(generator), recording()) == (False, True)
    generator.close()


def test_decorated_async_generators_of_tasks_take_turns():
    @no_grad
    async def quiet():
        for _ in range(5):
            yield recording()
            await asyncio.sleep(0)

    @enable_grad
    async def loud():
        for _ in range(5):
            yield recording()
            await asyncio.sleep(0)

    async def consume(generator):
        return {(inside, recording()) async for inside in generator()}

    async def main():
        with no_grad():
            inner = asyncio.gather(consume(quiet), consume(loud))
        return await asyncio.gather(consume(quiet), consume(loud), inner)

    quiet_ones, loud_ones, inner = asyncio.run(main())
    assert (quiet_ones, loud_ones) == ({(False, True)}, {(True, True)})
    assert inner == [{(False, False)}, {(True, False)}]


def test_an_abandoned_async_generator_cleans_up_in_its_mode():
    cleaned = []

    @no_grad
    async def quiet():
        try:
            while True:
                yield recording()
        finally:
            cleaned.append(recording())

    async def main():
        async for inside in quiet():
            assert (inside, recording()) == (False, True)
            break
        gc.collect()
        await asyncio.sleep(0)
        kept = quiet()
        assert await anext(kept) is False
        return kept

    kept = asyncio.run(main())  # which closes what is left, in no particular order and mode
    assert (cleaned[0], len(cleaned)) == (False, 2)
    with pytest.raises(StopAsyncIteration):
        kept.__anext__().send(None)


def test_a_bare_block_around_a_yield_leaks_until_the_generator_ends():
    def bare():
        with no_grad():
            yield recording()

    generator = bare()
    assert next(generator) is False
    assert not recording()  # as in PyTorch; a decorated generator does not
    assert next(generator, "ended") == "ended"
    assert recording()


def test_two_bare_blocks_that_end_in_the_wrong_order():
    def bare(mode):
        with mode():
            yield

    first, second = bare(no_grad), bare(enable_grad)
    next(first)
    next(second)
    assert recording()
    first.close()
    assert recording()
    second.close()
    assert recording()
    third, fourth = bare(enable_grad), bare(no_grad)
    next(third)
    next(fourth)
    third.close()  # and with it what was entered inside
    assert recording()
    fourth.close()
    assert recording()


def test_a_task_that_outlives_the_block_it_was_started_in_keeps_its_mode():
    async def ask(times):
        found = []
        for _ in range(times):
            found.append(recording())
            await asyncio.sleep(0)
        return found

    async def main():
        with no_grad(), scope("inside"):
            task = asyncio.create_task(ask(3))
        assert recording()
        with enable_grad():
            await asyncio.sleep(0)
        assert runtime.special == 2
        assert recording()
        return await task

    assert asyncio.run(main()) == [False] * 3
