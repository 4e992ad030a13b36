"""What the venue takes and what it charges: the rules that a customer reads before the first order."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from otel_trading.demo.exchange.orders import CURRENCY, Json, NewOrder, RefusedError, number
from otel_trading.demo.prices import SYMBOLS, TICK

LOT = Decimal("0.01")
MINIMUM_NOTIONAL = Decimal(10)
MAXIMUM_NOTIONAL = Decimal(100_000)
PRICE_BAND = Decimal("0.5")
TAKER_FEE = Decimal("0.0005")
MAKER_FEE = Decimal("-0.0001")
"""Negative: who brings liquidity is paid for it."""
WEIGHT_LIMIT = 40
"""Weight of the requests that an address may send in one window."""
_FEE_PRECISION = Decimal("0.0001")


def describe() -> Json:
    return {
        "currency": CURRENCY,
        "fees": {"taker": number(TAKER_FEE), "maker": number(MAKER_FEE)},
        "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "limit": WEIGHT_LIMIT}],
        "symbols": [
            {"symbol": s, "tick": number(TICK), "lot": number(LOT), "minNotional": number(MINIMUM_NOTIONAL)} for s in SYMBOLS
        ],
    }


def fee(notional: Decimal, *, maker: bool) -> Decimal:
    return (notional * (MAKER_FEE if maker else TAKER_FEE)).quantize(_FEE_PRECISION, ROUND_HALF_UP)


def check(order: NewOrder, last: Decimal) -> None:
    """Raise `RefusedError` for an order that is wrong in itself; `last` is the symbol's last price."""
    if order.amount <= 0 or order.amount % LOT:
        raise _invalid(f"amount is not a positive multiple of {LOT}")
    limit = order.trigger_price if order.type == "stop_market" else order.price
    if order.type == "market":
        limit = last
    if limit is None or limit <= 0 or limit % TICK:
        raise _invalid(f"price is not a positive multiple of {TICK}")
    if abs(limit / last - 1) > PRICE_BAND:
        raise _invalid("price is too far from the market")
    if order.amount * limit < MINIMUM_NOTIONAL:
        raise _invalid(f"notional is below {MINIMUM_NOTIONAL}")
    if order.type == "stop_market" and (limit >= last if order.side == "sell" else limit <= last):
        raise _invalid("order would trigger immediately")


def _invalid(reason: str) -> RefusedError:
    return RefusedError("INVALID_ORDER", reason)
