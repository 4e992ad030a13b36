"""The stack without containers: Prometheus, Alertmanager and the Collector as plain processes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

from filelock import FileLock, Timeout

from otel_trading.errors import ConfigurationError
from otel_trading.stack import directory as stack
from otel_trading.stack import placement, ports, running
from otel_trading.stack.environment import handed_over
from otel_trading.stack.lookout import Lookout
from otel_trading.stack.part import TERMINATE, Part
from otel_trading.stack.ports import LINKED, address
from otel_trading.stack.programs import PROGRAMS, Name, find
from otel_trading.stack.routing import unheard

READY: Final = 60.0
"""Seconds that a part has to get ready: Prometheus reads what it kept."""

BOT: Final = address(9464)
"""Where a bot has its endpoint unless it says otherwise."""

_LOOK: Final = 0.2
_PORTS: Final[Mapping[Name, tuple[str, ...]]] = {
    "prometheus": ("prometheus",),
    "alertmanager": ("alertmanager",),
    "otelcol": ("otlp-http", "otlp-grpc", "collector-metrics", "collector-telemetry", "collector-health"),
}
_CONFIGURATION: Final[Mapping[Name, str]] = {
    "prometheus": "prometheus/prometheus.yml",
    "alertmanager": "alertmanager/alertmanager.yml",
    "otelcol": "collector/agent.yaml",
}


_TOLD: Final = {
    "prometheus": "Prometheus",
    "alertmanager": "Alertmanager",
    "otlp-http": "Collector, OTLP/HTTP",
    "otlp-grpc": "Collector, OTLP/gRPC",
}
_COLUMN: Final = 22


@dataclass
class Plan:
    """What is asked for."""

    directory: Path
    programs: Mapping[Name, Path] = field(default_factory=dict[Name, Path])
    """Where programs are that are not to be looked for."""
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    """Ports that are not the usual ones; 0 for any."""
    bot: str = BOT
    """Where a bot is looked for, that is scraped from its first answer on."""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where parts are reached from outside, unless `.env` says it or that is where they are."""


