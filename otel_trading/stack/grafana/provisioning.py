"""The files from which Grafana makes its data source and its dashboards when it starts."""

from __future__ import annotations

from typing import Any, Final

import yaml

from otel_trading.stack.grafana.documents import PROMETHEUS, texts
from otel_trading.stack.prometheus.settings import RuleSettings

DATASOURCE: Final = "otel-trading-prometheus"
"""The uid of the data source."""

_HEAD: Final = "# Written by otel-trading. Grafana reads it when it starts.\n"


def files(
    settings: RuleSettings | None = None,
    *,
    prometheus_url: str = PROMETHEUS,
    datasource_url: str = "http://prometheus:9090",
    dashboards: str = "/etc/grafana/dashboards",
) -> dict[str, str]:
    """The text of each file by its path: `provisioning/` is Grafana's directory of that name, `dashboards/` what it reads.

    `datasource_url` is where Grafana finds Prometheus, `prometheus_url` where a browser does, and `dashboards` where Grafana
    finds the directory `dashboards/`. The defaults of the first and the last are those of the containers.
    """
    found = {f"dashboards/{name}": text for name, text in texts(settings, prometheus_url).items()}
    return found | {
        "provisioning/datasources/otel-trading.yaml": _yaml(_datasources(datasource_url)),
        "provisioning/dashboards/otel-trading.yaml": _yaml(_providers(dashboards)),
    }


def _datasources(url: str) -> dict[str, Any]:
    # `timeInterval` is that of the scrapes: Grafana makes $__rate_interval of it.
    settings = {"httpMethod": "POST", "timeInterval": "15s", "prometheusType": "Prometheus"}
    source = {"name": "Prometheus", "uid": DATASOURCE, "type": "prometheus", "access": "proxy", "url": url}
    return {"apiVersion": 1, "datasources": [{**source, "isDefault": True, "jsonData": settings}]}


def _providers(path: str) -> dict[str, Any]:
    provider = {"name": "otel-trading", "folder": "Trading", "folderUid": "otel-trading", "type": "file"}
    return {
        "apiVersion": 1,
        "providers": [{**provider, "updateIntervalSeconds": 30, "allowUiUpdates": False, "options": {"path": path}}],
    }


def _yaml(document: dict[str, Any]) -> str:
    return _HEAD + yaml.safe_dump(document, sort_keys=False, explicit_start=True)
