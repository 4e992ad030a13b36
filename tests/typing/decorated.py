"""Decorated code as a type checker sees it: what is decorated keeps the type it had. Checked by pyright in strict mode."""
# ruff: noqa: ARG003 - what a method here does with its arguments is not the point

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from decimal import Decimal
from types import CoroutineType
from typing import Any, overload

from typing_extensions import assert_type

import otel_trading as ot


@ot.order_execution(venue="kraken", strategy="sma_cross")
def place_order(symbol: str, side: str, quantity: float, price: float | None = None) -> dict[str, object]:
    return {"symbol": symbol, "side": side, "quantity": quantity, "price": price}


@ot.order_execution(venue="kraken", strategy="sma_cross", account=ot.Account("main", currency="USD"))
async def place_order_later(symbol: str, /, *, side: str) -> str:
    return symbol + side


@ot.inference
def predict(features: list[float]) -> float:
    return sum(features)


@ot.inference(model="direction", version="3", labels=("up", "down"), label=lambda result: result)
def classify(*features: float, **options: bool) -> str:
    return str((features, options))


@ot.strategy_cycle("sma_cross", every=60)
def bars(count: int) -> Iterator[int]:
    yield from range(count)


@ot.strategy_cycle
async def ticks(count: int) -> AsyncIterator[int]:
    for tick in range(count):
        yield tick


@ot.timed("bot.parse.duration", attributes={"source": "csv"})
@overload
def parse(text: str) -> str: ...
@ot.timed("bot.parse.duration", attributes={"source": "csv"})
@overload
def parse(text: bytes) -> bytes: ...
@ot.timed("bot.parse.duration", attributes={"source": "csv"})
def parse(text: str | bytes) -> str | bytes:
    return text


class Bot:
    @ot.timed
    def method(self, value: int) -> int:
        return value

    @ot.timed
    @classmethod
    def class_method(cls, value: int) -> Bot:
        return cls()

    @classmethod
    @ot.timed("bot.class_method_2.duration")
    def class_method_2(cls, value: int) -> Bot:
        return cls()

    @ot.timed("bot.static_method.duration")
    @staticmethod
    def static_method(value: int) -> str:
        return str(value)

    @ot.order_execution(venue="kraken", strategy="sma_cross")
    async def submit(self, symbol: str, quantity: Decimal) -> None: ...

    def __call__(self, value: int) -> bytes:
        return bytes(value)


bot = Bot()
parameters: Callable[[str, str, float], dict[str, object]] = place_order
assert_type(place_order("BTC/USD", "buy", 1.0), dict[str, object])
made: CoroutineType[Any, Any, str] = place_order_later("BTC/USD", side="buy")
assert_type(predict, Callable[[list[float]], float])  # pyright: ignore[reportAssertTypeFailure]  # a function, with its names
assert_type(predict(features=[1.0]), float)
assert_type(classify(1.0, 2.0, fast=True), str)
assert_type(bars(3), Iterator[int])
assert_type(ticks(3), AsyncIterator[int])
assert_type(parse("x"), str)
assert_type(parse(b"x"), bytes)
assert_type(bot.method(1), int)
assert_type(Bot.class_method(1), Bot)
assert_type(Bot.class_method_2(1), Bot)
assert_type(Bot.static_method(1), str)
submitted: CoroutineType[Any, Any, None] = bot.submit("BTC/USD", Decimal(1))
assert_type(ot.inference(model="m")(bot)(value=1), bytes)
assert_type(ot.timed("bot.partial.duration")(functools.partial(predict, [1.0]))(), float)
assert_type(ot.timed(len)([]), int)


# What is wrong with the plain function is wrong with the decorated one.
place_order("BTC/USD", "buy")  # pyright: ignore[reportCallIssue]
place_order("BTC/USD", "buy", "1")  # pyright: ignore[reportArgumentType]
place_order_later(symbol="BTC/USD", side="buy")  # pyright: ignore[reportCallIssue]
bot.method("1")  # pyright: ignore[reportArgumentType]
Bot.static_method()  # pyright: ignore[reportCallIssue]
parse(1)  # pyright: ignore[reportCallIssue, reportArgumentType]
number: int = predict([1.0])  # pyright: ignore[reportAssignmentType]


async def main() -> None:
    place_order_later("BTC/USD", side="buy")  # pyright: ignore[reportUnusedCoroutine]
    later: Coroutine[Any, Any, str] = place_order_later("BTC/USD", side="buy")
    assert_type(await later, str)
    waited: Awaitable[None] = bot.submit("BTC/USD", Decimal(1))
    await waited
    async for tick in ticks(3):
        assert_type(tick, int)

    with ot.order_execution.track(venue="kraken", symbol="BTC/USD", side="buy") as op:
        op.set_result(place_order("BTC/USD", "buy", 1.0))
    async with ot.inference.track(model="direction") as op:
        op.set_result(predict([1.0]))
    with ot.strategy_cycle.track("sma_cross", every=60), ot.timed.track("bot.block.duration"):
        pass


# What cannot be meant is refused where it is written.
ot.order_execution(venue=1)  # pyright: ignore[reportArgumentType]
ot.order_execution(venue="kraken", operation="buy")  # pyright: ignore[reportArgumentType]
ot.order_execution(venue="kraken", arguments={"colour": "symbol"})  # pyright: ignore[reportArgumentType]
ot.inference("direction")  # pyright: ignore[reportCallIssue, reportArgumentType]
ot.strategy_cycle("s", every="60")  # pyright: ignore[reportArgumentType]
ot.timed(3)  # pyright: ignore[reportCallIssue, reportArgumentType]
ot.record_order(venue="kraken", side="buy", type="limit")  # pyright: ignore[reportCallIssue]
ot.record_stream_event("trades", "gone", venue="kraken")  # pyright: ignore[reportArgumentType]
ot.observe("bot.balance", 3)  # pyright: ignore[reportArgumentType]
