"""Orders that come back open are followed until something ends them, and a breaker is asked before one is sent."""
# ruff: noqa: ARG001, ARG005 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import otel_trading as ot
from otel_trading.decorators import order_execution
from otel_trading.errors import CircuitOpen, ConfigurationError
from otel_trading.metrics import catalog, faults
from otel_trading.metrics.clock import Clock
from otel_trading.orders import seen
from tests.unit.decorators.orders import Account, answers

OPEN = {"id": "1", "status": "open", "amount": 2.0, "filled": 0.0}
PART = {**OPEN, "filled": 1.0, "average": 10.0}
DONE = {**OPEN, "status": "closed", "filled": 2.0, "average": 11.0}


def gauges(recorded) -> tuple[float, float]:
    """How many orders are active and unresolved, by one collection."""
    found = recorded.all()
    active, unresolved = (sum(value for _, value in found.get(f"order.{name}", ())) for name in ("active", "unresolved"))
    return active, unresolved


@pytest.mark.usefixtures("no_faults")
def test_order_is_active_until_a_query_ends_it(recorded) -> None:
    answers(OPEN)("BTC/USDT", "buy", mid=10.0)
    assert gauges(recorded) == (1, 0)
    answers(PART, operation="query")("BTC/USDT", "buy")
    assert gauges(recorded) == (1, 0)
    answers(OPEN, operation="query")("BTC/USDT", "buy")  # an answer from before
    answers(DONE, operation="query", strategy=None)(order_id="1")
    assert gauges(recorded) == (0, 0)
    assert recorded.one("orders", status="filled", strategy="sma") == 1
    assert [value for _, value in recorded.points("order.fill_ratio")] == [(1, 1.0)]
    # 11 against the mid at the decision, which only the submission knew: 1,000 bps.
    assert [value for _, value in recorded.points("slippage")] == [(1, pytest.approx(1_000.0))]
    legs = {known["order.leg"]: count for known, (count, _) in recorded.points("order.leg.duration")}
    assert legs == {"submit_ack": 1, "ack_first_fill": 1, "submit_final": 1}


