"""How long `order_execution` waits for an order, and by which clock the order was sent."""
# ruff: noqa: ARG001 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_trading.decorators import order_execution
from otel_trading.errors import ConfigurationError
from otel_trading.metrics.clock import WALL, process
from otel_trading.orders import seen


class Bars:
    """Virtual time, which a test moves."""

    now = 1_262_304_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bars]:
    """The clock of the process, as `configure(clock=)` sets it."""
    clock = Bars()
    seen.clear()
    monkeypatch.setattr(seen["virtual", None], "clock", process)
    process.set(clock)
    yield clock
    process.set(WALL)
    seen.clear()


def decorated(result: Callable[[], object], **settings: Any) -> Callable[..., object]:
    @order_execution(venue="virtual", **settings)
    def place_order(symbol: str | None = None, side: str | None = None, order_id: str | None = None) -> object:
        return result()

    return place_order


def tracked(result: Callable[[], object], **settings: Any) -> Callable[..., object]:
    def place_order(symbol: str | None = None, side: str | None = None, order_id: str | None = None) -> object:
        with order_execution.track(venue="virtual", symbol=symbol, side=side, order_id=order_id, **settings) as op:
            op.set_result(found := result())
        return found

    return place_order


WAYS = pytest.mark.parametrize("way", [decorated, tracked], ids=["decorator", "block"])


def unresolved(recorded) -> float:
    return sum(value for _, value in recorded.all().get("order.unresolved", ()))


@WAYS
@pytest.mark.parametrize(("settings", "seconds"), [({}, 30), ({"timeout": 5}, 5), ({"timeout": 90.5}, 90.5)], ids=repr)
@pytest.mark.usefixtures("no_faults")
def test_order_without_an_answer_is_unknown_after_the_timeout(recorded, bars, way, settings, seconds) -> None:
    way(lambda: {"id": "1", "status": "pending_new"}, **settings)("A/USD", "buy")
    bars.now += seconds - 0.25
    assert unresolved(recorded) == 0
    bars.now += 0.5
    assert unresolved(recorded) == 1


@WAYS
@pytest.mark.parametrize(("own", "seconds"), [({}, 5), ({"timeout": 50}, 50)], ids=["silent", "told"])
@pytest.mark.usefixtures("no_faults")
def test_cancel_waits_as_long_as_was_said_when_the_order_was_sent_unless_it_says_so_itself(
    recorded, bars, way, own, seconds
) -> None:
    way(lambda: "1", timeout=5)("A/USD", "buy")
    way(lambda: None, operation="cancel", **own)(order_id="1")
    bars.now += seconds - 0.25
    assert unresolved(recorded) == 0
    bars.now += 0.5
    assert unresolved(recorded) == 1


@WAYS
@pytest.mark.parametrize(("settings", "seconds"), [({}, 300), ({"grace": 60}, 60)], ids=repr)
@pytest.mark.usefixtures("no_faults")
def test_lost_order_without_an_id_is_shown_for_the_grace(recorded, bars, way, settings, seconds) -> None:
    way(lambda: (1, 2), **settings)("A/USD", "buy")
    bars.now += seconds - 0.25
    assert unresolved(recorded) == 1
    bars.now += 0.5
    assert unresolved(recorded) == 0


@WAYS
@pytest.mark.usefixtures("no_faults")
def test_id_is_that_of_another_order_after_the_grace(recorded, bars, way) -> None:
    """An order that comes back open under the id of one that has ended counts as its own only then."""
    for count in (1, 2):
        way(lambda: {"id": "1", "status": "open"}, grace=60)("A/USD", "buy")
        way(lambda: {"id": "1", "status": "canceled"}, operation="query")(order_id="1")
        assert recorded.one("orders", order__status="canceled") == count
        bars.now += 61


@WAYS
@pytest.mark.usefixtures("no_faults")
def test_order_is_sent_when_the_clock_said_so_at_the_beginning_of_the_call(recorded, bars, way) -> None:
    """By the clock alone: 2 s until the venue has it, 5 s until its end, however long the code took."""

    def send() -> object:
        bars.now += 2
        return {"id": "1", "status": "open"}

    way(send)("A/USD", "buy")
    bars.now += 3
    way(lambda: {"id": "1", "status": "canceled"}, operation="query")(order_id="1")
    legs = {known["order.leg"]: value for known, value in recorded.points("order.leg.duration")}
    assert legs == {"submit_ack": (1, 2.0), "submit_final": (1, 5.0)}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"timeout": 0}, "timeout is 0, expected a positive number of seconds"),
        ({"timeout": "soon"}, "timeout is 'soon'"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"grace": -1}, "grace is -1, expected a non-negative number of seconds"),
        ({"grace": float("inf")}, "grace is inf"),
    ],
    ids=repr,
)
def test_time_that_is_none_is_named(settings, why) -> None:
    with pytest.raises(ConfigurationError, match=f"order_execution: {why}"):
        decorated(lambda: None, **settings)
