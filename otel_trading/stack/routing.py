"""Who hears of an alert: Alertmanager's tree of routes, followed as Alertmanager follows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from otel_trading.stack.directory import ALERTS
from otel_trading.stack.prometheus.rules import alerts
from otel_trading.stack.prometheus.settings import RuleSettings, load

FILE: Final = "alertmanager/alertmanager.yml"
"""The configuration in the directory of a stack."""

_WAKES: Final = ("critical", "warning")
"""Severities of which somebody has to hear."""

_CHANNEL: Final = "_configs"
_WAIT: Final = "30s"
"""Alertmanager's own `group_wait`."""

_MATCHER: Final = re.compile(r'("(?:[^"\\]|\\.)+"|[\w.:-]+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^,{}"]*)')


@dataclass(frozen=True)
class Stop:
    """Where an alert arrives."""

    receiver: str
    channels: tuple[str, ...]
    """What the receiver tells by, such as `telegram`; with none nobody hears of it."""
    wait: str
    """How long it waits for others to be told together with."""


@dataclass(frozen=True)
class _Route:
    """A node of the tree, with what it inherits."""

    stop: Stop
    matchers: tuple[tuple[str, str, str], ...]
    """Each as the name of a label, an operator and a value."""
    goes_on: bool
    """Whether its siblings are asked, too."""
    children: tuple[_Route, ...]


class Routing:
    """The routes and receivers of a configuration."""

    def __init__(self, text: str) -> None:
        """Read a configuration, or what Alertmanager shows of its own. Raises `ValueError` for anything else."""
        try:
            content: Any = yaml.safe_load(text)
            self._channels = {str(each["name"]): tuple(_channels(each)) for each in content["receivers"]}
            self._root = self._read(content["route"], Stop("", (), _WAIT))
        except (yaml.YAMLError, LookupError, TypeError, AttributeError, re.error) as error:
            raise ValueError(f"it is no configuration of Alertmanager: {' '.join(str(error).split())}") from None

    def told(self, labels: Mapping[str, str]) -> list[Stop]:
        """Return where an alert with these labels arrives; it has no others."""
        return list(_stops(self._root, labels))

    def untold(self, wanted: Iterable[Mapping[str, str]]) -> list[str]:
        """Return the receivers without a channel at which some of these alerts arrive, and nowhere else."""
        found: dict[str, None] = {}
        for labels in wanted:
            stops = self.told(labels)
            if not any(stop.channels for stop in stops):
                found |= dict.fromkeys(stop.receiver for stop in stops)
        return list(found)

    def _read(self, route: Mapping[str, Any], parent: Stop) -> _Route:
        receiver = str(route.get("receiver") or parent.receiver)
        stop = Stop(receiver, self._channels[receiver], str(route.get("group_wait") or parent.wait))
        children = tuple(self._read(child, stop) for child in route.get("routes") or ())
        return _Route(stop, tuple(_matchers(route)), bool(route.get("continue")), children)


def untold(routing: Routing, settings: RuleSettings, job: str | None = None) -> dict[str, list[str]]:
    """Return, by severity, the receivers without a channel that get alerts of which somebody has to hear."""
    bot = {"job": job} if job else {}
    wanted = [
        {"alertname": alert.name, "severity": settings.of(alert).severity or alert.severity, **alert.labels, **bot}
        for alert in alerts()
        if settings.of(alert).enabled
    ]
    found = {name: routing.untold(labels for labels in wanted if labels["severity"] == name) for name in _WAKES}
    return {name: receivers for name, receivers in found.items() if receivers}


def nobody(routing: Routing, settings: RuleSettings, job: str | None = None) -> str | None:
    """Say of which alerts nobody is told, and whose fault it is; None when somebody hears of each."""
    silent = untold(routing, settings, job)
    if not silent:
        return None
    names = list(dict.fromkeys(name for receivers in silent.values() for name in receivers))
    which = f"the receiver {names[0]} has" if len(names) == 1 else f"the receivers {' and '.join(names)} have"
    return f"nobody is told of {' and '.join(silent)} alerts: {which} no channel"


def unheard(directory: Path) -> str | None:
    """Say of a stack's directory of which alerts nobody is told, and where to mend it; None when somebody hears of each."""
    try:
        routing = Routing((directory / FILE).read_text(encoding="utf-8"))
        settings = load(directory / ALERTS, alerts())
    except (OSError, ValueError):  # Alertmanager and `stack init` say what is wrong with their files
        return None
    silent = nobody(routing, settings)
    return silent and f"{silent[0].upper()}{silent[1:]} in {directory / FILE}"


def _channels(receiver: Mapping[str, Any]) -> Iterator[str]:
    return (key.removesuffix(_CHANNEL) for key, given in receiver.items() if key.endswith(_CHANNEL) and given)


def _matchers(route: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = [each for text in route.get("matchers") or () for each in _MATCHER.findall(str(text))]
    for kind, operator in (("match", "="), ("match_re", "=~")):
        older: dict[str, Any] = route.get(kind) or {}
        found += [(name, operator, str(value)) for name, value in older.items()]
    for name, operator, value in found:
        wanted = _unquoted(value.strip())
        if operator.endswith("~"):
            re.compile(wanted)
        yield _unquoted(name), operator, wanted


def _stops(route: _Route, labels: Mapping[str, str]) -> Iterator[Stop]:
    taken = False
    for child in route.children:
        if _matches(child, labels):
            taken = True
            yield from _stops(child, labels)
            if not child.goes_on:
                return
    if not taken:
        yield route.stop


def _matches(route: _Route, labels: Mapping[str, str]) -> bool:
    """Whether each matcher of a route is true; a label that an alert does not have is an empty one."""
    for name, operator, wanted in route.matchers:
        given = labels.get(name, "")
        equal = bool(re.fullmatch(wanted, given)) if operator.endswith("~") else given == wanted
        if equal == operator.startswith("!"):
            return False
    return True


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text)) if text.startswith('"') else text
    except ValueError:  # an escape of Go's alone
        return text[1:-1]
