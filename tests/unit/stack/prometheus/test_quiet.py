"""No alert fires in recordings of the real demo, and of a restart of it, scraped from the bot and from the Collector."""

from __future__ import annotations

import functools
import gzip
import json
import re
import tempfile
from pathlib import Path

import pytest

from otel_trading.stack.prometheus.rules import FILES, alerts, document
from tests.unit.stack.prometheus.promtool import DEFAULTS, promtool, write

RECORDINGS = {
    file.name.removesuffix(".json.gz"): json.loads(gzip.decompress(file.read_bytes()))
    for file in sorted((Path(__file__).parent / "recordings").glob("*.json.gz"))
}
ALLOWED: dict[tuple[str, str], str] = {
    ("TradingWatchdog", recording): "It fires always: what is noticed is its absence." for recording in RECORDINGS
}
"""What fires in a recording and should, and why."""


@functools.cache
def fired(recording: str) -> dict[str, str]:
    """What fired at any evaluation, by name; for an alert that waits, also what was about to."""
    recorded = RECORDINGS[recording]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for file, groups in FILES.items():
            write(directory, document(groups, DEFAULTS)).rename(directory / file)
        test = {
            "interval": recorded["interval"],
            "input_series": recorded["input_series"],
            "promql_expr_test": [
                {"expr": 'count_over_time(ALERTS{alertstate="firing"}[1h])', "eval_time": recorded["end"], "exp_samples": []}
            ],
        }
        contents = {"rule_files": list(FILES), "evaluation_interval": recorded["interval"], "tests": [test]}
        _, said = promtool("test", "rules", write(directory, contents))
    assert "SUCCESS" in said or "got:" in said, said
    assert "err:" not in said, said
    samples = re.findall(r'\{[^{}]*alertname="(\w+)"[^{}]*\}', said)
    return dict.fromkeys(samples, said)


def test_there_are_recordings_of_the_demo_and_of_a_restart_on_both_paths():
    assert set(RECORDINGS) == {"demo", "restart"}
    for recording in RECORDINGS.values():
        names = [series["series"] for series in recording["input_series"]]
        for job in ("direct", "otel-trading-demo"):
            assert [name for name in names if name.startswith("trading_orders_total") and f'job="{job}"' in name]


@pytest.mark.parametrize("recording", RECORDINGS)
@pytest.mark.parametrize("name", [alert.name for alert in alerts()])
def test_it_is_quiet(name: str, recording: str):
    found = fired(recording)
    assert (name in found) == ((name, recording) in ALLOWED), found.get(name)
