"""Reads positions as bots and venues say them: ccxt's `fetch_positions`, lists of objects, plain mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import SupportsFloat, cast

from otel_trading.account.book import Told
from otel_trading.account.money import Exact, amount
from otel_trading.account.state import Update
from otel_trading.metrics import faults

_SYMBOL = ("symbol",)
_SIDE = ("side",)
_SIZE = ("size", "quantity", "qty", "contracts", "amount")
_ENTRY = ("entry_price", "entryPrice", "avg_entry_price", "average_price")
_PRICE = ("mark_price", "markPrice", "current_price", "last_price", "lastPrice")
_VALUE = ("value", "market_value", "notional")
_PNL = ("unrealized_pnl", "unrealizedPnl", "unrealized_pl", "unrealised_pnl")
_MULTIPLIER = ("multiplier", "contractSize", "contract_size")
_LIQUIDATION = ("liquidation_price", "liquidationPrice", "est_liquidation_price")
_MARGIN = ("margin", "initialMargin", "initial_margin")
_PROTECTED = ("protected", "has_stop")
_STOP = ("stop_price", "stop_loss_price", "stopLossPrice")

_SHORT = frozenset({"short", "sell"})
_LONG = frozenset({"long", "buy"})


def read(positions: object, what: str) -> tuple[list[Told], set[str]] | None:
    """Return the positions, and the symbols of those whose size could not be read; None if it is no collection at all.

    `positions` maps symbols to sizes or to what follows, or it is an iterable of mappings or objects with a symbol, a size, and
    what else is known: side, entry price, mark price, value, unrealised profit, multiplier, liquidation price, margin, and
    whether a stop protects it. Several of one symbol (a long and a short leg) are one position of their net size.
    """
    if isinstance(positions, Mapping):
        pairs: Iterable[tuple[object, object]] = cast("Mapping[object, object]", positions).items()
    elif isinstance(positions, Iterable) and not isinstance(positions, (str, bytes)):
        pairs = [(_get(entry, _SYMBOL), entry) for entry in cast("Iterable[object]", positions)]
    else:
        _drop(what, positions)
        return None
    found: dict[str, Told] = {}
    unread: set[str] = set()
    for symbol, entry in pairs:
        if not isinstance(symbol, str) or not symbol:
            _drop(what, entry)
        elif (position := _position(symbol, entry, what)) is None:
            unread.add(symbol)
        else:
            found[symbol] = _both(found[symbol], position) if symbol in found else position
    return [position for symbol, position in found.items() if symbol not in unread], unread


def update(
    what: str,
    equity: object = None,
    cash: object = None,
    positions: object = None,
    buying_power: object = None,
    margin_used: object = None,
    margin_available: object = None,
) -> Update:
    """Return what a bot tells of its account, checked; what cannot be used is counted as dropped and logged once for `what`."""

    def known(value: object, name: str) -> Decimal | None:
        return None if value is None else amount(value, f"{what} {name}")

    listed = None if positions is None else read(positions, f"{what} positions")
    return Update(
        equity=known(equity, "equity"),
        cash=known(cash, "cash"),
        positions=None if listed is None else listed[0],
        unread=frozenset() if listed is None else frozenset(listed[1]),
        buying_power=known(buying_power, "buying_power"),
        margin_used=known(margin_used, "margin_used"),
        margin_available=known(margin_available, "margin_available"),
    )


def _position(symbol: str, entry: object, what: str) -> Told | None:
    if isinstance(entry, (str, SupportsFloat)):
        size = amount(entry, f"{what} size")
        return None if size is None else Told(symbol, size)
    size = amount(_get(entry, _SIZE), f"{what} size")
    if size is None:
        return None
    side = _get(entry, _SIDE)
    side = str(side.value if isinstance(side, Enum) else side).lower()
    if side in _SHORT:
        size = size.copy_abs().copy_negate()
    elif side in _LONG:
        size = size.copy_abs()

    def known(names: tuple[str, ...]) -> Decimal | None:
        stated = _get(entry, names)
        return None if stated is None else amount(stated, f"{what} {names[0]}")

    value, price, multiplier = known(_VALUE), known(_PRICE), known(_MULTIPLIER)
    return Told(
        symbol,
        size,
        entry_price=known(_ENTRY),
        price=price,
        # Venues differ in whether the value of a short position is negative; a price may be, too.
        value=None if value is None else value.copy_sign(size if price is None or price >= 0 else size.copy_negate()),
        unrealized_pnl=known(_PNL),
        multiplier=None if multiplier is None or multiplier <= 0 else multiplier,
        liquidation_price=known(_LIQUIDATION),
        margin=known(_MARGIN),
        protected=_protected(entry),
    )


def _protected(entry: object) -> bool | None:
    """Whether it is said to have a stop: outright, or by the price of one; None where nothing is said."""
    said = _get(entry, _PROTECTED)
    if said is not None:
        return bool(said)
    return True if _get(entry, _STOP) else None


def _both(one: Told, other: Told) -> Told:
    """Return the net of two legs; its entry price is that of neither."""
    with Exact():
        return Told(
            one.symbol,
            one.size + other.size,
            price=one.price if other.price is None else other.price,
            value=_sum(one.value, other.value),
            unrealized_pnl=_sum(one.unrealized_pnl, other.unrealized_pnl),
            multiplier=one.multiplier if other.multiplier is None else other.multiplier,
            margin=_sum(one.margin, other.margin),
            protected=None if one.protected is None or other.protected is None else one.protected and other.protected,
        )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _get(entry: object, names: tuple[str, ...]) -> object:
    """Return the first of `names` that `entry`, a mapping or an object, has a value for."""
    get: Callable[[str], object] = partial(_attribute, entry)
    if isinstance(entry, Mapping):
        get = cast("Mapping[str, object]", entry).get
    return next((found for name in names if (found := get(name)) is not None), None)


def _attribute(entry: object, name: str) -> object:
    return getattr(entry, name, None)


def _drop(what: str, value: object) -> None:
    faults.drop(
        "not_a_number", "%s: %s is no position with a symbol and a size; dropped", what, type(value).__name__, about=what
    )
