"""Whether the metrics have the names that rules and dashboards know, and the same ones on every path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.doctor.asking import Prometheus, Sample
from otel_trading.stack.doctor.endpoint import Bot
from otel_trading.stack.doctor.finding import Finding, listed, ok, times, warning, wrong
from otel_trading.stack.doctor.seen import Sighting
from otel_trading.stack.promql import buckets, count, of, total

CHECK = "names"
LOSSES = "measurements"
_PREFIX: Final = "trading"

KNOWN: Final = frozenset(
    name
    for metric in m.ALL.values()
    for name in ((buckets(metric), count(metric), total(metric)) if metric.kind == "histogram" else (of(metric),))
)
"""Every name that a sample of ours may have."""


def check(prometheus: Prometheus | None, bot: Bot | None, seen: list[Sighting]) -> list[Finding]:
    """Compare the names on the endpoint, and in Prometheus for each sighting, with the registry and with each other.

    Raises `UnansweredError`.
    """
    shown: dict[str, set[str]] = {}
    if bot is not None:
        shown[f"on {bot.url}"] = ours(name for name, _, _ in bot.samples)
    places: dict[tuple[str, str], set[str]] = {}
    found: list[Finding] = []
    if prometheus is not None and seen:
        samples = prometheus.query(f'count by (__name__, job, instance) ({{__name__=~"{_PREFIX}[._].*"}})')
        for each in seen:
            places[each.job, each.instance] = _at(samples, each)
            shown[f"in Prometheus as {each.told_as}"] = places[each.job, each.instance]
        found += _scopes(prometheus, seen)
    found += [finding for where, names in shown.items() for finding in _foreign(where, names)]
    found += _lost(bot, seen, places)
    found += _different(seen, places)
    if not found and shown:
        most = max(shown.values(), key=len)
        found.append(ok(CHECK, f"{times(len(most), 'name')} of samples, each of them in the registry, the same on every path"))
    return found


def losses(prometheus: Prometheus | None, bot: Bot | None, seen: list[Sighting]) -> list[Finding]:
    """What the SDK dropped, and its own faults, since the bot started. Raises `UnansweredError`."""
    samples = [Sample({**labels, "__name__": name}, value) for name, labels, value in bot.samples] if bot else []
    if not samples and prometheus is not None and seen:
        places = {(each.job, each.instance) for each in seen}
        wanted = prometheus.query(f'{{__name__=~"{of(m.SDK_DROPPED)}|{of(m.SDK_ERRORS)}"}}')
        samples = [each for each in wanted if (each.labels.get("job"), each.labels.get("instance")) in places]
    if not samples:
        return []
    found: list[Finding] = []
    for metric, what, mend in (
        (m.SDK_DROPPED, "measurements were dropped", "docs/runbooks/TradingMeasurementsDropped.md"),
        (
            m.SDK_ERRORS,
            "faults of the SDK were contained",
            "docs/runbooks/TradingSdkErrors.md; the bot's log names each kind once",
        ),
    ):
        hits = [each for each in samples if each.labels.get("__name__") == of(metric) and each.value > 0]
        if hits:
            kinds = sorted({_kind(each) for each in hits})
            found.append(warning(LOSSES, f"{sum(each.value for each in hits):g} {what}: {listed(kinds)}", mend))
    return found or [ok(LOSSES, "none was dropped, and no fault of the SDK was contained")]


def _kind(sample: Sample) -> str:
    return " ".join(value for key, value in sorted(sample.labels.items()) if key not in {"__name__", "job", "instance"})


def ours(names: Iterable[str]) -> set[str]:
    """Those that begin as ours do; not the times of creation, which Prometheus 2 keeps as series of their own."""
    return {name for name in names if name.startswith((f"{_PREFIX}_", f"{_PREFIX}.")) and not name.endswith("_created")}


def _at(samples: list[Sample], sighting: Sighting) -> set[str]:
    place = (sighting.job, sighting.instance)
    return ours(each.labels["__name__"] for each in samples if (each.labels.get("job"), each.labels.get("instance")) == place)


def _foreign(where: str, names: set[str]) -> list[Finding]:
    unknown = sorted(names - KNOWN)
    if not unknown:
        return []
    bare = {name.replace(".", "_") for name in unknown}
    # Without their suffixes, or with their dots, they are those of the registry.
    if bare & {metric.name.replace(".", "_") for metric in m.ALL.values()} or any("." in name for name in unknown):
        mend = "translation_strategy: UnderscoreEscapingWithSuffixes in the Collector's Prometheus exporter"
        return [wrong(CHECK, f"{where} metrics lack their units and suffixes: {listed(unknown)}", mend)]
    says = f"{where} are names that are not in the registry: {listed(unknown)}"
    return [
        warning(CHECK, says, f"no rule knows them; name your own metrics without {_PREFIX}., or install one version everywhere")
    ]


def _lost(bot: Bot | None, seen: list[Sighting], places: dict[tuple[str, str], set[str]]) -> list[Finding]:
    """What the endpoint has and Prometheus does not."""
    found: list[Finding] = []
    for each in seen if bot is not None else ():
        if bot is None or each.identity != bot.instance:
            continue
        lost = sorted(ours(name for name, _, _ in bot.samples) - places[each.job, each.instance])
        if lost:
            mend = "what began a moment ago is there after the next scrape; else look for metric_relabel_configs that drop it"
            found.append(
                warning(CHECK, f"{times(len(lost), 'name')} not in Prometheus as {each.told_as}: {listed(lost)}", mend)
            )
    return found


def _different(seen: list[Sighting], places: dict[tuple[str, str], set[str]]) -> list[Finding]:
    """What one path has and the other does not, for a bot that is told of on both."""
    found: list[Finding] = []
    for index, one in enumerate(seen):
        for other in seen[index + 1 :]:
            different = sorted(places[one.job, one.instance] ^ places[other.job, other.instance])
            if one.identity == other.identity and different and places:
                says = f"{one.told_as} and {other.told_as} differ in {listed(different)}"
                found.append(warning(CHECK, says, "what began a moment ago may be under way on one path"))
    return found


def _scopes(prometheus: Prometheus, seen: list[Sighting]) -> list[Finding]:
    extra = prometheus.query(f'count by (job, instance) ({{__name__="{of(m.SDK_ROUTE)}", otel_scope_name!=""}})')
    jobs = {(each.labels.get("job"), each.labels.get("instance")) for each in extra}
    if not any((each.job, each.instance) in jobs for each in seen):
        return []
    mend = "without_scope_info: true in the Collector's Prometheus exporter"
    return [warning(CHECK, "each series has labels of its scope, which the bot's own endpoint does not give", mend)]
