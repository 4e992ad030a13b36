"""A breaker before the orders of a decorated function."""

from __future__ import annotations

import pytest

from otel_trading.decorators import order_execution
from otel_trading.errors import CircuitOpen


def test_open_breaker_stops_orders_before_they_are_sent_and_rejects_open_it(recorded, breaker, clock) -> None:
    guard = breaker("guard", max_reject_ratio=1.0, min_orders=2, cool_down=60, enforce=True)
    answer = {"status": "rejected", "id": "1"}
    sent: list[str] = []

    @order_execution(venue="v", breaker=guard)
    def place(symbol, side, quantity, client_order_id):  # noqa: ARG001 - the decorator reads them
        sent.append(client_order_id)
        return {**answer, "clientOrderId": client_order_id, "id": client_order_id}

    place("A/USD", "buy", 1.0, "1")
    place("A/USD", "buy", 1.0, "2")
    with pytest.raises(CircuitOpen, match="circuit breaker 'guard' is open: max_reject_ratio"):
        place("A/USD", "buy", 1.0, "3")
    assert sent == ["1", "2"]
    clock.now += 60
    answer["status"] = "filled"
    place("A/USD", "buy", 1.0, "4")
    assert guard.state == "closed"
    assert sent == ["1", "2", "4"]
    assert sum(value for _, value in recorded.points("order.submissions")) == 3
