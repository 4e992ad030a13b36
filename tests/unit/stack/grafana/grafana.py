"""The dashboards as Grafana would ask Prometheus for them, with everything chosen or one service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from otel_trading.stack.grafana.documents import dashboards

BOARDS = dashboards()

ALL = {
    "job": ".+",
    "collector": ".+",
    "strategy": ".*",
    "account": ".*",
    "venue": ".*",
    "symbol": ".*",
    "model": ".*",
}
"""What "All" stands for in each variable."""


def panels(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel but the headings."""
    return (panel for panel in document["panels"] if panel["type"] != "row")


def expressions() -> dict[str, str]:
    """What panels and annotations ask, by where they ask it."""
    return {
        f"{uid} {panel['id']} {panel['title']} {target['refId']}": target["expr"]
        for uid, document in BOARDS.items()
        for panel in panels(document)
        for target in panel["targets"]
    } | {
        f"{uid} {annotation['name']}": annotation["expr"]
        for uid, document in BOARDS.items()
        for annotation in document["annotations"]["list"]
    }


def asked(expression: str, window: str = "1m", span: int = 300, **chosen: str) -> str:
    """The expression that reaches Prometheus when these values are chosen, `span` seconds are shown and a rate goes over `window`."""
    values = {**ALL, **chosen, "__rate_interval": window, "__range": f"{span}s", "__range_s": str(span)}
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], expression)
