"""Records the demo, and a restart of it, as the Prometheus of a stack sees them on both paths, and the stack itself.

    python -m tests.unit.stack.prometheus.recordings

takes about a quarter of an hour and writes `demo.json.gz` and `restart.json.gz` beside this file, as input series of `promtool
test rules`. There time begins at 0, so the times of events are told relative to the beginning of the recording.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from otel_trading.semconv.metrics import ALL
from otel_trading.stack.ports import DEFAULTS
from otel_trading.stack.promql import of
from tests.demo.program import Demo
from tests.harness.stack import PROGRAM, Stack
from tests.unit.stack.prometheus.vocabulary import metrics

HERE = Path(__file__).parent
EVERY = 15
"""Seconds between two scrapes, as the stack has it."""
TIMES = {of(metric) for metric in ALL.values() if metric.kind == "gauge" and metric.name.endswith(".time")} | {
    "process_start_time_seconds"
}
NAMES = metrics().keys() - {"ALERTS"}
"""What a rule may name."""


def run(demos: Sequence[Demo]) -> None:
    """All days of the demo, and some minutes of its second round, in which a day takes a second."""
    for demo in demos:
        demo.start()
    time.sleep(480)


def restart(demos: Sequence[Demo]) -> None:
    for demo in demos:
        demo.start()
    time.sleep(120)
    for demo in demos:
        demo.stop()
    time.sleep(20)
    for demo in demos:
        demo.start()
    time.sleep(160)


def record(what: Callable[[Sequence[Demo]], None]) -> dict[str, Any]:
    """Return the input series of what Prometheus saw while `what` happened to a demo that is scraped and one that pushes."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        subprocess.run([PROGRAM, "stack", "init", directory / "stack"], check=True, capture_output=True)
        scraped, pushing = (Demo(directory, "--state", directory / each, name=each) for each in ("scraped", "pushing"))
        with Stack(directory / "stack", log=directory, bot=f"127.0.0.1:{scraped.port}") as stack:
            pushing.env |= stack.push | {"OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=demo"}
            with stopped(scraped, pushing):
                what((scraped, pushing))
                raw = stack.prometheus.get("query", query=f'{{__name__=~"{"|".join(sorted(NAMES))}",job!=""}}[1h]')["result"]
            ports = {port: DEFAULTS[name] for name, port in stack.ports.items()} | {scraped.port: 9464}
    times = [float(at) for series in raw for at, _ in series["values"]]
    # The last round of scrapes is not whole: what is not seen in it has not ended.
    first, length = min(times), round((max(times) - min(times)) / EVERY)
    written = [_written(_usual(series["metric"], ports), series["values"], first, length) for series in raw]
    end = f"{(length - 1) * EVERY}s"
    return {"interval": f"{EVERY}s", "end": end, "input_series": sorted(written, key=lambda series: series["series"])}


@contextlib.contextmanager
def stopped(*demos: Demo) -> Iterator[None]:
    try:
        yield
    finally:
        for demo in demos:
            demo.stop()


def _usual(labels: dict[str, str], ports: Mapping[int, int]) -> dict[str, str]:
    """Give each target the port that it has when no other is asked for: the same in each recording."""

    def usual(found: re.Match[str]) -> str:
        port = int(found[1])
        return f"127.0.0.1:{ports.get(port, port)}"

    return {name: re.sub(r"127\.0\.0\.1:(\d+)", usual, value) for name, value in labels.items()}


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
