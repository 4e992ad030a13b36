"""Breakers, alerts and drift in a process that forked while other threads held every lock of theirs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading
from contextlib import ExitStack
import otel_trading as ot
from otel_trading.account.ledger import Ledger
from otel_trading.recording.drift import SCORE
from otel_trading.risk import breaker as breakers

book = Ledger.open("risk.db", flush_every=0.05)
breaker = ot.CircuitBreaker("b", max_order_rate=3, ledger=book)
breaker.trip("spread")
drift = ot.Drift(reference=[0.0, 1.0], bins=2)
watch = drift.of("model")
locks = [breaker._lock, breakers._live_lock, watch._lock]
held, go = threading.Event(), threading.Event()

def hold():
    with ExitStack() as stack:
        for lock in locks:
            stack.enter_context(lock)
        held.set()
        go.wait()

holder = threading.Thread(target=hold)
holder.start()
held.wait()
child = os.fork()
if not child:
    signal.alarm(30)  # whoever waits for ever is ended
    code = 1
    try:
        assert (breaker.check(), breaker.reason) == (False, "spread")
        breaker.reset()
        assert breaker.state == "closed"
        watch.number(SCORE, 0.5)
        ot.CircuitBreaker("of the child").close()
        breaker.close()
        code = 0
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        os._exit(code)
go.set()
holder.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert breaker.state == "open"
breaker.close()
assert book.document("breaker", "b")["reason"] == "spread"  # the child wrote nothing
book.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_child_goes_on_by_itself_and_writes_nothing(tmp_path) -> None:
    # A thread beside a fork is what Python 3.12 and later warn of.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, timeout=90, check=False, capture_output=True, text=True, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
