"""A ledger among processes: two of them, the ends that one may come to, its children, and what the disk does to it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.harness import FORKED, wait_until
from tests.harness.python_programs import Program, run

LEDGER = """
import logging, os, signal, sys, threading, time
from otel_trading import ConfigurationError
from otel_trading.account.ledger import Changes, Ledger
from otel_trading.metrics import faults

logging.basicConfig(format="%(message)s", level="WARNING", stream=sys.stdout)

class Count:
    "Counts, and has an execution for each number."
    def __init__(self):
        self.n = 0
    def __call__(self):
        self.n += 1
        return Changes({"n": self.n}, [str(self.n)])

def opened(path="main.db", flush_every=0.01):
    ledger = Ledger.open(path, flush_every=flush_every)
    ledger.keep("account", "main", Count())
    ledger.flush()
    return ledger
"""


def outcomes(path):
    with closing(sqlite3.connect(path)) as connection:
        return [outcome for (outcome,) in connection.execute("SELECT outcome FROM runs ORDER BY id")]


def integrity(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


def consistent(path):
    """Whether the state and the executions of it are of the same moment."""
    with closing(sqlite3.connect(path)) as connection:
        ((state, executions, newest),) = connection.execute(
            "SELECT (SELECT json_extract(document, '$.n') FROM documents), count(*), max(CAST(execution AS INTEGER)) FROM executions"
        ).fetchall()
    return state == executions == newest


def test_a_second_process_is_refused_and_told_which_one_has_it(tmp_path):
    with Program(tmp_path / "first", LEDGER + f"opened({str(tmp_path / 'main.db')!r})\nprint('ready')\ninput()") as first:
        second = f"""
try:
    opened({str(tmp_path / "main.db")!r})
except ConfigurationError as error:
    print(error)
print([thread.name for thread in threading.enumerate()])
"""
        said, threads = run(tmp_path / "second", LEDGER + second).splitlines()
        assert f"ledger {tmp_path / 'main.db'}: the process {first.pid} on " in said
        assert "has it open; one process writes a ledger, give each bot a file of its own" in said
        assert threads == "['MainThread']"
        first.kill()
        assert run(tmp_path / "second", LEDGER + f"print(opened({str(tmp_path / 'main.db')!r}).unclean_stops)") == "1\n"


ENDS = {
    "the last line": ("", 0, "clean"),
    "sys.exit": ("sys.exit(3)", 3, "clean"),
    "an exception": ("raise RuntimeError('of the bot')", 1, "clean"),
    "Ctrl-C": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", -signal.SIGINT, "clean"),
    "SIGTERM that the bot handles": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)",
        0,
        "clean",
    ),
    "SIGTERM that the telemetry handles": (
        "import otel_trading as ot; ot.configure(prometheus_port=0); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)",
        -signal.SIGTERM,
        "clean",
    ),
    "SIGTERM that nobody handles": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -signal.SIGTERM, None),
    "kill -9": ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, None),
    "os._exit": ("os._exit(0)", 0, None),
}


@pytest.mark.parametrize(("end", "status", "outcome"), ENDS.values(), ids=ENDS)
def test_an_end_that_python_sees_is_clean_and_any_other_is_not(tmp_path, end, status, outcome):
    with Program(tmp_path, LEDGER + f"opened()\nprint('ready')\ninput()\n{end}") as program:
        program.tell("")
        assert program.wait() == status, program.output()
    assert outcomes(tmp_path / "main.db") == [outcome]
    assert consistent(tmp_path / "main.db")
    assert run(tmp_path, LEDGER + "print(opened().unclean_stops)") == ("0\n" if outcome == "clean" else "1\n")


def test_a_file_that_was_closed_cleanly_is_one_file(tmp_path):
    run(tmp_path, LEDGER + "opened()")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["main.db", "main.db.copy", "main.db.lock", "program.log"]


FORK = FORKED + LEDGER


@pytest.mark.parametrize("end", ["os._exit", "sys.exit"])
def test_a_child_writes_nothing_and_the_parent_goes_on(tmp_path, end):
    """Forked again and again while the writer is at work, the children ending with and without what Python does at the end."""
    code = f"""
ledger = opened(flush_every=0.001)

def child():
    assert not ledger.flush()
    ledger.keep("account", "child", Count())()
    for use in (lambda: ledger.document("account", "main"), lambda: ledger.executions("main"), lambda: Ledger.open("main.db")):
        try:
            use()
        except ConfigurationError:
            pass
        else:
            raise AssertionError(use)
    ledger.close()
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]

for _ in range(10):
    assert forked(child, {end}) == 0
    time.sleep(0.005)
