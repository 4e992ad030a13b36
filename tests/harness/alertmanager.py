"""A real Alertmanager, and a server that hears what it says."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from typing_extensions import Self

from tests.harness.ports import LOOPBACK, free_port
from tests.harness.process import Process
from tests.harness.programs import require_program
from tests.harness.web import fetch, serves


class Alertmanager(Process):
    """Alertmanager with a configuration file, in whose directory it runs: from there it finds the files of secrets."""

    def __init__(self, config: Path, *, name: str = "alertmanager") -> None:
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self.url = f"http://{self.address}"
        command = [
            require_program("prometheus-alertmanager"),
            f"--config.file={config}",
            f"--storage.path={config.parent / name}-data",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        ]
        super().__init__(name, command, directory=config.parent)

    def ready(self) -> bool:
        return serves(f"{self.url}/-/ready")

    def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Send alerts (`labels`, `annotations`, `startsAt`, `endsAt`), as Prometheus does."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts", json.dumps(list(alerts)).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10):
            pass

    def alerts(self) -> list[dict[str, Any]]:
        """Return what is known of each alert; `status.state` is "suppressed" for one that another one inhibits."""
        return json.loads(fetch(f"{self.url}/api/v2/alerts").text)


class Heard(NamedTuple):
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: str


class Listener:
    """A loopback HTTP server that answers each POST alike and keeps it."""

    def __init__(self, answer: str = "ok", content_type: str = "text/plain") -> None:
        heard: list[Heard] = []
        self.heard = heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                heard.append(Heard(self.path, dict(self.headers), body))
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
