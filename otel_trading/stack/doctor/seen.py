"""Whether Prometheus sees the bot, freshly, and once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from otel_trading.pipeline.settings import Settings
from otel_trading.semconv import metrics as m
from otel_trading.stack.doctor.asking import Prometheus, Target
from otel_trading.stack.doctor.endpoint import Bot
from otel_trading.stack.doctor.finding import Finding, listed, ok, times, warning, wrong
from otel_trading.stack.promql import ACCOUNT, of

CHECK = "scrape"
TARGETS = "targets"

STALE = 60.0
"""Seconds without a new sample after which a bot counts as no longer seen."""


@dataclass(frozen=True)
class Sighting:
    """A bot as Prometheus knows it: on one path, under one job and instance."""

    job: str
    instance: str
    service: str
    identity: str
    """Its `service.instance.id`, which is the same on every path."""
    age: float
    """Seconds since its newest sample, by Prometheus' clock."""

    @property
    def told_as(self) -> str:
        return f"job={self.job}, instance={self.instance}"


def check(
    prometheus: Prometheus, settings: Settings | None, bot: Bot | None, service: str | None
) -> tuple[list[Sighting], list[Finding]]:
    """Return where Prometheus sees the bot, or every bot when nothing says which one is meant.

    Raises `UnansweredError`.
    """
    targets = prometheus.targets()
    findings = _targets(targets, bot)
    everybody = sightings(prometheus, of(m.SDK_ROUTE), f"timestamp({of(m.SDK_ROUTE)})")
    seen = [each for each in everybody if service is None or each.service == service]
    if bot is not None and service == bot.service and any(each.identity == bot.instance for each in seen):
        seen = [each for each in seen if each.identity == bot.instance or each.age < STALE]
    if not seen:
        findings.append(_unseen(prometheus, settings, bot, service, targets, everybody))
        return [], findings
    findings += _fresh(seen)
    findings += _once(prometheus, seen)
    return seen, findings


def sightings(prometheus: Prometheus, expression: str, newest: str) -> list[Sighting]:
    """Return each bot that `expression` has series of; `newest` gives the times of their newest samples."""
    resources = {_place(each.labels): each.labels for each in prometheus.query("target_info")}
    now = next((each.value for each in prometheus.query("vector(time())")), 0.0)
    last: dict[tuple[str, str], float] = {}
    for each in prometheus.query(newest):
        last[_place(each.labels)] = max(each.value, last.get(_place(each.labels), 0.0))
    places = sorted({_place(each.labels) for each in prometheus.query(expression)})
    found: list[Sighting] = []
    for job, instance in places:
        # Scraped from the bot, target_info names it; through the Collector, job and instance do.
        resource = resources.get((job, instance), {})
        service, identity = resource.get("service_name", job), resource.get("service_instance_id", instance)
        found.append(Sighting(job, instance, service, identity, max(0.0, now - last.get((job, instance), now))))
    return found


def _place(labels: dict[str, str]) -> tuple[str, str]:
    return labels.get("job", ""), labels.get("instance", "")


def _targets(targets: list[Target], bot: Bot | None) -> list[Finding]:
    if not targets:
        return [
            wrong(TARGETS, "Prometheus scrapes nothing", "give it a scrape configuration, such as the one in docs/doctor.md")
        ]
    found = [
        (wrong if bot is not None and each.is_endpoint(bot.port) else warning)(
            TARGETS,
            f"Prometheus cannot scrape {each.url} (job {each.job}): {each.error}",
            "start what should be there, or correct its address in the scrape configuration",
        )
        for each in targets
        if each.down
    ]
    return found or [ok(TARGETS, f"Prometheus scrapes {times(len(targets), 'target')}, none is down")]