assert ledger.flush() and not faults.errors
before = ledger.document("account", "main")
assert forked(child, {end}) == 0
assert ledger.flush()
assert ledger.document("account", "main")["n"] > before["n"]
print("end of the parent")
"""
    output = run(tmp_path, FORK + code)
    said = [line for line in output.splitlines() if "forks and has the ledger" in line]
    assert len(said) == 1, "once"
    assert "its children keep nothing in it" in said[0]
    assert outcomes(tmp_path / "main.db") == ["clean"]
    assert integrity(tmp_path / "main.db") == "ok"
    assert consistent(tmp_path / "main.db")


def test_a_child_that_outlives_its_parent_holds_no_lock(tmp_path):
    code = """
ledger = opened()
child = os.fork()
if not child:
    time.sleep(600)
print("child", child)
print("ready", flush=True)
input()
"""
    with Program(tmp_path, FORK + code) as parent:
        child = int(re.search(r"child (\d+)", parent.output())[1])
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        try:
            assert run(tmp_path / "next", LEDGER + f"print(opened({str(tmp_path / 'main.db')!r}).unclean_stops)") == "1\n"
        finally:
            os.kill(child, signal.SIGKILL)
    assert outcomes(tmp_path / "main.db") == ["unclean", "clean"]


def test_the_workers_of_a_pool_leave_it_alone(tmp_path):
    code = """
import multiprocessing

def work(number):
    return number * 2

ledger = opened(flush_every=0.001)
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map(work, range(100)) == [number * 2 for number in range(100)]
"""
    run(tmp_path, FORK + code)
    assert outcomes(tmp_path / "main.db") == ["clean"]
    assert consistent(tmp_path / "main.db")


@pytest.fixture
def shared():
    """A directory that others than its owner may enter, too; the tests' own ones are closed to them."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    for found in (directory, *directory.iterdir()):
        found.chmod(0o755)
    shutil.rmtree(directory)


UNPRIVILEGED = """
Ledger.open({warm!r}, flush_every=1).close()  # all that is imported on the way is there
if os.getuid() == 0:
    os.setuid(65534)  # permissions say nothing to root
try:
    Ledger.open({path!r}, flush_every=1)
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("there", "what"),
    [("a new file", "the directory"), ("an old file", "the directory"), ("an old file", "the file")],
)
def test_what_may_not_be_written_is_refused_at_the_start(tmp_path, shared, there, what):
    path = shared / "main.db"
    if there == "an old file":
        run(tmp_path, LEDGER + f"opened({str(path)!r})")
        before = path.read_bytes()
    if what == "the directory":
        shared.chmod(0o555)
    else:
        shared.chmod(0o777)
        (shared / "main.db.lock").chmod(0o666)
        path.chmod(0o444)
    said = run(tmp_path, LEDGER + UNPRIVILEGED.format(warm=str(tmp_path / "warm.db"), path=str(path)))
    assert said.startswith(f"ledger {path}"), said
    assert re.search("cannot be (opened and written|locked)", said), said
    if there == "an old file":
        assert path.read_bytes() == before


def test_while_the_disk_is_full_the_bot_goes_on_and_nothing_is_lost(tmp_path):
    """The kernel refuses to let any file grow, as a full disk does."""
    code = """
import resource
ledger = Ledger.open("main.db", flush_every=0.005)
state = {"n": 0}
waiting = []

def changes():
    state["n"] += 1
    return Changes({**state, "filler": "x" * (1000 * state["n"])}, [str(state["n"])])

ledger.keep("account", "main", changes)
assert ledger.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
until = time.monotonic() + 60
while not faults.errors and time.monotonic() < until:
    time.sleep(0.01)
failed = state["n"]
while state["n"] < failed + 5 and time.monotonic() < until:
    time.sleep(0.01)
assert not ledger.flush()
print(sorted(faults.errors), sum(faults.errors.values()) > 3)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert ledger.flush()
assert len(ledger.executions("main")) >= failed + 5
"""
    output = run(tmp_path, LEDGER + code)
    assert output.count("ledger failed at ") == 1
    assert f"ledger failed at {tmp_path / 'main.db'}, which is said once; the bot is not affected: OperationalError: " in output
    assert "Traceback" not in output
    assert "[('ledger', 'OperationalError')] True" in output
    assert outcomes(tmp_path / "main.db") == ["clean"]
    assert integrity(tmp_path / "main.db") == "ok"
    assert consistent(tmp_path / "main.db")


def test_it_can_be_looked_at_while_it_is_written(tmp_path):
    """By a process that may not write: what it sees is whole, and its look disturbs nothing."""
    code = "ledger = opened(flush_every=0.001)\nprint('ready')\ninput()\nassert not faults.errors"
    with Program(tmp_path, LEDGER + code) as bot:
        seen = set()

        def look():
            with closing(sqlite3.connect(f"file:{tmp_path / 'main.db'}?mode=ro", uri=True)) as connection:
                row = connection.execute(
                    "SELECT (SELECT json_extract(document, '$.n') FROM documents), count(*) FROM executions"
                ).fetchone()
            assert row[0] == row[1]
            seen.add(row)
            return len(seen) > 50

        wait_until(look, "it has been seen at many moments", interval=0.0)
        bot.tell("")
        assert bot.wait() == 0
