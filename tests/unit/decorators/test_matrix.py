"""Every decorator on every kind of function, for every way in which a call ends: exactly one duration, with its outcome."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from otel_trading.decorators import inference, order_execution, strategy_cycle, timed

pytestmark = pytest.mark.usefixtures("no_faults")

SECONDS = 0.125  # exact in binary


class BoomError(Exception):
    """Raised by the functions here."""


DECORATORS = {
    "order_execution": (
        lambda: order_execution(venue="kraken", strategy="s"),
        "order.duration",
        {"venue.name": "kraken", "order.operation": "submit", "strategy.name": "s"},
    ),
    "inference": (lambda: inference(model="m", version="1"), "inference.duration", {"model.name": "m", "model.version": "1"}),
    "strategy_cycle": (
        lambda: strategy_cycle("matrix", every=60),
        "strategy.cycle.duration",
        {"strategy.name": "matrix"},
    ),
    "timed": (lambda: timed("matrix.duration", attributes={"a": "b"}), "matrix.duration", {"a": "b"}),
}
OUTCOMES = {
    # what is raised inside, and the error.type that it is recorded with
    "success": (None, None),
    "early return": (None, None),
    "exception": (BoomError, "BoomError"),
    "time-out": (TimeoutError, "timeout"),
    "cancellation": (asyncio.CancelledError, "canceled"),
    "interrupt": (KeyboardInterrupt, "KeyboardInterrupt"),
    "exit": (SystemExit, "SystemExit"),
    "close": (None, None),
}
KINDS = (
    "function",
    "method",
    "classmethod",
    "classmethod outside",
    "staticmethod",
    "staticmethod outside",
    "callable object",
    "bound method",
    "partial",
    "builtin",
    "async function",
    "async method",
    "async callable object",
    "async partial",
    "generator",
    "generator method",
    "async generator",
    "async generator method",
)


def made(kind: str, decorate: Callable[[Any], Any], body: Callable[[str], object]) -> Callable[[str], Any]:
    """A decorated callable of that kind, which takes an outcome and does `body`."""
    if "async generator" in kind:

        async def function(outcome: str) -> Any:
            yield "first"
            await asyncio.sleep(0)
            body(outcome)
            if outcome == "early return":
                return
            yield "last"

    elif "generator" in kind:

        def function(outcome: str) -> Any:
            yield "first"
            body(outcome)
            if outcome == "early return":
                return
            yield "last"

    elif "async" in kind:

        async def function(outcome: str) -> Any:
            await asyncio.sleep(0)
            body(outcome)

    else:

        def function(outcome: str) -> Any:
            body(outcome)

    def method(_self: object, outcome: str) -> Any:
        return function(outcome)

    if "async generator" in kind:

        async def method(_self: object, outcome: str) -> Any:
            async for item in function(outcome):
                yield item

    elif "generator" in kind:

        def method(_self: object, outcome: str) -> Any:
            yield from function(outcome)

    elif "async" in kind:

        async def method(_self: object, outcome: str) -> Any:
            await function(outcome)

    if "callable object" in kind:
        return decorate(type("Bot", (), {"__call__": method})())
    if kind == "bound method":
        return decorate(type("Bot", (), {"run": method})().run)
    if "partial" in kind:
        return decorate(partial(method, object()))
    if kind == "builtin":
        return lambda outcome: decorate(next)(body(outcome) for _ in [0])
    wrapped = {
        "method": lambda: decorate(method),
        "async method": lambda: decorate(method),
        "generator method": lambda: decorate(method),
        "async generator method": lambda: decorate(method),
        "classmethod": lambda: decorate(classmethod(method)),
        "classmethod outside": lambda: classmethod(decorate(method)),
        "staticmethod": lambda: decorate(staticmethod(function)),
        "staticmethod outside": lambda: staticmethod(decorate(function)),
    }
    if kind in wrapped:
        bot = type("Bot", (), {"run": wrapped[kind]()})
        return bot.run if kind.startswith(("classmethod", "staticmethod")) else bot().run
    return decorate(function)


def drive(kind: str, call: Callable[[str], Any], outcome: str) -> None:
    """Run one call to its end, or close it after its first item."""

    async def to_the_end(items: Any) -> None:
        async for _ in items:
            pass

    async def closed(items: Any) -> None:
        await items.__anext__()
        await items.aclose()

    result = call(outcome)
    if "async generator" in kind:
        steps = (closed if outcome == "close" else to_the_end)(result)
    elif "generator" in kind:
        if outcome == "close":
            next(result)
            result.close()
        else:
            assert list(result)
        return
    elif "async" in kind:
        steps = result
    else:
        return
    with contextlib.suppress(StopIteration):  # by hand: a loop would treat KeyboardInterrupt and SystemExit as its own
        while True:
            steps.send(None)


CASES = [case for case in itertools.product(DECORATORS, KINDS, OUTCOMES) if case[2] != "close" or "generator" in case[1]]


@pytest.mark.parametrize(("name", "kind", "outcome"), CASES)
def test_each_call_is_recorded_once_with_its_outcome(name, kind, outcome, recorded, clock) -> None:
    """Duration to the digit, `error.type` if and only if it failed; a consumer that stops early is no failure."""
    make, metric, attributes = DECORATORS[name]
    raised, error_type = OUTCOMES[outcome]

    def body(_: str) -> None:
        clock.sleep(SECONDS)
        if raised is not None:
            raise raised

    call = made(kind, make(), body)
    if raised is None:
        drive(kind, call, outcome)
    else:
        with pytest.raises(raised):
            drive(kind, call, outcome)
    expected = dict(attributes)
    if error_type is not None:
        expected["error.type"] = error_type
    elif name == "order_execution":
        expected["order.status"] = "pending_new"  # None as result: nothing is known but that it was sent
    assert recorded.points(metric) == [(expected, (1, 0.0 if outcome == "close" else SECONDS))]
