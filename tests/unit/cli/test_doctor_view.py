"""How a diagnosis looks: on terminals, and where it is no terminal."""

from __future__ import annotations

import re

import pytest

from otel_trading.cli import doctor_view
from otel_trading.stack.doctor.configuration import Setting
from otel_trading.stack.doctor.examination import Diagnosis
from otel_trading.stack.doctor.finding import ok, warning, wrong

LONG = "what is said of it goes on for so long that no terminal has a line for it, so that it has to be wrapped there " * 2
DIAGNOSIS = Diagnosis(
    [Setting("otlp_endpoint", "http://127.0.0.1:4318/v1/metrics", "environment variable OTEL_EXPORTER_OTLP_ENDPOINT")],
    [
        ok("versions", "all of them"),
        warning("scrape", "odd\x1b[2J[bold]", "look"),
        wrong("collector", LONG.strip(), "start it"),
    ],
)


@pytest.fixture
def terminal(monkeypatch, capsys):
    def shown(columns: int, diagnosis: Diagnosis = DIAGNOSIS) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        doctor_view.show(diagnosis)
        out = capsys.readouterr().out
        assert "\x1b[2J" not in out, "a name clears no screen"
        return re.sub(r"\x1b\[[\d;]*m", "", out).splitlines()

    return shown


@pytest.mark.parametrize("columns", [80, 120])
def test_each_line_fits_the_terminal_and_an_address_stays_whole(columns, terminal):
    lines = terminal(columns)

    assert max(map(len, lines)) <= columns
    assert any("http://127.0.0.1:4318/v1/metrics" in line for line in lines)
    assert any("environment variable OTEL_EXPORTER_OTLP_ENDPOINT" in line for line in lines)


def test_a_finding_begins_with_its_status_and_what_to_do_is_below_it(terminal):
    lines = terminal(120)

    (at,) = (number for number, line in enumerate(lines) if line.startswith("warning"))
    assert lines[at].split()[:2] == ["warning", "scrape"]
    assert "[bold]" in lines[at], "nothing that was said is taken for a style"
    assert lines[at + 1].strip() == "→ look"
    assert lines[-1].strip() == "1 thing wrong, 1 warning."


def test_nothing_wrong_is_said_in_so_many_words(terminal):
    assert terminal(80, Diagnosis([], [ok("versions", "all of them")]))[-1].strip() == "Nothing is wrong."


def test_where_it_is_no_terminal_nothing_is_wrapped_and_no_colours_are_there(capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    doctor_view.show(DIAGNOSIS)

    out = capsys.readouterr().out
    assert LONG.strip() in out
    assert "\x1b" not in out
    assert all(line == line.rstrip() for line in out.splitlines())
