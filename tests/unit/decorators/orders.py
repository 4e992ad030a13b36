"""An order that was filled, what sends one, and an account that keeps what it gets."""
# ruff: noqa: ARG001 - what a function here does with its arguments is not the point: the decorator reads them

from __future__ import annotations

from typing import Any

from otel_trading.decorators import order_execution

FILLED = {
    # a ccxt order, after its manual's "Order structure"
    "id": "12345-67890:09876/54321",
    "clientOrderId": "abcdef-ghijklmnop-qrstuvwxyz",
    "status": "closed",
    "symbol": "BTC/USDT",
    "type": "limit",
    "timeInForce": "GTC",
    "side": "buy",
    "price": 100.0,
    "average": 100.5,
    "amount": 2.0,
    "filled": 2.0,
    "remaining": 0.0,
    "cost": 201.0,
    "trades": [
        {"id": "t-1", "amount": 0.5, "price": 100.0, "takerOrMaker": "maker", "fee": {"cost": -0.01, "currency": "USDT"}},
        {"id": "t-2", "amount": 1.5, "price": 100.6666, "takerOrMaker": "taker", "fee": {"cost": 0.15, "currency": "BNB"}},
    ],
    "fee": {"currency": "USDT", "cost": 0.14},
    "info": {},
}


class Account:
    """Keeps the fills that it gets."""

    def __init__(self, name: str = "main", currency: str = "EUR") -> None:
        self.name, self.currency = name, currency
        self.fills: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def fill(self, *what: Any, **details: Any) -> None:
        self.fills.append((what, details))


def answers(result: object, **settings: Any) -> Any:
    """A function that sends an order, and returns `result`."""

    @order_execution(**{"venue": "kraken", "strategy": "sma", **settings})
    def place_order(symbol=None, side=None, quantity=None, price=None, order_type=None, mid=None, order_id=None) -> object:
        return result

    return place_order
