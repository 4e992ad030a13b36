"""Every metric and label that a rule may name: the registry's, those of other instrumentations, and a few that are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import promql_parser
from promql_parser import AggregateExpr, BinaryExpr, Expr, MatchOp, VectorSelector

from otel_trading.exposition.naming import family_name, label_name
from otel_trading.semconv.metrics import ALL
from otel_trading.semconv.reader import load, load_foreign
from otel_trading.stack.prometheus.model import Record
from otel_trading.stack.prometheus.rules import FILES

PROMETHEUS = {
    "up": {"trading_target", "trading_collector"},  # by the scrape configuration
    "scrape_samples_post_metric_relabeling": set[str](),
    "scrape_sample_limit": set[str](),  # with --enable-feature=extra-scrape-metrics
    "target_info": {"service_version", "deployment_environment_name", "trading_mode"},  # the bot's resource
    "ALERTS": {"alertname", "alertstate", "severity"},
}
"""What Prometheus itself records, and what it makes of an OpenTelemetry resource."""

COLLECTOR = {
    "otelcol_receiver_refused_metric_points": {"receiver", "transport"},
    "otelcol_receiver_accepted_metric_points": {"receiver", "transport"},
    "otelcol_exporter_send_failed_metric_points": {"exporter"},
    "otelcol_exporter_enqueue_failed_metric_points": {"exporter"},
    "otelcol_process_uptime": set[str](),
    "otelcol_process_uptime_seconds": set[str](),
    "otelcol_exporter_queue_size": {"exporter", "data_type"},
    "otelcol_exporter_queue_capacity": {"exporter", "data_type"},
}
"""What the Collector says of itself, as `rules_on_collectors` finds it on a real one; some versions append `_total` to counters."""

STACK = {
    "alertmanager_notifications_failed_total": {"integration", "reason"},  # the reason since 0.26
    "alertmanager_notifications_total": {"integration"},
    "alertmanager_config_last_reload_successful": set[str](),
    "process_start_time_seconds": set[str](),
    "prometheus_config_last_reload_successful": set[str](),
    "prometheus_notifications_alertmanagers_discovered": set[str](),
    "prometheus_notifications_dropped_total": {"alertmanager"},  # some versions
    "prometheus_notifications_errors_total": {"alertmanager"},
    "prometheus_notifications_sent_total": {"alertmanager"},
    "prometheus_rule_evaluation_failures_total": {"rule_group"},
}
"""What Prometheus and Alertmanager say of themselves; tests/e2e/test_stack_local.py sees it on the real ones."""

EVERYWHERE = {"job", "instance", "__name__"}

Labels = dict[str, set[str]]


def metrics() -> Labels:
    """The labels of each metric's samples, by their name."""
    found: Labels = {name: set(labels) for name, labels in PROMETHEUS.items()}
    for name, labels in COLLECTOR.items():
        found |= {name: labels, f"{name}_total": labels}
    found |= {name: set(labels) for name, labels in STACK.items()}
    for metric in ALL.values():
        found |= _samples(metric.name, metric.unit, metric.kind, metric.attributes)
    for group in load_foreign():
        for metric in group["metrics"]:
            found |= _samples(metric["name"], metric["unit"], metric["instrument"], metric["attributes"])
    return {name: labels | EVERYWHERE for name, labels in found.items()}


def _samples(name: str, unit: str, kind: str, attributes: Any) -> Labels:
    labels = {label_name(key) for key in attributes}
    family = family_name(name, unit, counter=kind == "counter")
    if kind == "counter":
        return {f"{family}_total": labels}
    if kind == "histogram":
        return {f"{family}_bucket": labels | {"le"}, f"{family}_sum": labels, f"{family}_count": labels}
    return {family: labels}


def recorded() -> dict[str, Record]:
    """What our own rules record, by name."""
    rules = (rule for groups in FILES.values() for group in groups for rule in group.rules)
    return {rule.name: rule for rule in rules if isinstance(rule, Record)}


def labels() -> Labels:
    """The labels of each metric's samples, and of what our own rules record, by name."""
    found = metrics()
    for rule in (rule for groups in FILES.values() for group in groups for rule in group.rules):
        if isinstance(rule, Record):
            sources = set[str]().union(*(found.get(name, set()) for name in used(rule.expr).names))
            found[rule.name] = found.get(rule.name, set()) | sources | rule.labels.keys()
    return found


def values() -> Labels:
    """The values that the registry has for a label, where it has a list of them."""
    attributes = load().attributes
    return {label_name(each.key): {member.value for member in each.members} for each in attributes if each.members}


@dataclass
class Used:
    """What an expression names."""

    selectors: list[tuple[str, set[str]]] = field(default_factory=list[tuple[str, set[str]]])
    """Names of samples, each with the labels that it is selected by."""
    labels: set[str] = field(default_factory=set[str])
    """Labels that it is grouped, matched or joined by."""
    values: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Labels, each with a value that it is selected or left out by."""

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.selectors}


def used(expression: str) -> Used:
    """Return what `expression` names, each alternative of a pattern of names by itself."""
    found = Used()

    def visit(node: Expr) -> None:
        if isinstance(node, VectorSelector):
            matchers = node.matchers.matchers
            names = [node.name] if node.name else []
            for matcher in matchers:
                if matcher.name == "__name__":
                    assert matcher.op in (MatchOp.Equal, MatchOp.Re), f"{expression}: names are listed, not excluded"
                    names += alternatives(matcher.value)
                elif matcher.value:
                    found.values += [(matcher.name, value) for value in alternatives(matcher.value)]
            labels = {matcher.name for matcher in matchers}
            found.selectors += [(name, labels) for name in names]
        elif isinstance(node, AggregateExpr) and node.modifier:
            found.labels |= set(node.modifier.labels)
        elif isinstance(node, BinaryExpr) and node.modifier:
            if node.modifier.matching:
                found.labels |= set(node.modifier.matching.labels)
            found.labels |= set(node.modifier.group_labels or ())

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def unknown(expression: str, others: Mapping[str, set[str]] | None = None) -> list[str]:
    """Names of metrics and labels, and values of labels, that are not there; `others` are the labels of more metrics."""
    known, found = _LABELS | dict(others or {}), used(expression)
    grouped = EVERYWHERE.union(*(known.get(name, set()) for name in found.names))
    return [
        *sorted(found.names - known.keys()),
        *(f"{label} of {name}" for name, labels in found.selectors if name in known for label in sorted(labels - known[name])),
        *sorted(found.labels - grouped if found.names <= known.keys() else ()),
        *(f"{label} {value}" for label, value in found.values if value and value not in _VALUES.get(label, {value})),
    ]


def alternatives(pattern: str) -> list[str]:
    """`a|b(_total)?` is a, b and b_total."""
    found: list[str] = []
    for name in pattern.split("|"):
        stem = name.removesuffix("(_total)?")
        found += [stem] if stem == name else [stem, f"{stem}_total"]
    return found


_LABELS = labels()
_VALUES = values()
