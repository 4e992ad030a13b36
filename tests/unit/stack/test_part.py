"""A program of the stack as our child: what it is handed, and what becomes of what it prints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from otel_trading.stack import part as module
from otel_trading.stack.part import Part
from tests.harness import wait_until

CHATTERING = "i=0; while :; do i=$((i + 1)); echo line $i; sleep 0.01; done"


@pytest.fixture
def chatterer(tmp_path, monkeypatch) -> Iterator[Part]:
    monkeypatch.setenv("EXCHANGE_API_SECRET", "secret")  # in the environment of whoever starts it
    shell = shutil.which("sh")
    assert shell is not None
    part = Part(
        "chatterer", [shell, "-c", CHATTERING],
        ready_url="", directory=tmp_path, log=tmp_path / "chatterer.log", environment={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    part.start()
    yield part
    part.ask_to_end()
    part.end()


def trimmed(part: Part) -> bool:
    part.trim_log()
    return part.log.with_name("chatterer.log.1").exists()


def test_it_has_the_environment_that_it_is_handed_and_no_more(chatterer):
    wait_until(lambda: "line 1" in chatterer.log.read_text(), "setpriv has become the program, and that has begun")
    assert {name for name in psutil.Process(chatterer.pid).environ() if name not in {"PWD", "SHLVL", "_", "OLDPWD"}} == {"PATH"}


def test_what_it_printed_last_fits_a_terminal(chatterer):
    chatterer.ask_to_end()
    chatterer.end()
    chatterer.log.write_text("".join(f"{number} {'x' * 300 if number == 8 else 'said'}\n" for number in range(12)))
    *_, long, _, _, last = shown = chatterer.last_lines().splitlines()
    assert (len(shown), long, last) == (10, f"    8 {'x' * 197}…", "    11 said")


def test_a_log_that_is_long_begins_anew_while_the_program_writes_on(chatterer, monkeypatch):
    monkeypatch.setattr(module, "LOG_SIZE", 200)
    wait_until(lambda: trimmed(chatterer), "the log was longer than it may be")
    old = chatterer.log.with_name("chatterer.log.1").read_text().splitlines()
    wait_until(lambda: chatterer.log.stat().st_size > 50, "it goes on")
    new = chatterer.log.read_bytes()
    assert old[0] == "line 1"
    assert new.startswith(b"line "), "nothing but what was printed since"
    assert int(new.splitlines()[0].split()[1]) > 20


def test_a_log_that_is_short_stays(chatterer):
    wait_until(lambda: "line 5" in Path(chatterer.log).read_text(), "it has printed")
    chatterer.trim_log()
    assert Path(chatterer.log).read_text().startswith("line 1\n")


def test_a_log_that_is_gone_does_not_matter(chatterer):
    chatterer.log.unlink()
    chatterer.trim_log()
    assert chatterer.running
