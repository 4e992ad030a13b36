"""Reads positions as bots and venues say them: ccxt's `fetch_positions`, lists of objects, plain mappings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import cast

from otel_trading.account.book import Told
from otel_trading.account.money import amount
from otel_trading.metrics import faults

_SYMBOL = ("symbol",)
_SIZE = ("size", "quantity", "qty", "contracts", "amount")
_ENTRY = ("entry_price", "entryPrice", "avg_entry_price", "average_price")
_PRICE = ("mark_price", "markPrice", "current_price", "price")
_VALUE = ("value", "market_value", "notional")
_PNL = ("unrealized_pnl", "unrealizedPnl", "unrealized_pl", "unrealised_pnl")
_MULTIPLIER = ("multiplier", "contractSize", "contract_size")
_SHORT = frozenset({"short", "sell"})
_LONG = frozenset({"long", "buy"})


def read(positions: object, what: str) -> tuple[list[Told], set[str]] | None:
    """Return the positions, and the symbols of those whose size could not be read; None if it is no collection at all.

    `positions` maps symbols to sizes, or is an iterable of mappings or objects with a symbol, a size, and what else is known:
    side, entry price, mark price, value, unrealised profit, multiplier. Two of one symbol (a long and a short) are one net.
    """
    if isinstance(positions, Mapping):
        pairs: Iterable[tuple[object, object]] = cast("Mapping[object, object]", positions).items()
    elif isinstance(positions, Iterable) and not isinstance(positions, (str, bytes)):
        pairs = [(_get(entry, _SYMBOL), entry) for entry in cast("Iterable[object]", positions)]
    else:
        _drop(what, positions)
        return None
    told: dict[str, Told] = {}
    unread: set[str] = set()
    for symbol, entry in pairs:
        if not isinstance(symbol, str) or not symbol:
            _drop(what, entry)
            continue
        position = _position(symbol, entry, what)
        if position is None:
            unread.add(symbol)
        else:
            told[symbol] = position if symbol not in told else _both(told[symbol], position)
    return [position for symbol, position in told.items() if symbol not in unread], unread


def _position(symbol: str, entry: object, what: str) -> Told | None:
    stated = entry if _plain(entry) else _get(entry, _SIZE)
    size = amount(stated, f"{what} size")
    if size is None:
        return None
    side = None if _plain(entry) else _get(entry, ("side",))
    side = str(side.value if isinstance(side, Enum) else side).lower()
    if side in _SHORT or side in _LONG:
        size = size.copy_abs().copy_negate() if side in _SHORT else size.copy_abs()
    if _plain(entry):
        return Told(symbol, size)

    def known(names: tuple[str, ...]) -> Decimal | None:
        found = _get(entry, names)
        return None if found is None else amount(found, f"{what} {names[0]}")

    value = known(_VALUE)
    return Told(
        symbol,
        size,
        entry_price=known(_ENTRY),
        price=known(_PRICE),
        value=None if value is None else value.copy_sign(size),
        unrealized_pnl=known(_PNL),
        multiplier=known(_MULTIPLIER),
    )


def _both(one: Told, other: Told) -> Told:
    """Return the net of two positions of one symbol; its entry price is that of neither."""
    return Told(
        one.symbol,
        one.size + other.size,
        price=one.price or other.price,
        value=None if one.value is None or other.value is None else one.value + other.value,
        unrealized_pnl=(
            None if one.unrealized_pnl is None or other.unrealized_pnl is None else one.unrealized_pnl + other.unrealized_pnl
        ),
        multiplier=one.multiplier or other.multiplier,
    )


def _plain(entry: object) -> bool:
    """Whether `entry` is itself a size."""
    return isinstance(entry, (int, float, str)) or hasattr(entry, "__float__")


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
        "not_a_position", "%s: %s is no position with a symbol and a size; dropped", what, type(value).__name__, about=what
    )
