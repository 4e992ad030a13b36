"""Every panel shows something of the running demo, whether Prometheus scrapes the bot or the Collector that it pushes to."""

from __future__ import annotations

import math
import re
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import suppress

import pytest

from otel_trading.stack.prometheus.recording import GROUPS
from otel_trading.stack.prometheus.rules import document
from otel_trading.stack.prometheus.settings import RuleSettings
from otel_trading.stack.prometheus.slo import groups
from tests.demo.program import Demo
from tests.harness import Collector, Prometheus, fetch, job, wait_until
from tests.unit.stack.grafana.grafana import BOARDS, asked, expressions, panels
from tests.unit.stack.grafana.test_expressions import OF_TARGETS

PATHS = {"bot": "bot", "collector": "otel-trading-demo"}
"""The job of the bot that is scraped, and of the same bot that pushes to a Collector."""

EMPTY = {
    "trading-inference Cycles that raised A": "no cycle raises",
    "trading-inference Heartbeats that stalled A": "no heartbeat stalls",
    "trading-venue Latency of HTTP requests C": "measured under its older name until OTEL_SEMCONV_STABILITY_OPT_IN=http",
    "trading-venue Latency of HTTP requests D": "measured under its older name until OTEL_SEMCONV_STABILITY_OPT_IN=http",
    "trading-venue HTTP requests a second, by status B": "measured under its older name until OTEL_SEMCONV_STABILITY_OPT_IN=http",
    "trading-venue HTTP requests a second, by status D": "measured under its older name until OTEL_SEMCONV_STABILITY_OPT_IN=http",
    "trading-sdk Faults of the SDK, by kind A": "the SDK has no fault",
    "trading-sdk Measurements dropped, by reason A": "everything that is told can be counted",
    "trading-sdk Latency of the bot's own API A": "the demo serves no HTTP of its own",
    "trading-sdk Latency of the bot's own API B": "the demo serves no HTTP of its own",
    "trading-sdk Requests that the bot's own API answers now A": "the demo serves no HTTP of its own",
    "trading-sdk Points that the Collector refused or failed to send B": "the exporter for Prometheus does not send",
    "trading-sdk Points that the Collector refused or failed to send C": "the exporter for Prometheus has no queue",
    "trading-sdk Queue of the Collector A": "the exporter for Prometheus has no queue",
    "trading-sdk Alerts that were not told A": "Prometheus does not scrape itself here: test_stack_shown.py has it",
    "trading-sdk Alerts that were not told B": "Prometheus does not scrape itself here: test_stack_shown.py has it",
    "trading-sdk Alerts that were not told C": "there is no Alertmanager here: test_stack_shown.py has it",
    "trading-sdk What keeps alerts from being raised A": "Prometheus does not scrape itself here: test_stack_shown.py has it",
    "trading-sdk What keeps alerts from being raised B": "Prometheus does not scrape itself here: test_stack_shown.py has it",
    "trading-sdk What keeps alerts from being raised C": "Prometheus does not scrape itself here: test_stack_shown.py has it",
}
"""What a demo in which all is well does not show, and why."""

BRIEF = {"trading-orders Unknown A"}
"""There from the time-out of an order to the question what became of it: it may be between two scrapes."""

ALERT = {"alert": "TradingTest", "expr": "vector(1)", "labels": {"severity": "info"}}
"""Fires at once, so that there is an alert to be seen."""

SAME = ("Portfolio value", "P&L, all time", "Drawdown", "Open positions", "Win rate", "Orders sent", "Fees", "Expectancy")
"""Panels of one number that stands still when the last day is over."""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory) -> Iterator[Prometheus]:
    """One that has scraped a demo on both paths, from its beginning to after its last day."""
    directory = tmp_path_factory.mktemp("dashboards")
    rules = document((*GROUPS, *groups(RuleSettings().slos)), RuleSettings())
    rules["groups"].append({"name": "test", "rules": [ALERT]})
    with Collector("agent.yaml", directory=directory) as agent:
        env = {
            "OTEL_METRICS_EXPORTER": "prometheus,otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": agent.http_endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }
        run = ("--bars", "1500", "--speed", "25", "--seed", "6", "--linger", "300", "--state", directory / "state")
        demo = Demo(directory, *run, env=env)
        scrapes = [
            job("bot", demo.url, sample_limit=50_000),
            job("agent", agent.metrics_url, honor_labels=True),
            job("otelcol", agent.telemetry_url),
        ]
        limits = ["--enable-feature=extra-scrape-metrics"]
        with Prometheus(scrapes, directory=directory, rules=rules, arguments=limits) as server, demo:
            yield server


