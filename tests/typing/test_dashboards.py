"""What builds the dashboards keeps to the types of Grafana's own library: pyright, in strict mode, on the Python that it needs."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.programs import missing_program

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "otel_trading" / "stack" / "grafana" / "build"


@pytest.mark.timeout(600)  # pyright fetches its own Node.js the first time
@pytest.mark.skipif(sys.version_info < (3, 11), reason="grafana-foundation-sdk needs Python 3.11")
def test_what_builds_the_dashboards_is_well_typed() -> None:
    if importlib.util.find_spec("pyright") is None:
        missing_program("pyright is not installed: pip install pyright")
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "-p",
        str(HERE / "dashboards.json"),
        "--pythonpath",
        sys.executable,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    found = [f"{each['file']}:{each['range']['start']['line'] + 1}: {each['message']}" for each in report["generalDiagnostics"]]
    assert found == [], done.stderr
    assert report["summary"]["filesAnalyzed"] == len(list(BUILD.glob("*.py")))
