"""What `strategy_cycle` says of a strategy: that it runs, how long a cycle takes, how often it is expected."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from otel_trading.decorators import strategy_cycle
from otel_trading.errors import ConfigurationError
from otel_trading.metrics.clock import process


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Unix seconds, which a test moves by changing the one element."""
    now = [1_700_000_000.0]
    monkeypatch.setattr(process, "now", lambda: now[0])
    return now


@pytest.mark.usefixtures("no_faults")
def test_last_cycle_is_when_it_ended_and_the_interval_what_was_said(recorded, wall) -> None:
    """The time is that of the end of the cycle, not of its beginning; the interval is in seconds."""

    @strategy_cycle("ends", every=timedelta(minutes=1))
    def on_bar() -> None:
        wall[0] += 5

    assert recorded.one("strategy.cycle.interval", strategy__name="ends") is None  # it never ran
    on_bar()
    assert recorded.one("strategy.last_cycle.time", strategy__name="ends") == 1_700_000_005.0
    assert recorded.one("strategy.cycle.interval", strategy__name="ends") == 60.0
    on_bar()
    assert recorded.one("strategy.last_cycle.time", strategy__name="ends") == 1_700_000_010.0


@pytest.mark.usefixtures("no_faults")
def test_failed_cycle_has_ended_too_and_is_an_error_of_the_bot(recorded, wall) -> None:
    @strategy_cycle("fails")
    def on_bar() -> None:
        wall[0] += 5
        raise LookupError

    with pytest.raises(LookupError):
        on_bar()
    assert recorded.one("strategy.last_cycle.time", strategy__name="fails") == 1_700_000_005.0
    assert recorded.points("errors") == [({"component.name": "strategy", "error.type": "LookupError"}, 1)]


@pytest.mark.usefixtures("no_faults")
def test_cancellation_is_no_error_of_the_bot(recorded) -> None:
    @strategy_cycle("cancelled")
    async def on_bar() -> None:
        await asyncio.sleep(3600)

    async def main() -> None:
        task = asyncio.ensure_future(on_bar())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(main())
    assert recorded.points("errors") == []
    assert recorded.one("strategy.cycle.duration", type="canceled")[0] == 1


@pytest.mark.usefixtures("no_faults")
def test_without_an_interval_none_is_claimed(recorded) -> None:
    strategy_cycle(lambda: None)()
    assert not [point for point in recorded.points("strategy.cycle.interval") if point[0]["strategy.name"] == "<lambda>"]
    assert recorded.one("strategy.cycle.duration", strategy__name="<lambda>")[0] == 1


@pytest.mark.parametrize("every", [0, -60, float("nan"), float("inf"), "60", timedelta(0)])
def test_interval_is_a_positive_number_of_seconds(every) -> None:
    with pytest.raises(ConfigurationError, match="every is the interval between cycles in seconds"):
        strategy_cycle("s", every=every)
