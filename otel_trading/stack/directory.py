"""The directory that `otel-trading stack init` writes. It is the user's: what he changed there is never overwritten unasked."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values

from otel_trading.errors import ConfigurationError
from otel_trading.stack import secret_files
from otel_trading.stack.grafana import provisioning
from otel_trading.stack.ports import HOST
from otel_trading.stack.prometheus import consoles, rules, settings
from otel_trading.version import __version__

_FILES: Final = Path(__file__).with_name("files")
"""What is written as it stands here."""

ALERTS: Final = "alerts.yaml"
MANIFEST: Final = ".otel-trading-stack.json"
"""What was written or offered last, as a hash of each file: another one means that the user changed the file."""

_PRIVATE: Final = frozenset({"alertmanager/alertmanager.yml"})
"""For the owner alone: an older Alertmanager has tokens in it, for which it knows no files."""

DATA: Final = "data"
_KEPT_BY: Final = ("alertmanager", "bot", "grafana", "prometheus")
"""Who has a directory in data/compose: there before Docker would make it, which would make it root's."""

_IGNORED: Final = "# Neither for a repository nor for an image.\n/data/\n/secrets/\n/.env\n"

_ENV: Final = """\
# Read by `docker compose`, and the addresses at the end by `otel-trading stack`, too.
# What is left out, but for STACK_USER, is as it stands here.

# Who the containers run as: the owner of this directory. Where Docker itself runs without root, 0:0 is that user.
STACK_USER={user}

# The name of the bot, which is its job in Prometheus.
BOT_NAME=otel-trading-demo

# How long Prometheus keeps what it has, in containers or not, and how much of it: what is older goes first.
PROMETHEUS_RETENTION=90d
PROMETHEUS_RETENTION_SIZE=10GB

# Whether the bot is started again when it ended, and trades on: unless-stopped, on-failure:3 (thrice at most), or no.
BOT_RESTART=unless-stopped

# What each may take at most. One that needs more memory is ended, and started again; CPUs cannot be more than there are. Give
# Prometheus more when you have dozens of bots; the Collector needs twice OTELCOL_MEMORY_LIMIT_MIB in collector/agent.yaml.
BOT_MEMORY=1g
COLLECTOR_MEMORY=512m
PROMETHEUS_MEMORY=2g
ALERTMANAGER_MEMORY=256m
GRAFANA_MEMORY=1g
BOT_CPUS=1
COLLECTOR_CPUS=1
PROMETHEUS_CPUS=1
ALERTMANAGER_CPUS=1
GRAFANA_CPUS=1

# Where everything is published, on 127.0.0.1.
PROMETHEUS_PORT=9090
ALERTMANAGER_PORT=9093
GRAFANA_PORT=3000
OTLP_GRPC_PORT=4317
OTLP_HTTP_PORT=4318

# What the links in messages begin with, such as https://prometheus.example.org/, so that they lead somewhere from a phone, too;
# empty is 127.0.0.1 and the port above. Then run `otel-trading stack init` again: alerts link to dashboards, and dashboards
# to runbooks.
PROMETHEUS_EXTERNAL_URL=
ALERTMANAGER_EXTERNAL_URL=
GRAFANA_EXTERNAL_URL=
"""

_REQUIREMENTS: Final = """\
# What the bot needs. The extra `demo` is for the demo alone: otel-trading[otlp] is enough for a bot that pushes.
otel-trading[demo]=={version}
"""


@dataclass
class Report:
    """What `init` did with each file, by its path in the directory."""

    written: list[str] = field(default_factory=list[str])
    """New, or as it was written before and out of date."""
    same: list[str] = field(default_factory=list[str])
    kept: list[str] = field(default_factory=list[str])
    """Changed by the user, and nothing new is to be said of it."""
    offered: list[str] = field(default_factory=list[str])
    """Changed by the user, and what would be written now is beside it, with `.new` after its name."""
    replaced: list[str] = field(default_factory=list[str])
    """Changed by the user, and overwritten as he asked."""
    removed: list[str] = field(default_factory=list[str])
    """No longer part of the stack, and never changed."""


