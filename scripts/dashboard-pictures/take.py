"""Take a picture of each dashboard with the data of the demo: `make dashboards`.

Three demo bots push to the Collector, a real Prometheus scrapes it, itself and Alertmanager, and evaluates the rules; what each
panel asks for is written beside the dashboards' JSON. The page in src/ shows it with Grafana's own components; Chromium takes
the picture.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from otel_trading.stack.prometheus import rules
from otel_trading.stack.prometheus.settings import RuleSettings
from tests.harness import Alertmanager, Collector, Process, Prometheus, job, wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
DASHBOARDS = CHECKOUT / "otel_trading" / "stack" / "grafana" / "dashboards"
PICTURES = CHECKOUT / "docs" / "images" / "dashboards"
WORK = CHECKOUT / ".cache" / "dashboard-pictures"
DATA = WORK / "data"

BOTS = ("otel-trading-demo", "trend-small", "trend-wide")
"""The services of the bots that run: the first is the one that is looked at, all of them are the fleet."""
FLEET = "trading-fleet"
SCRAPE = 5
"""Seconds between two scrapes, which is also the step of the graphs that do not ask for a longer one."""
EVERY = {"scrape_interval": f"{SCRAPE}s", "scrape_timeout": f"{SCRAPE}s"}
WIDTH, CELL, HEADER = 1500, 38, 96
"""Pixels: of the page, of one line of the grid, and of what is above the grid."""
LIMIT = 400 * 1024


class Bot(Process):
    """A demo that pushes to the Collector."""

    def __init__(self, service: str, seed: int, collector: Collector, directory: Path, speed: float) -> None:
        program = Path(sys.executable).with_name("otel-trading")
        state = directory / service
        super().__init__(
            service,
            [program, "demo", "--seed", str(seed), "--speed", str(speed), "--port", "0", "--state", str(state)],
            directory=directory,
            env={
                "OTEL_SERVICE_NAME": service,
                "OTEL_METRICS_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
                "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            },
        )


@contextlib.contextmanager
def running(directory: Path, seconds: float) -> Iterator[Prometheus]:
    """A Prometheus that has watched the bots for `seconds`; half-way one of them is killed, and starts again."""
    speed = 2450 / seconds
    with contextlib.ExitStack() as stack:
        collector = stack.enter_context(Collector("agent.yaml", directory=directory))
        scrapes = [
            job("otel-collector", collector.metrics_url, honor_labels=True, sample_limit=500_000, **EVERY),
            job("otel-collector-self", collector.telemetry_url, **EVERY),
        ]
        config = directory / "alertmanager.yml"
        config.write_text("{route: {receiver: nobody}, receivers: [{name: nobody}]}")
        alertmanager = stack.enter_context(Alertmanager(config))
        scrapes.append(job("alertmanager", f"{alertmanager.url}/metrics", **EVERY))
        prometheus = Prometheus(
            scrapes,
            directory=directory,
            rules=_rules(),
            alertmanagers=[alertmanager.address],
            arguments=["--enable-feature=extra-scrape-metrics"],
            itself=EVERY,
        )
        stack.enter_context(prometheus)
        wait_until(lambda: prometheus.query("up"), "Prometheus scrapes")
        bots = [Bot(service, seed, collector, directory, speed) for seed, service in enumerate(BOTS, 1)]
        for bot in bots:
            stack.enter_context(bot)
        time.sleep(seconds / 2)
        bots[-1].kill()
        bots[-1].start()
        time.sleep(seconds / 2)
        yield prometheus


def _rules() -> dict[str, Any]:
    settings = RuleSettings()
    return {"groups": [group for groups in rules.FILES.values() for group in rules.document(groups, settings)["groups"]]}


@dataclass(frozen=True)
class Query:
    """What Grafana would ask for a panel, or for an annotation, of a dashboard with these variables."""

    variables: dict[str, str]
    start: float
    end: float
    step: int

    @classmethod
    def over(cls, variables: dict[str, str], end: float, seconds: float, interval: str | None) -> Query:
        """The time that is shown, on multiples of the step as Grafana asks for it."""
        step = max(SCRAPE, _seconds(interval or "0s"))
        return cls(variables, (end - seconds) // step * step, end // step * step, step)

    def ask(self, prometheus: Prometheus, target: dict[str, Any]) -> list[Any]:
        """The series that a target gives."""
        expression = self._replaced(target["expr"])
        if target.get("instant") and not target.get("range"):
            return prometheus.get("query", query=expression, time=str(self.end))["result"]
        times = {"start": str(self.start), "end": str(self.end), "step": str(self.step)}
        return prometheus.get("query_range", query=expression, **times)["result"]

    def _replaced(self, expression: str) -> str:
        shown = f"{self.end - self.start:.0f}"
        known = {
            **self.variables,
            "__rate_interval": f"{max(self.step + SCRAPE, 4 * SCRAPE)}s",
            "__interval": f"{self.step}s",
            "__range": f"{shown}s",
            "__range_s": shown,
        }
        return re.sub(r"\$\{?(\w+)(?::\w+)?\}?", lambda found: known[found[1]], expression)


def _seconds(interval: str) -> int:
    return int(interval[:-1]) * {"s": 1, "m": 60, "h": 3600}[interval[-1]]


def capture(prometheus: Prometheus, end: float, seconds: float) -> None:
    """Write what each panel of each dashboard asks for, of the `seconds` until `end`."""
    DATA.mkdir(parents=True, exist_ok=True)
    boards = {file: json.loads(file.read_text()) for file in sorted(DASHBOARDS.glob("*.json"))}
    for file, board in boards.items():
        variables = _variables(board)
        annotations = [query for query in board["annotations"]["list"] if "expr" in query]
        line = Query.over(variables, end, seconds, None)
        picture: dict[str, Any] = {
            "dashboard": board,
            "titles": [other["title"] for other in boards.values() if other is not board],
            "variables": variables,
            "from": end - seconds,
            "to": end,
            "annotations": {"step": line.step, "answers": [line.ask(prometheus, query) for query in annotations]},
            "panels": {},
        }
        for panel in board["panels"]:
            query = Query.over(variables, end, seconds, panel.get("interval"))
            picture["panels"][panel["id"]] = {
                "start": query.start,
                "end": query.end,
                "step": query.step,
                "answers": {target["refId"]: query.ask(prometheus, target) for target in panel.get("targets", [])},
            }
        (DATA / file.name).write_text(json.dumps(picture))


def _variables(board: dict[str, Any]) -> dict[str, str]:
    """What is chosen for each variable: the first bot, or all of the fleet."""
    values = {
        variable["name"]: variable.get("allValue") or ".*"
        for variable in board["templating"]["list"]
        if variable["type"] == "query"
    }
    if "job" in values and board["uid"] != FLEET:
        values["job"] = BOTS[0]
    return values


def photograph(uid: str, url: str) -> None:
    """Let Chromium draw the page and write the picture."""
    board = json.loads((DASHBOARDS / f"{uid}.json").read_text())
    lines = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    picture = PICTURES / f"{uid}.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                _program("chromium"),
                *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
                "--enable-logging=stderr",
                *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                f"--user-data-dir={profile}",
                "--virtual-time-budget=20000",
                "--run-all-compositor-stages-before-draw",
                f"--window-size={WIDTH},{HEADER + lines * CELL}",
                f"--screenshot={picture}",
                f"{url}/dist/?dashboard={uid}",
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
    if wrong := [line for line in done.stderr.splitlines() if "Uncaught" in line]:
        raise SystemExit("\n".join([f"{uid} was not drawn", *wrong]))
    # 256 colours are enough for a dashboard, and a third of the size.
    subprocess.run([_program("pngquant"), "--force", "--ext=.png", "--strip", "--speed=1", picture], check=True)
    size = picture.stat().st_size
    print(f"{picture.relative_to(CHECKOUT)}: {size // 1024} KiB")
    if size > LIMIT:
        raise SystemExit(f"{picture.name} is larger than {LIMIT // 1024} KiB")


def _program(name: str) -> str:
    return shutil.which(name) or sys.exit(f"{name} is not installed: as root, apt-get install {name}")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
        """Say nothing of each request."""


@contextlib.contextmanager
def served(directory: Path) -> Iterator[str]:
    """The files of a directory, on a port of loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main() -> None:
    """Run the demo, ask, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=900, help="how long the demo runs and what the pictures show")
    parser.add_argument("--again", action="store_true", help="take the pictures again of the data that is there")
    options = parser.parse_args()
    if not options.again:
        with tempfile.TemporaryDirectory() as directory, running(Path(directory), options.seconds) as prometheus:
            capture(prometheus, float(int(time.time())), options.seconds)
    with served(WORK) as url:
        for file in sorted(DASHBOARDS.glob("*.json")):
            photograph(file.stem, url)


if __name__ == "__main__":
    main()
