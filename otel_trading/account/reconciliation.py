"""Compares the bot's books with what its venue says, over everything that either side has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, cast

from otel_trading.account import told
from otel_trading.account.money import ZERO, Exact
from otel_trading.metrics import faults
from otel_trading.orders import Life
from otel_trading.orders.reading import first, lookup, paths, text

_NOISE = Decimal("1e-12")
"""Sizes that were summed up in binary floats agree up to this fraction of them."""

_ORDER_ID = paths("id", "order_id", "orderId", "ordId", "orderID", "order.orderId", "txid")


class Differences(NamedTuple):
    """Where the venue and the bot disagree; empty when they agree on all that was compared."""

    positions: dict[str, Decimal]
    """By symbol: the size at the venue minus the bot's own."""
    venue_orders: list[str]
    """Ids of orders that only the venue has open."""
    bot_orders: list[str]
    """Ids of orders that only the bot holds to be open."""


@dataclass(frozen=True, slots=True)
class Check:
    """The last comparison, as its metrics show it."""

    time: float
    positions: Mapping[str, Decimal]
    """Differences by symbol, those that are zero too, of what either side has."""
    orders: int | None
    """Orders that are open at one side only; None if orders were never compared."""


def compare_positions(venue: object, ours: Mapping[str, Decimal], what: str) -> dict[str, Decimal] | None:
    """Return the size at the venue minus ours for each symbol that either has; None if `venue` cannot be read.

    A position whose size cannot be read is left out: it is counted as dropped, and neither equal nor different.
    """
    read = told.read(venue, what)
    if read is None:
        return None
    sizes = {position.symbol: position.size for position in read[0] if position.size}
    found: dict[str, Decimal] = {}
    with Exact():
        for symbol in sorted(sizes.keys() | ours.keys()):
            if symbol in read[1]:
                continue
            theirs, mine = sizes.get(symbol, ZERO), ours.get(symbol, ZERO)
            difference = theirs - mine
            noise = max(theirs.copy_abs(), mine.copy_abs()) * _NOISE
            found[symbol] = ZERO if difference.copy_abs() <= noise else difference
    return found


def compare_orders(
    venue: object, ours: object, followed: Sequence[Life] | None, what: str
) -> tuple[list[str], list[str]] | None:
    """Return the ids of orders that only the venue has open, and that only the bot has; None if they cannot be compared.

    The bot's are `ours`, or what is `followed` of them where that is None.
    """
    if ours is not None:
        working = known = _order_ids(ours, what)
    elif followed is not None:
        known = [tuple(life.keys) for life in followed]
        working = [tuple(life.keys) for life in followed if life.active and life.keys]
    else:
        return None
    theirs = _order_ids(venue, what)
    if theirs is None or working is None or known is None:
        return None
    told, there = {each for ids in known for each in ids}, {each for ids in theirs for each in ids}
    at_venue = {ids[0] for ids in theirs if told.isdisjoint(ids)}
    return sorted(at_venue), sorted({ids[0] for ids in working if there.isdisjoint(ids)})


def _order_ids(orders: object, what: str) -> list[tuple[str, ...]] | None:
    """Return the ids of each of `orders`: ids themselves, a mapping by id, or orders as client libraries have them."""
    if isinstance(orders, (str, bytes)) or not isinstance(orders, Iterable):
        faults.drop("not_a_number", "%s: %s is no collection of orders; dropped", what, type(orders).__name__, about=what)
        return None
    found: list[tuple[str, ...]] = []
    for order in cast("Iterable[object]", orders):
        if type(order) is tuple:
            ids = tuple([each for each in map(text, cast("tuple[object, ...]", order)) if each is not None])
        else:
            identity = text(order) if isinstance(order, (str, int)) else text(first(lookup(order), _ORDER_ID))
            ids = () if identity is None else (identity,)
        if ids:
            found.append(ids)
        else:
            faults.drop("not_a_number", "%s: an order without an id was left out", what, about=what)
    return found
