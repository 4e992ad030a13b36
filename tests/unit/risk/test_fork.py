"""Breakers, alerts and drift in a process that forked while other threads held every lock of theirs."""

from __future__ import annotations

import os

import pytest

from tests.harness import FORKED
from tests.harness.python_programs import run

PROGRAM = """
import otel_trading as ot
from otel_trading.account.ledger import Ledger
from otel_trading.risk import breaker as breakers

book = Ledger.open("risk.db", flush_every=0.05)
breaker = ot.CircuitBreaker("b", max_order_rate=3, ledger=book)
breaker.trip("spread")
drift = ot.Drift(reference=[0.0, 1.0], bins=2)
watch = drift.of("model")

def child():
    assert (breaker.check(), breaker.reason) == (False, "spread")
    breaker.reset()
    assert breaker.state == "closed"
    assert watch._figures() == [(None, {"trading.drift.variable": "prediction.score"})]
    ot.CircuitBreaker("of the child").close()
    breaker.close()

with held(breaker._lock, breakers._live_lock, *(each.lock for each in watch.variables.values())):
    assert forked(child) == 0
assert breaker.state == "open"
breaker.close()
assert book.document("breaker", "b")["reason"] == "spread"  # the child wrote nothing
book.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_child_goes_on_by_itself_and_writes_nothing(tmp_path) -> None:
    run(tmp_path, FORKED + PROGRAM)
