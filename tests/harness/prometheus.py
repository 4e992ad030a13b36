"""A real Prometheus server that scrapes quickly."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.harness.exposition import Sample
from tests.harness.ports import LOOPBACK, free_port
from tests.harness.process import DEADLINE, Process, wait_until
from tests.harness.programs import require_program
from tests.harness.web import fetch, serves


class Api:
    """The HTTP API of a Prometheus at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data that the HTTP API has at `path`."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        response = fetch(url)
        if response.status != 200:
            raise AssertionError(f"{url} answers {response.status}: {response.text[:500]}")
        return json.loads(response.text)["data"]

    def query(self, expression: str) -> list[Sample]:
        """Return the instant vector that `expression` gives now."""
        return [
            Sample(metric.pop("__name__", ""), metric, float(value))
            for metric, value in ((element["metric"], element["value"][1]) for element in self._vector(expression))
        ]

    def _vector(self, expression: str) -> list[Any]:
        data = self.get("query", query=expression)
        if data["resultType"] != "vector":
            raise AssertionError(f"{expression} is a {data['resultType']}, not a vector")
        return data["result"]

    def value(self, expression: str) -> float | None:
        """Return the one value that `expression` gives now; None if it gives nothing, more than one is an error."""
        result = self.query(expression)
        if len(result) > 1:
            raise AssertionError(f"{expression} gives {len(result)} series: {result}")
        return result[0].value if result else None

    def wait_for(
        self, expression: str, predicate: Callable[[list[Sample]], Any] = bool, timeout: float = DEADLINE
    ) -> list[Sample]:
        """Query `expression` until `predicate` is true of the result; return that result."""
        last: list[Sample] = []

        def satisfied() -> bool:
            last[:] = self.query(expression)
            return bool(predicate(last))

        try:
            wait_until(satisfied, expression, timeout, interval=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; the result was {last}") from None
        return last


class Prometheus(Process, Api):
    """Prometheus with these scrape configurations (and rules, and Alertmanagers), scraping and evaluating twice a second.

    Prometheus 2.42 takes up to 5 s before it scrapes for the first time: wait for the data, not for the server.
    """

    def __init__(
        self,
        scrape_configs: Sequence[Mapping[str, Any]],
        *,
        directory: Path,
        rules: Mapping[str, Any] | None = None,
        alertmanagers: Sequence[str] = (),
        arguments: Sequence[str] = (),
        name: str = "prometheus",
        itself: Mapping[str, Any] | None = None,
    ) -> None:
        """`itself` are settings of a scrape of its own metrics; without them there is none."""
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        if itself is not None:
            scrape_configs = [*scrape_configs, job("prometheus", f"{self.url}/metrics", **itself)]
        directory.mkdir(parents=True, exist_ok=True)
        config: dict[str, Any] = {
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "scrape_configs": [dict(scrape) for scrape in scrape_configs],
        }
        if rules is not None:
            (directory / f"{name}-rules.yml").write_text(yaml.safe_dump(dict(rules)))
            config["rule_files"] = [f"{name}-rules.yml"]
        if alertmanagers:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
        (directory / f"{name}.yml").write_text(yaml.safe_dump(config))
        command = [
            require_program("prometheus"),
            f"--config.file={directory / name}.yml",
            f"--storage.tsdb.path={directory / name}-data",
            f"--web.listen-address={LOOPBACK}:{self.port}",
            *arguments,
        ]
        super().__init__(name, command, directory=directory)

    def ready(self) -> bool:
        return serves(f"{self.url}/-/ready")


def job(name: str, url: str, **settings: Any) -> dict[str, Any]:
    """Return the scrape configuration of one target: its address and path are those of `url`."""
    parts = urllib.parse.urlsplit(url)
    static = [{"targets": [parts.netloc]}]
    return {"job_name": name, "metrics_path": parts.path or "/metrics", "static_configs": static, **settings}
