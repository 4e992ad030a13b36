"""A file that is not what was written: the last good copy, or an error that says what to do; never silent zeros."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from otel_trading import ConfigurationError
from otel_trading.account.ledger import Changes, Ledger, schema
from otel_trading.account.ledger.copies import copy_of
from otel_trading.metrics import faults
from tests.unit.ledger.conftest import Source

STATE = {"n": 1, "filler": "x" * 30_000}


@pytest.fixture
def written(open_ledger, path) -> Path:
    """A ledger with a state in it, closed, with its copy beside it."""
    ledger = open_ledger()
    executions = [f"execution {number}" for number in range(2_000)]
    ledger.keep("account", "main", Source(Changes(STATE, executions, {"flows": [{"time": 1, "amount": "2"}]})))
    ledger.close()
    return path


def cut_to(size):
    def damage(path):
        with path.open("rb+") as file:
            file.truncate(size(path.stat().st_size))

    return damage


def overwrite(start, content):
    def damage(path):
        with path.open("rb+") as file:
            file.seek(start)
            file.write(content)

    return damage


def sql(script):
    def damage(path):
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)

    return damage


DAMAGES = {
    "empty": (cut_to(lambda _: 0), "is empty"),
    "cut within the header": (cut_to(lambda _: 90), "is no SQLite database"),
    "cut to a page": (cut_to(lambda _: 4096), "is damaged"),
    "half of it": (cut_to(lambda size: size // 2), "is damaged"),
    "without its last byte": (cut_to(lambda size: size - 1), "is damaged"),
    "text": (lambda path: path.write_text("cash: 100\n" * 100), "is no SQLite database"),
    "zeros at the start": (overwrite(0, bytes(8192)), "is no SQLite database"),
    "noise in the schema": (overwrite(100, b"\xa5" * 3000), "is damaged"),
    "noise in the pages": (overwrite(3 * 4096, b"\xa5" * 16384), "is damaged"),
    "a table is missing": (sql("DROP TABLE executions;"), "has no table executions"),
    "a state that is no JSON": (sql("UPDATE documents SET document = substr(document, 1, 100);"), "is not readable"),
    "a version that is none": (sql("PRAGMA user_version = 0;"), "is damaged"),
}


@pytest.fixture(params=DAMAGES, ids=str)
def damaged(request, written):
    damage, says = DAMAGES[request.param]
    damage(written)
    return says


def test_the_copy_is_taken_and_it_is_said(damaged, written, open_ledger, caplog):
    broken = written.read_bytes()
    ledger = open_ledger()
    assert ledger.document("account", "main") == STATE
    assert len(ledger.executions("main")) == 2_000
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert damaged in record.getMessage()
    assert str(written) in record.getMessage()
    assert "going on from its copy, which was written last at 20" in record.getMessage()
    assert "sync_fills()" in record.getMessage()
    (aside,) = [found for found in written.parent.glob("main.db.damaged-*") if found.suffix not in {"-wal", "-shm"}]
    assert aside.read_bytes() == broken, "what was there is kept"


def test_without_a_copy_the_error_names_the_file_and_what_to_do(damaged, written):
    copy_of(written).unlink()
    before = written.read_bytes()
    with pytest.raises(ConfigurationError, match=damaged) as error:
        Ledger.open(written)
    assert str(written) in str(error.value)
    assert "put a backup in its place, or move it away to begin anew" in str(error.value)
    assert written.read_bytes() == before


def test_a_copy_that_is_damaged_too_is_not_taken(written):
    cut_to(lambda size: size // 2)(written)
    cut_to(lambda size: size // 3)(copy_of(written))
    before = written.read_bytes(), copy_of(written).read_bytes()
    with pytest.raises(ConfigurationError, match=r"and its copy .* is damaged"):
        Ledger.open(written)
    assert (written.read_bytes(), copy_of(written).read_bytes()) == before
    assert not list(written.parent.glob("*.new"))


def test_a_file_that_is_missing_comes_back_from_its_copy(written, open_ledger, caplog):
    written.unlink()
    assert open_ledger().document("account", "main") == STATE
    assert "is missing; going on from its copy" in caplog.text


def test_what_the_damaged_file_had_beside_it_does_not_reach_the_copy(open_ledger, path):
    """A write-ahead log of another database would be replayed into the restored one."""
    ledger = open_ledger()
    source = Source(Changes({"n": 1}))
    ledger.keep("account", "main", source)
    ledger.flush()
    ledger._submit(ledger._copy).result()
    for number in range(2, 50):
        source.tell({"n": number, "filler": "y" * 5_000})
        ledger.flush()
    saved = path.with_name("saved-wal")
    shutil.copyfile(f"{path}-wal", saved)
    copy = copy_of(path).read_bytes()
    ledger.close()
    copy_of(path).write_bytes(copy)
    overwrite(0, bytes(5_000))(path)
    saved.replace(f"{path}-wal")
    assert open_ledger().document("account", "main") == {"n": 1}


LOST_LOGS = {
    "no log": (lambda log: log.unlink(), False),
    "noise at its start": (overwrite(0, b"\xa5" * 64), True),
    "noise in its pages": (overwrite(200, b"\xa5" * 64), True),
}


@pytest.mark.parametrize(("damage", "said"), LOST_LOGS.values(), ids=LOST_LOGS)
def test_a_log_that_is_lost_takes_no_more_than_what_came_after_the_last_copy(open_ledger, path, caplog, damage, said):
    """The first run of all, killed: SQLite starts without a word from the file alone when it cannot read the log."""
    ledger = open_ledger()
    source = Source(Changes({"n": 1}, ["1"]))
    ledger.keep("account", "main", source)
    assert ledger.flush()
    source.tell({"n": 2}, ["2"])
    assert ledger.flush()
    beside = {side: path.with_name(f"saved{side}") for side in ("", "-wal")}
    for side, saved in beside.items():
        shutil.copyfile(f"{path}{side}", saved)
    ledger.close()
    for side, saved in beside.items():
        saved.replace(f"{path}{side}")
    damage(path.with_name(f"{path.name}-wal"))
    ledger = open_ledger()
    assert (ledger.document("account", "main"), ledger.executions("main")) == ({"n": 1}, ["1"])
    assert ledger.unclean_stops == 1
    assert ("nothing in the write-ahead log of the ledger" in caplog.text) == said


def test_a_copy_is_not_made_of_a_ledger_that_is_damaged_while_it_is_open(written, open_ledger):
    good = copy_of(written).read_bytes()
    ledger = open_ledger()
    with written.open("rb+") as file:
        file.seek(3 * 4096)
        file.write(b"\xa5" * 16384)
    ledger.close()
    with closing(sqlite3.connect(copy_of(written))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(good) == copy_of(written).stat().st_size


def foreign(path, script="CREATE TABLE orders (id); INSERT INTO orders VALUES (1);"):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


@pytest.mark.parametrize(
    "script",
    ["CREATE TABLE orders (id);", "PRAGMA journal_mode = WAL; CREATE TABLE orders (id);", "PRAGMA application_id = 7; VACUUM;"],
    ids=["plain", "wal", "with an id of its own"],
)
@pytest.mark.parametrize("copy", [False, True], ids=["", "with a copy"])
def test_a_database_of_another_program_is_refused_and_left_as_it_is(path, script, copy, open_ledger):
    if copy:
        open_ledger().close()
        path.unlink()
    foreign(path, script)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="is a database of another program; nothing was changed, name another file"):
        Ledger.open(path)
    assert path.read_bytes() == before


def test_a_newer_version_is_refused_and_left_as_it_is(written):
    sql(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")(written)
    before = written.read_bytes()
    newest = len(schema.MIGRATIONS)
    with pytest.raises(ConfigurationError, match=rf"is of version {newest + 1}, and this otel_trading knows up to {newest}"):
        Ledger.open(written)
    assert written.read_bytes() == before


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="is a directory; name a file in it"):
        Ledger.open(tmp_path)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="its directory cannot be made"):
        Ledger.open(tmp_path / "file" / "main.db")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the place where no file can be made is Linux's")
def test_a_place_where_no_file_can_be_made_is_not_said_to_be_another_process():
    with pytest.raises(ConfigurationError, match="no file can be made in /proc, name another place"):
        Ledger.open(Path("/proc/main.db"))


def test_a_refused_file_is_free_again(written, open_ledger):
    sql("PRAGMA user_version = 99")(written)
    with pytest.raises(ConfigurationError):
        Ledger.open(written)
    sql(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")(written)
    assert open_ledger().document("account", "main") == STATE


def test_a_file_that_somebody_else_is_writing_is_refused_and_says_why(written):
    with closing(sqlite3.connect(written)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ConfigurationError, match="cannot be opened and written: database is locked"):
            Ledger.open(written)


@pytest.mark.parametrize("which", ["the file alone", "all that is in the directory"])
def test_a_file_that_is_deleted_while_it_is_open_is_written_again(written, open_ledger, caplog, which):
    ledger = open_ledger()
    source = Source(Changes({"n": 2}, ["2"]))
    ledger.keep("account", "main", source)
    assert ledger.flush()
    for found in [written] if which == "the file alone" else list(written.parent.iterdir()):
        found.unlink()
    source.tell({"n": 3}, ["3"])
    assert ledger.flush()
    assert "was deleted while it is open, and was written again" in caplog.text
    with closing(sqlite3.connect(written)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert other.execute("SELECT document FROM documents").fetchall() == [('{"n": 3}',)]
        assert other.execute("SELECT count(*) FROM executions").fetchall() == [(2_002,)]
    source.tell({"n": 4}, ["4"])
    ledger.close()
    again = open_ledger()
    assert again.document("account", "main") == {"n": 4}
    assert again.unclean_stops == 0


def test_a_file_that_is_put_in_its_place_is_not_written_to(written, open_ledger):
    ledger = open_ledger()
    source = Source(Changes({"n": 2}))
    ledger.keep("account", "main", source)
    assert ledger.flush()
    other = written.with_name("other.db")
    other.write_bytes(b"of somebody else")
    other.replace(written)
    source.tell({"n": 3})
    assert not ledger.flush()
    assert faults.errors["ledger", "OSError"] == 1
    ledger.close()
    assert written.read_bytes() == b"of somebody else"
