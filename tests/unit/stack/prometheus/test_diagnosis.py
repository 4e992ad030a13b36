"""Every query of a runbook shows something when its alert has just fired: a person copies it then, and believes what it says.

Each case in which an alert fires is what a real Prometheus has at that moment. What else a page asks about is added to it in the
form that is the hardest to see: something that happened once, two minutes ago, for the first time, so that its series began with it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import promql_parser
import pytest
from promql_parser import Call, Expr, Matcher, MatchOp, MatrixSelector, VectorSelector

from otel_trading.stack.prometheus.rules import alerts
from tests.unit.stack.prometheus.cases import Case, slo
from tests.unit.stack.prometheus.promtool import needed, promtool, write
from tests.unit.stack.prometheus.test_alerts import CASES
from tests.unit.stack.prometheus.test_runbooks import PAGES, queries
from tests.unit.stack.prometheus.vocabulary import alternatives, recorded, used

ELSEWHERE = {
    (
        "TradingPredictionsMissing-firing",
        "sum by (job, trading_model_name) (increase(trading_inference_duration_seconds_count[30m]))",
    ): "0 is the answer: the model was not asked",
    (
        "TradingCollectorFailing-the queue is full",
        '{__name__=~"otelcol_exporter_send_failed_metric_points|otelcol_exporter_send_failed_metric_points_total"} unless {__name__=~"otelcol_exporter_send_failed_metric_points|otelcol_exporter_send_failed_metric_points_total"} offset 15m == {__name__=~"otelcol_exporter_send_failed_metric_points|otelcol_exporter_send_failed_metric_points_total"}',
    ): "nothing was sent in vain: the next query shows what is lost before",
    ("TradingRulesFailing-firing", "count by (job, instance) (up) > 1"): "one of several causes, and not that of the case",
}
"""Queries that may show nothing, or 0, in a case in which their alert fires, and why."""

GOES_ON = (
    "http_client_",
    "otelcol_",
    "process_cpu_time_seconds_total",
    "trading_inference_duration_seconds_count",
    "trading_order_submissions_total",
    "trading_orders_total",
    "trading_predictions_total",
    "trading_stream_messages_total",
)
"""What happens all the time in a bot at work, so that its rate is of use; of anything else it is asked whether it happened."""

BORN_AT_ZERO = "prometheus_"
"""Whose counters are there before there is something to count."""

FIRING = [
    pytest.param(name, kind, case, id=f"{name}-{kind}")
    for name, cases in CASES.items()
    for kind, case in cases.items()
    if case.fires and (kind == "firing" or name not in slo.CASES)
]
"""Cases in which an alert fires; of objectives the others have the same series, and take long."""

Labels: TypeAlias = dict[str, str]
Result: TypeAlias = list[tuple[Labels, float]]


def seconds(duration: str) -> int:
    """Seconds of a duration such as `1h30m`."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


def labels_of(series: str) -> Labels:
    return dict(re.findall(r'(\w+)="([^"]*)"', series)) | {"__name__": series.split("{", maxsplit=1)[0]}


def selects(matcher: Matcher, labels: Labels) -> bool:
    value = labels.get(matcher.name, "")
    if matcher.op in (MatchOp.Equal, MatchOp.NotEqual):
        return (value == matcher.value) == (matcher.op == MatchOp.Equal)
    return bool(re.fullmatch(matcher.value, value)) == (matcher.op == MatchOp.Re)


def selectors(query: str) -> Iterator[tuple[VectorSelector, bool]]:
    """What a query selects, and whether it asks for its rate."""
    rated: list[str] = []
    found: list[VectorSelector] = []

    def visit(node: Expr) -> None:
        if isinstance(node, Call) and node.func.name == "rate":
            rated.extend(each.vector_selector.prettify() for each in node.args if isinstance(each, MatrixSelector))
        if isinstance(node, VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(query), visit)
    for each in found:
        yield each, each.prettify() in rated


def series_for(selector: VectorSelector) -> str:
    """The name and labels of a series that it selects."""
    labels = {"job": "bot", "instance": "a"}
    name = selector.name
    for matcher in selector.matchers.matchers:
        listed = matcher.op in (MatchOp.Equal, MatchOp.Re)
        value = alternatives(matcher.value)[0] if listed else "other"
        if matcher.name == "__name__":
            name = value
        else:
            labels[matcher.name] = value
    assert name
    written = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{written}}}"


