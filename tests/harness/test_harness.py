"""The harness itself: what the end-to-end tests take for granted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.harness import BlackHole, Process, fetch, find, free_port, one, refusing_port, require_program, wait_until
from tests.harness.exposition import Sample
from tests.harness.programs import missing_program

SERVER = """
import http.server, signal, sys
print("starting", flush=True)
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


class Server(Process):
    def __init__(self, directory: Path, *arguments: str) -> None:
        self.port = free_port()
        super().__init__("server", [sys.executable, "-c", SERVER, str(self.port), *arguments], directory=directory)

    def ready(self) -> bool:
        return fetch(f"http://127.0.0.1:{self.port}/").status == 200


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_free_ports_are_all_different_and_can_be_listened_on():
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == 200
    with socket.create_server(("127.0.0.1", ports[0])):
        pass


def test_a_free_port_is_not_given_to_one_who_asks_for_any():
    """Else a test in another worker could take it before the program that it is meant for."""
    ours = free_port()
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(500)]
    try:
        assert ours not in {server.getsockname()[1] for server in servers}
    finally:
        for server in servers:
            server.close()


def test_a_refusing_port_refuses_and_nobody_else_can_have_it():
    with refusing_port() as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port))


def test_a_black_hole_takes_everything_and_answers_nothing():
    with BlackHole() as hole, socket.create_connection(("127.0.0.1", hole.port), timeout=0.2) as client:
        client.sendall(b"x" * 100_000)
        wait_until(lambda: hole.received == 100_000, "the hole has swallowed it")
        assert hole.connections == 1
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_closing_a_black_hole_frees_those_who_wait():
    hole = BlackHole()
    with socket.create_connection(("127.0.0.1", hole.port), timeout=10) as client:
        wait_until(lambda: hole.connections, "it is connected")
        hole.close()
        assert client.recv(1) == b""


def test_wait_until_returns_the_first_true_result():
    results = iter([0, None, "", "there"])
    assert wait_until(lambda: next(results), "something", interval=0) == "there"


def test_wait_until_says_what_it_waited_for_and_what_it_had():
    with pytest.raises(AssertionError, match=r"not within 0 s: three; at last: \[\]"):
        wait_until(list, "three", timeout=0)


def test_wait_until_takes_a_server_that_is_not_there_for_not_yet():
    with refusing_port() as port, pytest.raises(AssertionError, match="at last: ConnectionRefusedError"):
        wait_until(lambda: socket.create_connection(("127.0.0.1", port)), "a connection", timeout=0)


def test_wait_until_does_not_hide_a_broken_predicate():
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, "nothing")


def test_a_process_is_ready_when_start_returns_and_gone_after_stop(tmp_path):
    with Server(tmp_path) as server:
        assert urllib.request.urlopen(f"http://127.0.0.1:{server.port}/").status == 200
    assert server.returncode == -signal.SIGTERM
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_a_process_can_be_killed_and_started_again_on_its_port(tmp_path):
    with Server(tmp_path) as server:
        first = server.pid
        server.kill()
        assert server.returncode == -signal.SIGKILL
        server.start()
        assert server.pid != first
    assert server.output().count("starting") == 2


def test_a_process_that_ignores_the_request_to_stop_is_killed(tmp_path):
    with Server(tmp_path, "stubborn") as server:
        assert server.stop(timeout=0.2) == -signal.SIGKILL


def test_a_process_that_dies_before_it_is_ready_fails_at_once_with_its_output(tmp_path):
    process = Process("broken", [sys.executable, "-c", "raise SystemExit('no such colour')"], directory=tmp_path)
    process.ready = lambda: False
    with pytest.raises(RuntimeError, match="ended with 1 before it was ready:\nno such colour"):
        process.start()


def test_a_process_is_told_lines(tmp_path):
    program = "print(input()[::-1], flush=True); input()"
    with Process("echo", [sys.executable, "-c", program], directory=tmp_path) as process:
        process.tell("abc")
        wait_until(lambda: "cba" in process.output(), "the answer")
        process.tell("")
        assert process.wait() == 0


def test_no_child_outlives_a_test_run_that_is_killed(tmp_path):
    """`kill -9` of pytest itself: neither fixtures nor atexit run."""
    program = f"""
import pathlib, sys, time
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.harness import Process
child = Process("child", [sys.executable, "-c", "import time; time.sleep(600)"], directory=pathlib.Path({str(tmp_path)!r}))
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""
    require_program("setpriv")
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # Until it is Python, it is still the program that asks the kernel to end it with its parent.
        wait_until(lambda: Path(f"/proc/{child}/cmdline").read_text().startswith(sys.executable), "the child has started")
        assert alive(child)
        parent.kill()
    wait_until(lambda: not alive(child), "the child is gone")


def test_no_child_outlives_a_test_run_that_forgot_it(tmp_path):
    program = f"""
import pathlib, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.harness import Process
child = Process("child", [sys.executable, "-c", "import time; time.sleep(600)"], directory=pathlib.Path({str(tmp_path)!r}))
child.start()
print(child.pid)
"""
    child = int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    assert not alive(child)


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [
        ({}, pytest.skip.Exception),
        ({"CI": "true"}, pytest.fail.Exception),
        ({"OTEL_TRADING_REQUIRE_PROGRAMS": "1"}, pytest.fail.Exception),
        ({"CI": "false", "OTEL_TRADING_REQUIRE_PROGRAMS": "0"}, pytest.skip.Exception),
    ],
)
def test_a_missing_program_skips_the_test_but_fails_it_where_all_must_run(monkeypatch, environment, outcome):
    for variable in ("CI", "OTEL_TRADING_REQUIRE_PROGRAMS"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(outcome, match="promtool is not installed: apt-get install prometheus"):
        require_program("promtool")
    with pytest.raises(outcome, match="because of this"):
        missing_program("because of this")


def test_a_failing_test_shows_the_output_of_its_processes(tmp_path):
    """Through a whole pytest run of its own, with this folder's conftest."""
    checkout = Path(__file__).parents[2]
    (tmp_path / "conftest.py").write_text((checkout / "tests" / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "from tests.harness import Process, wait_until\n"
        "def test_quiet(tmp_path):\n"
        "    with Process('earlier', [sys.executable, '-c', 'print(6*7)'], directory=tmp_path) as p: p.wait()\n"
        "def test_loud(tmp_path):\n"
        "    with Process('culprit', [sys.executable, '-c', 'print(7*111)'], directory=tmp_path) as p:\n"
        "        assert p.wait() != 0\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed" in run.stdout
    assert "output of culprit" in run.stdout
    assert "777" in run.stdout
    assert "output of earlier" not in run.stdout


def test_samples_are_found_by_the_labels_that_are_given():
    samples = [Sample("up", {"job": "a", "instance": "1"}, 1.0), Sample("up", {"job": "b", "instance": "1"}, 0.0)]
    assert one(samples, "up", job="b") == 0.0
    assert one(samples, "up", job="c") is None
    assert find(samples, "up", instance="1") == samples
    with pytest.raises(AssertionError, match="2 series are up"):
        one(samples, "up", instance="1")


def test_fetch_returns_an_error_status_as_it_is(tmp_path):
    with Server(tmp_path) as server:
        assert fetch(f"http://127.0.0.1:{server.port}/none").status == 404
