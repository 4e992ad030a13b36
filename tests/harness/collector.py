"""The project's own build of the OpenTelemetry Collector."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.harness.exposition import Sample, scrape
from tests.harness.ports import LOOPBACK, free_port
from tests.harness.process import Process
from tests.harness.programs import missing_program
from tests.harness.web import serves

CHECKOUT = Path(__file__).resolve().parents[2]
CONFIGURATIONS = CHECKOUT / "collector-config"


def collector_binary() -> Path:
    """Return the Collector: $OTELCOL, else what `make collector` left in this checkout."""
    named = os.environ.get("OTELCOL")
    binary = Path(named) if named else CHECKOUT / ".cache" / "otelcol-trading"
    if not binary.is_file():
        missing_program(f"{binary} is not there: " + ("OTELCOL names it" if named else "make collector"))
    return binary.resolve()


class Collector(Process):
    """A Collector with one of collector-config/*.yaml (later files are merged over earlier ones), on ports of its own.

    Stopped or killed, it can be started again: same ports, same directory.
    """

    def __init__(
        self,
        config: str | Path | Sequence[str | Path],
        *,
        directory: Path,
        env: Mapping[str, str] | None = None,
        name: str = "collector",
    ) -> None:
        files = [config] if isinstance(config, str | Path) else config
        ports = {
            "OTELCOL_OTLP_GRPC_ENDPOINT": free_port(),
            "OTELCOL_OTLP_HTTP_ENDPOINT": free_port(),
            "OTELCOL_PROMETHEUS_ENDPOINT": free_port(),
            "OTELCOL_HEALTH_ENDPOINT": free_port(),
        }
        telemetry = free_port()
        super().__init__(
            name,
            [collector_binary(), *(f"--config={CONFIGURATIONS / file}" for file in files)],
            directory=directory,
            env={
                **{variable: f"{LOOPBACK}:{port}" for variable, port in ports.items()},
                "OTELCOL_TELEMETRY_PORT": str(telemetry),
                **(env or {}),
            },
        )
        grpc, http, prometheus, health = ports.values()
        self.grpc_endpoint = f"http://{LOOPBACK}:{grpc}"
        self.http_endpoint = f"http://{LOOPBACK}:{http}"
        self.metrics_url = f"http://{LOOPBACK}:{prometheus}/metrics"
        self.telemetry_url = f"http://{LOOPBACK}:{telemetry}/metrics"
        self.health_url = f"http://{LOOPBACK}:{health}/"

    def ready(self) -> bool:
        return serves(self.health_url)

    def validate(self) -> subprocess.CompletedProcess[str]:
        """Run the Collector's `validate` on the same files, in the same environment."""
        binary, *configs = self.command
        return subprocess.run(
            [binary, "validate", *configs],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def scrape(self, *, openmetrics: bool = False) -> list[Sample]:
        """Return what the Prometheus exporter shows."""
        return scrape(self.metrics_url, openmetrics=openmetrics)

    def telemetry(self) -> list[Sample]:
        """Return what the Collector says of itself."""
        return scrape(self.telemetry_url)
