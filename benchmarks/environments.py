"""The environment of autometrics, which cannot share ours."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.processes import ROOT

_LOCK = Path(__file__).with_name("autometrics.lock")


class UnavailableError(RuntimeError):
    """The environment cannot be made here, offline for example; the message says why."""


@cache
def autometrics_python() -> Path:
    """Return the interpreter of an environment with autometrics, made once for each content of its lock."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = f"autometrics-{version}-{hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]}"
    directory = ROOT / ".cache" / name
    python = directory / "bin" / "python"
    if not (directory / "complete").exists():
        beside = Path(sys.executable).with_name("uv")
        uv = str(beside) if beside.exists() else shutil.which("uv")
        if uv is None:
            raise UnavailableError("uv is not installed")
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(directory))
        _run(uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "--requirement", str(_LOCK))
        (directory / "complete").touch()
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)  # not for the page: it names addresses and paths
        raise UnavailableError(f"uv {command[1]} failed")
