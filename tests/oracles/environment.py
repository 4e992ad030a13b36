"""The environment of the libraries that the mathematics is compared with, which are too large for ours."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "oracles.lock"


class UnavailableError(Exception):
    """The environment cannot be made here, offline for example; the message says why."""


@contextmanager
def alone(file: Path) -> Generator[None]:
    """Let one process at a time pass, others wait; the lock ends with its process."""
    with file.open("a", encoding="utf-8") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def oracles_python() -> Path:
    """Return the interpreter of an environment with the oracles, made once for each content of their lock."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    directory = ROOT / ".cache" / f"oracles-{version}-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    directory.parent.mkdir(exist_ok=True)
    python = directory / "bin" / "python"
    with alone(directory.with_name(f"{directory.name}.lock")):
        if not (directory / "complete").exists():
            beside = Path(sys.executable).with_name("uv")
            uv = str(beside) if beside.exists() else shutil.which("uv")
            if uv is None:
                raise UnavailableError("uv is not installed")
            _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(directory))
            _run(uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "--requirement", str(LOCK))
            (directory / "complete").touch()
    return python


def _run(*command: str) -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise UnavailableError(f"uv {command[1]} failed: {done.stderr.strip()}")