@pytest.mark.parametrize(
    ("operation", "answer", "expected"),
    [
        ("cancel", {"id": "1", "status": "canceled"}, (0, 0)),
        ("cancel", None, (1, 0)),
        ("edit", {"id": "2", "status": "open", "amount": 3.0, "filled": 0.0}, (1, 0)),
        ("cancel_all", [{"id": "1", "status": "canceled"}, {"id": "2", "status": "canceled"}], (0, 0)),
        ("query", {"id": "1", "status": "rejected"}, (0, 0)),
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_operation_ends_an_order(recorded, operation, answer, expected) -> None:
    answers("1")("BTC/USDT", "buy", 2.0)
    assert gauges(recorded) == (1, 0)
    answers(answer, operation=operation)(order_id="1")
    assert gauges(recorded) == expected


@pytest.mark.usefixtures("no_faults")
def test_cancel_that_nobody_confirms_is_unresolved(recorded, monkeypatch) -> None:
    answers("1")("BTC/USDT", "buy", 2.0)
    answers(None, operation="cancel")(order_id="1")
    now = seen["kraken", None].clock.now()
    monkeypatch.setattr(seen["kraken", None], "clock", Clock(lambda: now + 31))
    assert gauges(recorded) == (0, 1)


@pytest.mark.usefixtures("no_faults")
def test_cancel_without_the_account_ends_the_order_that_was_sent_with_it(recorded) -> None:
    """And its last fill goes to the account that the order was sent for."""
    account = Account()
    answers(PART, account=account)("BTC/USDT", "buy", 2.0)
    answers({**DONE, "status": "canceled", "filled": 1.5, "average": 10.0}, operation="cancel", strategy=None)(order_id="1")
    assert gauges(recorded) == (0, 0)
    assert [what[2] for what, _ in account.fills] == [1.0, 0.5]
    assert recorded.one("volume", account__name="main", strategy="sma") == 15


@pytest.mark.usefixtures("no_faults")
def test_lost_order_is_unresolved_until_it_is_found(recorded) -> None:
    @order_execution(venue="kraken", strategy="sma")
    def place_order(symbol: str, side: str, client_order_id: str) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        place_order("BTC/USDT", "buy", "c")
    assert gauges(recorded) == (0, 1)
    answers({**OPEN, "clientOrderId": "c"}, operation="query")("BTC/USDT", "buy")
    assert gauges(recorded) == (1, 0)
    answers(DONE, operation="query")("BTC/USDT", "buy")
    assert gauges(recorded) == (0, 0)
    assert {known["order.status"]: count for known, count in recorded.points("orders")} == {"unknown": 1, "filled": 1}


@pytest.mark.usefixtures("no_faults")
def test_lost_order_without_an_id_is_shown_for_a_while(recorded, monkeypatch) -> None:
    """Nothing can ever resolve it."""
    answers((1, 2))("BTC/USDT", "buy")
    assert gauges(recorded) == (0, 1)
    now = seen["kraken", None].clock.now()
    monkeypatch.setattr(seen["kraken", None], "clock", Clock(lambda: now + 301))
    assert gauges(recorded) == (0, 0)


@pytest.mark.parametrize(
    "answer", [OPEN, DONE, {**DONE, "trades": [], "fees": []}, "1"], ids=["open", "done", "short way", "id"]
)
@pytest.mark.usefixtures("no_faults")
def test_submission_through_the_decorator_is_remembered(recorded, answer) -> None:
    answers({**DONE, "id": "0"})("BTC/USDT", "buy", order_type="limit")
    answers(answer)("BTC/USDT", "buy", order_type="limit")
    for _ in range(2):
        ot.record_order(venue="kraken", strategy="sma", side="buy", type="limit", status="new", order_id="1")
    assert recorded.one("order.submissions") == 2


class Breaker:
    """Writes down what it is asked and told."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.told: list[str] = []

    def allow(self) -> None:
        self.told.append("allow")
        if self.error is not None:
            raise self.error

    def ordered(self, status: str) -> None:
        self.told.append(status)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (OPEN, "new"),
        (DONE, "filled"),
        ({"id": "1", "status": "rejected"}, "rejected"),
        ((1,), "unknown"),
        (None, "pending_new"),
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_breaker_is_asked_and_told(recorded, answer, status) -> None:
    breaker = Breaker()
    answers({**DONE, "id": "0"}, breaker=breaker)("BTC/USDT", "buy", order_type="limit")
    answers(answer, breaker=breaker)("BTC/USDT", "buy")
    answers(OPEN, breaker=breaker, operation="cancel")(order_id="1")  # whoever wants out gets out
    assert breaker.told == ["allow", "filled", "allow", status]


def send_blocked(way: str, breaker: Any) -> list[str]:
    """Send an order through a breaker; returns what was sent."""
    sent: list[str] = []
    decorate = order_execution(venue="kraken", strategy="sma", breaker=breaker)
    if way == "function":
        decorate(lambda symbol, side, order_type: sent.append(symbol))("BTC/USDT", "buy", "limit")
    elif way == "coroutine":

        async def place_order(symbol: str, side: str, order_type: str) -> None:
            sent.append(symbol)

        asyncio.run(decorate(place_order)("BTC/USDT", "buy", "limit"))
    elif way == "generator":

        def place_orders(symbol: str, side: str, order_type: str) -> Any:
            sent.append(symbol)
            yield

        list(decorate(place_orders)("BTC/USDT", "buy", "limit"))
    else:
        with order_execution.track(
            venue="kraken", strategy="sma", symbol="BTC/USDT", side="buy", type="limit", breaker=breaker
        ) as op:
            sent.append("BTC/USDT")
            op.set_result(None)
    return sent


@pytest.mark.parametrize("way", ["function", "coroutine", "generator", "block"])
@pytest.mark.usefixtures("no_faults")
def test_breaker_that_is_open_stops_the_order(recorded, way) -> None:
    """The caller gets the breaker's own exception; the order counts as rejected, and was never sent."""
    error = CircuitOpen("daily-loss", "daily_loss")
    breaker = Breaker(error)
    with pytest.raises(CircuitOpen) as caught:
        send_blocked(way, breaker)
    assert caught.value is error
    assert breaker.told == ["allow"]
    order = {"venue.name": "kraken", "strategy.name": "sma", "order.type": "limit", "order.side": "buy"}
    refused = {**order, "order.status": "rejected", "order.reject_reason": "risk_limit"}
    assert recorded.all() == {"orders": [(refused, 1)]}
    assert send_blocked(way, Breaker()) == ["BTC/USDT"]


@pytest.mark.parametrize("way", ["function", "coroutine", "generator", "block"])
@pytest.mark.usefixtures("recorded")
def test_breaker_is_asked_before_anything_is_configured(way) -> None:
    """The bot's safety does not depend on whether anybody looks at metrics."""
    catalog.attach("idle")
    with pytest.raises(CircuitOpen):
        send_blocked(way, Breaker(CircuitOpen("b", "r")))


@pytest.mark.parametrize("way", ["function", "block"])
@pytest.mark.usefixtures("recorded")
def test_breaker_that_fails_is_reported_and_refuses_nothing(way) -> None:
    assert send_blocked(way, Breaker(ZeroDivisionError())) == ["BTC/USDT"]
    assert faults.errors == {("breaker", "ZeroDivisionError"): 1}


@pytest.mark.usefixtures("no_faults")
def test_real_breaker_stops_orders_after_too_many(recorded) -> None:
    breaker = ot.CircuitBreaker("orders", enforce=True, max_order_rate=2)
    place_order = answers(DONE, breaker=breaker)
    for _ in range(2):
        place_order("BTC/USDT", "buy")
    with pytest.raises(CircuitOpen):
        place_order("BTC/USDT", "buy")
    assert recorded.one("order.submissions") == 2
    assert recorded.one("orders", reject_reason="risk_limit") == 1
    breaker.close()


def test_what_is_no_breaker_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="breaker is a CircuitBreaker"):
        order_execution(venue="kraken", breaker="on")


ENDED = {"id": "1", "status": "closed", "amount": 4.0, "filled": 4.0, "average": 10.0}


class RefusedError(Exception):
    """As ccxt's InsufficientFunds."""


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        (ENDED, 1.0),
        ({**ENDED, "trades": [], "fees": []}, 1.0),  # the short way for it
        ({**ENDED, "status": "canceled", "filled": 1.0}, 0.25),
        ({**ENDED, "status": "rejected", "filled": 0.0, "average": None}, 0.0),
        ({**ENDED, "id": None}, 1.0),
        ({"id": "1", "status": "filled"}, 1.0),  # of the four that the arguments say
        ({"id": "1", "status": "expired", "filled": 1.0, "average": 10.0}, 0.25),
    ],
    ids=["filled", "short way", "canceled", "rejected", "no id", "amount of the arguments", "expired"],
)
@pytest.mark.usefixtures("no_faults")
def test_order_that_ends_in_its_answer_has_a_fill_ratio(recorded, answer, share) -> None:
    """One, and no second one where it is told of again; as an order that was followed has."""
    for number in range(3):
        result = {**answer, "id": answer["id"] and f"{answer['id']}-{number}"}
        answers(result)("BTC/USDT", "buy", 4.0, 10.0, "limit")
        if result["id"]:
            answers(result, operation="query")("BTC/USDT", "buy", 4.0, order_id=result["id"])
    assert [value for _, value in recorded.points("order.fill_ratio")] == [(3, pytest.approx(3 * share))]


