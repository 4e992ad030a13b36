"""`otel-trading ledger`: what an account keeps on disk, looked at without changing it, also while the bot runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from otel_trading.account.ledger.view import Summary, View

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_TABLES = ("runs", "documents", "executions", "orders", "flows", "days", "returns", "trades")


@click.group(name="ledger")
def command() -> None:
    """Look into the file in which accounts and breakers keep what survives a restart.

    Nothing is changed, and the bot may run meanwhile.
    """


@command.command()
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(file: Path, *, as_json: bool) -> None:
    """Say what the accounts and breakers in the ledger FILE come to, and how the last run ended."""
    from otel_trading.cli import ledger_view

    with _view(file) as view:
        summary, states = view.summary(), ledger_view.states(view)
    if as_json:
        _write(json.dumps({**_as_json(file, summary), "states": states}, indent=2) + "\n")
    else:
        _write(ledger_view.shown(file, summary, states))


@command.command()
@_FILE
@click.option("--format", "form", type=click.Choice(["json", "csv", "table"]), default="json", show_default=True)
@click.option("--table", type=click.Choice(_TABLES), help="Only this one.  [default: all of them; a CSV has one]")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="[default: stdout]")
def export(file: Path, form: str, table: str | None, output: Path | None) -> None:
    """Write what is in the ledger FILE: as JSON, one table of it as CSV, or tables to read.

    Times are unix seconds, in tables to read UTC. Money is text with all its digits.
    """
    if form == "csv" and table is None:
        raise click.UsageError(f"a CSV has one table: choose it with --table, one of {', '.join(_TABLES)}")
    with _view(file) as view:
        tables = [table] if table else list(_TABLES)
        if form == "csv" and table is not None:
            text = _csv(view, table)
        elif form == "table":
            text = _tables(view, tables)
        else:
            content: dict[str, Any] = {} if table else {"ledger": _as_json(file, view.summary())}
            text = json.dumps({**content, **{name: _rows(view, name) for name in tables}}, indent=1) + "\n"
    _write(text, output)


def _write(text: str, output: Path | None = None) -> None:
    """Write to a file or to standard output; what the disk has against it is said in a line."""
    try:
        if output is not None and str(output) != "-":
            output.write_text(text, encoding="utf-8", newline="\n")
        else:
            click.echo(text, nl=False)
    except BrokenPipeError:
        raise  # who reads it has seen enough; click ends quietly
    except OSError as error:
        raise click.ClickException(f"cannot write to {output or 'standard output'}: {error}") from error


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
    from otel_trading.account.ledger.schema import JSON
    from otel_trading.account.ledger.view import document

    rows = list(view.rows(table))
    for row in rows:
        row.update({column: document(row[column]) for column in JSON.get(table, ())})
    return rows


def _csv(view: View, table: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, view.columns(table), lineterminator="\n")
    writer.writeheader()
    writer.writerows(view.rows(table))
    return text.getvalue()


def _tables(view: View, tables: Sequence[str]) -> str:
    from otel_trading.cli import ledger_view

    return "\n".join(ledger_view.table(name, view.columns(name), view.rows(name)) for name in tables)


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
