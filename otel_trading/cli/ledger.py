"""`otel-trading ledger`: what an account keeps on disk, looked at without changing it, also while the bot runs."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from otel_trading.account.ledger.view import Run, Summary, View

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_TABLES = ("runs", "documents", "executions", "flows", "days", "returns", "trades")

_STATES = {"clean": "clean", "unclean": "UNCLEAN: the process ended without closing it"}


@click.group(name="ledger")
def command() -> None:
    """Look into the file in which accounts and breakers keep what survives a restart.

    Nothing is changed, and the bot may run meanwhile.
    """


@command.command()
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(file: Path, *, as_json: bool) -> None:
    """Say what is in the ledger FILE, when it was written last, and how the last run ended."""
    with _view(file) as view:
        summary = view.summary()
    if as_json:
        click.echo(json.dumps(_as_json(file, summary), indent=2))
    else:
        _print(file, summary)


@command.command()
@_FILE
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json", show_default=True)
@click.option("--table", type=click.Choice(_TABLES), help="Only this one.  [default: all of them; a CSV has one]")
@click.option("--output", "-o", type=click.File("w", encoding="utf-8"), default="-", metavar="FILE", help="[default: stdout]")
def export(file: Path, form: str, table: str | None, output: IO[str]) -> None:
    """Write what is in the ledger FILE, as JSON or one table of it as CSV.

    Times are unix seconds. Money is text with all its digits.
    """
    if form == "csv" and table is None:
        raise click.UsageError(f"a CSV has one table: choose it with --table, one of {', '.join(_TABLES)}")
    with _view(file) as view:
        if form == "csv" and table is not None:
            text = _csv(view, table)
        else:
            tables = [table] if table else list(_TABLES)
            content: dict[str, Any] = {} if table else {"ledger": _as_json(file, view.summary())}
            text = json.dumps({**content, **{name: _rows(view, name) for name in tables}}, indent=1) + "\n"
    output.write(text)


@contextmanager
def _view(file: Path) -> Iterator[View]:
    from otel_trading.account.ledger.view import view
    from otel_trading.errors import ConfigurationError

    try:
        with view(file) as opened:
            yield opened
    except ConfigurationError as wrong:
        raise click.ClickException(str(wrong)) from wrong


def _rows(view: View, table: str) -> list[dict[str, Any]]:
    from otel_trading.account.ledger.view import document

    rows = list(view.rows(table))
    if table == "documents":
        for row in rows:
            row["document"] = document(row["document"])
    return rows


def _csv(view: View, table: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, view.columns(table), lineterminator="\n")
    writer.writeheader()
    writer.writerows(view.rows(table))
    return text.getvalue()


def _as_json(file: Path, summary: Summary) -> dict[str, Any]:
    run = summary.run
    return {
        "file": str(file),
        "version": summary.version,
        "unclean_stops": summary.unclean_stops,
        "run": None if run is None else {**vars(run)},
        "documents": [vars(document) for document in summary.documents],
        "rows": summary.rows,
    }


def _print(file: Path, summary: Summary) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    facts = {
        "Ledger": f"{file} (version {summary.version})",
        "Written last": "never" if summary.run is None else _when(summary.run.written),
        **_ended(summary.run),
        "Unclean stops": str(summary.unclean_stops),
    }
    for name, fact in facts.items():
        click.echo(f"{name:<14} {fact}")  # a path stays whole, however narrow the terminal is
    states = Table("Kind", "Name", "Written", "Bytes", title="States", title_justify="left")
    for kept in summary.documents:
        states.add_row(kept.kind, kept.name, _when(kept.written), f"{kept.size:,}")
    console.print(states)
    rows = Table("Table", "Rows", title="Rows", title_justify="left")
    for table, count in summary.rows.items():
        rows.add_row(table, f"{count:,}")
    console.print(rows)


def _ended(run: Run | None) -> dict[str, str]:
    if run is None:
        return {}
    if run.state == "running":
        return {"Open": f"by the process {run.pid} on {run.host}, since {_when(run.started)}"}
    return {"Last stop": _STATES[run.state]}


def _when(moment: float) -> str:
    text = datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
    seconds = max(0.0, time.time() - moment)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{text} ({seconds / size:.0f} {unit} ago)"
    return f"{text} ({seconds:.0f} s ago)"
