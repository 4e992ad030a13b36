"""A process that forks while another thread is inside the account: the child goes on by itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading
import otel_trading as ot

account = ot.Account("main", currency="USD", cash=1000, ledger="main.db", flush_every=60)
account.fill("AAPL", "buy", 1, 100)
held, go = threading.Event(), threading.Event()

def hold():
    with account._lock:
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
        account.fill("AAPL", "buy", 9, 100)
        account.mark("AAPL", 110)
        assert account.equity == 1100, account.equity
        ot.Account("of the child", currency="USD").close()
        account.close()
        code = 0
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        os._exit(code)
go.set()
holder.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert account.positions["AAPL"].size == 1
account.close()
again = ot.Account("main", currency="USD", ledger="main.db", flush_every=60)
assert again.positions["AAPL"].size == 1  # the child wrote nothing
again.close()
again.ledger.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_child_goes_on_by_itself_and_writes_nothing(tmp_path) -> None:
    # A thread beside a fork is what Python 3.12 and later warn of.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, timeout=90, check=False, capture_output=True, text=True, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
