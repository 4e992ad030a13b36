"""What opens a circuit breaker, what it does then, and what it says."""

from __future__ import annotations

import logging
import math
import pickle
import threading
from decimal import Decimal

import pytest

from otel_trading.errors import CircuitOpen, ConfigurationError
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


def test_rule_of_the_bot_that_raises_opens_it(breaker) -> None:
    one = breaker(rule=lambda: 1 / 0)
    assert not one.check()
    assert one.reason == "unknown_figure"
    assert faults.errors == {("circuit_breaker", "ZeroDivisionError"): 1}


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


def test_callbacks_are_told_once_and_their_faults_go_no_further(breaker, figures) -> None:
    told: list[str] = []

    def on_trip(reason: str) -> None:
        told.append(reason)
        assert one.state == "open"  # they may use it
        raise LookupError

    one = breaker(max_drawdown=0.1, on_trip=on_trip, on_reset=lambda: told.append("reset") or 1 / 0)
    figures.drawdown = 0.5
    assert [one.check(), one.check()] == [False, False]
    one.trip("again")
    assert told == ["max_drawdown"]
    figures.drawdown = 0.0
    one.reset()
    one.reset()
    assert told == ["max_drawdown", "reset"]
    assert faults.errors == {
        ("circuit_breaker.on_trip", "LookupError"): 1,
        ("circuit_breaker.on_reset", "ZeroDivisionError"): 1,
    }


@pytest.mark.usefixtures("no_faults")
def test_metrics_are_true_even_if_the_bot_never_checks(breaker, figures, recorded) -> None:
    breaker("guard", max_drawdown=0.2, max_order_rate=4, strategy="sma")
    figures.drawdown = 0.15
    known = {"circuit_breaker.name": "guard", "account.name": "main", "strategy.name": "sma"}
    assert recorded.points("circuit_breaker.open") == [(known, 0.0)]
    assert recorded.points("risk.limit_utilization_ratio") == [
        ({**known, "risk.limit.name": "max_drawdown"}, pytest.approx(0.75)),
        ({**known, "risk.limit.name": "max_order_rate"}, 0.0),
    ]
    figures.drawdown = 0.2
    assert recorded.points("circuit_breaker.open") == [(known, 1.0)]
    assert recorded.points("circuit_breaker.trips") == [({**known, "circuit_breaker.reason": "max_drawdown"}, 1)]


def test_utilization_of_what_is_not_known_is_absent(breaker, figures, recorded) -> None:
    breaker(max_drawdown=0.2)
    figures.drawdown = None
    assert recorded.points("risk.limit_utilization_ratio") == []
    figures.drawdown = math.nan
    assert recorded.points("risk.limit_utilization_ratio") == []


def test_reasons_of_the_bots_own_are_bounded(breaker, recorded) -> None:
    """A reason with a figure in it would be a series for each trip."""
    one = breaker()
    for loss in range(50):
        one.trip(f"lost {loss}")
        one.reset()
    trips = recorded.points("circuit_breaker.trips")
    assert len(trips) == 21
    assert sum(count for _, count in trips) == 50


def test_one_that_is_made_again_takes_the_place_of_the_first(breaker, recorded) -> None:
    breaker("same").trip()
    breaker("same")
    assert [value for _, value in recorded.points("circuit_breaker.open")] == [0.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_drawdown": 10}, "max_drawdown is 10, expected a fraction"),
        ({"max_drawdown": 0}, "max_drawdown is 0"),
        ({"max_drawdown": True}, "max_drawdown is True"),
        ({"max_daily_loss": -0.03}, "max_daily_loss is -0.03"),
        ({"max_daily_loss": math.nan}, "max_daily_loss is nan"),
        ({"max_consecutive_losses": 2.5}, "max_consecutive_losses is 2.5, expected a whole number"),
        ({"max_reject_ratio": "half"}, "max_reject_ratio is 'half'"),
        ({"max_reject_ratio": 0.5, "reject_window": 0}, "reject_window is 0"),
        ({"max_reject_ratio": 0.5, "min_orders": 0}, "min_orders is 0"),
        ({"max_order_rate": 0}, "max_order_rate is 0"),
        ({"max_order_rate": 10_001}, "max_order_rate is 10001, at most 10000"),
        ({"max_order_rate": 5, "rate_window": math.inf}, "rate_window is inf"),
        ({"max_data_age": -1}, "max_data_age is -1"),
        *[({"max_data_age": 1, "data_streams": names}, "data_streams are the names") for names in ("book", (), 5)],
        ({"cool_down": 0}, "cool_down is 0"),
        ({"trials": 0}, "trials is 0"),
        ({"rule": "x > 3"}, "rule is 'x > 3', expected a function"),
        ({"on_trip": 1}, "on_trip is 1"),
        ({"on_reset": 1}, "on_reset is 1"),
        ({"clock": 1}, "clock is 1"),
        ({"max_drawdown": 0.1, "account": None}, "max_drawdown needs account="),
        ({"max_daily_loss": 0.1, "account": "main"}, "max_daily_loss needs an account that has daily_ratio, not 'main'"),
        ({"name": " "}, "name is ' '"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_wrong_arguments_are_named(breaker, arguments, message) -> None:
    with pytest.raises(ConfigurationError, match=message.replace("(", r"\(")):
        breaker(**arguments)


def test_many_threads_open_it_once(breaker, figures, recorded) -> None:
    told: list[str] = []
    one = breaker(max_drawdown=0.1, max_order_rate=10_000, on_trip=told.append)
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        for turn in range(200):
            if turn == 100:
                figures.drawdown = 0.5
            one.allow()
            one.check()
            one.ordered("filled")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["max_drawdown"]
    assert [count for _, count in recorded.points("circuit_breaker.trips")] == [1]
    assert not faults.errors
