"""Orders and fills as the venue keeps them, and the shape in which it sends them (ccxt's unified structures)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

Json = dict[str, Any]
Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop_market"]
TimeInForce = Literal["gtc", "day", "ioc"]
Status = Literal["open", "closed", "canceled", "rejected", "expired"]

CURRENCY = "USD"
ZERO = Decimal(0)


class RefusedError(Exception):
    """The venue does not take a request: the answer is an error and there is no order."""

    def __init__(self, code: str, reason: str, http_status: int = 400) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.http_status = http_status


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a customer asks for; `price` of a limit order and `trigger_price` of a stop are in USD a share."""

    symbol: str
    side: Side
    type: OrderType
    amount: Decimal
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    time_in_force: TimeInForce = "gtc"
    client_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution; a negative fee is a rebate."""

    id: str
    order_id: str
    symbol: str
    side: Side
    amount: Decimal
    price: Decimal
    fee: Decimal
    liquidity: Literal["maker", "taker"]
    time: datetime

    def to_wire(self) -> Json:
        return {
            "id": self.id,
            "order": self.order_id,
            "symbol": self.symbol,
            "side": self.side,
            "takerOrMaker": self.liquidity,
            "amount": number(self.amount),
            "price": number(self.price),
            "cost": number(self.amount * self.price),
            "fee": {"cost": number(self.fee), "currency": CURRENCY},
            "timestamp": milliseconds(self.time),
        }


@dataclass(slots=True)
class Order:
    id: str
    request: NewOrder
    time: datetime
    status: Status = "open"
    reject_reason: str | None = None
    fills: list[Fill] = field(default_factory=list[Fill])

    @property
    def filled(self) -> Decimal:
        return sum((fill.amount for fill in self.fills), ZERO)

    @property
    def remaining(self) -> Decimal:
        return self.request.amount - self.filled

    def to_wire(self) -> Json:
        request, filled = self.request, self.filled
        cost = sum((fill.amount * fill.price for fill in self.fills), ZERO)
        return {
            "id": self.id,
            "clientOrderId": request.client_order_id,
            "symbol": request.symbol,
            "side": request.side,
            "type": request.type,
            "timeInForce": request.time_in_force,
            "amount": number(request.amount),
            "price": number(request.price),
            "triggerPrice": number(request.trigger_price),
            "status": self.status,
            "filled": number(filled),
            "remaining": number(self.remaining),
            "average": number(cost / filled) if filled else None,
            "cost": number(cost),
            "fee": {"cost": number(sum((fill.fee for fill in self.fills), ZERO)), "currency": CURRENCY},
            "trades": [fill.to_wire() for fill in self.fills],
            "timestamp": milliseconds(self.time),
            "rejectReason": self.reject_reason,
        }


def number(value: Decimal | None) -> str | None:
    """Money and quantities travel as decimal strings, as on real venues: a JSON number would become a float on the way."""
    return None if value is None else format(value, "f")


def milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
