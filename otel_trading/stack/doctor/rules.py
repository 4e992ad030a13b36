"""Whether Prometheus has the rules, evaluates them, and can tell an Alertmanager."""

from __future__ import annotations

from urllib.parse import urlsplit

from otel_trading.pipeline.kinds import is_loopback
from otel_trading.stack.doctor.asking import Prometheus, Rule, UnansweredError, ask
from otel_trading.stack.doctor.finding import Finding, listed, ok, times, warning, wrong
from otel_trading.stack.prometheus.alerts.alerting import WATCHDOG
from otel_trading.stack.prometheus.rules import FILES, document
from otel_trading.stack.prometheus.settings import RuleSettings

RULES = "rules"
ALERTS = "alerts"
ALERTMANAGER = "alertmanager"

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
    return [*(found or [ok(RULES, f"all {len(wanted)} rules are loaded and evaluated")]), _firing(ours)]


def _firing(rules: list[Rule]) -> Finding:
    alerts = [rule for rule in rules if rule.alerting and rule.name != WATCHDOG]
    firing = sorted({rule.name for rule in alerts if rule.firing})
    if not firing:
        return ok(ALERTS, f"none of {times(len(alerts), 'alert')} fires")
    return warning(ALERTS, f"{listed(firing)} {'fires' if len(firing) == 1 else 'fire'}", f"docs/runbooks/{firing[0]}.md")


def alertmanager(prometheus: Prometheus) -> list[Finding]:
    """Whether alerts reach somebody. Raises `UnansweredError`."""
    known = prometheus.alertmanagers()
    if not known:
        mend = "name one under alerting.alertmanagers in prometheus.yml: until then nobody is woken"
        return [wrong(ALERTMANAGER, "Prometheus knows no Alertmanager", mend)]
    return [_reached(url) for url in known]


def _reached(url: str) -> Finding:
    base = url.removesuffix("/").rpartition("/api/")[0] or url
    mend = "start it (`otel-trading stack up --local`), or correct its address under alerting.alertmanagers in prometheus.yml"
    try:
        status = ask(f"{base}/-/ready").status
    except UnansweredError as why:
        host = urlsplit(base).hostname or ""
        if is_loopback(host):
            return wrong(ALERTMANAGER, f"{base} does not answer: {why}", mend)
        return warning(ALERTMANAGER, f"{base} cannot be reached from here ({why}); Prometheus may reach it", mend)
    if status == 200:  # noqa: PLR2004 - HTTP's OK
        return ok(ALERTMANAGER, f"{base} is ready")
    return wrong(ALERTMANAGER, f"{base} answers {status}", mend)
