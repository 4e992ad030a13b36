"""Alerts that are sent: to a real HTTP server, without waiting, without a secret in the log."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.risk import Notifier, alert
from tests.harness.process import wait_until

apprise = pytest.mark.skipif(
    importlib.util.find_spec("apprise") is None,
    reason="apprise is not installed: pip install 'otel-trading[notify]'",
)


class Service:
    """A service on loopback that keeps what it was told; it can refuse, and it can leave the client waiting."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.requests = 0
        self.status = 200
        self.go = threading.Event()
        self.go.set()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.requests += 1
                service.go.wait(60)
                if service.status == 200:
                    service.taken.append(body)
                self.send_response(service.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = f"json://trader:s3cr3t@127.0.0.1:{self.server.server_port}/t0ken-8842719?+X-Api-Key=h3ader"

    def close(self) -> None:
        self.go.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    yield one
    one.close()


@pytest.fixture
def notifier(service) -> Iterator[object]:
    made: list[Notifier] = []

    def make(**arguments: object) -> Notifier:
        made.append(Notifier(**{"urls": service.url, **arguments}))
        return made[-1]

    yield make
    service.go.set()
    for one in made:
        one.close(10)


def test_alert_is_counted_without_a_notifier(recorded) -> None:
    alert("page", "daily loss", strategy="sma")
    alert("warn", "slow")
    assert recorded.points("alerts") == [
        ({"alert.severity": "critical", "strategy.name": "sma"}, 1),
        ({"alert.severity": "warning"}, 1),
    ]


@apprise
@pytest.mark.usefixtures("no_faults")
def test_alert_is_sent_and_counted(recorded, service, notifier) -> None:
    one = notifier()
    alert("critical", "daily loss", "main lost 3 %")
    alert("info", "started")
    assert one.flush(30)
    told = [(message["type"], message["title"], message["message"]) for message in service.taken]
    assert told == [("failure", "daily loss", "main lost 3 %"), ("info", "started", "started")]
    assert [value for _, value in recorded.points("alerts")] == [1, 1]
    assert recorded.points("errors") == []


@apprise
def test_less_urgent_alerts_are_only_counted(recorded, service, notifier) -> None:
    one = notifier(min_severity="warning")
    for severity in ("info", "warning", "critical"):
        alert(severity, severity)
    assert one.flush(30)
    assert [message["title"] for message in service.taken] == ["warning", "critical"]
    assert len(recorded.points("alerts")) == 3


@apprise
def test_caller_never_waits_and_the_queue_is_bounded(recorded, service, notifier) -> None:
    """Also for a service that leaves everybody waiting."""
    one = notifier(queue_size=2, per_minute=100, timeout=30)
    service.go.clear()
    begin = time.monotonic()
    alert("info", "first")
    wait_until(lambda: service.requests == 1, "the first alert is on its way")
    for number in range(5):
        alert("info", f"alert {number}")
    assert time.monotonic() - begin < 20  # far less than the service takes
    assert not one.flush(0)
    assert recorded.points("errors") == [({"component.name": "notifier", "error.type": "queue_full"}, 3)]
    service.go.set()
    assert one.flush(30)
    assert [message["title"] for message in service.taken] == ["first", "alert 0", "alert 1"]
    assert "(3 more alerts were left out before this one)" in service.taken[1]["message"]


@apprise
def test_no_more_than_so_many_in_a_minute(recorded, service, notifier, clock) -> None:
    one = notifier(per_minute=2, timeout=1000, clock=clock)
    for number in range(5):
        alert("info", f"alert {number}")
    clock.now += 60
    alert("info", "a minute later")
    assert one.flush(30)
    assert [message["title"] for message in service.taken] == ["alert 0", "alert 1", "a minute later"]
    assert recorded.points("errors") == [({"component.name": "notifier", "error.type": "rate_limited"}, 3)]


@apprise
def test_service_that_hangs_is_left_behind(recorded, service, notifier, clock) -> None:
    one = notifier(timeout=60, per_minute=100, clock=clock)
    service.go.clear()
    alert("info", "first")
    wait_until(lambda: service.requests == 1, "the first alert is on its way")
    clock.now += 60
    alert("info", "second")
    wait_until(lambda: service.requests == 2, "the second alert is on its way, beside the first")
    assert recorded.points("errors") == [({"component.name": "notifier", "error.type": "timeout"}, 1)]
    service.go.set()
    assert one.flush(30)
    wait_until(lambda: len(service.taken) == 2, "both were taken")


@apprise
def test_no_secret_is_logged_whatever_happens(recorded, service, notifier, caplog, tmp_path) -> None:
    """Neither of a service that takes it, nor of one that refuses, nor of one that is not there, nor of a URL that is wrong."""
    file = tmp_path / "urls"
    file.write_text(f"# where alerts go\n\n{service.url}\njson://trader:s3cr3t@127.0.0.1:1/t0ken-8842719?+X-Api-Key=h3ader\n")
    with caplog.at_level(logging.DEBUG):
        one = notifier(urls=(), urls_file=file)
        alert("info", "taken")
        assert one.flush(30)
        service.status = 403
        alert("info", "refused")
        assert one.flush(30)
        with pytest.raises(ConfigurationError, match="URL number 1 is none that Apprise understands") as raised:
            Notifier("unknown://trader:s3cr3t@t0ken-8842719")
        with pytest.raises(ConfigurationError, match="URL number 2") as second:
            Notifier([service.url, "tgram://t0ken-8842719/s3cr3t"])
    assert recorded.points("errors") == [({"component.name": "notifier", "error.type": "not_delivered"}, 3)]
    assert any("service 2 (json)" in record.getMessage() for record in caplog.records)
    for text in (caplog.text, str(raised.value), str(second.value), repr(one), repr(one._services)):
        assert not [secret for secret in ("s3cr3t", "t0ken", "8842719", "h3ader") if secret in text], text


@apprise
def test_what_is_queued_at_exit_is_sent_and_a_service_that_hangs_does_not_hold_it(service, tmp_path) -> None:
    code = f"""
import otel_trading as ot
ot.Notifier({service.url!r})
ot.alert("critical", "crashed")
raise SystemExit(3)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def run() -> None:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            timeout=60,
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=env,
        )
        assert done.returncode == 3, done.stderr

    run()
    assert [message["title"] for message in service.taken] == ["crashed"]
    service.go.clear()
    run()  # within its two seconds and what a Python takes to start: the service would hold it for a minute


@apprise
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"urls": ()}, "no URL of a service"),
        ({"urls": "no url"}, "URL number 1"),
        ({"urls": ["json://localhost", 7]}, "URL number 2"),
        ({"urls": (), "urls_file": "/nonexistent"}, "urls_file cannot be read: FileNotFoundError"),
        ({"min_severity": "debug"}, "min_severity is 'debug'"),
        ({"per_minute": 0}, "per_minute is 0"),
        ({"queue_size": -1}, "queue_size is -1"),
        ({"timeout": "5"}, "timeout is '5'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_wrong_arguments_are_named(notifier, arguments, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        notifier(**arguments)


def test_without_apprise_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'otel-trading\[notify\]'"):
        Notifier("json://localhost")


@apprise
@pytest.mark.usefixtures("recorded")
def test_closed_one_takes_nothing_more(service, notifier) -> None:
    notifier().close(10)
    alert("info", "late")
    assert service.requests == 0
    assert not faults.errors
