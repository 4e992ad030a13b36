"""The same bot seen on two paths: Prometheus scrapes it as the job `bot`, and through the Collector under its own name."""

from __future__ import annotations

from collections.abc import Collection

from tests.harness import Prometheus, wait_until

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(prometheus: Prometheus, job: str) -> Series:
    """Return the bot's own series of a job, without the two labels that say where they came from.

    Without Prometheus' own (`up`, `scrape_…`) too, and without `target_info`, which `identity` is about.
    """
    result = prometheus.query(f'{{job="{job}",__name__!~"up|scrape_.*|target_info"}}')
    return {
        (sample.name, frozenset((k, v) for k, v in sample.labels.items() if k not in {"job", "instance"})): sample.value
        for sample in result
    }


def families(series: Series) -> set[str]:
    """Return the names of the metrics: the series of a histogram are one."""
    names = {name for name, _ in series}
    histograms = {name.removesuffix("_bucket") for name in names if name.endswith("_bucket")}
    parts = {f"{histogram}_{part}" for histogram in histograms for part in ("bucket", "sum", "count")}
    return names - parts | histograms


def differences(bot: Series, collector: Series, moving: Collection[str]) -> list[str]:
    """Say what is not the same; the values of `moving` metrics change between two scrapes and are not compared."""
    found = [f"only on the bot: {name} {dict(labels)}" for name, labels in bot.keys() - collector.keys()]
    found += [f"only on the Collector: {name} {dict(labels)}" for name, labels in collector.keys() - bot.keys()]
    for key in bot.keys() & collector.keys():
        if bot[key] != collector[key] and key[0] not in moving:
            found.append(f"{key[0]} {dict(key[1])}: {bot[key]} on the bot, {collector[key]} on the Collector")
    return sorted(found)


def wait_until_same(prometheus: Prometheus, bot: str, collector: str, moving: Collection[str]) -> Series:
    """Wait until the two jobs show the same (what came last may be under way on one path); return the bot's series."""
    found: list[str] = []

    def same() -> Series | None:
        on_bot = series(prometheus, bot)
        found[:] = differences(on_bot, series(prometheus, collector), moving)
        return None if found else on_bot

    try:
        return wait_until(same, "both paths show the same", interval=0.2)
    except AssertionError as error:
        raise AssertionError("\n".join([str(error), *found])) from None


def identity(prometheus: Prometheus, job: str) -> dict[str, str]:
    """Return the resource that `target_info` of a job tells, under the names that the bot's own endpoint gives it.

    As OpenTelemetry specifies, the Collector turns `service.name` and `service.instance.id` into job and instance and leaves them
    out of `target_info`'s other labels; the bot's own endpoint cannot, since Prometheus gives job and instance to what it scrapes.
    """
    [info] = prometheus.query(f'target_info{{job="{job}"}}')
    labels = dict(info.labels)
    by_collector = {"service_name": labels.pop("job"), "service_instance_id": labels.pop("instance")}
    return by_collector | labels
