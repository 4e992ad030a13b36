"""The context managers that do for a block of code what the decorators do for a function."""

from __future__ import annotations

import asyncio

import pytest

from otel_trading.decorators import inference, order_execution, strategy_cycle, timed
from otel_trading.metrics import catalog, faults

ORDER = {"id": "1", "status": "closed", "amount": 1, "filled": 1, "average": 101.0}


def blocks():
    """Each of them anew: a block is used once."""
    return {
        "order.duration": order_execution.track(venue="kraken", side="buy"),
        "inference.duration": inference.track(model="m"),
        "strategy.cycle.duration": strategy_cycle.track("tracked", every=60),
        "tracked.duration": timed.track("tracked.duration"),
    }


each_block = pytest.mark.parametrize("metric", blocks())


@each_block
@pytest.mark.usefixtures("no_faults")
def test_block_is_recorded_with_its_duration(recorded, clock, metric) -> None:
    with blocks()[metric] as op:
        clock.sleep(0.5)
        op.set_result(None)
    assert [value for _, value in recorded.points(metric)] == [(1, 0.5)]


@each_block
@pytest.mark.usefixtures("no_faults")
def test_block_is_recorded_around_what_is_awaited(recorded, clock, metric) -> None:
    async def main() -> None:
        async with blocks()[metric] as op:
            await asyncio.sleep(0)
            clock.sleep(0.5)
            op.set_result("x")

    asyncio.run(main())
    assert [value for _, value in recorded.points(metric)] == [(1, 0.5)]


@each_block
@pytest.mark.usefixtures("no_faults")
def test_exception_passes_through_as_it_is(recorded, clock, metric) -> None:
    error = TimeoutError("as it is")

    def work() -> None:
        with blocks()[metric]:
            clock.sleep(0.25)
            raise error

    with pytest.raises(TimeoutError) as caught:
        work()
    assert caught.value is error
    assert (error.__context__, error.__cause__) == (None, None)
    ((known, value),) = recorded.points(metric)
    assert (known["error.type"], value) == ("timeout", (1, 0.25))


@each_block
@pytest.mark.usefixtures("no_faults")
def test_early_return_and_a_closed_generator_are_no_failures(recorded, metric) -> None:
    def returns() -> str:
        with blocks()[metric]:
            return "early"

    def yields():
        with blocks()[metric]:
            yield 1

    assert returns() == "early"
    items = yields()
    next(items)
    items.close()
    assert [known.get("error.type") for known, _ in recorded.points(metric)] == [None]
    assert sum(value[0] for _, value in recorded.points(metric)) == 2


@each_block
def test_before_anything_is_configured_nothing_happens(recorded, metric) -> None:
    catalog.attach("idle")
    with blocks()[metric] as op:
        op.set_result(ORDER)
    assert recorded.all() == {}


@pytest.mark.usefixtures("no_faults")
def test_order_is_what_it_is_said_to_be(recorded) -> None:
    with order_execution.track(
        venue="kraken", strategy="s", symbol="BTC/USDT", side="buy", type="market", quantity=1, reference_price=100
    ) as op:
        op.set_result(ORDER)
    assert recorded.one("order.submissions", venue="kraken", side="buy", type="market") == 1
    assert recorded.one("orders", status="filled") == 1
    assert recorded.one("volume", currency="USDT", strategy="s") == 101
    assert recorded.points("slippage")[0][1] == (1, pytest.approx(100.0))


@pytest.mark.usefixtures("no_faults")
def test_inference_reads_its_result(recorded) -> None:
    with inference.track(model="m", labels=("up", "down")) as op:
        op.set_result("sideways")
    assert recorded.one("predictions", label="other") == 1


@pytest.mark.parametrize(
    "block",
    [
        lambda: order_execution.track(venue="kraken", operation="buy"),
        lambda: inference.track(model="m", labels=3),
        lambda: strategy_cycle.track("s", every=-1),
        lambda: timed.track("not a name"),
    ],
)
@pytest.mark.usefixtures("recorded")
def test_block_that_cannot_be_meant_runs_all_the_same(block) -> None:
    """A block is in the middle of a bot's work: what is wrong with ours is reported, and the work goes on."""
    done = []
    with block() as op:
        done.append("work")
        op.set_result(None)
    assert done == ["work"]
    assert faults.errors == {("decorators", "ConfigurationError"): 1}
