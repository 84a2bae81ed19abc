"""no_grad, enable_grad, scope and collector_paused: where they hold, and that they end."""

import asyncio
import contextvars
import gc
import threading

import pytest

from autograd_lite import Value, collector_paused, enable_grad, no_grad, scope
from autograd_lite.modes import runtime

X = Value(3.0)


def recording():
    """Tell whether operations are recorded here and now."""
    y = X * X
    assert y.data == 9.0
    assert y.operands == ((X, X) if y.requires_grad else ())
    return y.requires_grad


@pytest.fixture(autouse=True)
def _every_mode_is_off_before_and_after():
    assert runtime.special == 0
    assert recording()
    yield
    assert runtime.special == 0
    assert recording()


# -- with-blocks ---------------------------------------------------------------------------------


def test_blocks_nest_and_end():
    with no_grad():
        assert not recording()
        with enable_grad():
            assert recording()
            with no_grad():
                assert not recording()
            assert recording()
        assert not recording()
        with no_grad():
            assert not recording()
        assert not recording()
    assert recording()


def test_results_under_no_grad_are_constants_whatever_the_operation():
    with no_grad():
        for y in (X + 1.0, 1.0 - X, X / X, -X, X.tanh(), X**2.0, 2**X, abs(X), X.maximum(1.0)):
            assert (y.requires_grad, y.op, y.operands) == (False, "", ())
        assert Value(1.0).requires_grad  # leaves are what they are asked to be


def test_an_exception_ends_the_block():
    with pytest.raises(LookupError), no_grad():
        raise LookupError
    assert recording()
    with pytest.raises(LookupError), no_grad(), enable_grad(), scope("a"):
        raise LookupError
    assert recording()
    assert (X * X).scope == ""


def test_one_object_can_be_entered_again_and_inside_itself():
    mode = no_grad()
    with mode:
        with mode:
            assert not recording()
        assert not recording()
    assert recording()
    with mode:
        assert not recording()


# -- decorators ----------------------------------------------------------------------------------


def test_a_decorated_function():
    @no_grad()
    def f(a, *, b=2):
        """Doc."""
        if b == 0:
            raise LookupError
        return a, b, recording()

    assert f(1) == (1, 2, False)
    assert (f.__name__, f.__doc__) == ("f", "Doc.")
    assert recording()
    with pytest.raises(LookupError):
        f(1, b=0)
    assert recording()


def test_a_decorated_recursive_function():
    @no_grad()
    def outer(depth):
        return recording() or (depth > 0 and (inner(depth) or outer(depth - 1)))

    @enable_grad()
    def inner(depth):
        assert recording()
        return depth > 0 and outer(depth - 1)

    assert outer(4) is False


def test_a_decorated_method():
    class Model:
        @no_grad()
        def predict(self, x):
            return self, x, recording()

    model = Model()
    assert model.predict(1) == (model, 1, False)


def test_a_decorated_generator_does_not_leak_into_its_caller():
    @no_grad()
    def numbers():
        received = []
        for i in range(3):
            assert not recording()
            received.append((yield i))
            assert not recording()
        return received

    generator = numbers()
    assert next(generator) == 0
    assert recording()
    assert generator.send("a") == 1
    assert recording()
    with enable_grad():
        assert generator.send("b") == 2
    with pytest.raises(StopIteration) as end:
        generator.send("c")
    assert end.value.value == ["a", "b", "c"]
    assert recording()


def test_a_decorated_generator_takes_exceptions_thrown_in():
    seen = []

    @no_grad()
    def numbers():
        try:
            yield 1
        except LookupError as error:
            seen.append((str(error), recording()))
            yield 2
        yield 3

    generator = numbers()
    next(generator)
    assert generator.throw(LookupError("thrown")) == 2
    assert seen == [("thrown", False)]
    assert recording()
    with pytest.raises(ZeroDivisionError):
        generator.throw(ZeroDivisionError)
    with pytest.raises(StopIteration):
        next(generator)
    assert recording()


def test_closing_a_decorated_generator_runs_its_cleanup_inside_the_mode():
    seen = []

    @no_grad()
    def numbers():
        try:
            yield 1
        finally:
            seen.append(recording())

    generator = numbers()
    next(generator)
    generator.close()
    assert seen == [False]
    with no_grad():
        started = numbers()
        next(started)
    del started  # closed by reference counting, outside the block
    assert seen == [False, False]
    assert recording()


def test_yield_from_a_decorated_generator_passes_its_result_on():
    @no_grad()
    def inner():
        yield recording()
        return "result"

    def outer():
        return (yield from inner()), recording()

    generator = outer()
    assert next(generator) is False
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == ("result", True)


def test_two_decorated_generators_take_turns():
    @no_grad()
    def off():
        while True:
            yield recording()

    @enable_grad()
    def on():
        while True:
            yield recording()

    a, b = off(), on()
    assert [next(g) for g in (a, b, a, b, b, a)] == [False, True, False, True, True, False]
    a.close()
    b.close()


# -- threads and tasks ---------------------------------------------------------------------------


def test_other_threads_do_not_see_a_mode():
    found = []
    with no_grad(), scope("main"):
        thread = threading.Thread(target=lambda: found.append((recording(), (X * X).scope)))
        thread.start()
        thread.join()
        assert not recording()
    assert found == [(True, "")]


