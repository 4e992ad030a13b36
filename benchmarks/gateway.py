"""`make bench-gateway`: how much an agent and a gateway take, and the table of docs/scaling.md that says so.

What is sent is the last export of the demo, under the ids of several bots and each time with new times. Everything runs on this
machine at once: senders, Collectors, store. Every case ends with a count: what the store has is what was sent.
"""

from __future__ import annotations

import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from benchmarks import report
from benchmarks.processes import ROOT, environment
from benchmarks.results import expect
from benchmarks.sink import Sink
from tests.harness import Collector, VictoriaMetrics, find, wait_until
from tests.harness.certificates import Certificates, certificates
from tests.harness.process import Process

PAGE = ROOT / "docs" / "scaling.md"
BEGIN, END = "<!-- measured: make bench-gateway -->\n", "<!-- end of what was measured -->"

BARS = 60
"""Days that the demo trades before it is recorded."""
BOTS = 32
SENDERS = 4
EXPORT_INTERVAL = 5.0
"""Seconds between two exports of a bot that has no setting for it."""
TOKEN = "benchmark"  # noqa: S105 - of servers that live for seconds on loopback
AGENT = ("agent.yaml",)
FORWARDING_AGENT = ("agent.yaml", "agent-to-gateway.yaml")
GATEWAY = ("gateway.yaml", "gateway-remote-write.yaml")
EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"


@dataclass(frozen=True)
class Export:
    """What a bot sends every five seconds, with blanks for the id of the bot and for the time."""

    body: bytes
    points: int
    samples: int
    """What Prometheus makes of it: of a histogram a series for each bucket, the sum and the count."""

    ID = "bot-0000"
    TIME = int.from_bytes(b"\x01TIME\x02\x03\x04", "little")

    @classmethod
    def record(cls, body: bytes) -> Export:
        """Make the blanks in what a bot sent."""
        request = ExportMetricsServiceRequest.FromString(body)
        points, samples = 0, 1  # target_info
        [resource] = request.resource_metrics
        for attribute in resource.resource.attributes:
            if attribute.key == "service.instance.id":
                attribute.value.string_value = cls.ID
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                point.time_unix_nano = cls.TIME
                points += 1
                samples += len(point.bucket_counts) + 2 if metric.HasField("histogram") else 1
        return cls(request.SerializeToString(), points, samples)

    def of(self, bot: int, nanoseconds: int) -> bytes:
        """Fill in the blanks."""
        body = self.body.replace(self.ID.encode(), f"bot-{bot:04}".encode())
        return body.replace(struct.pack("<Q", self.TIME), struct.pack("<Q", nanoseconds))


def demo() -> Export:
    """Let the demo trade, and keep the last export that it sends."""
    with Sink() as sink, tempfile.TemporaryDirectory() as directory:
        settings = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint}
        command = [sys.executable, "-m", "otel_trading.cli", "demo", "--bars", str(BARS), "--speed", "max", "--linger", "0"]
        subprocess.run(command, env=environment() | settings, cwd=directory, check=True, stdout=subprocess.DEVNULL)
        return Export.record(sink.last())


