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
INITIAL_MARGIN = Decimal("0.5")
"""Share of a position's value that has to be the customer's own when it is opened (Regulation T for long stock)."""
MAINTENANCE_MARGIN = Decimal("0.25")
"""Share of a position's value below which what is the customer's own of it may not fall (FINRA rule 4210 for long stock)."""
FUNDING_INTERVAL = 5
"""Trading days from one funding payment to the next."""
LIMITS = {"orders": 40, "request_weight": 60_000}
"""What an address may send: requests about single orders in a trading day, and the weight of all others in a minute."""
_PRECISION = Decimal("0.0001")


def describe() -> Json:
    return {
        "currency": CURRENCY,
        "fees": {"taker": number(TAKER_FEE), "maker": number(MAKER_FEE)},
        "margin": {"initial": number(INITIAL_MARGIN), "maintenance": number(MAINTENANCE_MARGIN)},
        "limits": LIMITS,
        "symbols": [
            {"symbol": s, "tick": number(TICK), "lot": number(LOT), "minNotional": number(MINIMUM_NOTIONAL)} for s in SYMBOLS
        ],
    }


def fee(notional: Decimal, *, maker: bool) -> Decimal:
    return (notional * (MAKER_FEE if maker else TAKER_FEE)).quantize(_PRECISION, ROUND_HALF_UP)


def funding(value: Decimal, rate: Decimal) -> Decimal:
    """What the customer receives for a position of `value`: a positive rate is paid by who is long."""
    return (-value * rate).quantize(_PRECISION, ROUND_HALF_UP)


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
