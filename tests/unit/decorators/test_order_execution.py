"""What `order_execution` records of an order: that it was sent, how it ended, and how long that took."""
# ruff: noqa: ARG001, ARG005 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from otel_trading.decorators import order_execution
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from tests.unit.decorators.orders import FILLED, answers


@pytest.mark.usefixtures("no_faults")
def test_everything_about_a_filled_order(recorded, clock) -> None:
    """The worked example: 0.5 at 100 and 1.5 at 100.6666 against a mid of 100 is 50.0 bps adverse, at a cost of 1 USDT."""

    @order_execution(venue="kraken", strategy="sma")
    def place_order(symbol, side, quantity, price=None, order_type="market", mid=None) -> dict[str, Any]:
        clock.sleep(0.25)
        return FILLED

    assert place_order("BTC/USDT", "buy", 2.0, 100.0, "limit", mid=100.0) is FILLED
    at, sma = {"venue.name": "kraken"}, {"strategy.name": "sma"}
    order = {**at, **sma, "order.type": "limit", "order.side": "buy"}
    fill = {**at, **sma, "order.side": "buy", "instrument.symbol": "BTC/USDT"}
    usdt, bnb = {"currency": "USDT"}, {"currency": "BNB"}
    assert recorded.all() == {
        "order.duration": [({**at, **sma, "order.operation": "submit", "order.status": "filled"}, (1, 0.25))],
        "order.submissions": [(order, 1)],
        "orders": [({**order, "order.status": "filled"}, 1)],
        "fills": [({**fill, "fill.liquidity": "maker"}, 1), ({**fill, "fill.liquidity": "taker"}, 1)],
        "fill.notional": [({**at, **sma, **usdt, "order.side": "buy"}, (2, pytest.approx(200.9999)))],
        "volume": [({**fill, **usdt}, pytest.approx(200.9999))],
        "order.fill_ratio": [({**at, **sma, "order.type": "limit"}, (1, 1.0))],
        "fees": [({**at, **sma, **bnb}, 0.15)],
        "rebates": [({**at, **sma, **usdt}, 0.01)],
        "slippage": [({**fill, "slippage.direction": "adverse"}, (1, pytest.approx(50.0)))],
        "slippage_cost": [({**at, **sma, **usdt, "instrument.symbol": "BTC/USDT"}, pytest.approx(1.0))],
    }


@pytest.mark.usefixtures("no_faults")
def test_submission_counts_before_the_answer_comes(recorded) -> None:
    """An order that hangs is seen as sent."""

    @order_execution(venue="kraken")
    async def place_order(symbol: str, side: str) -> None:
        await asyncio.sleep(3600)

    async def main() -> None:
        task = asyncio.ensure_future(place_order("BTC/USDT", "buy"))
        await asyncio.sleep(0)
        assert recorded.one("order.submissions", side="buy") == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert recorded.one("orders", status="unknown") == 1
    assert recorded.one("order.duration", type="canceled")[0] == 1


@pytest.mark.parametrize(
    ("result", "status", "ended"),
    [
        ("OQCLML-BW3P3-BUCMWZ", "new", False),
        (123456, "new", False),
        (True, "new", False),
        (None, "pending_new", False),
        ({"id": "1", "status": "open", "amount": 2, "filled": 0}, "new", False),
        ({"id": "1", "status": "open", "amount": 2, "filled": 1}, "partially_filled", False),
        ({"id": "1", "status": "canceled"}, "canceled", True),
        ({"id": "1", "status": "expired"}, "expired", True),
        ({"id": "1", "status": "rejected"}, "rejected", True),
        ({"id": "1", "status": "something the venue invented"}, "unknown", True),
        (False, "unknown", True),
        ((1, 2), "unknown", True),
        ({}, "unknown", True),
        (object(), "unknown", True),
    ],
)
def test_status_of_what_is_returned(recorded, result, status, ended) -> None:
    """A resting order is not at its end; what is not understood is unknown, and says so once."""
    assert answers(result)("BTC/USDT", "buy") is result
    assert recorded.one("order.duration", operation="submit", status=status)[0] == 1
    assert recorded.one("orders", status=status) == (1 if ended else None)
    assert not faults.errors


