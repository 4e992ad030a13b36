"""`make demo` beside `otel-trading stack up --local`: what a newcomer sees in the first minute.

Files, intervals and speed are as they come; there are two demos, as there are two ways to be seen, and ports are free ones.
"""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.demo.program import Demo
from tests.harness import wait_until
from tests.harness.stack import PROGRAM, Stack
from tests.unit.stack.grafana.grafana import BOARDS, asked, panels

JOBS = {"scrape": "trading-bots", "push": "otel-trading-demo"}
"""What a demo is called that is scraped, and one that pushes."""

EMPTY = {"Alerts that fire A": "no alert fires"}
"""Panels of Overview without data when all is well, and why."""

WAITING = {
    "TradingCircuitBreakerOpen": "it trips now and then, and closes after five days",
    "TradingDailyLoss": "it loses more than 2 % on some days",
    "TradingDrawdown": "it is 10 % below its highest value for some weeks of its second year",
    "TradingModelDrift": "prices of some months are unlike those that the model learned from",
    "TradingOrdersRejected": "of the first orders the venue rejects more than one in twenty",
    "TradingOrdersUnresolved": "an order that was not answered is asked for on the next day",
    "TradingPositionUnprotected": "a position gets its stop order on the day after",
    "TradingReconciliationOverdue": "of the first scrape nothing is known that could have changed since",
    "TradingRiskLimitNear": "the limit of 3 % is for a day",
    "TradingVenueRateLimitNear": "others behind the same address use up the limit of some days",
    "TradingWinRatioLow": "it wins every other trade",
}
"""What an alert sees for a moment, as a day of the demo is a tenth of a second, and not for as long as the alert waits."""

NOT_TOLD = [
    f"trading-sdk {panel['title']} {target['refId']}"
    for panel in panels(BOARDS["trading-sdk"])
    for target in panel["targets"]
    if panel["title"] in {"Alerts that were not told", "What keeps alerts from being raised"}
]
"""These need Prometheus and Alertmanager to be scraped, as they are only here."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """A stack that two demos have run beside for a minute at least."""
    directory = tmp_path_factory.mktemp("shown")
    subprocess.run([PROGRAM, "stack", "init", directory / "stack"], check=True, capture_output=True, timeout=60)
    scraped, pushing = Demo(directory, name="scraped"), Demo(directory, name="pushing")
    with Stack(directory / "stack", log=directory, bot=f"127.0.0.1:{scraped.port}") as stack:
        pushing.env |= stack.push
        with scraped, pushing:
            yield stack


@pytest.fixture(scope="module")
def missing(stack) -> dict[str, set[str]]:
    """What is without data on each path after a minute, and some more on a slow machine."""
    wanted = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in panels(BOARDS["trading-overview"])
        for target in panel["targets"]
    }
    open_ = {path: dict(wanted) for path in JOBS}
    started = time.monotonic()

    def shown() -> bool:
        for path, expressions in open_.items():
            for name, expression in list(expressions.items()):
                if has_data(stack, asked(expression, span=3600, job=JOBS[path])):
                    del expressions[name]
        return time.monotonic() > started + 60 and all(found.keys() <= EMPTY.keys() for found in open_.values())

    with suppress(AssertionError):  # the tests say what is missing
        wait_until(shown, "every panel of Overview has data", timeout=150, interval=2)
    return {path: set(found) for path, found in open_.items()}


def has_data(stack: Stack, expression: str) -> bool:
    """Whether it gives a number now, or gave one within the last minute, as an event does that is over."""
    now = time.time()
    found = stack.prometheus.get("query_range", query=expression, start=str(now - 60), end=str(now), step="5")
    return any(math.isfinite(float(value)) for series in found["result"] for _, value in series["values"])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", JOBS)
def test_every_panel_of_overview_has_data_within_a_minute(missing, path):
    assert missing[path] == EMPTY.keys()


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("missing")
def test_no_alert_fires_and_none_is_about_to_but_what_is_true_for_a_moment(stack):
    """In all that time; but for the one that always fires, to tell that alerts arrive."""
    seen = stack.prometheus.query(
        'count by (alertname, alertstate) (count_over_time(ALERTS{alertname!="TradingWatchdog"}[1h]))'
    )
    states = {(sample.labels["alertname"], sample.labels["alertstate"]) for sample in seen}
    assert {name for name, state in states if state == "firing"} == set()
    assert {name for name, state in states if state == "pending"} <= WAITING.keys()


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("missing")
def test_each_bot_is_told_of_once_and_no_target_is_down(stack):
    """The bot that pushes has no endpoint, whose absence is no alarm either."""
    assert stack.prometheus.query("up == 0") == []
    accounts = stack.prometheus.query("count by (job) (trading_portfolio_equity)")
    assert {sample.labels["job"]: sample.value for sample in accounts} == dict.fromkeys(JOBS.values(), 1.0)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("missing")
def test_alerts_that_are_not_told_would_be_seen(stack):
    """The counters of the real Prometheus and Alertmanager have the names that the panel asks for."""
    expressions = {
        f"trading-sdk {panel['title']} {target['refId']}": target["expr"]
        for panel in panels(BOARDS["trading-sdk"])
        for target in panel["targets"]
    }
    assert len(NOT_TOLD) == 6
    assert [name for name in NOT_TOLD if not has_data(stack, asked(expressions[name]))] == []
