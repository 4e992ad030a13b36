"""No alert fires in recordings of the real demo, of a restart of it, and of the stack that watches it, on both paths."""

from __future__ import annotations

import functools
import gzip
import json
import re
import tempfile
from pathlib import Path

import promql_parser
import pytest
from promql_parser import Expr, VectorSelector

from otel_trading.stack.prometheus.model import Alert
from otel_trading.stack.prometheus.rules import FILES, alerts, document
from otel_trading.stack.prometheus.settings import Change, RuleSettings
from otel_trading.stack.promql import seconds
from tests.unit.stack.prometheus import vocabulary
from tests.unit.stack.prometheus.promtool import promtool, write
from tests.unit.stack.prometheus.test_alerts import CASES

RECORDINGS = {
    file.name.removesuffix(".json.gz"): json.loads(gzip.decompress(file.read_bytes()))
    for file in sorted((Path(__file__).parent / "recordings").glob("*.json.gz"))
}
ALLOWED: dict[tuple[str, str], str] = {
    ("TradingWatchdog", recording): "It fires always: what is noticed is its absence." for recording in RECORDINGS
} | {("TradingWinRatioLow", "demo"): "It wins every other trade: true for minutes, and not for the hour that the alert waits."}
"""What fires in a recording and should, and why."""

LONGEST = "3m"
"""How long an alert waits here at most: many wait for longer than the recording of a restart, and could not fire in it at all."""

NOT_RECORDED = {
    "TradingApiSlow": "The demo has no API of its own.",
    "TradingCollectorFailing": "The exporter for Prometheus does not send.",
    "TradingCollectorQueueFilling": "The exporter for Prometheus has no queue.",
    "TradingHeartbeatStalls": "No heartbeat stalls.",
    "TradingMeasurementsDropped": "The SDK drops nothing.",
    "TradingSdkErrors": "The SDK has no fault.",
    "TradingTooManySeries": "The SDK drops nothing.",
}
"""Alerts whose series are in no recording, where all is well; a case among those of test_alerts.py has them quiet."""


def _sooner(alert: Alert) -> str:
    return min(alert.pending, LONGEST, key=seconds)


SETTINGS = RuleSettings(alerts={alert.name: Change.model_validate({"for": _sooner(alert)}) for alert in alerts()})


@functools.cache
def fired(recording: str) -> dict[str, str]:
    """What fired at any evaluation, by name."""
    recorded = RECORDINGS[recording]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for file, groups in FILES.items():
            write(directory, document(groups, SETTINGS)).rename(directory / file)
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


def unseen(expression: str, names: set[str]) -> list[str]:
    """Selectors of an expression, and of the rules that it builds on, that choose none of these names."""
    rules, found, open_, done = vocabulary.recorded(), list[str](), [expression.replace("$threshold", "1")], set[str]()

    def visit(node: Expr) -> None:
        if isinstance(node, VectorSelector):
            chosen = vocabulary.used(str(node)).names
            made = chosen & rules.keys() - done
            done.update(made)
            open_.extend(rules[name].expr for name in made)
            if not chosen & (names | rules.keys()):
                found.append(str(node))

    while open_:
        promql_parser.walk(promql_parser.parse(open_.pop()), visit)
    return found


def test_there_are_recordings_of_the_demo_and_of_a_restart_on_both_paths():
    assert set(RECORDINGS) == {"demo", "restart"}
    for recording in RECORDINGS.values():
        names = [series["series"] for series in recording["input_series"]]
        for job in ("trading-bots", "otel-trading-demo"):
            assert [name for name in names if name.startswith("trading_orders_total") and f'job="{job}"' in name]
        assert seconds(recording["end"]) > seconds(LONGEST) + 60


def test_what_an_alert_looks_at_is_in_a_recording():
    """Where its series are missing an alert is quiet whatever it says: that is another test's."""
    names = {series["series"].partition("{")[0] for recording in RECORDINGS.values() for series in recording["input_series"]}
    missing = {alert.name: found for alert in alerts() if (found := unseen(alert.expr, names))}
    assert missing.keys() == NOT_RECORDED.keys(), missing
    quiet = {name for name, cases in CASES.items() if any(case.series and not case.fires for case in cases.values())}
    assert NOT_RECORDED.keys() <= quiet


@pytest.mark.parametrize("recording", RECORDINGS)
@pytest.mark.parametrize("name", [alert.name for alert in alerts()])
def test_it_is_quiet(name: str, recording: str):
    found = fired(recording)
    assert (name in found) == ((name, recording) in ALLOWED), found.get(name)