@pytest.mark.usefixtures("no_faults")
def test_order_that_is_refused_by_an_exception_was_filled_by_nothing(recorded) -> None:
    """But of one that a breaker stopped there is no share: it was never sent."""

    @order_execution(venue="kraken", errors={RefusedError: "insufficient_funds"})
    def place_order(symbol, side, quantity) -> None:
        raise RefusedError

    for _ in range(2):
        with pytest.raises(RefusedError):
            place_order("BTC/USDT", "buy", 4.0)
    assert [value for _, value in recorded.points("order.fill_ratio")] == [(2, 0.0)]
    breaker = ot.CircuitBreaker("stop", enforce=True)
    breaker.trip("manual")
    with pytest.raises(CircuitOpen):
        order_execution(venue="kraken", breaker=breaker)(place_order)("BTC/USDT", "buy", 4.0)
    breaker.reset()
    assert [value for _, value in recorded.points("order.fill_ratio")] == [(2, 0.0)]


@pytest.mark.usefixtures("no_faults")
def test_order_that_is_said_to_be_filled_without_its_fills_was_filled_wholly(recorded) -> None:
    tracker = ot.OrderTracker(venue="kraken")
    tracker.submitted("c", symbol="BTC/USDT", side="buy", quantity=4)
    tracker.update({"id": "c", "status": "filled"})
    assert [value for _, value in recorded.points("order.fill_ratio")] == [(1, 1.0)]
