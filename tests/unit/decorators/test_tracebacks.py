"""What a traceback through a decorated function shows, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import linecache
import pickle
import sys
import traceback
import types
import weakref

import pytest

from otel_trading.decorators import inference, order_execution, strategy_cycle, timed
from otel_trading.decorators.template import FILE

pytestmark = pytest.mark.usefixtures("no_faults")


@timed("tracebacks.function.duration")
def fails(value: int, *, scale: int = 1) -> float:
    """Divide by nothing."""
    return value / (0 * scale)


@inference(model="tracebacks")
async def fails_later(value: int) -> float:
    await asyncio.sleep(0)
    return value / 0


@strategy_cycle("tracebacks")
def fails_on_the_way(value: int):
    yield value
    yield value / 0


@order_execution(venue="kraken")
async def fails_on_the_way_later(value: int):
    yield value
    await asyncio.sleep(0)
    yield value / 0


async def collect(items):
    return [item async for item in items]


CALLS = {
    "function": lambda: fails(1),
    "coroutine": lambda: asyncio.run(fails_later(1)),
    "generator": lambda: list(fails_on_the_way(1)),
    "async generator": lambda: asyncio.run(collect(fails_on_the_way_later(1))),
}


@pytest.mark.parametrize("kind", CALLS)
def test_one_line_of_ours_that_can_be_read(kind) -> None:
    """Between the caller and the function stands one frame, called like the function, whose line a reader can see."""
    with pytest.raises(ZeroDivisionError) as raised:
        CALLS[kind]()
    ours = [frame for frame in traceback.extract_tb(raised.value.__traceback__) if frame.filename.startswith(f"<{FILE}")]
    assert len(ours) == 1
    assert ours[0].name.startswith("fails")
    assert ours[0].line is not None
    assert "_ot_" in ours[0].line
    linecache.checkcache()
    assert linecache.getline(ours[0].filename, ours[0].lineno).strip() == ours[0].line


def test_line_shows_the_call_as_it_was_made() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        fails(1, scale=2)
    (ours,) = [frame for frame in traceback.extract_tb(raised.value.__traceback__) if frame.filename.startswith(f"<{FILE}")]
    assert ours.line == "_ot_result = _ot_call(value, scale=scale)"


@pytest.mark.parametrize("call", ["fails()", "fails(1, 2)", "fails(1, oops=2)", "fails_later()", "fails_on_the_way()"])
def test_wrong_call_fails_in_the_callers_line(call) -> None:
    """No frame of ours, and nothing to await or to iterate before it is seen."""
    with pytest.raises(TypeError) as raised:
        eval(call)  # noqa: S307 - the cases are right above
    assert not [frame for frame in traceback.extract_tb(raised.value.__traceback__) if FILE in frame.filename]


def test_source_and_documentation_are_the_functions_own() -> None:
    assert inspect.getsource(fails).splitlines()[1] == "def fails(value: int, *, scale: int = 1) -> float:"
    assert inspect.getdoc(fails) == "Divide by nothing."


def test_decorated_functions_are_pickled_by_name() -> None:
    for function in (fails, fails_later, fails_on_the_way, fails_on_the_way_later):
        assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301 - made right here


@pytest.mark.parametrize("how", ["raised", "caught", "thrown through", "closed"])
def test_nothing_is_left_for_the_garbage_collector(how) -> None:
    """Neither an exception nor what it holds is kept alive by a cycle through our frame."""

    class Held:
        pass

    @timed("tracebacks.held.duration")
    def items(held: Held):
        try:
            yield held
        except KeyError as error:
            raise ValueError(held) from error
        raise ValueError(held)

    def run() -> weakref.ref[Held]:
        held = Held()
        steps = items(held)
        next(steps)
        try:
            if how == "raised":
                next(steps)
            elif how == "caught":
                steps.throw(KeyError(held))
            elif how == "thrown through":
                steps.throw(ValueError(held))
            else:
                steps.close()
        except ValueError:
            pass
        return weakref.ref(held)

    gc.collect()
    gc.disable()
    try:
        assert run()() is None
    finally:
        gc.enable()


def test_async_generator_leaves_nothing_either() -> None:
    class Held:
        pass

    @timed("tracebacks.held_later.duration")
    async def items(held: Held):
        yield held

    def run() -> weakref.ref[Held]:
        held = Held()
        steps = items(held)
        # Nothing here keeps the awaitable, which keeps what is thrown, which keeps this frame.
        for step in (steps.__anext__, lambda: steps.athrow(ValueError(held))):
            with contextlib.suppress(StopIteration, ValueError):
                step().__await__().send(None)
        return weakref.ref(held)

    gc.collect()
    gc.disable()
    try:
        assert run()() is None
    finally:
        gc.enable()


def test_generator_based_coroutine_stays_awaitable() -> None:
    """`types.coroutine` marks a generator function; the decorated one can be awaited as well."""

    @timed("tracebacks.switch.duration")
    @types.coroutine
    def switch():
        yield
        return "switched"

    async def main() -> str:
        return await switch()

    assert asyncio.run(main()) == "switched"


def test_event_loop_closes_an_abandoned_async_generator_once() -> None:
    """The inner generator is none of the loop's business: its `finally` runs once, and nothing complains."""
    closed = []

    @timed("tracebacks.abandoned.duration")
    async def ticks():
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async def main() -> None:
        main.items = ticks()
        await main.items.__anext__()

    asyncio.run(main())
    assert closed == ["closed"]


def test_async_generator_hooks_see_the_decorated_generator_only() -> None:
    seen = []

    @timed("tracebacks.hooked.duration")
    async def ticks():
        yield 1

    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=seen.append)
    try:
        items = ticks()
        step = items.__anext__().__await__()
        with pytest.raises(StopIteration):
            next(step)
        assert sys.get_asyncgen_hooks().firstiter == seen.append
    finally:
        sys.set_asyncgen_hooks(*before)
    assert seen == [items]
