"""What a circuit breaker is told at first and what it says: wrong arguments, callbacks, metrics."""

from __future__ import annotations

import math
import threading

import pytest

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults


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
