"""Types are preserved: pyright, in strict mode, sees the plain types of decorated functions."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.programs import missing_program

SAMPLE = Path(__file__).parent


@pytest.mark.timeout(600)  # pyright fetches its own Node.js the first time
def test_decorated_functions_keep_their_types() -> None:
    """No error but the expected ones, and each of those: a comment that expects an error which is not there is one itself."""
    if importlib.util.find_spec("pyright") is None:
        missing_program("pyright is not installed: pip install pyright")
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(SAMPLE), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    found = [f"{each['range']['start']['line'] + 1}: {each['message']}" for each in report["generalDiagnostics"]]
    assert found == [], done.stderr
    assert report["summary"]["filesAnalyzed"] == 1
