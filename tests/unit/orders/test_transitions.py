"""Which status may follow which: an order moves on, and no late message takes it back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.orders.transitions import FOLLOWING, follow
from otel_trading.orders.vocabulary import TERMINAL
from otel_trading.semconv.attributes import ORDER_STATUS_VALUES

# FIX 4.4, volume 4, appendix D "Order state change matrices": rows of the scenarios A (filled), B (cancel), C (cancel/replace).
FIX = {
    "A.1.a filled order": "pending_new new partially_filled partially_filled filled",
    "A.1.b part-filled day order, done for day": "pending_new new partially_filled canceled",
    "A.2 rejected": "pending_new rejected",
    "B.1.a cancel of an unfilled order": "pending_new new pending_cancel canceled",
    "B.1.b part-filled before the cancel arrives": "pending_new new partially_filled pending_cancel partially_filled canceled",
    "B.1.c filled before the cancel could be accepted": "pending_new new pending_cancel filled",
    "B.1.d cancel is refused": "pending_new new pending_cancel new partially_filled filled",
    "C.1.a replaced": "pending_new new pending_replace new partially_filled filled",
    "D.1 stopped and filled": "pending_new new suspended partially_filled filled",
    "expired": "pending_new new partially_filled expired",
}


@pytest.mark.parametrize("scenario", FIX)
def test_scenarios_of_fix_run_through(scenario) -> None:
    status, *words = FIX[scenario].split()
    for word in words:
        filled = status == "partially_filled"
        assert follow(status, word, filled=filled) == word
        status = word


@pytest.mark.parametrize(
    ("status", "told", "expected"),
    [
        ("partially_filled", "new", "partially_filled"),  # the acknowledgement comes after the fill
        ("partially_filled", "pending_new", "partially_filled"),
        ("new", "pending_new", "new"),
        ("canceled", "partially_filled", "canceled"),  # a fill that crossed the cancel
        ("canceled", "filled", "canceled"),
        ("filled", "canceled", "filled"),
        ("filled", "unknown", "filled"),
        ("rejected", "new", "rejected"),
        ("expired", "pending_cancel", "expired"),
        ("unknown", "new", "new"),
        ("unknown", "filled", "filled"),
        ("new", "unknown", "unknown"),
    ],
)
def test_late_message_takes_nothing_back(status, told, expected) -> None:
    assert follow(status, told) == expected


@pytest.mark.parametrize("status", ["pending_cancel", "pending_replace", "suspended", "unknown"])
def test_order_that_has_a_fill_is_never_new_again(status) -> None:
    assert follow(status, "new", filled=True) == "partially_filled"


@given(st.lists(st.sampled_from(ORDER_STATUS_VALUES), max_size=20), st.booleans())
def test_whatever_is_told_an_order_ends_once(words, filled) -> None:
    status, ends = "pending_new", 0
    for word in words:
        before, status = status, follow(status, word, filled=filled)
        assert status in {before, word, "partially_filled"}
        ends += status in TERMINAL and before not in TERMINAL
        assert before not in TERMINAL or status == before
    assert ends <= 1


def test_every_status_is_known() -> None:
    assert set(FOLLOWING) == set(ORDER_STATUS_VALUES)
