"""The rules are valid, name only what exists, and say what a person needs who was woken by one."""

from __future__ import annotations

import re

import pytest

from otel_trading.semconv.metrics import ALL
from otel_trading.stack.prometheus.model import Alert, Record
from otel_trading.stack.prometheus.rules import FILES, alerts, texts
from otel_trading.stack.prometheus.settings import Change, RuleSettings
from otel_trading.stack.promql import of
from tests.unit.stack.prometheus import vocabulary
from tests.unit.stack.prometheus.instances import added_up
from tests.unit.stack.prometheus.promtool import DEFAULTS, promtool

METRICS = vocabulary.metrics()
RECORDED = vocabulary.recorded()
GROUPS = [group for groups in FILES.values() for group in groups]
RULES = [rule for group in GROUPS for rule in group.rules]
LABELS = set[str]().union(*METRICS.values())
ADDED = {label for rule in RULES if isinstance(rule, Record) for label in rule.labels}
"""Labels that rules give to what they record."""
DASHBOARDS = {f"trading-{name}" for name in ("overview", "orders", "risk", "inference", "venue", "fleet", "sdk")}

every_rule = pytest.mark.parametrize(
    "rule", [pytest.param(rule, id="-".join((rule.name, *rule.labels.values()))) for rule in RULES]
)
every_alert = pytest.mark.parametrize("alert", [pytest.param(alert, id=alert.name) for alert in alerts()])


def names_and_labels(rule: Alert | Record) -> vocabulary.Used:
    return vocabulary.used(rule.expr.replace("$threshold", "1"))


@pytest.mark.parametrize("file", FILES)
def test_promtool_finds_nothing_to_say_about_a_file(file, tmp_path):
    path = tmp_path / file
    path.write_text(texts(DEFAULTS)[file])
    status, said = promtool("check", "rules", "--lint=all", "--lint-fatal", path)
    assert status == 0, said


@every_rule
def test_every_metric_and_label_that_a_rule_names_exists(rule):
    """Each label is one of the metric that it is asked of, each value one that the registry has, where it lists them."""
    assert vocabulary.unknown(rule.expr.replace("$threshold", "1")) == []
    if isinstance(rule, Alert):
        assert set(re.findall(r"\$labels\.(\w+)", rule.description)) <= LABELS | ADDED
    else:
        assert rule.labels.keys().isdisjoint(LABELS)


def test_a_name_or_a_label_that_does_not_exist_is_found():
    """The promise of the test above."""
    assert vocabulary.unknown("rate(trading_order_total[5m]) / trading_orders") == ["trading_order_total", "trading_orders"]
    assert vocabulary.unknown('sum by (job, side) (trading_orders_total{status="filled"})') == [
        "status of trading_orders_total",
        "side",
    ]
    assert vocabulary.unknown('trading_venue_errors_total{error_type!~"|auth|banned"}') == ["error_type banned"]


def test_what_a_rule_records_is_there_before_it_is_asked_for():
    """A later rule of the same group sees it in the same evaluation; across groups Prometheus promises nothing, so they come first."""
    known = set[str]()
    for rule in RULES:
        assert names_and_labels(rule).names & RECORDED.keys() <= known | {rule.name}, rule.name
        known.add(rule.name)


@every_rule
def test_gauges_are_never_added_up_over_instances(rule):
    """Two instances may be one bot that was moved or restarted: of a gauge one of them counts, before anything is added up."""
    recorded = {name: record.expr for name, record in RECORDED.items()}
    assert added_up(rule.expr.replace("$threshold", "1"), recorded) == []


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("sum by (job) (last_over_time(trading_portfolio_equity[5m]))", True),
        ("avg(-trading_portfolio_equity * 2)", True),
        ("up unless sum without (instance) (trading_pnl_net) > 0", True),
        ("sum(job_instance:trading_alive_time_seconds:max)", True),
        ("sum by (job) (max without (instance) (trading_portfolio_equity))", False),
        ("sum by (job, instance) (trading_position_value)", False),
        ("sum(rate(trading_orders_total[5m]))", False),
        ("sum without (instance) (resets(process_uptime_seconds[1h]))", False),
    ],
)
def test_what_adds_gauges_up_is_found(expression: str, wrong: bool):
    """The promise of the test above."""
    assert bool(added_up(expression, {name: record.expr for name, record in RECORDED.items()})) == wrong


def test_names_are_unique_and_in_the_form_of_their_kind():
    names = [(rule.name, *sorted(rule.labels.items() if isinstance(rule, Record) else ())) for rule in RULES]
    assert len(names) == len(set(names))
    for rule in RULES:
        assert re.fullmatch(r"Trading([A-Z][a-z0-9]+)+" if isinstance(rule, Alert) else r"\w+:\w+:\w+", rule.name), rule.name
    groups = [group.name for group in GROUPS]
    assert len(groups) == len(set(groups))
    assert [name for name in groups if not re.fullmatch(r"trading(-[a-z0-9]+)+", name)] == []


@every_alert
def test_an_alert_says_what_happened_and_where_to_look(alert):
    assert alert.severity in {"critical", "warning", "info"}
    assert "{{" not in alert.summary
    assert "$" not in alert.summary
    assert re.fullmatch(r"[A-Z].*\.", alert.summary)
    assert "{{ $" in alert.description
    assert alert.description.endswith(".")
    assert re.fullmatch(r"(\d+[dhms])+", alert.pending)
    assert alert.dashboard in DASHBOARDS


@every_alert
def test_a_threshold_is_used_and_explained(alert):
    assert ("$threshold" in alert.expr) == (alert.threshold is not None)
    assert re.findall(r"\$(?!threshold\b|labels\b|value\b)\w+", f"{alert.expr} {alert.description}") == []
    if alert.threshold:
        assert alert.threshold.meaning


@every_alert
def test_it_is_written_with_what_is_set_about_it(alert):
    """Threshold, time, severity and links: what a user sets is what Prometheus reads."""
    threshold = None if alert.threshold is None else 1234.5
    change = Change.model_validate({"threshold": threshold, "for": "7m", "severity": "info"})
    settings = RuleSettings(alerts={alert.name: change}, grafana_url="http://grafana/", runbook_url="http://pages/{alert}")
    text = "".join(texts(settings).values())
    [rule] = re.findall(rf"^  - alert: {alert.name}\n(?:    .*\n)+", text, re.MULTILINE)
    assert ("1234.5" in rule) == (alert.threshold is not None)
    assert "$threshold" not in rule
    assert "    for: 7m\n" in rule
    assert "      severity: info\n" in rule
    assert f"      runbook_url: http://pages/{alert.name}\n" in rule
    assert f"      dashboard_url: http://grafana/d/{alert.dashboard}" in rule.replace("'", "")


def test_an_alert_that_is_switched_off_is_left_out():
    settings = RuleSettings(alerts={"TradingStrategyStalled": Change(enabled=False)})
    assert "alert: TradingStrategyStalled" not in "".join(texts(settings).values())
    assert "alert: TradingStrategyStalled" in "".join(texts(DEFAULTS).values())


def test_names_of_the_registry_are_those_of_the_samples():
    """One of each kind, as the real endpoint shows it."""
    assert of(ALL["trading.orders"]) == "trading_orders_total"
    assert of(ALL["trading.strategy.last_cycle.time"]) == "trading_strategy_last_cycle_time_seconds"
    assert {"trading_order_duration_seconds_bucket", "process_cpu_time_seconds_total"} <= METRICS.keys()
    assert METRICS["trading_order_duration_seconds_bucket"] >= {"le", "trading_venue_name", "error_type", "job", "instance"}