def around(case: Case, asked: list[str]) -> dict[str, str]:
    """The series of the case, and of whatever else these queries select but the first: that is about the case."""
    every = seconds(case.every)
    now = seconds(case.at) // every
    before = now - max(2, 120 // every)
    given = [labels_of(series) for series in case.series]
    found = dict(case.series)
    for query in asked[1:]:
        for selector, rated in selectors(query):
            matchers = list(selector.matchers.matchers)
            names = {selector.name} if selector.name else set(used(query).names)
            if any(labels["__name__"] in names and all(selects(each, labels) for each in matchers) for labels in given):
                continue
            rule = recorded().get(selector.name or "")
            if rule is not None and used(rule.expr).names & {labels["__name__"] for labels in given} - {
                "process_uptime_seconds"
            }:
                continue  # the rule makes it
            if names and selector.name != "ALERTS":
                series = series_for(selector)
                first = f"0x{before}" if series.startswith(BORN_AT_ZERO) else f"_x{before}"
                found[series] = f"0+{every}x{2 * now}" if rated else f"{first} 1x{now}"
    return found


def answers(name: str, case: Case, asked: list[str], directory: Path) -> dict[str, Result]:
    """What a real Prometheus answers to each query when the alert fires.

    promtool says it of every query that gives something, as it is told to expect nothing.
    """
    mentioned = set[str]().union(*(used(query).names for query in asked))
    rules = needed((mentioned & recorded().keys()) | ({name} if "ALERTS" in mentioned else set()))
    write(directory, rules).rename(directory / "rules.yml")
    test = {
        "interval": case.every,
        "input_series": [{"series": series, "values": values} for series, values in around(case, asked).items()],
        "promql_expr_test": [{"expr": query, "eval_time": case.at, "exp_samples": []} for query in asked],
    }
    file = write(directory, {"rule_files": ["rules.yml"], "evaluation_interval": case.every, "tests": [test]})
    _, said = promtool("test", "rules", file)
    assert "err:" not in said, said
    given = re.findall(r'expr: ("(?:[^"\\]|\\.)*"), time: .*\n\s*exp: .*\n\s*got: (.*)', said)
    assert given or "SUCCESS" in said, said
    return {json.loads(query): samples(text) for query, text in given}


def samples(text: str) -> Result:
    """The samples that promtool prints: `{job="bot"} 1E+00, …`."""
    return [
        (labels_of(labels) | {"__name__": ""}, float(value)) for labels, value in re.findall(r"\{([^{}]*)\} ([^\s,]+)", text)
    ]


def counts(query: str) -> bool:
    """Whether the query is about something that happens, and not about what is."""
    return any(name.endswith(("_total", "_count", "_sum")) for name in used(query).names)


def test_every_alert_that_fires_is_asked_about():
    assert {name for name, *_ in (param.values for param in FIRING)} == {alert.name for alert in alerts()} == PAGES.keys()
    assert {query for _, query in ELSEWHERE} <= {query for text in PAGES.values() for query in queries(text)}


@pytest.mark.parametrize(("name", "kind", "case"), FIRING)
def test_every_query_of_a_page_shows_something_and_the_first_one_what_the_alert_is_about(
    name: str, kind: str, case: Case, tmp_path
):
    """The first has a series with the labels of the alert; one about what happens does not say that nothing did."""
    asked = list(dict.fromkeys(queries(PAGES[name])))
    given = answers(name, case, asked, tmp_path)
    expected = [query for query in asked if (f"{name}-{kind}", query) not in ELSEWHERE]
    assert [query for query in expected if not given.get(query)] == []
    silent = [
        query for query in expected if counts(query) and all(value == 0 or math.isnan(value) for _, value in given[query])
    ]
    assert silent == []
    first = next(query for query in asked if query in given)
    shown = [labels for labels, _ in given[first]]
    known = set[str]().union(*shown)
    for fired in case.fires:
        labels = {label: value for label, value in fired.labels.items() if label in known}
        assert labels or not fired.labels
        assert [each for each in shown if labels.items() <= each.items()], f"{first} shows {shown}"


@pytest.mark.parametrize("name", PAGES)
def test_rates_are_asked_only_of_what_goes_on_all_the_time(name: str):
    for query in queries(PAGES[name]):
        for selector, rated in selectors(query):
            names = {selector.name} if selector.name else used(query).names
            assert not rated or all(name and name.startswith(GOES_ON) for name in names), query


def test_what_happened_once_is_not_seen_by_how_much_it_rose(tmp_path):
    """The promise of the first test: `increase` says 0 of it; what the pages ask shows it, and nothing that happened long ago."""
    case = Case(
        {
            'trading_sdk_errors_total{job="bot",instance="a",error_type="OSError"}': "_x27 1x9",
            'trading_sdk_errors_total{job="bot",instance="a",error_type="KeyError"}': "7x27 8x9",
            'trading_sdk_errors_total{job="bot",instance="a",error_type="TypeError"}': "7x40",
        },
        at="30m",
    )
    rose = "round(increase(trading_sdk_errors_total[15m]))"
    new = "trading_sdk_errors_total unless trading_sdk_errors_total offset 15m == trading_sdk_errors_total"
    given = answers("TradingSdkErrors", case, [rose, new], tmp_path)
    found = {query: {labels["error_type"]: value for labels, value in result} for query, result in given.items()}
    assert found == {rose: {"OSError": 0, "KeyError": 1, "TypeError": 0}, new: {"OSError": 1, "KeyError": 8}}
