"""How the runs before ended: known from the file, and shown on a metric."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from otel_trading.account.ledger import Changes
from tests.harness import find, scrape
from tests.unit.ledger.conftest import Source


@pytest.fixture
def killed(open_ledger, path):
    """Leave the file as a process does that is killed: as it was while it was open."""

    def kill() -> None:
        ledger = open_ledger()
        ledger.keep("account", "main", Source(Changes({"n": 1})))
        assert ledger.flush()
        beside = {side: path.with_name(f"saved{side}") for side in ("", "-wal", "-shm")}
        for side, saved in beside.items():
            shutil.copyfile(f"{path}{side}", saved)
        ledger.close()
        for side, saved in beside.items():
            saved.replace(f"{path}{side}")

    return kill


def test_a_clean_stop_is_none_that_counts(open_ledger):
    for _ in range(3):
        ledger = open_ledger()
        assert ledger.unclean_stops == 0
        ledger.close()


def test_unclean_stops_add_up_and_stay(open_ledger, killed):
    killed()
    ledger = open_ledger()
    assert ledger.unclean_stops == 1
    assert ledger.document("account", "main") == {"n": 1}
    ledger.close()
    assert open_ledger().unclean_stops == 1, "a clean stop takes none away"
    open_ledger().close()
    killed()
    assert open_ledger().unclean_stops == 2


def test_a_state_that_could_not_be_written_at_the_end_is_no_clean_stop(open_ledger):
    def broken():
        raise RuntimeError("of a source")

    ledger = open_ledger()
    ledger.keep("account", "main", broken)
    ledger.close()
    assert open_ledger().unclean_stops == 1


def test_the_runs_are_in_the_file_with_their_ends(open_ledger, killed, path):
    open_ledger().close()
    killed()
    open_ledger().close()
    with closing(sqlite3.connect(path)) as connection:
        outcomes = [outcome for (outcome,) in connection.execute("SELECT outcome FROM runs ORDER BY id")]
    assert outcomes == ["clean", "unclean", "clean"]


def test_they_are_a_metric_of_each_account(open_ledger, killed, configured):
    killed()
    ledger = open_ledger()
    ledger.keep("account", "main", Source())
    ledger.keep("account", "other|sma", Source(), account="other")
    ledger.keep("breaker", "daily-loss", Source())
    with configured() as telemetry:
        samples = find(scrape(telemetry.endpoint_url), "trading_sdk_unclean_stops_total")
        assert {sample.labels["trading_account_name"]: sample.value for sample in samples} == {"main": 1, "other": 1}
        ledger.close()
        assert not find(scrape(telemetry.endpoint_url), "trading_sdk_unclean_stops_total")
