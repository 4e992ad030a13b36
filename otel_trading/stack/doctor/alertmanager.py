"""Whether Prometheus can tell an Alertmanager of what fires, and whether that tells somebody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from otel_trading.pipeline.kinds import is_loopback
from otel_trading.stack import running
from otel_trading.stack.doctor.asking import Prometheus, UnansweredError, ask
from otel_trading.stack.doctor.finding import Finding, ok, warning, wrong
from otel_trading.stack.prometheus.settings import RuleSettings
from otel_trading.stack.routing import FILE, Routing, nobody, unheard

CHECK = "alertmanager"

_START = "start it (`otel-trading stack up --local`), or correct its address under alerting.alertmanagers in prometheus.yml"
_OK = 200


def check(prometheus: Prometheus, settings: RuleSettings, job: str | None, stack: Path | None) -> list[Finding]:
    """Whether alerts reach somebody. Raises `UnansweredError`.

    An Alertmanager that only containers reach is looked at where the stack in this directory publishes it.
    """
    known = prometheus.alertmanagers()
    if not known:
        mend = "name one under alerting.alertmanagers in prometheus.yml: until then nobody is woken"
        return [wrong(CHECK, "Prometheus knows no Alertmanager", mend)]
    return [_reached(url.removesuffix("/").rpartition("/api/")[0] or url, settings, job, stack) for url in known]


def routing(base: str) -> Routing:
    """Return the routes of the Alertmanager at an address. Raises `UnansweredError`."""
    answer = ask(f"{base}/api/v2/status")
    try:
        status: Any = json.loads(answer.text)
        return Routing(str(status["config"]["original"]))
    except (ValueError, LookupError, TypeError):
        raise UnansweredError(f"to status it answers {answer.status}, and not as Alertmanager does") from None


def _reached(base: str, settings: RuleSettings, job: str | None, stack: Path | None) -> Finding:
    try:
        status = ask(f"{base}/-/ready").status
    except UnansweredError as why:
        if is_loopback(urlsplit(base).hostname or ""):
            return wrong(CHECK, f"{base} does not answer: {why}", _START)
        if stack is not None:
            return _reached(running.where(stack, CHECK), settings, job, None)
        mend = "if it is in a container, name its stack with --dir; if it does not run, start it"
        return warning(CHECK, f"{base} cannot be reached from here ({why}); Prometheus may reach it", mend)
    if status != _OK:
        return wrong(CHECK, f"{base} answers {status}", _START)
    try:
        routes = routing(base)
    except UnansweredError as why:
        return warning(CHECK, f"{base} is ready, but whom it tells could not be looked at: {why}")
    if silent := nobody(routes, settings, job):
        mend = "give them one in alertmanager.yml (docs/alerts.md, Who is told), then try it: otel-trading stack test-alert"
        if stack is not None and (stack / FILE).is_file() and not unheard(stack):
            mend = f"{stack / FILE} has one by now: send Alertmanager a SIGHUP, or start the stack again"
        return warning(CHECK, f"{base} is ready, but {silent}", mend)
    return ok(CHECK, f"{base} is ready, and somebody is told of critical and warning alerts")