def test_a_mode_of_another_thread_is_not_seen_here():
    inside, done = threading.Event(), threading.Event()
    found = []

    def work():
        with no_grad():
            inside.set()
            done.wait()
            found.append(recording())

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    try:
        assert recording()
    finally:
        done.set()
        thread.join()
    assert found == [False]


def test_a_decorated_coroutine_and_other_tasks():
    @no_grad()
    async def quiet(turns):
        seen = []
        for _ in range(turns):
            seen.append(recording())
            await asyncio.sleep(0)
        return seen

    async def loud(turns):
        seen = []
        for _ in range(turns):
            seen.append(recording())
            await asyncio.sleep(0)
        return seen

    async def main():
        found = await asyncio.gather(quiet(3), loud(3), quiet(2))
        assert recording()
        with no_grad():
            await asyncio.sleep(0)
            assert not recording()
        return found

    assert asyncio.run(main()) == [[False] * 3, [True] * 3, [False] * 2]


def test_a_with_block_in_one_task_is_not_seen_in_another():
    async def main():
        entered, checked = asyncio.Event(), asyncio.Event()

        async def holder():
            with no_grad():
                entered.set()
                await checked.wait()
                return recording()

        task = asyncio.create_task(holder())
        await entered.wait()
        outside = recording()
        checked.set()
        return outside, await task

    assert asyncio.run(main()) == (True, False)


def test_a_cancelled_task_ends_its_mode():
    async def main():
        @no_grad()
        async def forever():
            await asyncio.Event().wait()

        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        assert runtime.special == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_decorated_async_generator_does_not_leak_into_its_caller():
    cleaned = []

    @no_grad()
    async def numbers():
        try:
            for i in range(3):
                assert not recording()
                received = yield i
                assert received in (None, "sent")
                await asyncio.sleep(0)
        except LookupError:
            yield recording()
        finally:
            cleaned.append(recording())

    async def main():
        seen = []
        async for number in numbers():
            assert recording()
            seen.append(number)
        assert seen == [0, 1, 2]
        generator = numbers()
        await anext(generator)
        assert await generator.asend("sent") == 1
        assert await generator.athrow(LookupError()) is False
        assert recording()
        await generator.aclose()
        assert recording()

    asyncio.run(main())
    assert cleaned == [False, False]


def test_a_mode_travels_with_a_copied_context():
    with no_grad():
        context = contextvars.copy_context()
        assert context.run(lambda: (X * X).requires_grad) is False


# -- scope ---------------------------------------------------------------------------------------


def test_scopes_join_their_names():
    with scope("model"):
        a = X * 2.0
        with scope("layers.0"):
            b = a.tanh()
            with scope(""):
                c = a + b
        d = c - 1.0
    assert [v.scope for v in (a, b, c, d, X * X)] == [
        "model",
        "model.layers.0",
        "model.layers.0",
        "model",
        "",
    ]


def test_a_label_and_a_scope_live_together():
    with scope("model"):
        a = X * 2.0
    a.label = "a"
    assert (a.label, a.scope) == ("a", "model")


def test_a_scope_is_a_decorator_and_takes_text_only():
    @scope("block")
    def block(x):
        return x * 2.0

    assert block(X).scope == "block"
    with pytest.raises(TypeError, match="scope expected a name as text, got int: 3"):
        scope(3)


# -- collector_paused ----------------------------------------------------------------------------


@pytest.fixture
def _collector_on():
    was = gc.isenabled()
    gc.enable()
    yield
    assert gc.isenabled()
    if not was:
        gc.disable()


@pytest.mark.usefixtures("_collector_on")
def test_the_collector_comes_back_when_the_last_block_ends():
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(LookupError), collector_paused():
        raise LookupError
    assert gc.isenabled()


@pytest.mark.usefixtures("_collector_on")
def test_a_collector_that_was_off_stays_off():
    gc.disable()
    with collector_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()
    gc.enable()


@pytest.mark.usefixtures("_collector_on")
def test_blocks_in_several_threads_overlap():
    inside, done = threading.Event(), threading.Event()

    def work():
        with collector_paused():
            inside.set()
            done.wait()

    thread = threading.Thread(target=work)
    with collector_paused():
        thread.start()
        inside.wait()
    assert not gc.isenabled()
    done.set()
    thread.join()
    assert gc.isenabled()


@pytest.mark.parametrize("mode", [no_grad, enable_grad])
def test_a_mode_decorates_with_or_without_parentheses(mode):
    @mode
    def bare(x):
        return x * 2.0

    @mode()
    def called(x):
        return x * 2.0

    with no_grad() if mode is enable_grad else enable_grad():
        assert bare(Value(1.0)).requires_grad == called(Value(1.0)).requires_grad
        assert bare(Value(1.0)).requires_grad is (mode is enable_grad)


def test_what_is_no_function_cannot_be_decorated():
    with pytest.raises(TypeError, match="no_grad expected a function to decorate, got int: 3"):
        no_grad()(3)


def test_one_object_may_be_shared_by_threads():
    shared = no_grad()
    inside, outside = threading.Event(), threading.Event()
    found = []

    def first():
        with shared:
            inside.set()
            assert outside.wait(10)
            found.append((Value(1.0) * 2.0).requires_grad)
        found.append((Value(1.0) * 2.0).requires_grad)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with shared:
        assert not (Value(1.0) * 2.0).requires_grad
    assert (Value(1.0) * 2.0).requires_grad
    outside.set()
    thread.join()
    assert found == [False, True]
