"""Reads what a bot says of an execution."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import cast

from otel_trading.account.book import Fill
from otel_trading.account.money import ZERO, amount
from otel_trading.metrics import faults
from otel_trading.orders import vocabulary


def read(
    what: str,
    symbol: object,
    side: object,
    quantity: object,
    price: object,
    fee: object,
    fee_currency: object,
    multiplier: object,
) -> Fill | None:
    """Return the execution; None, counted as dropped and logged once for `what`, if a part that it needs cannot be used.

    A fee that is no number is left out and the rest counts: the position is what matters most.
    """
    way = vocabulary.side(side) if isinstance(side, (str, Enum)) else None  # not a sign: the quantity has none either
    units, paid = amount(quantity, f"{what} quantity"), amount(price, f"{what} price")
    size = amount(multiplier, f"{what} multiplier")
    fees = _fees(what, fee, fee_currency)
    if not isinstance(symbol, str) or not symbol or way is None:
        faults.drop("not_a_number", "%s: a fill needs a symbol, and buy or sell; dropped", what, about=what)
        return None
    if units is None or paid is None or size is None:
        return None
    if units <= 0 or size <= 0:
        faults.drop("negative", "%s: quantity and multiplier have to be positive; dropped", what, about=what)
        return None
    return Fill(
        symbol,
        units if way == "buy" else units.copy_negate(),
        paid,
        *(fees[0] if fees else (ZERO, None)),
        more_fees=tuple(fees[1:]),
        multiplier=None if size == 1 else size,
        inexact=isinstance(quantity, float),
    )


def _fees(what: str, fee: object, currency: object) -> list[tuple[Decimal, str | None]]:
    """The fees and their currencies: one, or several as pairs of an amount and a currency."""
    pairs = cast("Sequence[object]", fee) if isinstance(fee, (list, tuple)) else ((fee, currency),)
    found: list[tuple[Decimal, str | None]] = []
    for pair in pairs:
        paid, of = cast("tuple[object, object]", pair if isinstance(pair, (list, tuple)) else (pair, currency))
        charged = None if paid is None else amount(paid, f"{what} fee")
        if charged is not None:
            found.append((charged, str(of or currency).upper() if of or currency else None))
    return found
