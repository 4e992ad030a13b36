"""An alert that only tries whether alerts arrive: it says so, and ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from otel_trading.errors import ConfigurationError
from otel_trading.pipeline.kinds import shown
from otel_trading.stack import directory as stack
from otel_trading.stack import running
from otel_trading.stack.doctor import alertmanager
from otel_trading.stack.doctor.asking import UnansweredError, ask, short
from otel_trading.stack.prometheus import settings
from otel_trading.stack.prometheus.model import Severity
from otel_trading.stack.routing import Stop

NAME: Final = "TradingTest"
JOB: Final = "otel-trading-test"
LASTS: Final = timedelta(minutes=5)

_OK: Final = 200


@dataclass(frozen=True)
class Sent:
    """A test alert that Alertmanager has taken."""

    ends: datetime
    stops: list[Stop]
    """Where it arrives."""


def send(url: str, severity: Severity, directory: Path | None = None) -> Sent:
    """Give a test alert to the Alertmanager at `url`, with the links that alerts of this directory have.

    Raises `ConfigurationError` when it is not taken.
    """
    now = datetime.now(timezone.utc)
    # The time makes each of them another one: Alertmanager says nothing twice within an hour or a day.
    labels = {"alertname": NAME, "severity": severity, "job": JOB, "sent": now.isoformat(sep=" ", timespec="milliseconds")}
    ends = now + LASTS
    alert = {
        "labels": labels,
        "annotations": {
            "summary": "This is a test: nothing is wrong.",
            "description": f"`otel-trading stack test-alert` sent it to see if alerts arrive; it ends at {ends:%H:%M} UTC.",
            **_links(directory),
        },
        "startsAt": now.isoformat(),
        "endsAt": ends.isoformat(),
    }
    try:
        stops = alertmanager.routing(url).told(labels)
        answer = ask(f"{url}/api/v2/alerts", [alert])
    except UnansweredError as why:
        raise ConfigurationError(f"Alertmanager at {shown(url)}: {why}") from None
    if answer.status != _OK:
        raise ConfigurationError(f"Alertmanager at {shown(url)} answers {answer.status}: {short(answer.text)}")
    return Sent(ends, stops)


def _links(directory: Path | None) -> dict[str, str]:
    """So that it is seen whether they lead somewhere from where the message is read."""
    if directory is None:
        return {}
    chosen = stack.rule_settings(directory)
    links = {"dashboard_url": f"{chosen.grafana_url.rstrip('/')}/d/trading-overview"}
    if chosen.runbook_url == settings.RUNBOOKS:
        links["runbook_url"] = f"{running.link(directory, 'prometheus')}/consoles/runbooks/index.html"
    return links
