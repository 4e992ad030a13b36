"""What other libraries call things, and what the vocabulary calls them."""

from __future__ import annotations

from enum import Enum, IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.orders import vocabulary
from otel_trading.semconv import attributes as a

STATUSES = {
    # The words of FIX, ccxt, nautilus_trader, alpaca-py, Interactive Brokers and backtrader for each status, from their
    # documentation; `closed` and partly filled orders need the quantities and are in test_results.py.
    "pending_new": "pending_new held pending_review PendingSubmit ApiPending Created INITIALIZED EMULATED RELEASED",
    "new": "open accepted new Accepted ACCEPTED TRIGGERED PreSubmitted Submitted",
    "partially_filled": "PARTIALLY_FILLED partially_filled Partial",
    "filled": "FILLED filled Filled Completed",
    "pending_cancel": "canceling PENDING_CANCEL pending_cancel PendingCancel",
    "canceled": "canceled CANCELED done_for_day replaced Cancelled ApiCancelled Canceled cancelled",
    "pending_replace": "pending_replace PENDING_UPDATE",
    "rejected": "rejected REJECTED DENIED Inactive Rejected Margin",
    "expired": "expired EXPIRED Expired EXPIRED_IN_MATCH",
    "suspended": "suspended stopped",
    "unknown": "settled 8 NONE ?",
}
SIDES = {
    "buy": ["buy", "BUY", "b", "Long", "bid", "BOT", True, 1, 1.0],
    "sell": ["sell", "SELL", "S", "short", "SLD", False, -1],
}
TYPES = {
    "market": ["market", "MARKET", "MKT", "Market"],
    "limit": ["limit", "LMT", "LIMIT_MAKER"],
    "stop_market": ["stop", "STP", "stop_market", "STOP_LOSS", "stopLoss"],
    "stop_limit": ["stop_limit", "STP LMT", "STOP_LOSS_LIMIT", "stop-limit"],
    "trailing_stop": ["trailing_stop", "TRAIL", "TRAILING_STOP_MARKET", "TrailingStop"],
    "take_profit": ["take_profit", "TAKE_PROFIT_MARKET", "takeProfit"],
    "market_if_touched": ["MIT", "MARKET_IF_TOUCHED"],
    "limit_if_touched": ["LIT", "LIMIT_IF_TOUCHED"],
    "market_to_limit": ["MTL", "MARKET_TO_LIMIT"],
    "other": ["iceberg", "", None, 3, object()],
}


@pytest.mark.parametrize(("expected", "word"), [(ours, word) for ours, theirs in STATUSES.items() for word in theirs.split()])
def test_status_of_every_librarys_word(expected, word) -> None:
    assert vocabulary.status(word) == expected


@pytest.mark.parametrize(("expected", "value"), [(ours, value) for ours, theirs in SIDES.items() for value in theirs])
def test_side_of_words_signs_and_whether_it_buys(expected, value) -> None:
    assert vocabulary.side(value) == expected


@pytest.mark.parametrize("value", ["", "both", "0", 0, 2, 0.5, None, [], b"buy"])
def test_what_is_no_side_is_none(value) -> None:
    assert vocabulary.side(value) is None


@pytest.mark.parametrize(("expected", "value"), [(ours, value) for ours, theirs in TYPES.items() for value in theirs])
def test_type_of_every_librarys_word(expected, value) -> None:
    assert vocabulary.order_type(value) == expected


class TextStatus(str, Enum):
    """As alpaca-py's."""

    FILLED = "filled"


class NumberStatus(IntEnum):
    """As nautilus_trader's: the name says what the number does not."""

    PARTIALLY_FILLED = 12


@pytest.mark.parametrize(
    ("member", "expected"), [(TextStatus.FILLED, "filled"), (NumberStatus.PARTIALLY_FILLED, "partially_filled")]
)
def test_enums_by_their_word_or_their_name(member, expected) -> None:
    assert vocabulary.status(member) == expected


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Account has insufficient balance for requested action.", "insufficient_funds"),
        ("insufficient buying power", "insufficient_funds"),
        ("Filter failure: MIN_NOTIONAL", "invalid_order"),
        ("Filter failure: PRICE_FILTER", "invalid_order"),
        ("Invalid API-key, IP, or permissions for action.", "auth"),
        ("Too many new orders.", "rate_limited"),
        ("Duplicate order sent.", "duplicate"),
        ("market is closed", "market_closed"),
        ("position limit exceeded", "risk_limit"),
        ("risk_limit", "risk_limit"),
        ("INSUFFICIENT_FUNDS", "insufficient_funds"),
        ("the dog ate it", "other"),
        (None, "other"),
        (42, "other"),
    ],
)
def test_reason_of_a_venues_sentence(said, reason) -> None:
    """The sentences are binance's and alpaca's own."""
    assert vocabulary.reject_reason(said) == reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("maker", "maker"),
        ("TAKER", "taker"),
        (True, "maker"),
        (False, "taker"),
        (1, "maker"),
        (2, "taker"),
        ("?", "unknown"),
        (None, "unknown"),
    ],
)
def test_liquidity(value, expected) -> None:
    assert vocabulary.liquidity(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("GTC", "gtc"), ("day", "day"), ("IOC", "ioc"), ("PO", "gtx"), ("x", None), (None, None)]
)
def test_time_in_force(value, expected) -> None:
    assert vocabulary.time_in_force(value) == expected


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.binary(), st.lists(st.text())))
def test_whatever_comes_the_words_stay_within_the_vocabulary(value) -> None:
    """A venue that invents words cannot invent series."""
    assert vocabulary.status(value) in a.ORDER_STATUS_VALUES
    assert vocabulary.order_type(value) in a.ORDER_TYPE_VALUES
    assert vocabulary.side(value) in {*a.ORDER_SIDE_VALUES, None}
    assert vocabulary.liquidity(value) in a.FILL_LIQUIDITY_VALUES
    assert vocabulary.reject_reason(value) in a.ORDER_REJECT_REASON_VALUES
    assert vocabulary.time_in_force(value) in {*a.ORDER_TIME_IN_FORCE_VALUES, None}


@pytest.mark.parametrize("value", [*a.ORDER_STATUS_VALUES])
def test_our_own_words_mean_themselves(value) -> None:
    assert vocabulary.status(value) == value


@pytest.mark.parametrize("value", [*a.ORDER_TYPE_VALUES])
def test_our_own_types_mean_themselves(value) -> None:
    assert vocabulary.order_type(value) == value


@pytest.mark.parametrize("value", [*a.ORDER_REJECT_REASON_VALUES])
def test_our_own_reasons_mean_themselves(value) -> None:
    assert vocabulary.reject_reason(value) == value
