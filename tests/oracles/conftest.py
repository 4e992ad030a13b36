"""What the oracles say of real prices, asked once in a session."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from benchmarks.environments import UnavailableError, python_of
from benchmarks.processes import ROOT
from tests.harness.programs import missing_program

ASK = Path(__file__).with_name("ask_oracles.py")


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answers; the first of the workers asks, the others wait for it."""
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    file, reason = session / "answers.json", session / "no-answers"
    with FileLock(session / "answers.lock"):
        if not file.exists() and not reason.exists():
            try:
                python = python_of("oracles", ROOT / "requirements" / "oracles.lock")
            except UnavailableError as error:
                reason.write_text(f"the environment of the oracles cannot be made: {error}", encoding="utf-8")
            else:
                unfinished = file.with_suffix(".unfinished")
                subprocess.run([python, ASK, unfinished], check=True)
                unfinished.rename(file)
    if not file.exists():
        missing_program(reason.read_text(encoding="utf-8"))
    return json.loads(file.read_bytes())
