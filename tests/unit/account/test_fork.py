"""A process that forks while another thread is inside the account: the child goes on by itself."""

from __future__ import annotations

import os

import pytest

from tests.harness import FORKED
from tests.harness.python_programs import run

PROGRAM = """
import otel_trading as ot

account = ot.Account("main", currency="USD", cash=1000, ledger="main.db", flush_every=60)
account.fill("AAPL", "buy", 1, 100)

def child():
    account.fill("AAPL", "buy", 9, 100)
    account.mark("AAPL", 110)
    assert account.equity == 1100, account.equity
    ot.Account("of the child", currency="USD").close()
    account.close()

with held(account._lock):
    assert forked(child) == 0
assert account.positions["AAPL"].size == 1
account.close()
again = ot.Account("main", currency="USD", ledger="main.db", flush_every=60)
assert again.positions["AAPL"].size == 1  # the child wrote nothing
again.close()
again.ledger.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_child_goes_on_by_itself_and_writes_nothing(tmp_path) -> None:
    run(tmp_path, FORKED + PROGRAM)