@pytest.fixture(scope="module")
def shown(prometheus) -> dict[str, set[str]]:
    """What remained empty on each path, after some time."""
    wanted = {_place(name): expression for name, expression in expressions().items()}
    missing = {path: dict(wanted) for path in PATHS}

    def complete() -> bool:
        for path, found in missing.items():
            for name, expression in list(found.items()):
                if _has_data(prometheus, asked(expression, "10s", 120, job=PATHS[path])):
                    del found[name]
        return all(found.keys() <= EMPTY.keys() | BRIEF for found in missing.values())

    with suppress(AssertionError):  # the tests say what is missing
        wait_until(complete, "every panel has data", timeout=120, interval=2)
    return {path: set(found) for path, found in missing.items()}


def _place(name: str) -> str:
    """Without the number of the panel."""
    return re.sub(r"^(\S+) \d+ ", r"\1 ", name)


def _has_data(prometheus: Prometheus, expression: str) -> bool:
    now = time.time()
    found = prometheus.get("query_range", query=expression, start=str(now - 90), end=str(now), step="1")
    return any(math.isfinite(float(value)) for series in found["result"] for _, value in series["values"])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", PATHS)
def test_every_panel_has_data_but_for_what_does_not_happen_in_the_demo(shown, path):
    assert shown[path] - BRIEF == EMPTY.keys()


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("path", PATHS)
def test_every_variable_has_values(prometheus, path):
    """As Grafana asks for them: the values of a label of the series that a selector chooses."""
    queries = {variable["definition"] for board in BOARDS.values() for variable in board["templating"]["list"][1:]}
    assert len(queries) == 7  # service, strategy, account, venue, symbol, model and Collector
    for query in queries:
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", query).groups()
        chosen = asked(selector, job=PATHS[path])
        values = prometheus.get(f"label/{label}/values", **{"match[]": chosen})
        assert values, query


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("shown")
def test_a_number_is_the_same_on_both_paths(prometheus):
    """After the last day, when what is on its way has arrived."""
    wanted = {
        f"{uid} {panel['title']}": panel["targets"][0]["expr"]
        for uid, board in BOARDS.items()
        for panel in panels(board)
        if panel["title"] in SAME and panel["type"] in {"stat", "gauge"}
    }
    assert len(wanted) >= len(SAME)

    def figures(path: str) -> dict[str, list[float]]:
        answers = {name: prometheus.query(asked(expr, "10s", 280, job=PATHS[path])) for name, expr in wanted.items()}
        return {name: sorted(sample.value for sample in answer) for name, answer in answers.items()}

    def same() -> bool:
        bot, collector = figures("bot"), figures("collector")
        return all(bot[name] == pytest.approx(collector[name], rel=0.02) and bot[name] for name in wanted)

    wait_until(same, "both paths show the same", timeout=90, interval=1)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("shown")
def test_prometheus_serves_the_names_that_are_only_listed_for_the_tests(prometheus):
    """What the unit tests take for granted of the Collector and of Prometheus is there on the real ones."""
    for name in sorted(name for name in OF_TARGETS if name.startswith(("scrape_", "up"))):
        assert prometheus.query(name)
    for stem in ("otelcol_exporter_sent_metric_points", "otelcol_process_memory_rss", "otelcol_process_uptime"):
        selector = urllib.parse.quote(f'{{__name__=~"{stem}.*"}}')
        assert "otelcol" in fetch(f"{prometheus.url}/api/v1/series?match[]={selector}").text, stem
