"""The directory that `otel-trading stack init` wrote: whether it is whole, up to date, and keeps what is secret."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from shlex import quote

from otel_trading.errors import ConfigurationError
from otel_trading.stack import directory as stack
from otel_trading.stack import secret_files
from otel_trading.stack.doctor.finding import Finding, listed, ok, times, warning, wrong
from otel_trading.stack.prometheus.rules import alerts
from otel_trading.stack.prometheus.settings import RuleSettings, load
from otel_trading.stack.routing import FILE

CHECK = "stack"

_TOKENS = frozenset(
    (
        *("api_key", "api_secret", "api_url", "auth_password", "auth_secret", "bearer_token", "bot_token", "client_secret"),
        *("credentials", "opsgenie_api_key", "password", "routing_key", "secret_key", "service_key", "slack_api_url"),
        *("smtp_auth_password", "token", "url", "user_key", "webhook_url"),
    )
)
"""Settings of Alertmanager that are secret; each of them has one that names a file, in newer versions at least."""


def check(directory: Path) -> tuple[RuleSettings, list[Finding]]:
    """Return what its alerts.yaml says of rules, or the defaults where it cannot be read."""
    again = f"otel-trading stack init {quote(str(directory))}"
    if not stack.is_stack(directory):
        return RuleSettings(), [wrong(CHECK, f"{directory} is no directory of a stack", again)]
    chosen, stale, found = RuleSettings(), list[str](), list[Finding]()
    try:
        chosen = load(directory / stack.ALERTS, alerts())
        stale = stack.outdated(directory)
    except ConfigurationError as error:
        return chosen, [wrong(CHECK, str(error), f"correct it, then {again}")]
    except OSError as error:
        says = f"{error.filename} cannot be read ({error.strerror}), so whether all is up to date could not be looked at"
        found.append(warning(CHECK, says, "run this as the user that owns the directory"))
    if stale:
        found.append(
            warning(CHECK, f"{times(len(stale), 'file')} missing or out of date: {listed(stale)}", f"{again}, and restart")
        )
    beside = [path.relative_to(directory) for path in sorted(directory.rglob("*.new"))]
    offered = [path.as_posix() for path in beside if path.parts[0] != stack.DATA]
    if offered:
        mend = "take over from them what you want, then remove them"
        found.append(warning(CHECK, f"new texts wait beside files that you changed: {listed(offered)}", mend))
    unseen = secret_files.unseen(directory)
    if unseen:
        says = f"alertmanager.yml reads {listed(unseen)}, which the container of Alertmanager does not see"
        found.append(warning(CHECK, says, secret_files.move(unseen)))
    if empty := secret_files.empty(directory):
        says = f"{FILE} reads {listed(empty)}, where nothing is: what needs it reaches nobody"
        found.append(wrong(CHECK, says, "write the token or address into it; paths are from where alertmanager.yml is"))
    folder = directory / secret_files.FOLDER
    readable = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if _others_read(path)]
    if readable:
        mend = f"chmod -R go= {quote(str(folder))}"
        found.append(wrong(CHECK, f"secrets that other users of this machine can read: {listed(readable)}", mend))
    configuration = directory / FILE
    inside = sorted({name for name, _ in secret_files.texts(configuration) if name in _TOKENS})
    if inside and _others_read(configuration):
        says = f"other users of this machine can read {FILE}, and {listed(inside)} stands in it"
        found.append(wrong(CHECK, says, f"chmod 600 {quote(str(configuration))}, or name a file of {directory}/secrets there"))
    return chosen, found or [ok(CHECK, f"{directory} is whole and up to date")]


def _others_read(path: Path) -> bool:
    # Windows has no such bits.
    return sys.platform != "win32" and path.is_file() and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
