"""Whether Prometheus has the rules and evaluates them, and what fires."""

from __future__ import annotations

from pathlib import Path

from otel_trading.stack.doctor.asking import Prometheus, Rule, UnansweredError
from otel_trading.stack.doctor.finding import Finding, listed, ok, times, warning, wrong
from otel_trading.stack.prometheus.alerts.alerting import WATCHDOG
from otel_trading.stack.prometheus.rules import FILES, document
from otel_trading.stack.prometheus.settings import RuleSettings

RULES = "rules"
ALERTS = "alerts"

_LOAD = "write them with `otel-trading stack init DIR`, name DIR/prometheus/rules/*.yml under rule_files, reload Prometheus"


def check(prometheus: Prometheus, settings: RuleSettings, stack: Path | None = None) -> list[Finding]:
    """Compare what is loaded with what these settings want, and with the files of a stack. Raises `UnansweredError`."""
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
    if stack is not None:
        found += _reloaded(prometheus, stack)
    return [*(found or [ok(RULES, f"all {len(wanted)} rules are loaded and evaluated")]), _firing(ours)]


def _reloaded(prometheus: Prometheus, stack: Path) -> list[Finding]:
    """Whether Prometheus has read what is in the files now: it does so when it is told to."""
    try:
        when, taken = prometheus.configured()
    except UnansweredError:  # another server with the API of Prometheus
        return []
    if not taken:
        says = "Prometheus refused its changed configuration, and goes on with the old one"
        return [wrong(RULES, says, "its log says why, as does promtool check config prometheus.yml; mend it, and reload")]
    folder = stack / "prometheus"
    # What it says of the time has no fraction of a second.
    newer = [path for path in (folder / "prometheus.yml", *sorted(folder.glob("rules/*.yml"))) if _changed(path) >= when + 1]
    if not newer:
        return []
    names = listed([path.relative_to(stack).as_posix() for path in newer])
    says = f"Prometheus goes on with what it read before {names} changed"
    return [warning(RULES, says, "send it a SIGHUP, or start the stack again")]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _firing(rules: list[Rule]) -> Finding:
    alerts = [rule for rule in rules if rule.alerting and rule.name != WATCHDOG]
    firing = sorted({rule.name for rule in alerts if rule.firing})
    if not firing:
        return ok(ALERTS, f"none of {times(len(alerts), 'alert')} fires")
    return warning(ALERTS, f"{listed(firing)} {'fires' if len(firing) == 1 else 'fire'}", f"docs/runbooks/{firing[0]}.md")
