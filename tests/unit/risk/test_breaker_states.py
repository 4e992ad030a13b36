"""Open, half-open, closed: what a circuit breaker does then, and how it gets from one to the other."""

from __future__ import annotations

import math
import pickle

import pytest

from otel_trading.errors import CircuitOpen
from tests.unit.risk.test_breaker_rules import RULES


def test_enforcing_raises_before_an_order_and_at_a_check(breaker, figures) -> None:
    one = breaker("guard", max_drawdown=0.1, enforce=True)
    one.allow()
    figures.drawdown = 0.2
    for call in (one.check, one.allow):
        with pytest.raises(CircuitOpen, match="circuit breaker 'guard' is open: max_drawdown") as raised:
            call()
        assert (raised.value.breaker, raised.value.reason) == ("guard", "max_drawdown")
    again = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own, from the line before
    assert (str(again), again.reason) == (str(raised.value), "max_drawdown")


def test_one_that_does_not_enforce_only_reports(breaker) -> None:
    one = breaker()
    one.trip("spread")
    assert one.check() is False
    assert one.allow() is None


def test_it_stays_open_until_it_is_reset(breaker, figures, clock) -> None:
    one = breaker(max_drawdown=0.1)
    figures.drawdown = 0.1
    assert one.state == "open"
    figures.drawdown = 0.0
    clock.now += 1e7
    assert one.state == "open"
    one.reset()
    assert (one.state, one.reason) == ("closed", None)


def test_what_is_over_the_limit_at_a_reset_is_accepted_once(breaker, figures) -> None:
    """It opens again after another fall by the limit: 1 - 0.9 * 0.9 from the peak; or anew once it was within the limit."""
    one = breaker(max_drawdown=0.1)
    figures.drawdown = 0.1
    assert one.state == "open"
    one.reset()
    figures.drawdown = 0.189
    assert one.state == "closed"
    figures.drawdown = 0.1901
    assert one.state == "open"
    one.reset()
    figures.drawdown = 0.09
    assert one.state == "closed"
    figures.drawdown = 0.1
    assert one.state == "open"


def test_reset_cannot_accept_what_is_no_number(breaker, figures) -> None:
    one = breaker(max_drawdown=0.1)
    figures.drawdown = math.nan
    one.reset()
    assert one.state == "open"


def test_losses_in_a_row_are_let_be_after_the_cool_down_and_counted_on(breaker, figures, clock) -> None:
    one = breaker(max_consecutive_losses=3, cool_down=60)
    figures.losing_streak = 3
    assert one.state == "open"
    clock.now += 60
    assert one.state == "half_open"
    one.allow()
    one.ordered("filled")
    figures.losing_streak = 5
    assert one.state == "closed"
    figures.losing_streak = 6
    assert one.state == "open"


@pytest.mark.parametrize("reason", ["max_drawdown", "max_daily_loss"])
def test_cool_down_does_not_excuse_what_can_recover_by_itself(breaker, figures, clock, reason) -> None:
    arguments, figure, within, reached = RULES[reason]
    one = breaker(cool_down=60, **arguments)
    setattr(figures, figure, reached)
    assert one.state == "open"
    clock.now += 600
    assert one.state == "open"
    setattr(figures, figure, within)
    assert one.state == "half_open"


def test_cool_down_does_not_excuse_who_tripped_it_by_hand(breaker, clock) -> None:
    one = breaker(cool_down=60)
    one.trip()
    clock.now += 1e6
    assert (one.state, one.reason) == ("open", "manual")
    one.reset()
    assert one.state == "closed"


def _half_open(breaker, figures, clock, **arguments):
    one = breaker(max_consecutive_losses=1, cool_down=60, **arguments)
    figures.losing_streak = 1
    assert one.state == "open"
    clock.now += 60
    assert one.state == "half_open"
    return one


@pytest.mark.parametrize("status", ["filled", "partially_filled", "new", "canceled", "expired"])
def test_half_open_it_lets_so_many_orders_through_and_closes_when_they_are_accepted(breaker, figures, clock, status) -> None:
    one = _half_open(breaker, figures, clock, trials=2, enforce=True)
    one.allow()
    one.allow()
    with pytest.raises(CircuitOpen):
        one.allow()
    with pytest.raises(CircuitOpen):
        one.check()
    one.ordered(status)
    assert one.state == "half_open"
    one.ordered(status)
    assert one.state == "closed"
    one.allow()


@pytest.mark.parametrize("status", ["rejected", "unknown", None])
def test_half_open_it_opens_again_when_an_order_is_not_accepted(breaker, figures, clock, status) -> None:
    one = _half_open(breaker, figures, clock)
    one.allow()
    one.ordered(status)
    assert (one.state, one.reason) == ("open", "failed_trial")
    clock.now += 59
    assert one.state == "open"
    clock.now += 1
    assert one.state == "half_open"


def test_trial_that_nobody_tells_the_end_of_does_not_block_it_for_ever(breaker, figures, clock) -> None:
    one = _half_open(breaker, figures, clock, enforce=True)
    one.allow()
    with pytest.raises(CircuitOpen):
        one.allow()
    clock.now += 60
    one.allow()


def test_trial_is_waited_for_however_late_it_is_made(breaker, figures, clock) -> None:
    """The cool-down that it is given is its own, not that of the time before it."""
    one = _half_open(breaker, figures, clock, enforce=True)
    clock.now += 1000
    one.allow()
    with pytest.raises(CircuitOpen):
        one.allow()
    clock.now += 59
    one.ordered("rejected")
    assert (one.state, one.reason) == ("open", "failed_trial")
