"""The tests on every supported Python that is installed, and on the oldest allowed versions of what we depend on."""

import os
import platform
import shutil

import nox

nox.needs_version = ">=2024.4"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False
nox.options.stop_on_first_error = False

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
FREE_THREADED = ["3.13t", "3.14t"]
HERE = ".".join(platform.python_version_tuple()[:2])
OLDEST = PYTHONS[0] if shutil.which(f"python{PYTHONS[0]}") else HERE
"""Where the oldest allowed versions are tried: the same code would run twice on the oldest Python otherwise."""
OFFLINE_PYTHONS = {"UV_PYTHON_DOWNLOADS": "never"}
"""Use the interpreters that are there."""


LEFT_OUT = ("alertmanager", "grafana", "prometheus")
"""Of the stack's tests: what real programs say of rules, dashboards and routes is the same with all Pythons and versions."""


def _test(session: nox.Session, lock: str) -> None:
    session.env.update(OFFLINE_PYTHONS)
    session.install("--quiet", "--require-hashes", "-r", lock)
    session.install("--quiet", "--no-deps", "--no-build-isolation", "-e", ".")
    options = ["-q", "-n", str(os.cpu_count() or 1), "--dist", "worksteal", "--hypothesis-profile=fewer examples"]
    ignored = [f"--ignore=tests/unit/stack/{each}" for each in LEFT_OUT]
    session.run("python", "-m", "pytest", *options, *ignored, "tests/unit", *session.posargs)


@nox.session(python=[version for version in PYTHONS if version not in {HERE, OLDEST}])
def latest(session: nox.Session) -> None:
    """The newest allowed versions, as locked; `make test-here` has run them on the Python of .venv."""
    _test(session, "requirements/dev.lock")


@nox.session(python=OLDEST)
def oldest(session: nox.Session) -> None:
    """The oldest allowed versions, as locked."""
    _test(session, "requirements/oldest.lock")


@nox.session(venv_backend="none")
def free_threaded(session: nox.Session) -> None:
    """The newest allowed versions on a Python without the global interpreter lock, where one is installed."""
    found = [version for version in FREE_THREADED if shutil.which(f"python{version}")]
    if not found:
        session.skip(f"none of {', '.join(f'python{version}' for version in FREE_THREADED)} is installed")
    for version in found:
        session.notify(f"without_gil-{version}")


@nox.session(python=FREE_THREADED, default=False)
def without_gil(session: nox.Session) -> None:
    """What `free_threaded` starts for each such Python; an extension that needs the lock does not bring it back."""
    session.env["PYTHON_GIL"] = "0"
    _test(session, "requirements/dev.lock")
