"""What is in a ledger as text: lines that stay readable on a narrow terminal and in a file, so no frames and no wrapping."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from otel_trading.account import persistence
from otel_trading.account.ledger import keys
from otel_trading.account.ledger.view import Run, Summary, View, document
from otel_trading.cli.printable import printable

_ENDINGS = {"clean": "clean", "unclean": "UNCLEAN: the process ended without closing it"}
_TIMES = ("time", "closed", "started", "written")
"""Columns of unix seconds."""

_PARTS = {"account": ("name", "strategy", "venue"), "breaker": ("name", "account", "strategy", "venue")}
"""What the name of a state is made of."""


def states(view: View) -> list[dict[str, Any]]:
    """Each account and each breaker with what is to be said of it, money as text; `error` where it cannot be read."""
    return [
        {
            "kind": row["kind"],
            **dict(zip(_PARTS.get(row["kind"], ("name",)), keys.parts(row["name"]), strict=False)),
            "written": row["written"],
            **_figures(row["kind"], row["name"], row["document"]),
        }
        for row in view.rows("documents")
    ]


def _figures(kind: str, name: str, text: str) -> dict[str, Any]:
    try:
        found = document(text)
        if kind == "account":
            return _account(persistence.summary(found, name))
        return _breaker(found) if kind == "breaker" else {}
    except (AttributeError, ValueError) as error:  # also a ConfigurationError, which is a ValueError
        return {"error": str(error)}


def _breaker(found: Mapping[str, Any]) -> dict[str, Any]:
    since = found.get("since")
    return {
        "state": found.get("state"),
        "reason": found.get("reason") or None,
        "since": since if isinstance(since, (int, float)) and since else None,
    }


def _account(found: Mapping[str, Any]) -> dict[str, Any]:
    positions = [
        {"symbol": symbol, "size": _plain(size), "price": _plain(price)}
        for symbol, (size, price) in sorted(found["positions"].items())
    ]
    return {**{name: _plain(value) for name, value in found.items()}, "positions": positions}


def _plain(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else value


def shown(file: Path, summary: Summary, found: Iterable[Mapping[str, Any]]) -> str:
    """Return what `ledger show` prints."""
    lines = [
        _line("Ledger", f"{file} (version {summary.version})"),
        _line("Written last", "never" if summary.run is None else when(summary.run.written)),
        *_ended(summary.run),
        _line("Unclean stops", str(summary.unclean_stops)),
    ]
    for state in found:
        lines += ["", *_state(state)]
    lines += ["", "Rows", *(_line(f"  {table}", f"{count:,}") for table, count in summary.rows.items())]
    return "\n".join(lines) + "\n"


def _state(state: Mapping[str, Any]) -> Iterator[str]:
    named = [f"{part} {printable(state[part])}" for part in ("account", "strategy", "venue") if state.get(part)]
    yield ", ".join([f"{state['kind'].capitalize()} {printable(state['name'])}", *named])
    if "error" in state:
        yield _line("  unreadable", printable(state["error"]))
    elif state["kind"] == "account":
        yield from _lines_of_account(state)
    elif state["kind"] == "breaker":
        yield _line("  state", printable(state["state"]))
        if state["reason"] is not None:
            yield _line("  reason", printable(state["reason"]))
        if state["since"] is not None:
            yield _line("  since", when(state["since"]))
    yield _line("  written", when(state["written"]))


def _lines_of_account(account: Mapping[str, Any]) -> Iterator[str]:
    currency = printable(account["currency"])
    for name in ("equity", "cash", "peak", "realized"):
        yield _line(f"  {name}", "unknown" if account[name] is None else f"{_money(account[name])} {currency}")
    yield _line("  drawdown", f"{_percent(account['drawdown'])}, maximum {_percent(account['max_drawdown'])}")
    outcomes = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(account["trades"].items()))
    yield _line("  trades", f"{sum(account['trades'].values()):,}" + (f" ({outcomes})" if outcomes else ""))
    yield _line("  positions", f"{len(account['positions']):,}")
    for position in account["positions"]:
        price = "" if position["price"] is None else f" at {_money(position['price'])}"
        yield f"    {printable(position['symbol'])} {_money(position['size'])}{price}"


def table(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows below each other, each column as wide as its widest cell; times in UTC, of a document its size."""
    cells = [[_cell(column, row[column]) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in [columns, *cells]
    ]
    return "\n".join([f"{name} ({len(cells):,})", *lines]) + "\n"


def _cell(column: str, value: object) -> str:
    if value is None:
        return "-"
    if column in _TIMES and isinstance(value, (int, float)):
        return _utc(value)
    if column == "document":
        return f"{len(value if isinstance(value, str) else json.dumps(value)):,} characters"
    return printable(value)


def _line(label: str, text: str) -> str:
    return f"{label:<14} {text}"


def _ended(run: Run | None) -> list[str]:
    if run is None:
        return []
    if run.state == "running":
        return [_line("Open", f"by the process {run.pid} on {run.host}, since {when(run.started)}")]
    return [_line("Last stop", _ENDINGS[run.state])]


def _money(text: str) -> str:
    """With all its digits but zeros at the end, which say nothing of money."""
    value = f"{Decimal(text):,f}"
    return value.rstrip("0").rstrip(".") if "." in value else value


def _percent(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{ratio:.2%}"


def _utc(moment: float) -> str:
    try:
        return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return f"{moment!r} s"


def when(moment: float) -> str:
    """Return a time, and how long ago it is."""
    seconds = max(0.0, time.time() - moment)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{_utc(moment)} ({seconds / size:.0f} {unit} ago)"
    return f"{_utc(moment)} ({seconds:.0f} s ago)"
