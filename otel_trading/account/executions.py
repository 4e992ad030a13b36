"""Reads lists of fills as venues return them, to enter those that the account does not have yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, cast

from otel_trading.metrics import faults
from otel_trading.orders import results
from otel_trading.orders.reading import first, lookup, paths, text

_ARGUMENTS: Final = frozenset(
    ("symbol", "side", "quantity", "price", "fee", "fee_currency", "multiplier", "execution_id", "order_id", "time")
)
_TIME = paths("timestamp", "time", "datetime", "transaction_time", "execution.time", "executed_at", "filled_at", "date")
_ORDER = paths("order", "order_id", "orderId", "ordId", "orderID", "execution.orderId", "ordertxid")
_MILLISECONDS = 1e11
"""Unix seconds are less than this until the year 5138."""


def read(fills: object, what: str) -> list[dict[str, Any]]:
    """Return the arguments of `Account.fill` for each fill that has an execution id, those with a time first and in its order.

    A fill is a mapping of those arguments, or what a client library has for one: a trade of ccxt, alpaca's activity, an
    ib_async Fill. What cannot be read, or has no id to know it again by, is counted as dropped and left out.
    """
    if isinstance(fills, (str, bytes, Mapping)) or not isinstance(fills, Iterable):
        faults.drop(
            "not_a_number", "%s: %s is no collection of fills; dropped", what, type(cast("object", fills)).__name__, about=what
        )
        return []
    found: list[dict[str, Any]] = []
    for entry in cast("Iterable[object]", fills):
        arguments = _arguments(entry)
        if arguments is None:
            faults.drop("not_a_number", "%s: a fill that cannot be read, or has no execution id; dropped", what, about=what)
        else:
            found.append(arguments)
    return sorted(found, key=lambda fill: _unix(fill.get("time")))


def _arguments(entry: object) -> dict[str, Any] | None:
    said = _mapping(entry)
    if said.keys() <= _ARGUMENTS and said.get("execution_id") is not None and said.get("symbol") is not None:
        return dict(said)
    source = lookup(entry)
    one = results.read({"id": "-", "trades": [entry]}).fills
    if not one:
        return None
    (fill,) = one
    symbol = fill.symbol or text(first(source, paths("symbol")))
    if fill.execution_id is None or symbol is None or fill.side is None:
        return None
    return {
        "symbol": symbol,
        "side": fill.side,
        "quantity": abs(fill.quantity),
        "price": fill.price,
        "fee": fill.fees or 0,
        "execution_id": fill.execution_id,
        "order_id": text(first(source, _ORDER)),
        "time": _time(first(source, _TIME)),
    }


def _mapping(entry: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", entry) if isinstance(entry, Mapping) else {}


def _time(said: object) -> object:
    """Unix seconds of what is said in milliseconds, in ISO 8601 or as a datetime; None where nothing is said."""
    if isinstance(said, str):
        try:
            said = datetime.fromisoformat(said.replace("Z", "+00:00"))
        except ValueError:
            return None
    if isinstance(said, (int, float)) and not isinstance(said, bool) and abs(said) > _MILLISECONDS:
        return said / 1000.0
    return said if isinstance(said, (int, float, datetime)) and not isinstance(said, bool) else None


def _unix(time: object) -> float:
    if isinstance(time, datetime):
        return time.timestamp()
    return float(time) if isinstance(time, (int, float)) else float("inf")
