"""What opens a circuit breaker: figures of the account, rules of the bot, its orders, its data; and what fails on the way."""

from __future__ import annotations

import logging
import math
from decimal import Decimal

import pytest

from otel_trading.errors import CircuitOpen
from otel_trading.metrics import faults
from otel_trading.recording import end_market_data, record_market_data

RULES = {
    "max_drawdown": ({"max_drawdown": 0.1}, "drawdown", 0.0999, 0.1),
    "max_daily_loss": ({"max_daily_loss": 0.03}, "daily_ratio", -0.0299, -0.03),
    "max_losing_streak": ({"max_consecutive_losses": 3}, "losing_streak", 2, 3),
}


@pytest.mark.parametrize("reason", RULES)
def test_figure_of_the_account_opens_it_when_it_reaches_its_limit(breaker, figures, reason) -> None:
    arguments, figure, within, reached = RULES[reason]
    one = breaker(**arguments)
    setattr(figures, figure, within)
    assert one.check()
    assert one.state == "closed"
    setattr(figures, figure, reached)
    assert not one.check()
    assert (one.state, one.reason) == ("open", reason)


@pytest.mark.parametrize("reason", RULES)
@pytest.mark.parametrize(
    "unusable",
    [math.nan, -math.inf, math.inf, Decimal("nan"), "0.01", object()],
    ids=["nan", "-inf", "inf", "Decimal", "text", "object"],
)
def test_figure_that_is_no_number_opens_it(breaker, figures, reason, unusable) -> None:
    """A breaker that a NaN disables protects from nothing."""
    arguments, figure, *_ = RULES[reason]
    one = breaker(**arguments)
    setattr(figures, figure, unusable)
    assert not one.check()
    assert one.reason == "unknown_figure"


@pytest.mark.parametrize("reason", RULES)
def test_figure_that_cannot_be_read_opens_it_and_is_reported(breaker, reason) -> None:
    class Broken:
        name = "main"
        drawdown = daily_ratio = losing_streak = property(lambda _: 1 / 0)

    one = breaker(account=Broken(), **RULES[reason][0])
    assert not one.check()
    assert one.reason == "unknown_figure"
    assert faults.errors["circuit_breaker", "ZeroDivisionError"] > 0


def test_figure_that_was_never_known_is_waited_for_and_one_that_was_lost_opens_it(breaker, figures) -> None:
    """Before any capital was named there is no drawdown; later it must not vanish."""
    one = breaker(max_drawdown=0.1)
    figures.drawdown = None
    assert one.check()
    figures.drawdown = 0.05
    assert one.check()
    figures.drawdown = None
    assert not one.check()


def test_gain_of_any_size_is_no_loss(breaker, figures) -> None:
    one = breaker(max_daily_loss=0.03)
    figures.daily_ratio = 5.0
    assert one.check()


@pytest.mark.parametrize(("answer", "reason"), [("spread", "spread"), (True, "rule"), (math.nan, "rule"), (3, "rule")])
def test_rule_of_the_bot_opens_it(breaker, answer, reason) -> None:
    said = [None]
    one = breaker(rule=lambda: said[0])
    for fine in (None, False, "", 0):
        said[0] = fine
        assert one.check()
    said[0] = answer
    assert not one.check()
    assert one.reason == reason


def test_rule_of_the_bot_that_raises_opens_it(breaker, caplog) -> None:
    one = breaker(rule=lambda: 1 / 0)
    assert not one.check()
    assert one.reason == "unknown_figure"
    assert faults.errors == {("circuit_breaker", "ZeroDivisionError"): 1}
    assert "circuit_breaker failed and opens the circuit breaker" in caplog.text


@pytest.mark.parametrize("failing", [lambda: math.nan, lambda: None, lambda: 1 / 0], ids=["nan", "none", "raises"])
def test_clock_that_fails_opens_it(breaker, failing) -> None:
    works = [True]
    one = breaker(clock=lambda: 1000.0 if works[0] else failing())
    assert one.check()
    works[0] = False
    assert not one.check()


def test_rejects_open_it_from_the_minimum_of_orders_on(breaker, clock) -> None:
    """Half of ten, not the first one of one; what is older than the window does not count."""
    one = breaker(max_reject_ratio=0.5, min_orders=4, reject_window=60)
    for status in ("rejected", "rejected", "rejected"):
        one.allow()
        one.ordered(status)
    assert one.check()
    clock.now += 60
    for status in ("rejected", "filled", "canceled"):
        one.ordered(status)
    assert one.check()
    one.ordered("rejected")
    assert one.reason == "max_reject_ratio"


