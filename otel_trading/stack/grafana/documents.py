"""The dashboards that come with the package, with the links that a user's settings ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from otel_trading.semconv.metrics import ALL
from otel_trading.stack.grafana.colors import follow
from otel_trading.stack.prometheus.model import Alert, Record
from otel_trading.stack.prometheus.rules import FILES, alerts
from otel_trading.stack.prometheus.settings import RuleSettings
from otel_trading.stack.prometheus.slo import SLO
from otel_trading.stack.promql import NEWEST, buckets, count, of, total

UIDS: Final = tuple(f"trading-{name}" for name in ("overview", "orders", "risk", "inference", "venue", "fleet", "sdk"))
"""The dashboards, in the order in which they are listed; Grafana shows each at `/d/<uid>`."""

PROMETHEUS: Final = "http://127.0.0.1:9090"
"""Where a browser finds Prometheus, which serves the runbooks, unless it is said."""

_RUNBOOK: Final = f"{PROMETHEUS}/consoles/runbooks/{{alert}}.html"
"""How links to runbooks are written in the files."""
_FOLDER: Final = Path(__file__).with_name("dashboards")
_UPTIME: Final = "process.uptime"
"""Asked for beside others, it does not say what an expression is about; it does where it is alone."""
_METRICS: Final = {
    sample: name
    for name, metric in ALL.items()
    for sample in ((buckets(metric), count(metric), total(metric)) if metric.kind == "histogram" else (of(metric),))
    if name != _UPTIME
}
"""Names of samples, and those of their metrics in the registry."""
_FOREIGN: Final = re.compile(
    r"(http|otelcol|alertmanager|scrape)_\w+|prometheus_(config|notifications|rule)_\w+|process_(?!uptime)\w+|up$"
)
"""Names of other instrumentations, of the Collector, of Prometheus and of Alertmanager."""
_RECORDED: Final = {
    (rule.name, rule.labels.get(SLO, "")): rule.expr
    for groups in FILES.values()
    for group in groups
    for rule in group.rules
    if isinstance(rule, Record) and rule.name != NEWEST  # which instance is meant, not what it is about
}
"""What rules record, by name and objective, if it is of one."""
_NAMED: Final = re.compile(rf'([\w:]+)(?:\{{[^{{}}]*\b{SLO}="([^"]+)")?')
"""A word of an expression, and the objective whose series are chosen, if it is a series of one."""


def dashboards(settings: RuleSettings | None = None, prometheus_url: str = PROMETHEUS) -> dict[str, dict[str, Any]]:
    """Each dashboard by its uid, as Grafana reads it.

    A panel leads to the runbooks of the alerts that watch what it shows; where they are is said by `runbook_url` of the
    settings, in which `{{ $externalURL }}` is `prometheus_url`. Alerts that the settings switch off are left out. Where the
    settings have another threshold for an alert, the panel's colours follow.
    """
    chosen = settings or RuleSettings()
    address = chosen.runbook_url.replace("{{ $externalURL }}", prometheus_url.rstrip("/"))
    watching = [(alert, _metrics(alert.expr)) for alert in alerts() if chosen.of(alert).enabled]
    found: dict[str, dict[str, Any]] = {}
    for uid in UIDS:
        text = (_FOLDER / f"{uid}.json").read_text(encoding="utf-8")
        document = json.loads(_elsewhere(text, address))
        for panel in (panel for panel in document["panels"] if panel["type"] != "row"):
            about = _watching(panel, watching)
            follow(panel, about, chosen)
            _link(panel, about, address)
        found[uid] = document
    return found


def texts(settings: RuleSettings | None = None, prometheus_url: str = PROMETHEUS) -> dict[str, str]:
    """The name and the text of each file; see `dashboards`."""
    return {
        f"{uid}.json": json.dumps(document, indent=1, sort_keys=True) + "\n"
        for uid, document in dashboards(settings, prometheus_url).items()
    }


def expressions(panel: dict[str, Any]) -> Iterator[str]:
    """What a panel asks Prometheus."""
    for target in panel.get("targets", ()):
        yield target["expr"]


def _elsewhere(text: str, address: str) -> str:
    """The text with its links to runbooks leading to `address`."""
    before, after = _RUNBOOK.split("{alert}")
    start, _, end = (json.dumps(part)[1:-1] for part in address.partition("{alert}"))
    return re.sub(f"{re.escape(before)}(.+?){re.escape(after)}", lambda found: start + found[1] + end, text)


def _metrics(expression: str) -> set[str]:
    """The metrics that an expression is about, also those that a rule recorded for it."""
    found, open_, uptime = set[str](), [expression], of(ALL[_UPTIME])
    while open_:
        for word, objective in _NAMED.findall(open_.pop()):
            if word in _METRICS:
                found.add(_METRICS[word])
            elif (word, objective) in _RECORDED:
                open_.append(_RECORDED[word, objective])
            elif _FOREIGN.match(word):
                found.add(re.sub(r"_(total|bucket|sum|count)$", "", word))
    return found or ({_UPTIME} if re.search(rf"\b{uptime}\b", expression) else found)


def _watching(panel: dict[str, Any], watched: list[tuple[Alert, set[str]]]) -> list[Alert]:
    shown = set[str]().union(*map(_metrics, expressions(panel)))
    return [alert for alert, metrics in watched if shown & metrics]


def _link(panel: dict[str, Any], found: list[Alert], address: str) -> None:
    links = [
        {"title": f"Runbook: {alert.name}", "url": address.replace("{alert}", alert.name), "targetBlank": True}
        for alert in found
    ]
    if links:
        panel["links"] = [*panel.get("links", ()), *links]