class Local:
    """A stack that runs on this machine; `run` starts it and returns when it has ended."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.say = say
        self.data = plan.directory.absolute() / stack.DATA / "local"
        self.addresses: dict[str, str] = {}
        """Where each part is, by its name."""
        self.links: dict[str, str] = {}
        """Where messages say that it is."""
        self._placed = self.data / "prometheus-config"
        self._bots = plan.directory / "prometheus" / placement.TARGETS / "bots.yml"

    def run(self, stop: Event) -> bool:
        """Start every part that is installed, and go on until `stop` is set or none is left. Returns whether none died.

        Raises `ConfigurationError` when it cannot start: no program, a port that is taken, another stack on this directory,
        a part that does not get ready.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        with ExitStack() as cleanup:
            try:
                cleanup.enter_context(FileLock(self.data / "lock", blocking=False))
            except Timeout:
                raise ConfigurationError(f"{self.plan.directory}: a stack runs here already{self._who()}") from None
            parts = self._parts()
            cleanup.callback(_end, parts)
            for part in parts:
                part.start()
            if not self._all_ready(parts, stop):
                return True
            told = running.file(self.plan.directory)
            cleanup.callback(told.unlink, missing_ok=True)
            content = {"pid": os.getpid(), "addresses": self.addresses, "links": self.links}
            told.write_text(json.dumps(content), encoding="utf-8")
            self._greet(parts)
            return self._watch(parts, stop)

    # -- what is started ----------------------------------------------------------------------------------------------

    def _parts(self) -> list[Part]:
        programs = self._programs()
        wanted = {name: self.plan.ports.get(name, ports.DEFAULTS[name]) for program in programs for name in _PORTS[program]}
        chosen = ports.choose(wanted)
        self.addresses = {name: address(port) for name, port in chosen.items()}
        self.links = {name: self._link(name) for name in LINKED if name in self.addresses}
        makers = {"otelcol": self._collector, "alertmanager": self._alertmanager, "prometheus": self._prometheus}
        return [maker(programs[name]) for name, maker in makers.items() if name in programs]

    def _link(self, name: str) -> str:
        given = self.plan.links.get(name) or stack.external(self.plan.directory, name)
        return f"{(given or f'http://{self.addresses[name]}').rstrip('/')}/"

    def _programs(self) -> dict[Name, Path]:
        """The programs that are there and have a configuration; of the others it is said what is missing."""
        found: dict[Name, Path] = {}
        for program in PROGRAMS:
            path = find(program, self.plan.programs.get(program.name))
            configuration = self.plan.directory / _CONFIGURATION[program.name]
            if path is None:
                self.say(f"{program.name} is left out, it is not installed: {program.install}; or --{program.name} PATH")
            elif not configuration.is_file():
                self.say(f"{program.name} is left out, there is no {configuration}")
            else:
                found[program.name] = path
        if not found:
            raise ConfigurationError("there is nothing to start")
        return found

    def _part(self, name: str, command: list[str], port: str, ready: str, **environment: str) -> Part:
        # Paths in a configuration may be relative to where it is.
        directory = self.plan.directory.absolute() / name
        return Part(
            name,
            command,
            ready_url=f"http://{self.addresses[port]}{ready}",
            directory=directory,
            log=self.data / f"{name}.log",
            environment=handed_over(filter(Path.is_file, directory.iterdir())) | environment,
        )

    def _prometheus(self, program: Path) -> Part:
        defaults = {name: address(port) for name, port in ports.DEFAULTS.items()}
        placement.place(
            self.plan.directory.absolute() / "prometheus",
            self._placed,
            {default: self.addresses.get(name) for name, default in defaults.items()},
        )
        where = self.addresses["prometheus"]
        command = [
            str(program),
            f"--config.file={self._placed / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.data / 'prometheus'}",
            f"--storage.tsdb.retention.time={stack.variable(self.plan.directory, 'PROMETHEUS_RETENTION')}",
            f"--storage.tsdb.retention.size={stack.variable(self.plan.directory, 'PROMETHEUS_RETENTION_SIZE')}",
            "--enable-feature=exemplar-storage,extra-scrape-metrics",
            f"--web.console.templates={self._placed / 'consoles'}",
            f"--web.listen-address={where}",
            f"--web.external-url={self.links['prometheus']}",
            # A proxy outside takes the path of that away: here everything is where it always is.
            "--web.route-prefix=/",
        ]
        return self._part("prometheus", command, "prometheus", "/-/ready")

    def _alertmanager(self, program: Path) -> Part:
        where = self.addresses["alertmanager"]
        command = [
            str(program),
            "--config.file=alertmanager.yml",
            f"--storage.path={self.data / 'alertmanager'}",
            f"--web.listen-address={where}",
            f"--web.external-url={self.links['alertmanager']}",
            "--web.route-prefix=/",
            "--cluster.listen-address=",
        ]
        return self._part("alertmanager", command, "alertmanager", "/-/ready")

    def _collector(self, program: Path) -> Part:
        host, _, telemetry = self.addresses["collector-telemetry"].partition(":")
        return self._part(
            "collector",
            [str(program), "--config=agent.yaml"],
            "collector-health",
            "/",
            OTELCOL_OTLP_GRPC_ENDPOINT=self.addresses["otlp-grpc"],
            OTELCOL_OTLP_HTTP_ENDPOINT=self.addresses["otlp-http"],
            OTELCOL_PROMETHEUS_ENDPOINT=self.addresses["collector-metrics"],
            OTELCOL_HEALTH_ENDPOINT=self.addresses["collector-health"],
            OTELCOL_TELEMETRY_HOST=host,
            OTELCOL_TELEMETRY_PORT=telemetry,
        )

    # -- while it runs ------------------------------------------------------------------------------------------------

    def _all_ready(self, parts: list[Part], stop: Event) -> bool:
        """Wait until each part is ready; False when it was asked to end meanwhile."""
        deadline = time.monotonic() + READY
        waiting = list(parts)
        while waiting and not stop.wait(_LOOK / 2):
            waiting = [part for part in waiting if not (part.running and part.ready())]
            for part in waiting:
                late = f"was not ready within {READY:g} s" if time.monotonic() > deadline else None
                if not part.running or late:
                    raise ConfigurationError(f"{part.name} {late or part.ending}; the last of {part.log}:\n{part.last_lines()}")
        return not waiting

    def _watch(self, parts: list[Part], stop: Event) -> bool:
        """Look after the parts until it is asked to end: one that dies is told of, the others go on."""
        left = list(parts)
        lookout = self._lookout()
        while left and not stop.wait(_LOOK):
            for part in [part for part in left if not part.running]:
                left.remove(part)
                rest = f"still here: {', '.join(each.name for each in left)}" if left else "none is left"
                self.say(f"{part.name} {part.ending}; {rest}. The last of {part.log}:\n{part.last_lines()}")
            for part in left:
                part.trim_log()
            if lookout is not None:
                lookout.look(time.monotonic())
        return len(left) == len(parts)

    def _lookout(self) -> Lookout | None:
        """Who looks for a bot; without a Prometheus there is no use for one."""
        where = self.addresses.get("prometheus")
        if where is None:
            return None
        return Lookout(self.plan.bot, prometheus=where, bots=self._bots, placed=self._placed, say=self.say)

    def _greet(self, parts: list[Part]) -> None:
        """Say where everything is, and how a bot gets there."""
        lines = [f"{part.name} is ready" for part in parts]
        lines += [f"{_TOLD[name]:<{_COLUMN}}http://{where}" for name, where in self.addresses.items() if name in _TOLD]
        if "otlp-http" in self.addresses:
            push = f"OTEL_METRICS_EXPORTER=otlp OTEL_EXPORTER_OTLP_ENDPOINT=http://{self.addresses['otlp-http']}"
            lines.append(f"{'a bot that pushes':<{_COLUMN}}{push}")
        if "prometheus" in self.addresses:
            lines.append(f"{'a bot to be scraped':<{_COLUMN}}found at {self.plan.bot}; others belong into {self._bots}")
        if "alertmanager" in self.addresses and (silent := unheard(self.plan.directory)):
            lines.append(silent)
        self.say("\n".join([*lines, f"{'data and logs':<{_COLUMN}}{self.data}", "Ctrl-C ends it."]))

    def _who(self) -> str:
        try:
            return f" (process {json.loads(running.file(self.plan.directory).read_text(encoding='utf-8'))['pid']})"
        except (OSError, ValueError, KeyError, TypeError):
            return ""


def _end(parts: list[Part]) -> None:
    """Ask all to end, then wait for each."""
    for part in parts:
        part.ask_to_end()
    deadline = time.monotonic() + TERMINATE
    for part in parts:
        part.end(max(0.0, deadline - time.monotonic()))
