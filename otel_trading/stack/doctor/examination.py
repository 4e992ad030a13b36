"""All the checks, from the bot outwards: what fails first explains what fails after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from otel_trading.pipeline.kinds import shown
from otel_trading.pipeline.settings import Settings
from otel_trading.stack import running
from otel_trading.stack.doctor import (
    alertmanager,
    clock,
    collector,
    configuration,
    deployment,
    endpoint,
    names,
    rules,
    seen,
    versions,
)
from otel_trading.stack.doctor.asking import Prometheus, UnansweredError
from otel_trading.stack.doctor.configuration import Setting
from otel_trading.stack.doctor.endpoint import Bot
from otel_trading.stack.doctor.finding import Finding, ok, warning, wrong
from otel_trading.stack.doctor.seen import Sighting
from otel_trading.stack.prometheus.rules import alerts
from otel_trading.stack.prometheus.settings import RuleSettings, threshold

PROMETHEUS = "prometheus"


@dataclass(frozen=True)
class Asked:
    """What is to be looked at."""

    environ: Mapping[str, str]
    directory: Path
    """The bot's working directory, where its configuration file may be."""
    config_file: Path | None = None
    service: str | None = None
    prometheus: str | None = None
    """The address of Prometheus, unless it is the usual one."""
    stack: Path | None = None
    """A directory that `otel-trading stack init` wrote."""


@dataclass
class Diagnosis:
    """What was found."""

    settings: list[Setting] = field(default_factory=list[Setting])
    """Those that are not defaults."""
    findings: list[Finding] = field(default_factory=list[Finding])

    def count(self, status: str) -> int:
        return sum(finding.status == status for finding in self.findings)


def examine(asked: Asked) -> Diagnosis:
    """Look at everything; takes a few seconds where nobody answers."""
    settings, given, found = configuration.check(asked.environ, asked.directory, asked.config_file)
    found += versions.check(settings)
    bot = None
    if settings is not None and not settings.disabled:
        if "prometheus" in settings.exporters:
            bot, of_endpoint = endpoint.check(settings)
            found += of_endpoint
        found += collector.check(settings)
    chosen = RuleSettings()
    if asked.stack is not None:
        chosen, of_stack = deployment.check(asked.stack)
        found += of_stack
    prometheus = Prometheus(asked.prometheus or running.where(asked.stack, "prometheus"))
    service = asked.service or (bot.service if bot else None) or (settings.service_name if settings else None)
    if service is None and settings is not None and not settings.disabled:
        says = "no name of the bot is set here; one that it gives to configure() is not seen from outside"
        found.append(warning(configuration.CHECK, says, "set OTEL_SERVICE_NAME, or name the bot with --service"))
    found += _asked(prometheus, settings, bot, service, chosen, asked.stack)
    found += clock.kernel()
    return Diagnosis(given, found)


def _asked(
    prometheus: Prometheus,
    settings: Settings | None,
    bot: Bot | None,
    service: str | None,
    chosen: RuleSettings,
    stack: Path | None,
) -> list[Finding]:
    """What Prometheus is asked, and what the endpoint alone says where Prometheus does not answer."""
    try:
        found = [ok(PROMETHEUS, f"{shown(prometheus.url)} is Prometheus {prometheus.version()}")]
    except UnansweredError as why:
        says = f"Prometheus at {shown(prometheus.url)}: {why}; scrape, rules, Alertmanager and clock could not be looked at"
        mend = "start it (`otel-trading stack up --local`), or name another with --prometheus URL"
        return [wrong(PROMETHEUS, says, mend), *names.check(None, bot, []), *names.losses(None, bot, [])]
    sightings: list[Sighting] = []

    def scrape() -> list[Finding]:
        sightings[:], of_scrape = seen.check(prometheus, settings, bot, service)
        return of_scrape

    offset = next(float(threshold(alert, chosen)) for alert in alerts() if alert.name == "TradingClockOffset")
    checks: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
        (seen.CHECK, scrape),
        (names.CHECK, lambda: names.check(prometheus, bot, sightings)),
        (names.LOSSES, lambda: names.losses(prometheus, bot, sightings)),
        (rules.RULES, lambda: rules.check(prometheus, chosen, stack)),
        (
            alertmanager.CHECK,
            lambda: alertmanager.check(prometheus, chosen, sightings[0].job if sightings else service, stack),
        ),
        (clock.CHECK, lambda: clock.check(prometheus, sightings, offset)),
    )
    return found + [finding for name, check in checks for finding in _answered(name, check)]


def _answered(name: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return check()
    except UnansweredError as why:
        return [wrong(name, f"it could not be looked at: {why}", "is --prometheus the address of Prometheus itself?")]
