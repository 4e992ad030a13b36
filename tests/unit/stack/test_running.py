"""Where the parts of a stack are, and what messages call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from otel_trading.stack import directory as stack
from otel_trading.stack.running import file, link, where


@pytest.fixture
def written(tmp_path):
    stack.init(tmp_path)
    return tmp_path


def changed(written, **settings: str) -> None:
    env = written / ".env"
    lines = [line for line in env.read_text().splitlines() if line.partition("=")[0] not in settings]
    env.write_text("\n".join([*lines, *(f"{name}={value}" for name, value in settings.items())]) + "\n")


def runs(written, **content) -> None:
    file(written).parent.mkdir(parents=True)
    file(written).write_text(json.dumps({"pid": os.getpid(), **content}))


@pytest.mark.parametrize(("part", "port"), [("prometheus", 9090), ("alertmanager", 9093)])
def test_a_part_is_where_it_runs_else_where_env_says_else_at_its_usual_port(written, part, port):
    assert where(None, part) == f"http://127.0.0.1:{port}"
    assert where(written, part) == f"http://127.0.0.1:{port}"
    changed(written, **{f"{part.upper()}_PORT": "9190"})
    assert where(written, part) == "http://127.0.0.1:9190"
    runs(written, addresses={part: "127.0.0.1:9290"})
    assert where(written, part) == "http://127.0.0.1:9290"


@pytest.mark.parametrize("part", ["prometheus", "alertmanager"])
def test_links_lead_where_the_stack_that_runs_says_else_env_else_to_the_part_itself(written, part):
    changed(written, **{f"{part.upper()}_PORT": "9190"})
    assert link(written, part) == "http://127.0.0.1:9190"
    changed(written, **{f"{part.upper()}_EXTERNAL_URL": "https://watch.example.org/p/"})
    assert link(written, part) == "https://watch.example.org/p"
    runs(written, addresses={part: "127.0.0.1:9290"}, links={part: "https://phone.example.org/"})
    assert link(written, part) == "https://phone.example.org"


def test_what_a_stack_said_that_was_killed_since_counts_no_more(written):
    """It could not take it back, and by now the port may be anybody's."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    runs(written, addresses={"prometheus": "127.0.0.1:9290"}, links={"prometheus": "https://phone.example.org/"}, pid=ended.pid)
    assert where(written, "prometheus") == link(written, "prometheus") == "http://127.0.0.1:9090"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", "http://127.0.0.1:9090"),
        ("PROMETHEUS_EXTERNAL_URL=", "http://127.0.0.1:9090"),
        ("PROMETHEUS_EXTERNAL_URL='https://watch.example.org/'", "https://watch.example.org"),
        ("PROMETHEUS_EXTERNAL_URL=http://${HOST}/", "http://127.0.0.1:9090"),
    ],
)
def test_an_address_that_only_compose_can_work_out_is_not_taken(line, found, tmp_path):
    (tmp_path / ".env").write_text(f"A=1\n{line}\nB=2\n")
    assert link(tmp_path, "prometheus") == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        '{"pid": 1, "addresses": 1}',
        '{"pid": 1, "addresses": null}',
        '{"pid": 1e99, "addresses": {}}',
        '{"pid": "x", "addresses": {}}',
    ],
)
def test_a_malformed_word_of_what_runs_counts_as_none(text, written):
    file(written).parent.mkdir(parents=True)
    file(written).write_text(text)
    assert where(written, "prometheus") == "http://127.0.0.1:9090"
