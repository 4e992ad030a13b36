"""The files from which Grafana makes its data source and its dashboards when it starts."""

from __future__ import annotations

import json
from typing import Final

from otel_trading.stack.grafana.documents import PROMETHEUS, texts
from otel_trading.stack.prometheus.settings import RuleSettings

DATASOURCE: Final = "otel-trading-prometheus"
"""The uid of the data source."""

_DATASOURCES: Final = """\
# Written by otel-trading. Grafana reads it when it starts.
apiVersion: 1
datasources:
  - name: Prometheus
    uid: {uid}
    type: prometheus
    access: proxy
    url: {url}
    isDefault: true
    jsonData:
      httpMethod: POST
      prometheusType: Prometheus
      # How often Prometheus scrapes: rates in the dashboards go over at least four times that.
      timeInterval: 15s
"""

_PROVIDERS: Final = """\
# Written by otel-trading. Grafana reads it when it starts.
apiVersion: 1
providers:
  - name: otel-trading
    folder: Trading
    folderUid: otel-trading
    type: file
    updateIntervalSeconds: 30
    # What is changed in the browser would be lost with the next version: save a copy under another name.
    allowUiUpdates: false
    options:
      path: {path}
"""


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
        "provisioning/datasources/otel-trading.yaml": _DATASOURCES.format(uid=DATASOURCE, url=json.dumps(datasource_url)),
        "provisioning/dashboards/otel-trading.yaml": _PROVIDERS.format(path=json.dumps(dashboards)),
    }