def test_order_beyond_the_rate_opens_it_and_is_not_sent(breaker, clock) -> None:
    one = breaker(max_order_rate=3, rate_window=10, enforce=True)
    for _ in range(3):
        one.allow()
    assert one.check()
    clock.now += 10
    for _ in range(3):
        one.allow()
    with pytest.raises(CircuitOpen, match="max_order_rate"):
        one.allow()
    assert one.reason == "max_order_rate"


@pytest.mark.parametrize("rule", [{"max_order_rate": 3}, {"max_reject_ratio": 0.5, "min_orders": 4}], ids=["rate", "rejects"])
def test_orders_of_before_the_clock_was_set_back_do_not_count_until_it_is_as_late_again(breaker, clock, rule) -> None:
    """Set back by an hour after two orders: two more in each of the next hours are no four in a minute."""
    one = breaker(rate_window=60, reject_window=60, **rule)
    clock.now += 3600
    for _ in range(2):
        for _ in range(2):
            one.allow()
            one.ordered("rejected")
        clock.now -= 1800
    assert one.check()
    for _ in range(4):
        one.allow()
        one.ordered("rejected")
    assert one.state == "open"


def test_orders_count_for_the_rate_of_one_that_only_reports(breaker) -> None:
    one = breaker(max_order_rate=1)
    one.allow()
    one.allow()
    assert one.state == "open"
    one.allow()  # it only reports


@pytest.mark.usefixtures("recorded")
def test_data_that_is_too_old_opens_it(breaker, clock) -> None:
    """The stream that is furthest behind counts: one book can stand still while others move."""
    one = breaker(max_data_age=30)
    clock.now += 29
    assert one.check()  # nothing came yet: the age is that of the breaker
    record_market_data("book", venue="v", symbol="A/USD", at=clock.now)
    record_market_data("book", venue="v", symbol="B/USD", at=clock.now)
    clock.now += 29
    record_market_data("book", venue="v", symbol="A/USD", at=clock.now)
    assert one.check()
    clock.now += 1
    assert not one.check()
    assert one.reason == "stale_data"


@pytest.mark.usefixtures("recorded")
def test_data_that_ended_is_not_waited_for(breaker, clock, recorded) -> None:
    one = breaker(max_data_age=30)
    record_market_data("book", venue="v", symbol="A/USD", at=clock.now)
    record_market_data("book", venue="v", symbol="B/USD", at=clock.now)
    end_market_data("book", venue="v", symbol="B/USD")
    clock.now += 31
    record_market_data("book", venue="v", symbol="A/USD", at=clock.now)
    assert one.check()
    assert recorded.points("market_data.last_update.time") == [
        ({"venue.name": "v", "stream.name": "book", "instrument.symbol": "A/USD"}, clock.now)
    ]


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("at", [1_700_000_000_000.0, math.nan, None], ids=["milliseconds", "nan", "never"])
def test_data_whose_time_cannot_be_true_is_not_fresh(breaker, clock, at) -> None:
    one = breaker(max_data_age=30, data_streams=["book"])
    if at is not None:
        record_market_data("book", venue="v", at=at)
    record_market_data("trades", venue="v", at=clock.now)
    clock.now += 30
    record_market_data("trades", venue="v", at=clock.now)
    assert not one.check()
    assert one.reason == "stale_data"


class Silent(logging.Filter):
    """A filter of the application that raises."""

    def filter(self, record: logging.LogRecord) -> bool:
        raise LookupError(record)


@pytest.mark.parametrize("how", ["figure", "rule", "clock", "number"])
def test_fault_that_cannot_even_be_logged_opens_it_and_goes_no_further(breaker, clock, how) -> None:
    """The fault of a rule while a filter of the application raises too: an order is refused, as by any unknown figure."""
    broken = [False]

    def fails(*_: object) -> object:
        if broken[0]:
            raise ZeroDivisionError
        return None

    class Account:
        name = "main"
        drawdown = property(fails if how == "figure" else lambda _: Odd() if how == "number" and broken[0] else 0.0)

    class Odd(float):
        @property
        def ndim(self) -> int:
            raise ZeroDivisionError

    one = breaker(
        account=Account(),
        max_drawdown=0.1,
        rule=fails if how == "rule" else None,
        clock=(lambda: fails() or clock.now) if how == "clock" else clock,
        enforce=True,
    )
    one.allow()
    broken[0] = True
    logger, silent = logging.getLogger("otel_trading"), Silent()
    logger.addFilter(silent)
    try:
        for call in (one.allow, one.check):
            with pytest.raises(CircuitOpen, match="unknown_figure"):
                call()
        one.ordered("filled")
        one.trip()
        one.reset()
    finally:
        logger.removeFilter(silent)
