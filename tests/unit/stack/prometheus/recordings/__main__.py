"""Records the demo, and a restart of it, as a real Prometheus sees them on both paths.

    python -m tests.unit.stack.prometheus.recordings

takes about eight minutes and writes `demo.json.gz` and `restart.json.gz` beside this file, as input series of `promtool test
rules`. There time begins at 0, so the times of events are told relative to the beginning of the recording.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from otel_trading.semconv.metrics import ALL
from otel_trading.stack.promql import of
from tests.harness import Collector, Process, Prometheus, free_port, job

HERE = Path(__file__).parent
EVERY = 15
"""Seconds between two scrapes."""
TIMES = {of(metric) for metric in ALL.values() if metric.kind == "gauge" and metric.name.endswith(".time")}
LEFT_OUT = r"go_.*|promhttp_.*|scrape_.*|system_network_.*|rpc_.*|http_server_.*"
"""What no rule of ours is about."""


class Demo(Process):
    """The demo as somebody would start it beside the Collector, its state kept in `directory`."""

    def __init__(self, directory: Path, collector: Collector) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "otel_trading.cli", "demo", "--port", self.port, "--state", directory / "state"]
        super().__init__(
            "demo",
            [str(part) for part in command],
            directory=directory,
            env={
                "OTEL_METRICS_EXPORTER": "prometheus,otlp",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
                "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=demo",
                "PYTHONPATH": str(Path.cwd()),
            },
        )


def run(demo: Demo) -> None:
    demo.start()
    time.sleep(240)


def restart(demo: Demo) -> None:
    demo.start()
    time.sleep(90)
    demo.stop()
    time.sleep(20)
    demo.start()
    time.sleep(90)


def record(what: Callable[[Demo], None]) -> dict[str, Any]:
    """Return the input series of what Prometheus saw while `what` happened."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with Collector("agent.yaml", directory=directory) as collector:
            demo = Demo(directory / "demo", collector)
            scrape = {"scrape_interval": f"{EVERY}s", "scrape_timeout": "5s"}
            jobs = [
                job("direct", f"http://127.0.0.1:{demo.port}/metrics", **scrape, relabel_configs=_called("127.0.0.1:9464")),
                job("agent", collector.metrics_url, **scrape, honor_labels=True, relabel_configs=_called("127.0.0.1:8889")),
                job("otel-collector", collector.telemetry_url, **scrape, relabel_configs=_called("127.0.0.1:8888")),
            ]
            with Prometheus(jobs, directory=directory) as prometheus, stopped(demo):
                what(demo)
                raw = prometheus.get("query", query=f'{{__name__!~"{LEFT_OUT}",job!=""}}[1h]')["result"]
    times = [float(at) for series in raw for at, _ in series["values"]]
    # The last round of scrapes is not whole: what is not seen in it has not ended.
    first, length = min(times), round((max(times) - min(times)) / EVERY)
    written = [_written(series["metric"], series["values"], first, length) for series in raw]
    end = f"{(length - 1) * EVERY}s"
    return {"interval": f"{EVERY}s", "end": end, "input_series": sorted(written, key=lambda series: series["series"])}


@contextlib.contextmanager
def stopped(demo: Demo) -> Iterator[None]:
    try:
        yield
    finally:
        demo.stop()


def _called(instance: str) -> list[dict[str, str]]:
    """Give the target an address that is the same in each recording."""
    return [{"target_label": "instance", "replacement": instance}]


def _written(labels: dict[str, str], values: list[tuple[float, str]], first: float, length: int) -> dict[str, str]:
    name = labels.pop("__name__")
    seen: list[str | None] = [None] * length
    for at, text in values:
        value = float(text)
        if name in TIMES:
            value = round(value - first, 3)
        slot = round((float(at) - first) / EVERY)
        if slot < length:
            seen[slot] = f"{value:.7g}".replace("nan", "NaN")
    matchers = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return {"series": f"{name}{{{matchers}}}", "values": short(seen)}


def short(seen: list[str | None]) -> str:
    """Write the samples as promtool reads them; a series that ended gets Prometheus' mark of that."""
    told = ["_" if value is None else value for value in seen]
    for slot in range(1, len(told)):
        if seen[slot] is None and seen[slot - 1] is not None:
            told[slot] = "stale"
    runs: list[tuple[str, int]] = []
    for value in told:
        if runs and runs[-1][0] == value and value != "stale":
            runs[-1] = value, runs[-1][1] + 1
        else:
            runs.append((value, 1))
    # `5x3` is 5 and three more of it, but `_x3` is three that are missing.
    return " ".join(_run(value, times) for value, times in runs)


def _run(value: str, times: int) -> str:
    if times == 1:
        return value
    return f"{value}x{times}" if value == "_" else f"{value}x{times - 1}"


def main() -> None:
    for name, what in (("demo", run), ("restart", restart)):
        text = json.dumps(record(what), indent=0)
        (HERE / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
