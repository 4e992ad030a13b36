"""Metrics that are read from what the bot keeps already."""

from __future__ import annotations

import threading

import pytest

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.recording import observe


@pytest.fixture
def observed(recorded):
    """`observe` whose callbacks end with the test."""
    stops = []

    def tell(*args, **kwargs):
        stops.append(observe(*args, **kwargs))
        return stops[-1]

    tell.points = recorded.points
    yield tell
    for stop in stops:
        stop()


def test_metric_of_the_registry_is_read_when_somebody_asks(observed) -> None:
    bot = {"win_ratio": 0.5}
    observed("trading.trade.win_ratio", lambda: bot["win_ratio"], attributes={"trading.account.name": "main"})
    assert observed.points("trade.win_ratio") == [({"account.name": "main"}, 0.5)]
    bot["win_ratio"] = 0.75
    assert observed.points("trade.win_ratio") == [({"account.name": "main"}, 0.75)]
    bot["win_ratio"] = None
    assert observed.points("trade.win_ratio") == []
    assert not faults.errors


def test_counter_of_the_registry_stays_one(observed, recorded) -> None:
    """The registry knows the kind: a sum is one without being told."""
    observed("trading.heartbeat.stalls", lambda: [(3, {"trading.heartbeat.name": "a"}), (2, {"trading.heartbeat.name": "b"})])
    assert sorted(value for _, value in recorded.points("heartbeat.stalls")) == [2, 3]
    data = recorded._reader.get_metrics_data()
    (metric,) = [
        m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics if m.name == "trading.heartbeat.stalls"
    ]
    assert metric.data.is_monotonic


@pytest.mark.parametrize(("kind", "monotonic"), [("gauge", None), ("counter", True), ("updowncounter", False)])
def test_metric_of_the_users_own(observed, recorded, kind, monotonic) -> None:
    name = f"budget.{kind}"
    observed(name, lambda: 42, kind=kind, unit="{currency}", description="What is left.", attributes={"continent": "Europe"})
    data = recorded._reader.get_metrics_data()
    (metric,) = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics if m.name == name]
    assert (metric.unit, metric.description) == ("{currency}", "What is left.")
    assert getattr(metric.data, "is_monotonic", None) is monotonic
    assert [(dict(point.attributes), point.value) for point in metric.data.data_points] == [({"continent": "Europe"}, 42)]


def test_it_stops_when_it_is_told_to(observed, recorded) -> None:
    stop = observed("tours.completed", lambda: 3)
    assert recorded.points("tours.completed")
    stop()
    stop()
    assert recorded.points("tours.completed") == []


def test_callback_that_raises_is_reported_and_the_others_are_read(observed) -> None:
    observed("broken.one", lambda: 1 / 0)
    observed("whole.one", lambda: 1)
    assert observed.points("broken.one") == []
    assert observed.points("whole.one") == [({}, 1)]
    assert faults.errors == {("observe", "ZeroDivisionError"): 2}


def test_callback_of_a_method_sees_the_object_as_it_is(observed) -> None:
    """From whatever thread somebody asks."""

    class Bot:
        balance = 1.0

        def read(self) -> float:
            return self.balance

    bot = Bot()
    observed("bot.balance", bot.read)
    bot.balance = 7.0
    found = []
    thread = threading.Thread(target=lambda: found.extend(observed.points("bot.balance")))
    thread.start()
    thread.join()
    assert found == [({}, 7.0)]


@pytest.mark.parametrize(
    ("metric", "more", "message"),
    [
        ("trading.portfolio.equty", {}, "did you mean trading.portfolio.equity"),
        ("trading.my.own", {}, "is not in the registry"),
        ("1st", {}, "is no metric name"),
        ("", {}, "is no metric name"),
        ("own.metric", {"kind": "histogram"}, "kind is one of gauge, counter, updowncounter"),
        ("own.metric", {"kind": "sum"}, "kind is one of"),
        ("trading.portfolio.equity", {"unit": "USD"}, "has the unit"),
        ("trading.portfolio.equity", {"attributes": {"colour": "red"}}, "has no attribute colour"),
        ("trading.order.duration", {}, "can be recorded but not observed"),
        ("trading.volume", {}, "already recorded by this program"),
        ("observed.clash", {"unit": "s"}, "already declared"),
        ("observed_clash", {}, "already declared"),
    ],
)
def test_what_cannot_be_observed_is_refused(recorded, observed, metric, more, message) -> None:
    from otel_trading.recording import record_fill

    record_fill(venue="v", symbol="A/USD", side="buy", quantity=1, price=1)
    assert recorded.one("volume") == 1
    observed("observed.clash", lambda: 1)
    with pytest.raises(ConfigurationError, match=message):
        observed(metric, lambda: 1, **more)


def test_callback_must_be_one() -> None:
    with pytest.raises(ConfigurationError, match="callback must be a function"):
        observe("no.callback", 3)  # pyright: ignore[reportArgumentType]
