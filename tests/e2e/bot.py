"""The bot of these tests, as a process that can be told what to do, killed and started again."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.harness import Process, Sample, free_port, scrape, wait_until
from tests.harness.collector import Collector

SERVICE = "e2e-bot"
PROGRAM = Path(__file__).with_name("bot_program.py")


class Bot(Process):
    """The bot, pushing to `collector` (if one is given) and serving its own endpoint (if `exporters` say so)."""

    def __init__(
        self,
        directory: Path,
        *,
        exporters: str,
        collector: Collector | None = None,
        protocol: str = "http/protobuf",
        env: Mapping[str, str] | None = None,
        program: Path = PROGRAM,
    ) -> None:
        self.port = free_port()
        settings = {
            "OTEL_METRICS_EXPORTER": exporters,
            "OTEL_METRIC_EXPORT_INTERVAL": "200",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(self.port),
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        }
        if collector is not None:
            endpoint = collector.grpc_endpoint if protocol == "grpc" else collector.http_endpoint
            settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        super().__init__("bot", [sys.executable, "-u", program], directory=directory, env=settings | dict(env or {}))
        self.metrics_url = f"http://127.0.0.1:{self.port}/metrics"
        self._asked = 0

    def ready(self) -> bool:
        return self.output().count("ready\n") == self._starts

    def start(self) -> None:
        self._starts = self.output().count("ready\n") + 1
        super().start()

    def do(self, command: str) -> None:
        """Tell the bot something to do and return when it has done it."""
        self._asked += 1
        self.tell(f"{self._asked} {command}")
        wait_until(lambda: f"done {self._asked}\n" in self.output(), f"the bot does: {command}")

    def scrape(self, *, openmetrics: bool = False) -> list[Sample]:
        """Return what the bot's own endpoint shows."""
        return scrape(self.metrics_url, openmetrics=openmetrics)
