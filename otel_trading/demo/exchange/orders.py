"""Orders and fills as the venue keeps them, and the shape in which it sends them (ccxt's unified structures)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

Json = dict[str, Any]
Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop_market"]
TimeInForce = Literal["gtc", "day", "ioc"]
Status = Literal["open", "closed", "canceled", "rejected", "expired"]
_SIDES: tuple[Side, ...] = get_args(Side)
_TYPES: tuple[OrderType, ...] = get_args(OrderType)
_TIMES_IN_FORCE: tuple[TimeInForce, ...] = get_args(TimeInForce)

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

    def to_wire(self) -> Json:
        return {
            "clientOrderId": self.client_order_id,
            "symbol": self.symbol,
            "side": self.side,
            "type": self.type,
            "timeInForce": self.time_in_force,
            "amount": number(self.amount),
            "price": number(self.price),
            "triggerPrice": number(self.trigger_price),
        }

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> NewOrder:
        """Read an order; what it says may be wrong in every way that an order can be wrong."""
        side, kind, force = data.get("side", ""), data.get("type", ""), data.get("timeInForce", "gtc")
        if side not in _SIDES or kind not in _TYPES or force not in _TIMES_IN_FORCE:
            raise RefusedError("INVALID_ORDER", "side, type or timeInForce is not one of those known here")
        return cls(
            symbol=data.get("symbol", ""),
            side=side,
            type=kind,
            amount=decimal(data, "amount") or ZERO,
            price=decimal(data, "price"),
            trigger_price=decimal(data, "triggerPrice"),
            time_in_force=force,
            client_order_id=data.get("clientOrderId"),
        )


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
    timestamp: int
    """Unix milliseconds."""

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
            "timestamp": self.timestamp,
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
        filled = self.filled
        cost = sum((fill.amount * fill.price for fill in self.fills), ZERO)
        return {
            "id": self.id,
            **self.request.to_wire(),
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


def decimal(data: Mapping[str, Any], name: str) -> Decimal | None:
    """Read the number called `name`, None if there is none; raises `RefusedError` if it is no number."""
    text = data.get(name)
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise RefusedError("INVALID_REQUEST", f"{name} is not a number")
    return value


def milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
