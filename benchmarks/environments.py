"""Environments of libraries that cannot share ours: autometrics, and what the tests compare the mathematics with."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.processes import ROOT


class UnavailableError(RuntimeError):
    """The environment cannot be made here, offline for example; the message says why."""


@cache
def autometrics_python() -> Path:
    """Return the interpreter of an environment with autometrics."""
    return python_of("autometrics", Path(__file__).with_name("autometrics.lock"))


def python_of(name: str, lock: Path) -> Path:
    """Return the interpreter of the environment `name`, made once for each content of its `lock`; others wait meanwhile."""
    from filelock import FileLock  # not at the top: the workers in these environments import this module, and have none

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    directory = ROOT / ".cache" / f"{name}-{version}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    directory.parent.mkdir(exist_ok=True)
    python = directory / "bin" / "python"
    with FileLock(directory.with_name(f"{directory.name}.lock")):
        if not (directory / "complete").exists():
            beside = Path(sys.executable).with_name("uv")
            uv = str(beside) if beside.exists() else shutil.which("uv")
            if uv is None:
                raise UnavailableError("uv is not installed")
            _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(directory))
            _run(uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "--requirement", str(lock))
            (directory / "complete").touch()
    return python


def _run(*command: str) -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.stderr.write(done.stderr)  # not for a page: it names addresses and paths
        raise UnavailableError(f"uv {command[1]} failed")
