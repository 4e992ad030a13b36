"""A real Pushgateway."""

from __future__ import annotations

from pathlib import Path

from tests.harness.exposition import Sample, scrape
from tests.harness.ports import LOOPBACK, free_port
from tests.harness.process import Process
from tests.harness.programs import require_program
from tests.harness.web import serves


class Pushgateway(Process):
    """Prometheus' Pushgateway, keeping what it gets in memory."""

    def __init__(self, *, directory: Path, name: str = "pushgateway") -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        command = [require_program("prometheus-pushgateway"), f"--web.listen-address={LOOPBACK}:{self.port}"]
        super().__init__(name, command, directory=directory)

    def ready(self) -> bool:
        return serves(f"{self.url}/-/ready")

    def scrape(self) -> list[Sample]:
        """Return what Prometheus would scrape here."""
        return scrape(f"{self.url}/metrics")
