"""What venues and client libraries call things, and what the vocabulary calls them.

Only words that are known are translated: a status that no table has is `unknown` and a type that none has is `other`, so that
a venue which invents words cannot invent series. Sources: FIX 4.4 tags 39, 40, 54 and 59, and the documentation of ccxt,
alpaca-py, ib_async, nautilus_trader, backtrader and python-binance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Final, cast

from otel_trading.semconv.attributes import (
    ORDER_REJECT_REASON_VALUES,
    FillLiquidity,
    OrderRejectReason,
    OrderSide,
    OrderStatus,
    OrderTimeInForce,
    OrderType,
)

TERMINAL: Final[frozenset[OrderStatus]] = frozenset({"filled", "canceled", "rejected", "expired"})
"""The statuses in which an order has ended."""

_SIDES: Final[Mapping[str, OrderSide]] = {
    **dict.fromkeys(("buy", "b", "bid", "bot", "bought", "long", "buy_to_cover", "buy_to_open", "buy_to_close"), "buy"),
    **dict.fromkeys(("sell", "s", "ask", "sld", "sold", "short", "sell_short", "sell_to_open", "sell_to_close"), "sell"),
}

_TYPES: Final[Mapping[str, OrderType]] = {
    **dict.fromkeys(("market", "mkt", "market_order"), "market"),
    **dict.fromkeys(("limit", "lmt", "limit_order", "limit_maker", "post_only"), "limit"),
    **dict.fromkeys(("stop", "stp", "stop_market", "stop_loss", "stoploss", "sl"), "stop_market"),
    **dict.fromkeys(("stop_limit", "stp_lmt", "stop_loss_limit", "stoplimit"), "stop_limit"),
    **dict.fromkeys(
        ("trailing_stop", "trail", "trail_limit", "trailing_stop_market", "trailing_stop_limit", "stop_trail"), "trailing_stop"
    ),
    **dict.fromkeys(("take_profit", "take_profit_market", "take_profit_limit", "tp"), "take_profit"),
    **dict.fromkeys(("market_if_touched", "mit"), "market_if_touched"),
    **dict.fromkeys(("limit_if_touched", "lit"), "limit_if_touched"),
    **dict.fromkeys(("market_to_limit", "mtl"), "market_to_limit"),
}

_STATUSES: Final[Mapping[str, OrderStatus]] = {
    **dict.fromkeys(
        (
            *("pending_new", "pendingsubmit", "pending_submit", "api_pending", "pending", "created", "initialized"),
            *("submitting", "emulated", "released", "held", "pending_review", "accepted_for_bidding"),
        ),
        "pending_new",
    ),
    **dict.fromkeys(
        ("new", "open", "accepted", "submitted", "pre_submitted", "presubmitted", "triggered", "live", "active", "working"),
        "new",
    ),
    **dict.fromkeys(("partially_filled", "partial", "partial_fill", "partially_fill", "partial_filled"), "partially_filled"),
    # `closed` is ccxt's word; results.py looks at what was filled before it believes it.
    **dict.fromkeys(("filled", "closed", "completed", "complete", "fill", "fully_filled", "executed", "done"), "filled"),
    **dict.fromkeys(("pending_cancel", "canceling", "cancelling"), "pending_cancel"),
    **dict.fromkeys(
        ("canceled", "cancelled", "api_cancelled", "done_for_day", "replaced", "partially_canceled", "voided"), "canceled"
    ),
    **dict.fromkeys(("pending_replace", "pending_update", "replacing"), "pending_replace"),
    **dict.fromkeys(("rejected", "denied", "inactive", "margin", "reject", "failed"), "rejected"),
    **dict.fromkeys(("expired", "expired_in_match"), "expired"),
    **dict.fromkeys(("suspended", "stopped", "calculated"), "suspended"),
}

_LIQUIDITY: Final[Mapping[str, FillLiquidity]] = {
    **dict.fromkeys(("maker", "m", "make", "added", "add", "passive"), "maker"),
    **dict.fromkeys(("taker", "t", "take", "removed", "remove", "aggressive"), "taker"),
}

_LIQUIDITY_CODES: Final[Mapping[int, FillLiquidity]] = {1: "maker", 2: "taker"}
"""FIX tag 851, which Interactive Brokers uses too."""

_TIMES_IN_FORCE: Final[Mapping[str, OrderTimeInForce]] = {
    **dict.fromkeys(("day",), "day"),
    **dict.fromkeys(("gtc", "good_till_cancel", "good_till_canceled", "good_til_canceled"), "gtc"),
    **dict.fromkeys(("ioc", "immediate_or_cancel"), "ioc"),
    **dict.fromkeys(("fok", "fill_or_kill"), "fok"),
    **dict.fromkeys(("gtd", "gtt", "good_till_date", "good_till_time"), "gtd"),
    **dict.fromkeys(("opg", "moo", "loo", "at_the_open"), "opg"),
    **dict.fromkeys(("cls", "moc", "loc", "at_the_close"), "cls"),
    **dict.fromkeys(("gtx", "po", "post_only"), "gtx"),
}

# Parts of the sentences with which venues refuse an order, the most particular first.
_REASONS: Final[tuple[tuple[str, OrderRejectReason], ...]] = (
    ("insufficient", "insufficient_funds"),
    ("not enough", "insufficient_funds"),
    ("buying power", "insufficient_funds"),
    ("margin", "insufficient_funds"),
    ("balance", "insufficient_funds"),
    ("rate limit", "rate_limited"),
    ("too many", "rate_limited"),
    ("duplicate", "duplicate"),
    ("closed", "market_closed"),
    ("halt", "market_closed"),
    ("not trading", "market_closed"),
    ("risk", "risk_limit"),
    ("exposure", "risk_limit"),
    ("position limit", "risk_limit"),
    ("permission", "auth"),
    ("unauthorized", "auth"),
    ("api key", "auth"),
    ("forbidden", "auth"),
    ("invalid", "invalid_order"),
    ("minimum", "invalid_order"),
    ("notional", "invalid_order"),
    ("precision", "invalid_order"),
    ("lot size", "invalid_order"),
    ("tick size", "invalid_order"),
    ("price", "invalid_order"),
    ("quantity", "invalid_order"),
)
_REASON_WORDS: Final[Mapping[str | None, OrderRejectReason]] = {reason: reason for reason in ORDER_REJECT_REASON_VALUES}

_LONGEST_WORD: Final = 40
_LONGEST_REASON: Final = 300


def side(value: object) -> OrderSide | None:
    """Return the side that `value` means: a word, an Enum, whether it buys, or +1 and -1; None if it means none."""
    said = word(value)
    if said is not None:
        return _SIDES.get(said)
    kind = type(value)
    if kind is bool:
        return "buy" if value else "sell"
    if kind is int or kind is float:
        return "buy" if value == 1 else "sell" if value == -1 else None
    return None


def order_type(value: object) -> OrderType:
    """Return the order type that `value` means; `other` if it is no word that we know."""
    known = _TYPES.get(value) if type(value) is str else None  # spelt just so, as most are
    return known or _TYPES.get(word(value) or "", "other")


def status(value: object) -> OrderStatus:
    """Return the status that `value` means; `unknown` if it is no word that we know."""
    known = _STATUSES.get(value) if type(value) is str else None  # spelt just so, as most are
    return known or _STATUSES.get(word(value) or "", "unknown")


def liquidity(value: object) -> FillLiquidity:
    """Return whether `value` (a word, or whether the fill was a maker's) means maker or taker; `unknown` if neither."""
    if type(value) is bool:
        return "maker" if value else "taker"
    if type(value) is int:
        return _LIQUIDITY_CODES.get(value, "unknown")
    return _LIQUIDITY.get(word(value) or "", "unknown")


def time_in_force(value: object) -> OrderTimeInForce | None:
    """Return the time in force that `value` means, if we know it."""
    return _TIMES_IN_FORCE.get(word(value) or "")


def reject_reason(value: object) -> OrderRejectReason:
    """Return the reason that a venue's word or sentence gives; `other` if it is none that we know."""
    said = word(value)
    if said in _REASON_WORDS:
        return _REASON_WORDS[said]
    if not issubclass(type(value), str):
        return "other"
    sentence = str.__str__(cast("str", value))[:_LONGEST_REASON].lower().replace("_", " ")
    for part, reason in _REASONS:
        if part in sentence:
            return reason
    return "other"


def word(value: object) -> str | None:
    """Return `value` as one lower-case word with underscores, if it is text or an Enum whose value or name is.

    `OrderStatus.PARTIALLY_FILLED`, `"Partially Filled"`, `"partially-filled"` and `"PartiallyFilled"` are the same word.
    """
    kind = type(value)
    if issubclass(kind, Enum):  # by type: isinstance would ask a lazy proxy for its class
        member = cast("Enum", value)
        value = member.value if issubclass(type(member.value), str) else member.name
    elif not issubclass(kind, str):
        return None
    text = str.__str__(cast("str", value))
    return _normalized(text) if len(text) <= _LONGEST_WORD else None


@lru_cache(maxsize=512)
def _normalized(text: str) -> str:
    text = text.strip()
    if not (text.islower() or text.isupper()):
        text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text)
    return re.sub(r"[\s\-.]+", "_", text).lower()
