"""All the checks, from the bot outwards: what fails first explains what fails after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from otel_trading.errors import ConfigurationError
from otel_trading.pipeline.kinds import shown
from otel_trading.stack.doctor import clock, collector, configuration, endpoint, names, rules, seen, versions
from otel_trading.stack.doctor.asking import Prometheus, UnansweredError
from otel_trading.stack.doctor.configuration import Setting
from otel_trading.stack.doctor.finding import Finding, ok, warning, wrong
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
    chosen, of_stack = _rule_settings(asked.stack)
    found += of_stack
    prometheus = Prometheus(asked.prometheus or "http://127.0.0.1:9090")
    service = asked.service or (bot.service if bot else None) or (settings.service_name if settings else None)
    if service is None and settings is not None and not settings.disabled:
        says = "no name of the bot is set here; one that it gives to configure() is not seen from outside"
        found.append(warning(configuration.CHECK, says, "set OTEL_SERVICE_NAME, or name the bot with --service"))
    try:
        found.append(ok(PROMETHEUS, f"{shown(prometheus.url)} is Prometheus {prometheus.get('status/buildinfo')['version']}"))
        sightings, of_scrape = seen.check(prometheus, settings, bot, service)
        found += of_scrape
        found += names.check(prometheus, bot, sightings)
        found += names.losses(prometheus, bot, sightings)
        found += rules.check(prometheus, chosen)
        found += rules.alertmanager(prometheus)
        offset = next(float(threshold(alert, chosen)) for alert in alerts() if alert.name == "TradingClockOffset")
        found += clock.check(prometheus, sightings, offset)
    except UnansweredError as why:
        says = f"Prometheus at {shown(prometheus.url)}: {why}; scrape, rules, Alertmanager and clock could not be looked at"
        found.append(
            wrong(PROMETHEUS, says, "start it (`otel-trading stack up --local`), or name another with --prometheus URL")
        )
        found += names.check(None, bot, [])
        found += names.losses(None, bot, [])
    found += clock.kernel()
    return Diagnosis(given, found)


def _rule_settings(stack: Path | None) -> tuple[RuleSettings, list[Finding]]:
    from otel_trading.stack.prometheus import settings

    if stack is None:
        return RuleSettings(), []
    try:
        return settings.load(stack / "alerts.yaml", alerts()), []
    except ConfigurationError as error:
        return RuleSettings(), [wrong("stack", str(error), "correct it, then `otel-trading stack init` again")]
