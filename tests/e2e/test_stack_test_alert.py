"""`otel-trading stack test-alert`: an alert that is a test reaches who would be told, from a real Alertmanager."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_trading.stack.directory import init
from tests.harness import Alertmanager, Listener, free_port, wait_until
from tests.harness.stack import PROGRAM


def send(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "stack", "test-alert", *arguments],
        cwd=cwd, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def configured(directory: Path, webhook: str, *names: str) -> Path:
    """A directory of a stack in which these receivers call a webhook, without waiting for others."""
    init(directory)
    config = directory / "alertmanager" / "alertmanager.yml"
    contents = yaml.safe_load(config.read_text())
    for route in (contents["route"], *contents["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "1s"}
    for receiver in contents["receivers"]:
        if receiver["name"] in names:
            receiver["webhook_configs"] = [{"url": f"{webhook}/{receiver['name']}"}]
    config.write_text(yaml.safe_dump(contents))
    return config


def told(webhook: Listener) -> list[tuple[str, dict[str, Any]]]:
    """The path and the alert of each message."""
    return [(each.path, alert) for each in webhook.heard for alert in json.loads(each.body)["alerts"]]


def test_it_arrives_where_its_severity_goes_and_says_that_it_is_a_test(tmp_path):
    with Listener() as webhook:
        config = configured(tmp_path / "stack", webhook.url, "critical", "warning")
        with Alertmanager(config) as alertmanager:
            where = f"--alertmanager={alertmanager.url}"
            first = send(tmp_path / "stack", where, cwd=tmp_path)
            assert (first.returncode, first.stderr) == (0, "")
            assert "The receiver critical tells it by webhook, after 0s or so." in first.stdout
            [(path, alert)] = wait_until(lambda: told(webhook), "it is heard of")
            send(tmp_path / "stack", where, "--severity=warning", cwd=tmp_path)
            wait_until(lambda: [path for path, _ in told(webhook) if path == "/warning"], "the warning is heard of")
    assert path == "/critical"
    assert alert["labels"]["alertname"] == "TradingTest"
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"]["summary"] == "This is a test: nothing is wrong."
    assert alert["annotations"]["runbook_url"] == "http://127.0.0.1:9090/consoles/runbooks/index.html"
    assert alert["annotations"]["dashboard_url"] == "http://127.0.0.1:3000/d/trading-overview"


def test_it_ends_by_itself_after_five_minutes(tmp_path):
    """As Alertmanager itself says when: it forgets nothing before, and asks nobody."""
    config = configured(tmp_path / "stack", "http://127.0.0.1:1", "critical")
    with Alertmanager(config) as alertmanager:
        send(f"--alertmanager={alertmanager.url}", cwd=tmp_path)
        [alert] = alertmanager.alerts()
    seconds = [
        int(alert[key][11:13]) * 3600 + int(alert[key][14:16]) * 60 + int(alert[key][17:19]) for key in ("startsAt", "endsAt")
    ]
    assert (seconds[1] - seconds[0]) % 86400 == 300


def test_a_second_one_is_told_of_too(tmp_path):
    """Alertmanager says nothing twice for hours: each of them is another alert."""
    with Listener() as webhook:
        config = configured(tmp_path / "stack", webhook.url, "critical")
        with Alertmanager(config) as alertmanager:
            for number in (1, 2):
                send(f"--alertmanager={alertmanager.url}", cwd=tmp_path)
                wait_until(
                    lambda number=number: len({alert["labels"]["sent"] for _, alert in told(webhook)}) == number,
                    f"number {number} is heard of",
                )


def test_where_nobody_is_told_it_says_so_and_the_exit_code_is_1(tmp_path):
    config = configured(tmp_path / "stack", "http://127.0.0.1:1", "critical")
    with Alertmanager(config) as alertmanager:
        done = send(f"--alertmanager={alertmanager.url.replace('//', '//me:hush@')}", "--severity=info", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{alertmanager.url} has TradingTest"), "the password is not printed"
    assert "The receiver info has no channel: it tells nobody." in done.stdout


def test_an_alertmanager_that_does_not_answer_is_an_error_without_the_password_in_it(tmp_path):
    port = free_port()
    done = send(f"--alertmanager=http://me:hush@127.0.0.1:{port}", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"Error: Alertmanager at http://127.0.0.1:{port}: nobody listens there\n")


@pytest.mark.parametrize("there", [True, False], ids=["other", "missing"])
def test_a_directory_of_something_else_is_an_error(there, tmp_path):
    directory = tmp_path / "other"
    if there:
        directory.mkdir()
    done = send(directory, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"Error: {directory} is no directory of a stack: otel-trading stack init {directory}\n"
