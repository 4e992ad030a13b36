"""The directory that `otel-trading stack init` wrote: whether it is whole and up to date, and where its stack runs."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

from otel_trading.errors import ConfigurationError
from otel_trading.stack import directory as stack
from otel_trading.stack import secret_files
from otel_trading.stack.doctor.finding import Finding, listed, ok, times, warning, wrong
from otel_trading.stack.ports import DEFAULTS, HOST
from otel_trading.stack.prometheus.rules import alerts
from otel_trading.stack.prometheus.settings import RuleSettings, load

CHECK = "stack"
PROMETHEUS = f"http://{HOST}:{DEFAULTS['prometheus']}"


def check(directory: Path) -> tuple[RuleSettings, list[Finding]]:
    """Return what its alerts.yaml says of rules, or the defaults where it cannot be read."""
    again = f"otel-trading stack init {directory}"
    if not stack.is_stack(directory):
        return RuleSettings(), [wrong(CHECK, f"{directory} is no directory of a stack", again)]
    try:
        chosen = load(directory / stack.ALERTS, alerts())
        stale = stack.outdated(directory)
    except ConfigurationError as error:
        return RuleSettings(), [wrong(CHECK, str(error), f"correct it, then {again}")]
    found: list[Finding] = []
    if stale:
        found.append(
            warning(CHECK, f"{times(len(stale), 'file')} missing or out of date: {listed(stale)}", f"{again}, and restart")
        )
    offered = [path.relative_to(directory).as_posix() for path in sorted(directory.rglob("*.new")) if "data" not in path.parts]
    if offered:
        mend = "take over from them what you want, then remove them"
        found.append(warning(CHECK, f"new texts wait beside files that you changed: {listed(offered)}", mend))
    unseen = secret_files.unseen(directory)
    if unseen:
        says = f"alertmanager.yml reads {listed(unseen)}, which the container of Alertmanager does not see"
        found.append(warning(CHECK, says, secret_files.move(unseen)))
    folder = directory / secret_files.FOLDER
    readable = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if _others_read(path)]
    if readable:
        mend = f"chmod -R go= {folder}"
        found.append(wrong(CHECK, f"secrets that every user of this machine can read: {listed(readable)}", mend))
    return chosen, found or [ok(CHECK, f"{directory} is whole and up to date")]


def prometheus(directory: Path | None) -> str:
    """Where the Prometheus of this directory is: as `stack up --local` says while it runs, else as .env says for containers."""
    if directory is None:
        return PROMETHEUS
    running = _text(directory / stack.DATA / "local" / "running.json")
    try:
        return f"http://{json.loads(running)['addresses']['prometheus']}"
    except (ValueError, LookupError, TypeError):
        return f"http://{HOST}:{stack.variable(directory, 'PROMETHEUS_PORT')}"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _others_read(path: Path) -> bool:
    # Windows has no such bits.
    return sys.platform != "win32" and path.is_file() and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