def _fresh(seen: Iterable[Sighting]) -> list[Finding]:
    return [
        ok(CHECK, f"Prometheus sees {each.service} ({each.told_as}), {each.age:.0f} s ago")
        if each.age < STALE
        else warning(
            CHECK, f"the newest sample of {each.service} ({each.told_as}) is {each.age:.0f} s old", "is the bot running?"
        )
        for each in seen
    ]


def _once(prometheus: Prometheus, seen: list[Sighting]) -> list[Finding]:
    found: list[Finding] = []
    by_identity: dict[tuple[str, str], list[Sighting]] = {}
    for each in seen:
        by_identity.setdefault((each.service, each.identity), []).append(each)
    for (service, _), twins in by_identity.items():
        if len(twins) > 1:
            ways = " and ".join(each.told_as for each in twins)
            mend = "choose one path for it: take its endpoint out of the scrape configuration, or do not push"
            found.append(wrong(CHECK, f"{service} is told of twice: {ways}; sums over bots count it twice", mend))
    places = {(each.job, each.instance): each for each in seen}
    owners: dict[tuple[str, str], set[str]] = {}
    for sample in prometheus.query(of(m.POSITION_ACTIVE)):
        owner = places.get(_place(sample.labels))
        if owner is not None:
            owners.setdefault((owner.service, sample.labels.get(ACCOUNT, "")), set()).add(owner.identity)
    for (service, account), identities in owners.items():
        if len(identities) > 1:
            says = f"{len(identities)} instances of {service} tell of the account {account}: only the one heard of last counts"
            mend = "after a move this ends by itself; two bots need names of their own, for themselves or for their accounts"
            found.append(warning(CHECK, says, mend))
    return found


def _unseen(
    prometheus: Prometheus,
    settings: Settings | None,
    bot: Bot | None,
    service: str | None,
    targets: list[Target],
    everybody: list[Sighting],
) -> Finding:
    who = service or "any bot with this SDK"
    says = f"Prometheus has no series of {who}{_before(prometheus, service)}"
    if service and prometheus.query(f"count({{exported_job={_quoted(service)}}})"):
        says = f"{service} is there, but as exported_job: Prometheus gives the Collector's series its own job and instance"
        return wrong(CHECK, says, "honor_labels: true in the job that scrapes the Collector")
    exporters = () if settings is None else settings.exporters
    mends: list[str] = []
    if "prometheus" in exporters and settings is not None:
        port = bot.port if bot is not None else settings.prometheus_port
        target = next((each for each in targets if each.is_endpoint(port)), None)
        if target is None:
            mends.append(f"no target of Prometheus is the bot's endpoint: add a job with the target 127.0.0.1:{port}")
        elif target.down:
            mends.append(f"its scrape of {target.url} fails: {target.error}")
        elif bot is None:
            mends.append("start the bot")
        else:
            mends.append(f"it scrapes {target.url}, perhaps not yet since the bot began: look again in a minute")
    if "otlp" in exporters:
        mends.append("the bot pushes: Prometheus has to scrape the Collector's exporter (127.0.0.1:8889, honor_labels: true)")
    if any(each.down for each in targets):
        mends.append("a target is down, see above: it may be the one")
    if everybody:
        mends.append(f"it sees {listed(sorted({each.service for each in everybody}))}: --service names the one you mean")
    return wrong(
        CHECK, says, "; ".join(mends) or "start a bot, and have Prometheus scrape it or the Collector that it pushes to"
    )


def _before(prometheus: Prometheus, service: str | None) -> str:
    """When it was seen last, if that was within a quarter of an hour."""
    past = sightings(
        prometheus,
        f"last_over_time({of(m.SDK_ROUTE)}[15m])",
        f"max_over_time(timestamp({of(m.SDK_ROUTE)})[15m:1s])",
    )
    ages = [each.age for each in past if service in {None, each.service}]
    if not ages:
        return ""
    when = time.strftime("%H:%M:%S", time.localtime(time.time() - min(ages)))
    return f" any more; the last was {min(ages):.0f} s ago, at {when}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
