"""`otel-trading ledger` says what is in a ledger and changes nothing, while a bot has it open and when none has."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from otel_trading.account import Account
from otel_trading.account.ledger import Changes
from otel_trading.cli.commands import group
from otel_trading.risk import CircuitBreaker
from tests.unit.ledger.conftest import NEVER, Source

ORDER = {"names": ["BTC/USD|c1", "BTC/USD|O1"], "filled": "0.30", "cost": "3.0", "fees": {"USD": "0.1"}}
ORDER |= {"single": "0.10", "single_fees": {}}
DOCUMENT = {"cash": "100.10", "peak": float("nan"), "positions": {"BTC/USD": "1"}}


def run(*arguments, status=0):
    result = CliRunner().invoke(group, ["ledger", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
def ledger(open_ledger):
    ledger = open_ledger()
    rows = {
        "flows": [{"time": 1.5, "amount": "100.10", "currency": "EUR", "value": "110.11", "kind": "deposit"}],
        "trades": [{"closed": 2.5, "symbol": 'odd, "quoted"\nsymbol', "pnl": "-0.10", "outcome": "loss"}],
    }
    ledger.keep("account", "main [bold]", Source(Changes(DOCUMENT, ["x-1", "x-2"], rows, [ORDER])))
    ledger.keep("breaker", "daily-loss", Source(Changes({"state": "open"})))
    assert ledger.flush()
    return ledger


@pytest.fixture(params=["open", "closed"])
def either(request, ledger, path):
    """The file while it is open, and after that; with what it is before it is looked at."""
    if request.param == "closed":
        ledger.close()
    before = {
        file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.parent.iterdir() if "shm" not in file.name
    }
    yield path
    after = {
        file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in path.parent.iterdir() if "shm" not in file.name
    }
    assert after == before, "nothing has been changed, and nothing new is beside it"


def test_it_shows_what_there_is(either):
    shown = run("show", either)
    assert f"{either} (version 2)" in shown
    assert "s ago)" in shown
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "Account main [bold]" in lines
    assert "Breaker daily-loss" in lines
    assert {"executions 2", "orders 1", "trades 1", "returns 0"} <= set(lines)


@pytest.fixture
def traded(path):
    """Written by a real account and a real breaker: 10,000 less 250 lost, 250 not yet realised, 5 of fees, 2 won."""
    moment = 1_700_000_000.0
    account = Account(
        "main/a",
        currency="USD",
        cash=10_000,
        strategy="sma",
        venue="kraken",
        ledger=path,
        flush_every=NEVER,
        clock=lambda: moment,
    )
    breaker = CircuitBreaker("daily-loss", account=account, max_daily_loss=0.5, clock=lambda: moment)
    account.fill("BTC/USD", "buy", "0.5", 10_000, fee=5)
    account.mark("BTC/USD", 9_000)
    account.fill("BTC/USD", "sell", "0.25", 9_000)
    account.fill("SOL\x1b/USD", "buy", 1, 10)
    account.fill("SOL\x1b/USD", "sell", 1, 12)
    account.fill("ADA\x1b/USD", "sell", "1.50", "0.25")
    breaker.trip("spread")
    breaker.close()
    account.close()
    account.ledger.close()
    return path


def test_it_says_what_accounts_and_breakers_come_to(traded):
    """Peak 10,000, then 505 less (the marks, the fee), then 2 more."""
    shown = run("show", traded)
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    first, second = lines.index("Account main/a, strategy sma, venue kraken"), lines.index("Rows")
    assert lines[first + 1 : first + 10] == [
        "equity 9,497 USD",
        "cash 7,247.375 USD",
        "peak 10,000 USD",
        "realized -248 USD",
        "drawdown 5.03%, maximum 5.05%",
        "trades 1 (1 win)",
        "positions 2",
        "ADA\\x1b/USD -1.5 at 0.25",
        "BTC/USD 0.25 at 9,000",
    ]
    breaker = lines[lines.index("Breaker daily-loss, account main/a, strategy sma, venue kraken") : second]
    assert breaker[1:3] == ["state open", "reason spread"]
    assert breaker[3].startswith("since 2023-11-14 22:13:20Z (")
    assert max(map(len, shown.splitlines()[4:])) <= 62, "it does not depend on the width of the terminal"


def test_it_says_them_as_json_too(traded):
    account, breaker = json.loads(run("show", "--json", traded))["states"]
    assert (account["name"], account["strategy"], account["venue"]) == ("main/a", "sma", "kraken")
    assert (account["equity"], account["peak"], account["max_drawdown"]) == ("9497.0000", "10000", pytest.approx(0.0505))
    assert [tuple(one.values()) for one in account["positions"]] == [
        ("ADA\x1b/USD", "-1.50", "0.25"),
        ("BTC/USD", "0.25", "9000"),
    ]
    assert (breaker["account"], breaker["state"], breaker["reason"], breaker["since"]) == ("main/a", "open", "spread", 1.7e9)


def test_a_state_that_cannot_be_read_is_said_to_be_so_and_the_rest_is_shown(ledger, path):
    assert ledger
    shown = run("show", path)
    assert "unreadable   Account 'main [bold]'" in shown
    assert "state        open" in shown


def test_tables_to_read_are_as_wide_as_what_is_in_them(ledger, path):
    assert ledger
    shown = run("export", path, "--format", "table", "--table", "trades")
    assert shown.splitlines() == [
        "trades (1)",
        "account      closed                symbol                 pnl    outcome",
        'main [bold]  1970-01-01 00:00:02Z  odd, "quoted"\\nsymbol  -0.10  loss',
    ]
    everything = run("export", path, "--format", "table")
    assert [line.split()[0] for line in everything.splitlines() if line.endswith(")") and " (" in line] == [
        "runs", "documents", "executions", "orders", "flows", "days", "returns", "trades"
    ]  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["show"], ["export"], ["export", "-o", "/dev/full"]], ids=" ".join)
def test_no_room_for_what_it_prints_is_said_in_one_line(ledger, path, arguments):
    ledger.close()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "otel_trading.cli", "ledger", *arguments, str(path)],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: cannot write to ")
    assert "No space left on device" in line


def test_it_says_who_has_it_open_or_how_the_last_run_ended(ledger, path):
    assert f"by the process {os.getpid()} on " in run("show", path)
    ledger.close()
    shown = run("show", path)
    assert "by the process" not in shown
    assert "Last stop      clean" in shown


@pytest.mark.parametrize("ended", ["counted", "not counted yet"])
def test_it_says_that_the_last_stop_was_none_that_is_clean(ended, ledger, path):
    ledger.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        if ended == "counted":
            connection.execute("UPDATE runs SET outcome = 'unclean'")
            connection.execute("UPDATE ledger SET unclean_stops = 3")
        else:
            connection.execute("UPDATE runs SET outcome = NULL, pid = 2147483647")
            connection.execute("UPDATE ledger SET unclean_stops = 2")
    shown = run("show", path)
    assert "Last stop      UNCLEAN: the process ended without closing it" in shown
    assert "Unclean stops  3" in shown


def test_the_same_as_json(either, ledger):
    shown = json.loads(run("show", "--json", either))
    assert shown["file"] == str(either)
    assert (shown["version"], shown["unclean_stops"]) == (2, 0)
    assert shown["run"]["pid"] == os.getpid()
    assert shown["run"]["state"] == ("running" if ledger._state == "open" else "clean")
    assert [(kept["kind"], kept["name"]) for kept in shown["documents"]] == [
        ("account", "main [bold]"),
        ("breaker", "daily-loss"),
    ]
    counts = {"runs": 1, "documents": 2, "executions": 2, "orders": 1, "flows": 1, "days": 0, "returns": 0, "trades": 1}
    assert shown["rows"] == counts


def test_everything_as_json_that_every_reader_takes(either):
    def refuse(constant):
        raise AssertionError(constant)

    exported = json.loads(run("export", either), parse_constant=refuse)
    assert exported["documents"][0]["document"] == {**DOCUMENT, "peak": None}
    assert [row["execution"] for row in exported["executions"]] == ["x-1", "x-2"]
    assert exported["orders"] == [{"account": "main [bold]", "name": "BTC/USD|c1", **ORDER}]
    (flow,) = exported["flows"]
    assert (flow["time"], flow["kind"]) == (1.5, "deposit")
    assert (flow["amount"], flow["currency"], flow["value"]) == ("100.10", "EUR", "110.11")
    assert exported["days"] == []
    assert exported["ledger"]["rows"]["trades"] == 1


def test_one_table_as_csv(either):
    read = list(csv.DictReader(io.StringIO(run("export", either, "--format", "csv", "--table", "trades"))))
    assert read == [
        {"account": "main [bold]", "closed": "2.5", "symbol": 'odd, "quoted"\nsymbol', "pnl": "-0.10", "outcome": "loss"}
    ]
    assert run("export", either, "--format", "csv", "--table", "returns") == "account,time,value\n"
    (order,) = csv.DictReader(io.StringIO(run("export", either, "--format", "csv", "--table", "orders")))
    assert (json.loads(order["names"]), order["filled"], order["cost"]) == (ORDER["names"], "0.30", "3.0")


def test_one_table_as_json(ledger, path):
    assert ledger
    assert list(json.loads(run("export", path, "--table", "flows"))) == ["flows"]


def test_it_goes_into_a_file(ledger, path, tmp_path):
    assert ledger
    run("export", path, "--format", "csv", "--table", "flows", "-o", tmp_path / "flows.csv")
    assert (
        tmp_path / "flows.csv"
    ).read_text() == "account,time,amount,kind,currency,value\nmain [bold],1.5,100.10,deposit,EUR,110.11\n"


def test_a_csv_without_a_table_is_asked_wrongly(ledger, path):
    assert ledger
    assert "choose it with --table" in run("export", path, "--format", "csv", status=2)


def test_a_file_that_is_missing_is_an_error_and_not_made(tmp_path):
    assert "there is no ledger at" in run("show", tmp_path / "none.db", status=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(b""), "is empty; its last good copy is"),
        (lambda path: path.write_text("text" * 100), "is no SQLite database"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "cannot be read"),
    ],
    ids=["empty", "text", "cut"],
)
def test_a_damaged_file_is_an_error_that_says_where_the_copy_is(ledger, path, damage, says):
    ledger.close()
    damage(path)
    shown = run("export", path, status=1)
    assert says in shown
    assert f"{path}.copy" in shown


def test_a_database_of_another_program_is_an_error(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id)")
    assert "is a database of another program" in run("show", path, status=1)


def test_a_newer_version_is_an_error(ledger, path):
    ledger.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "is of version 99" in run("show", path, status=1)
