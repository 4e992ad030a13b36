"""`make bench-gateway` runs, and finds what it sent in the store; no time is asserted."""

from __future__ import annotations

import re

from benchmarks import gateway
from benchmarks.gateway import BEGIN, END, PAGE


def test_it_prints_a_row_for_each_program_and_writes_the_page_after_a_whole_run_only(capsys) -> None:
    """A short run goes through: each case compares what arrived with what was sent."""
    page = PAGE.read_text(encoding="utf-8")
    gateway.main(["--seconds", "0.2"])
    table = rows(capsys.readouterr().out)
    assert [row[0] for row in table] == ["agent that is scraped", "gateway", "its store", "agent that sends on", "its gateway"]
    assert PAGE.read_text(encoding="utf-8") == page


def test_the_page_shows_what_it_printed() -> None:
    """Between two markers, which a later run looks for."""
    shown = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)
    assert shown[1] == END
    assert len(rows(shown[0])) == 5


def rows(text: str) -> list[list[str]]:
    """Return the cells of a table's rows, without its head."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| [^-]", line)]
    return lines[1:]
