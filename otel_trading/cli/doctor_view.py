"""A diagnosis for people: a line for each finding, and below it what to do."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from otel_trading.cli.printable import printable
from otel_trading.stack.doctor.examination import Diagnosis
from otel_trading.stack.doctor.finding import times

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}
_NARROW = 100
"""Columns below which where a setting came from is on a line of its own."""
_WIDE = 10_000
"""Columns of what is no terminal: nothing is wrapped there, so that it can be searched."""


def show(diagnosis: Diagnosis) -> None:
    """Print it to standard output, in colours on a terminal."""
    console = Console(highlight=False)
    if console.is_terminal:
        _print(console, diagnosis)
        return
    plain = Console(highlight=False, width=_WIDE)
    with plain.capture() as captured:
        _print(plain, diagnosis)
    console.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _print(console: Console, diagnosis: Diagnosis) -> None:
    if diagnosis.settings:
        console.print(Text("Settings that are not defaults", style="bold"))
        console.print(_settings(diagnosis, narrow=console.width < _NARROW))
        console.print()
    console.print(_findings(diagnosis))
    console.print()
    console.print(_verdict(diagnosis))


def _settings(diagnosis: Diagnosis, *, narrow: bool) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for setting in diagnosis.settings:
        value, origin = Text(printable(setting.value)), Text(printable(setting.origin), style="dim")
        if narrow:
            table.add_row(f"  {setting.name}", value)
            table.add_row("", origin)
        else:
            table.add_row(f"  {setting.name}", value, origin)
    return table


def _findings(diagnosis: Diagnosis) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in diagnosis.findings:
        table.add_row(Text(finding.status, style=_STYLES[finding.status]), finding.check, Text(printable(finding.says)))
        if finding.mend:
            table.add_row("", "", Text(f"→ {printable(finding.mend)}", style="cyan"))
    return table


def _verdict(diagnosis: Diagnosis) -> Text:
    wrong, warnings = diagnosis.count("wrong"), diagnosis.count("warning")
    said = f"{times(wrong, 'thing')} wrong" if wrong else "Nothing is wrong"
    return Text(f"{said}, {times(warnings, 'warning')}." if warnings else f"{said}.", style=_STYLES["wrong" if wrong else "ok"])
