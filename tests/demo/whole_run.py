"""A run of the demo from its first day to its last, of which everything is kept: what it showed on the way, its spans, its record."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.demo.program import Demo
from tests.harness import scrape, wait_until

SEED, BARS = 6, 291
"""A run in which everything happens that a venue does to a bot and which ends with open positions."""
RUN = ("--bars", str(BARS), "--speed", "max", "--seed", str(SEED))


class WholeRun(Demo):
    """The demo in such a run, after its last day; the highest value of each sample that it ever showed is in `seen`."""

    def __init__(self, directory: Path, traces: Traces) -> None:
        env = {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": traces.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        super().__init__(directory, *RUN, "--linger", "300", env=env)
        self.traces = traces
        self.seen: dict[str, float] = {}

    def watch(self) -> bool:
        """Look at what it shows; whether the last day is over."""
        for sample in scrape(self.url):
            self.seen[sample.name] = max(sample.value, self.seen.get(sample.name, sample.value))
        return self.finished


@contextmanager
def whole_run(directory: Path) -> Iterator[WholeRun]:
    """Run it to its last day; its endpoint is there until the end of the block."""
    with Traces() as traces, WholeRun(directory, traces) as demo:
        wait_until(demo.watch, "the last day is over", timeout=150)
        assert demo.running, demo.output()
        yield demo


class Traces(ThreadingHTTPServer):
    """Keeps the body of whatever is posted to it."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1/traces"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