def test_what_is_not_understood_is_said_once(recorded, caplog) -> None:
    for _ in range(3):
        answers((1, 2))("BTC/USDT", "buy")
    assert caplog.text.count("an order's result of type tuple") == 1
    assert recorded.one("orders", status="unknown") == 3


@pytest.mark.parametrize(
    ("raised", "error_type", "status", "reason"),
    [
        (TimeoutError(), "timeout", "unknown", None),
        (ConnectionResetError(), "network", "unknown", None),
        (ConnectionRefusedError(), "network", "rejected", "other"),
        (type("InsufficientFunds", (Exception,), {})(), "insufficient_funds", "rejected", "insufficient_funds"),
        (type("Strange", (Exception,), {})(), "Strange", "unknown", None),
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_exception_says_what_became_of_the_order(recorded, raised, error_type, status, reason) -> None:
    """A time-out leaves the order unknown, never rejected."""

    @order_execution(venue="kraken")
    def place_order(symbol: str, side: str) -> None:
        raise raised

    with pytest.raises(type(raised)) as caught:
        place_order("BTC/USDT", "buy")
    assert caught.value is raised
    ((known, count),) = recorded.points("orders")
    assert (known["order.status"], known.get("order.reject_reason"), count) == (status, reason, 1)
    ((known, _),) = recorded.points("order.duration")
    assert known["error.type"] == error_type
    assert "order.status" not in known


@pytest.mark.usefixtures("no_faults")
def test_client_of_the_users_own_can_be_told(recorded) -> None:
    class ApiError(Exception):
        pass

    class NotAllowedError(ApiError):
        pass

    @order_execution(venue="kraken", errors={ApiError: "other", "NotAllowedError": "auth"})
    def place_order(symbol: str, side: str) -> None:
        raise NotAllowedError

    with pytest.raises(NotAllowedError):
        place_order("BTC/USDT", "buy")
    assert recorded.one("orders", status="rejected", reject_reason="auth") == 1


@pytest.mark.usefixtures("no_faults")
def test_unknown_order_that_is_resolved_counts_again(recorded) -> None:
    answers({"id": "1", "status": "lost in translation"})("BTC/USDT", "buy")
    query = answers({"id": "1", "status": "canceled"}, operation="query")
    query("BTC/USDT", "buy")
    query("BTC/USDT", "buy")
    assert recorded.one("orders", status="unknown") == 1
    assert recorded.one("orders", status="canceled") == 1


@pytest.mark.usefixtures("no_faults")
def test_cancel_counts_the_end_of_the_order_that_it_names(recorded) -> None:
    """No submission; the order's id is that of the arguments where the answer has none; None says nothing of the order."""
    answers("1")("BTC/USDT", "buy")
    cancel = answers({"status": "canceled"}, operation="cancel")
    cancel(order_id="1")
    cancel(order_id="1")
    answers(None, operation="cancel")(order_id="2")
    assert recorded.one("order.submissions") == 1
    assert recorded.one("orders", status="canceled") == 1
    assert recorded.one("order.duration", operation="cancel", status="canceled")[0] == 2
    assert [value[0] for known, value in recorded.points("order.duration") if "order.status" not in known] == [1]


@pytest.mark.usefixtures("no_faults")
def test_failed_cancel_says_nothing_of_the_order(recorded) -> None:
    @order_execution(venue="kraken", operation="cancel")
    def cancel(order_id: str) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        cancel("1")
    assert recorded.points("orders") == []
    assert recorded.one("order.duration", operation="cancel", type="timeout")[0] == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"operation": "buy"}, "operation is one of submit"),
        ({"side": "up or down"}, "side is buy or sell"),
        ({"multiplier": 0}, "multiplier is the units"),
        ({"account": "main"}, "account is an Account, or has its method fill, not 'main'"),
        ({"arguments": {"colour": "symbol"}}, "colour is no field of an order"),
        ({"arguments": {"symbol": "nowhere"}}, "symbol is to be read from 'nowhere', but the parameters are symbol, side"),
        ({"reference_price": "nowhere"}, "reference_price is to be read from 'nowhere'"),
        ({"errors": {ValueError: "bad luck"}}, "bad luck is no reason of a rejection"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_is_written(settings, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        order_execution(venue="kraken", **settings)(lambda symbol, side: None)