class Load:
    """Senders that each wait for an answer before they send the next; what is refused for now is sent again."""

    def __init__(self, export: Export, endpoint: str, tls: Certificates | None = None) -> None:
        self._export = export
        self._address = endpoint.removeprefix("http://")
        self._tls = tls
        self._stop = threading.Event()
        self._sent = [0] * SENDERS

    def run(self, seconds: float) -> int:
        """Send for some time; return how many requests were accepted."""
        threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]
        for thread in threads:
            thread.start()
        self._stop.wait(seconds)
        self._stop.set()
        for thread in threads:
            thread.join()
        return sum(self._sent)

    def _send(self, sender: int) -> None:
        metadata = [("authorization", f"Bearer {TOKEN}")]
        with self._channel() as channel:
            call = channel.unary_unary(EXPORT, request_serializer=None, response_deserializer=None)
            while not self._stop.is_set():
                bot = sender + SENDERS * (self._sent[sender] % (BOTS // SENDERS))
                body = self._export.of(bot, time.time_ns())
                while not self._accepted(call, body, metadata):
                    time.sleep(0.01)
                self._sent[sender] += 1

    @staticmethod
    def _accepted(call: grpc.UnaryUnaryMultiCallable, body: bytes, metadata: list[tuple[str, str]]) -> bool:
        try:
            call(body, metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False
        return True

    def _channel(self) -> grpc.Channel:
        if self._tls is None:
            return grpc.insecure_channel(self._address)
        return grpc.secure_channel(self._address, grpc.ssl_channel_credentials(self._tls.ca.read_bytes()))


@dataclass
class Row:
    """What a program needed for what it took."""

    what: str
    points: float
    """A second."""
    samples: float
    """A second."""
    cpu: float
    """CPU seconds a second."""
    memory: int
    """Resident bytes at most."""


class Meter:
    """What some programs take from now on."""

    def __init__(self, export: Export, programs: dict[str, Process]) -> None:
        self._export = export
        self._programs = programs
        self._cpu = {what: cpu_seconds(program.pid) for what, program in programs.items()}
        self._began = time.perf_counter()

    def rows(self, requests: int) -> list[Row]:
        """Return a row for each program, for so many requests since the beginning."""
        seconds = time.perf_counter() - self._began
        rate = requests / seconds
        return [
            Row(
                what,
                rate * self._export.points,
                rate * self._export.samples,
                (cpu_seconds(program.pid) - self._cpu[what]) / seconds,
                peak_memory(program.pid),
            )
            for what, program in self._programs.items()
        ]


def cpu_seconds(pid: int) -> float:
    """The CPU time that a process has used, its own and the kernel's for it (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory(pid: int) -> int:
    """The most resident memory that a process has had, in bytes."""
    [kib] = re.findall(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"), re.MULTILINE)
    return int(kib) * 1024


class Bench:
    """The cases, each with programs and directories of its own."""

    def __init__(self, directory: Path, seconds: float) -> None:
        self._directory = directory
        self._seconds = seconds
        self._tls = certificates(directory / "tls")
        token = directory / "token"
        token.write_text(TOKEN, encoding="utf-8")
        self._settings = {
            "OTELCOL_TLS_CERT": str(self._tls.cert),
            "OTELCOL_TLS_KEY": str(self._tls.key),
            "OTELCOL_CA": str(self._tls.ca),
            "OTELCOL_TOKEN_FILE": str(token),
            "OTELCOL_RETRY_INTERVAL": "100ms",
        }
        self.export = demo()

    def run(self) -> list[Row]:
        """Run all cases."""
        return [*self.agent(), *self.gateway(), *self.chain()]

    def agent(self) -> list[Row]:
        """Bots → agent, scraped at the end."""
        with Collector(AGENT, directory=self._directory / "agent") as agent:
            meter = Meter(self.export, {"agent that is scraped": agent})
            requests = Load(self.export, agent.grpc_endpoint).run(self._seconds)
            agent.scrape()
            rows = meter.rows(requests)
            expect("points of the agent", accepted(agent), requests * self.export.points)
            bots = min(requests, BOTS)
            wait_until(lambda: len(find(agent.scrape(), "target_info")) == bots, "the agent shows every bot")
            return rows

    def gateway(self) -> list[Row]:
        """Senders → gateway → store."""
        with self._gateway("gateway") as (gateway, store):
            meter = Meter(self.export, {"gateway": gateway, "its store": store})
            requests = Load(self.export, gateway.grpc_endpoint, self._tls).run(self._seconds)
            rows = meter.rows(requests)
            expect("samples of the store", store.written(), requests * self.export.samples)
            return rows

    def chain(self) -> list[Row]:
        """Bots → agent → gateway → store: the agent's queue is kept short, so that the end does not lag behind."""
        with self._gateway("chain") as (gateway, store):
            to_gateway = {
                "OTELCOL_GATEWAYS": f"[{gateway.grpc_endpoint.removeprefix('http://')}]",
                "OTELCOL_QUEUE_DIRECTORY": "agent-queue",
                "OTELCOL_QUEUE_SIZE": str(BOTS),
            }
            agent = Collector(
                FORWARDING_AGENT, directory=self._directory / "chain", env=self._settings | to_gateway, name="agent"
            )
            with agent:
                meter = Meter(self.export, {"agent that sends on": agent, "its gateway": gateway})
                requests = Load(self.export, agent.grpc_endpoint).run(self._seconds)
                samples = requests * self.export.samples
                wait_until(lambda: store.written() >= samples, "the store has what was sent")
                rows = meter.rows(requests)
                expect("samples of the store behind an agent", store.written(), samples)
                return rows

    @contextmanager
    def _gateway(self, case: str) -> Iterator[tuple[Collector, VictoriaMetrics]]:
        directory = self._directory / case
        with VictoriaMetrics(directory=directory) as store:
            out = {"OTELCOL_REMOTE_WRITE_ENDPOINT": store.write_url, "OTELCOL_QUEUE_DIRECTORY": "queue"}
            with Collector(GATEWAY, directory=directory, env=self._settings | out) as gateway:
                yield gateway, store


def accepted(collector: Collector) -> int:
    """How many points a Collector says that it took."""
    return int(sum(s.value for s in find(collector.telemetry(), "otelcol_receiver_accepted_metric_points_total")))


def text(export: Export, rows: Sequence[Row]) -> str:
    """Return what the page says of a run."""
    per_bot = export.points / EXPORT_INTERVAL
    cells = [
        (
            row.what,
            report.short(row.points),
            report.short(row.samples),
            f"{row.cpu:.2f}",
            report.short(row.points / row.cpu / 1000) if row.cpu else "-",
            f"{row.memory / 2**20:.0f} MiB",
            report.short(row.points / per_bot),
        )
        for row in rows
    ]
    head = ("what", "points a second", "samples a second", "CPUs busy", "1000 points per CPU second", "memory", "bots")
    return (
        f"Measured on {datetime.now(timezone.utc):%Y-%m-%d}: {report.machine()}. An export of the demo has "
        f"{export.points} points, which are {export.samples} samples in a store; “bots” is how many such exports every "
        f"{EXPORT_INTERVAL:g} s that makes.\n\n{report.table(head, cells)}\n"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the table of the page."""
    parser = argparse.ArgumentParser(prog="make bench-gateway", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=10, help="of load in each case; with another than 10 nothing is written"
    )
    seconds = parser.parse_args(arguments).seconds
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(Path(directory), seconds)
        found = text(bench.export, bench.run())
    sys.stdout.write(found)
    if seconds == parser.get_default("seconds"):
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{found}\n{END}{after}", encoding="utf-8")
        sys.stdout.write(f"\nwritten: {PAGE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
