"""Whether Prometheus has the rules and evaluates them, and what fires."""

from __future__ import annotations

from otel_trading.stack.doctor.asking import Prometheus, Rule
from otel_trading.stack.doctor.finding import Finding, listed, ok, times, warning, wrong
from otel_trading.stack.prometheus.alerts.alerting import WATCHDOG
from otel_trading.stack.prometheus.rules import FILES, document
from otel_trading.stack.prometheus.settings import RuleSettings

RULES = "rules"
ALERTS = "alerts"

_LOAD = "write them with `otel-trading stack init DIR`, name DIR/prometheus/rules/*.yml under rule_files, reload Prometheus"


def check(prometheus: Prometheus, settings: RuleSettings) -> list[Finding]:
    """Compare what is loaded with what these settings want. Raises `UnansweredError`."""
    wanted = {
        rule.get("alert") or rule["record"]
        for each in FILES.values()
        for group in document(each, settings)["groups"]
        for rule in group["rules"]
    }
    ours = [rule for rule in prometheus.rules() if rule.name in wanted]
    if not ours:
        return [wrong(RULES, f"Prometheus has none of the {len(wanted)} rules", _LOAD)]
    found = [
        wrong(RULES, f"{rule.name} cannot be evaluated: {rule.error}", "reload what `stack init` wrote")
        for rule in ours
        if rule.failing
    ]
    missing = sorted(wanted - {rule.name for rule in ours})
    if missing:
        says = f"{times(len(missing), 'rule')} of {len(wanted)} not loaded: {listed(missing)}"
        found.append(warning(RULES, says, f"if you did not disable them: {_LOAD}"))
    if prometheus.query("up") and not prometheus.query('up{trading_target!=""}'):
        says = "no target has the label trading_target: one that is down is a warning only, and wakes nobody"
        found.append(warning(RULES, says, "label the targets as the scrape configuration in docs/doctor.md does"))
    return [*(found or [ok(RULES, f"all {len(wanted)} rules are loaded and evaluated")]), _firing(ours)]


def _firing(rules: list[Rule]) -> Finding:
    alerts = [rule for rule in rules if rule.alerting and rule.name != WATCHDOG]
    firing = sorted({rule.name for rule in alerts if rule.firing})
    if not firing:
        return ok(ALERTS, f"none of {times(len(alerts), 'alert')} fires")
    return warning(ALERTS, f"{listed(firing)} {'fires' if len(firing) == 1 else 'fire'}", f"docs/runbooks/{firing[0]}.md")
