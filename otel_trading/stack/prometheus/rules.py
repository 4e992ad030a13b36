"""All rules, written as Prometheus reads them."""

from __future__ import annotations

from string import Template
from typing import Any, Final

import yaml

from otel_trading.stack.prometheus import recording, slo
from otel_trading.stack.prometheus.alerts import account, alerting, inference, operations, orders, risk, strategy, venue
from otel_trading.stack.prometheus.model import Alert, Group, Record
from otel_trading.stack.prometheus.settings import RuleSettings, threshold

ALERTS: Final[tuple[Group, ...]] = tuple(
    area.GROUP for area in (strategy, orders, account, risk, venue, inference, operations, alerting)
)


def files(settings: RuleSettings) -> dict[str, tuple[Group, ...]]:
    """The rule files and what is in each."""
    return {
        "otel-trading-recording.yml": recording.GROUPS,
        "otel-trading-alerts.yml": ALERTS,
        "otel-trading-slos.yml": slo.groups(settings.slos),
    }


FILES: Final = files(RuleSettings())
"""The rule files as they are without any settings."""


def alerts() -> list[Alert]:
    """Every alert there is."""
    return [rule for groups in FILES.values() for group in groups for rule in group.rules if isinstance(rule, Alert)]


def document(groups: tuple[Group, ...], settings: RuleSettings) -> dict[str, Any]:
    """A rule file's contents."""
    found: list[dict[str, Any]] = []
    for group in groups:
        rules = [
            _record(rule) if isinstance(rule, Record) else _alert(rule, settings)
            for rule in group.rules
            if isinstance(rule, Record) or settings.of(rule).enabled
        ]
        interval = {} if group.interval is None else {"interval": group.interval}
        if rules:
            found.append({"name": group.name, **interval, "rules": rules})
    return {"groups": found}


def texts(settings: RuleSettings) -> dict[str, str]:
    """The text of each rule file."""
    return {
        name: "# Written by `otel-trading stack init`; thresholds are in alerts.yaml.\n"
        + yaml.safe_dump(document(groups, settings), sort_keys=False, width=120)
        for name, groups in files(settings).items()
    }


def _record(rule: Record) -> dict[str, Any]:
    return {"record": rule.name, "expr": rule.expr, **({"labels": rule.labels} if rule.labels else {})}


def _alert(rule: Alert, settings: RuleSettings) -> dict[str, Any]:
    change = settings.of(rule)
    values = {} if rule.threshold is None else {"threshold": threshold(rule, settings)}

    def filled(text: str) -> str:
        return Template(text).safe_substitute(values)

    return {
        "alert": rule.name,
        "expr": filled(rule.expr),
        "for": change.pending or rule.pending,
        "labels": {"severity": change.severity or rule.severity, **rule.labels},
        "annotations": {
            "summary": rule.summary,
            "description": filled(rule.description),
            "runbook_url": settings.runbook_url.replace("{alert}", rule.name),
            "dashboard_url": f"{settings.grafana_url.rstrip('/')}/d/{rule.dashboard}{_narrowed(rule)}",
        },
    }


def _narrowed(rule: Alert) -> str:
    """What has the dashboard show the bot of the alert alone; an alert without a job is about all that it shows."""
    if rule.variable is None:
        return ""
    return f"{{{{ with $labels.job }}}}?var-{rule.variable}={{{{ . | urlquery }}}}{{{{ end }}}}"