def init(directory: Path, *, force: bool = False) -> Report:
    """Write the directory, or bring it up to date after `alerts.yaml` was edited or another version was installed.

    Raises `ConfigurationError` for a directory that cannot be written, and for wrong settings in its `alerts.yaml`; of the
    rest nothing is written then.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        offered = _manifest(directory)
        writer = _Writer(directory, offered, force)
        # First: what it says decides what is in the rules.
        writer.write(ALERTS, settings.text(rules.alerts()))
        chosen = rule_settings(directory)
        for path, text in contents(chosen, directory.stat(), link(directory, "prometheus")).items():
            writer.write(path, text)
        writer.forget_others()
        secret_files.make(directory)
        for name in _KEPT_BY:
            (directory / DATA / "compose" / name).mkdir(parents=True, exist_ok=True)
        manifest = {"version": __version__, "files": dict(sorted(writer.hashes.items()))}
        _replace(directory / MANIFEST, json.dumps(manifest, indent=1) + "\n")
        _give_to_owner(directory, writer.hashes)
    except OSError as error:
        raise ConfigurationError(f"{error.filename or directory}: it cannot be written: {error.strerror}") from None
    return writer.report


def contents(chosen: settings.RuleSettings, owner: os.stat_result, prometheus: str) -> dict[str, str]:
    """Return the text of each file, but for alerts.yaml and the secrets, by its path in the directory.

    `prometheus` is where a browser finds Prometheus, which serves the runbooks.
    """
    found = {
        path.relative_to(_FILES).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(_FILES.rglob("*"))
        if path.is_file()
    }
    found |= {f"prometheus/rules/{name}": text for name, text in rules.texts(chosen).items()}
    found |= {f"prometheus/consoles/runbooks/{name}": text for name, text in consoles.pages().items()}
    found |= {f"grafana/{name}": text for name, text in provisioning.files(chosen, prometheus_url=prometheus).items()}
    return found | {
        ".env": _ENV.format(user=f"{owner.st_uid}:{owner.st_gid}"),
        ".gitignore": _IGNORED,
        ".dockerignore": _IGNORED,
        "bot/requirements.txt": _REQUIREMENTS.format(version=__version__),
    }


def rule_settings(directory: Path) -> settings.RuleSettings:
    """Read `alerts.yaml`; where Grafana is, `.env` says, too. Raises `ConfigurationError` for wrong settings."""
    chosen = settings.load(directory / ALERTS, rules.alerts())
    if "grafana_url" in chosen.model_fields_set:
        return chosen
    return chosen.model_copy(update={"grafana_url": link(directory, "grafana")})


def is_stack(directory: Path) -> bool:
    """Whether `init` has written here."""
    return (directory / MANIFEST).is_file()


def variable(directory: Path, name: str) -> str:
    """Return what .env says, else what it says as `init` writes it; what only Compose can work out is not taken."""
    try:
        said = dotenv_values(directory / ".env", interpolate=False, encoding="utf-8").get(name)
    except (OSError, UnicodeDecodeError):
        said = None
    worked_out = said if said and "$" not in said else None
    return worked_out or dotenv_values(stream=StringIO(_ENV), interpolate=False)[name] or ""


def external(directory: Path, part: str) -> str | None:
    """Return where a part is reached from outside, if `.env` says it. Raises `ConfigurationError` if that is no address."""
    name = f"{part.upper()}_EXTERNAL_URL"
    given = variable(directory, name)
    if given and not settings.is_address(given):
        raise ConfigurationError(f"{directory / '.env'}: {name} = {given}: it has to begin with http:// or https://")
    return given or None


def link(directory: Path, part: str) -> str:
    """Return the address of a part in messages and dashboards, whatever runs now."""
    return external(directory, part) or f"http://{HOST}:{variable(directory, f'{part.upper()}_PORT')}"


def outdated(directory: Path) -> list[str]:
    """Return what `init` would write anew, because `alerts.yaml`, `.env` or the installed version is another one.

    Raises `ConfigurationError` for wrong settings in `alerts.yaml`, and `OSError` for a file that may not be read.
    """
    offered = _manifest(directory)
    wanted = contents(rule_settings(directory), directory.stat(), link(directory, "prometheus"))
    present = {path: _hash_of(directory / path) for path in wanted}
    return [
        path
        for path, text in wanted.items()
        if present[path] in {None, offered.get(path)} and present[path] != _hash(text.encode())
    ]


class _Writer:
    """Writes one file after the other, and keeps what the user changed."""

    def __init__(self, directory: Path, offered: Mapping[str, str], force: bool) -> None:
        self.report = Report()
        self.hashes: dict[str, str] = {}
        self._directory = directory
        self._offered = offered
        self._force = force

    def write(self, path: str, text: str) -> None:
        file = self._directory / path
        new, present, old = _hash(text.encode()), _hash_of(file), self._offered.get(path)
        self.hashes[path] = new
        if present == new:
            self.report.same.append(path)
        elif present is None or present == old:
            _replace(file, text, private=path in _PRIVATE)
            self.report.written.append(path)
        elif self._force:
            _replace(file, text, private=path in _PRIVATE)
            self.report.replaced.append(path)
        elif old == new:
            self.report.kept.append(path)
        else:
            _replace(file.with_name(f"{file.name}.new"), text, private=path in _PRIVATE)
            self.report.offered.append(path)

    def forget_others(self) -> None:
        """Remove what an earlier version wrote and this one does not, unless it was changed."""
        for path in self._offered.keys() - self.hashes.keys():
            if _hash_of(self._directory / path) == self._offered[path]:
                (self._directory / path).unlink()
                self.report.removed.append(path)


def _give_to_owner(directory: Path, files: Iterable[str]) -> None:
    """Make what root wrote the owner's of the directory: the containers run as him, and could not read it otherwise."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    owner, top = directory.stat(), directory.resolve()
    paths = {directory / MANIFEST, *(directory / secret_files.FOLDER).rglob("*")}
    paths |= {directory / DATA / "compose" / name for name in _KEPT_BY}
    paths |= {directory / name for file in files for name in (file, f"{file}.new")}
    paths |= {parent for path in paths for parent in path.parents if directory in parent.parents}
    for path in paths:
        # What a link leads to elsewhere is not ours to give away.
        if path.exists() and path.resolve().is_relative_to(top):
            os.chown(path, owner.st_uid, owner.st_gid)


def _manifest(directory: Path) -> dict[str, str]:
    path = directory / MANIFEST
    if not path.exists():
        return {}
    try:
        given: Any = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in given["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigurationError(
            f"{path}: it is malformed; remove it, and what differs counts as changed by you, so nothing is lost"
        ) from None


def _hash_of(file: Path) -> str | None:
    return _hash(file.read_bytes()) if file.exists() else None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(file: Path, text: str, *, private: bool = False) -> None:
    """Write all of a file or nothing of it; a symbolic link stays one, and a file that is there keeps its mode."""
    target = file.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.writing")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    with os.fdopen(descriptor, "wb") as written:
        written.write(text.encode())
    if target.exists() and not private:
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))
    temporary.replace(target)
