"""Which status of an order may follow which, after FIX 4.4's order state changes (appendix D).

Messages come late, twice and crosswise: a stream repeats itself after a reconnect, an answer to a query is older than what the
stream has said meanwhile, a cancel crosses a fill. So a status that is told moves an order on, or changes nothing: never does a
late message take an order back, and what has ended has ended. An order whose state is `unknown` may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from otel_trading.orders.vocabulary import TERMINAL
from otel_trading.semconv.attributes import ORDER_STATUS_VALUES, OrderStatus

WAITING: Final[frozenset[OrderStatus]] = frozenset({"pending_new", "pending_cancel", "pending_replace"})
"""The statuses in which an answer of the venue is due."""

ACKNOWLEDGED: Final[frozenset[OrderStatus]] = frozenset({"new", "suspended"})
"""The statuses that say no more than that the venue has the order."""

_ALL: Final[frozenset[OrderStatus]] = frozenset(ORDER_STATUS_VALUES)
_CHANGES: Final = _ALL - {"pending_new"}

FOLLOWING: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    "pending_new": _CHANGES,
    "new": _CHANGES - {"new"},
    "partially_filled": _CHANGES - {"new"},  # and again: it is filled further
    # A request to cancel or to replace may be refused: then the order is again what it was.
    "pending_cancel": _CHANGES - {"pending_cancel"},
    "pending_replace": _CHANGES - {"pending_replace"},
    "suspended": _CHANGES - {"suspended"},
    "unknown": _ALL - {"unknown"},
    **dict.fromkeys(TERMINAL, frozenset()),
}
"""What may follow each status."""


def follow(status: OrderStatus, told: OrderStatus, *, filled: bool = False) -> OrderStatus:
    """Return the status of an order that was in `status` and is `told` to be in another; `filled`: a part of it is filled.

    What is told late changes nothing. An order that has a fill is never `new` again: it is `partially_filled`.
    """
    if told not in FOLLOWING[status]:
        return status
    if filled and told in {"pending_new", "new"}:
        return "partially_filled"
    return told
