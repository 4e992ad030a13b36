"""The tests on every supported Python that is installed, and on the oldest allowed versions of what we depend on."""

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
OFFLINE_PYTHONS = {"UV_PYTHON_DOWNLOADS": "never"}
"""Use the interpreters that are there."""


def _test(session: nox.Session, lock: str) -> None:
    session.env.update(OFFLINE_PYTHONS)
    session.install("--quiet", "--require-hashes", "-r", lock)
    session.install("--quiet", "--no-deps", "--no-build-isolation", "-e", ".")
    # What real programs say of rules, dashboards and routes is the same on every Python; that they are written is tested.
    texts = [f"--ignore=tests/unit/stack/{kind}" for kind in ("alertmanager", "grafana", "prometheus")]
    options = ["-q", "-n", "auto", "--dist", "worksteal", "--hypothesis-profile=fewer examples", *texts]
    session.run("python", "-m", "pytest", *options, "tests/unit", *session.posargs)


@nox.session(python=[version for version in PYTHONS if version != HERE])
def latest(session: nox.Session) -> None:
    """The newest allowed versions, as locked; `make test-here` has run them on the Python of .venv."""
    _test(session, "requirements/dev.lock")


@nox.session(python=HERE if HERE in PYTHONS else PYTHONS[1])
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
