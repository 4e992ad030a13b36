"""What the process, the SDK and the Collector say of themselves, and the alerts that the bot raised."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Alert, Group, Threshold, told, told_if, value
from otel_trading.stack.promql import STRATEGY, grown, of, target_grown, where

_COMPONENT: Final = label_name(a.COMPONENT_NAME)
_ERROR: Final = label_name(a.ERROR_TYPE)
_REASON: Final = label_name(a.SDK_DROP_REASON)
_SEVERITY: Final = label_name(a.ALERT_SEVERITY)

_OVERFLOW: Final = "cardinality_limit"

_YOUNG: Final = '{__name__=~"otelcol_process_uptime(_total)?|otelcol_process_uptime_seconds(_total)?"} < {seconds}'
"""By its versions the Collector ends a name in its unit, in `_total`, or in neither."""


def _lost(name: str) -> str:
    """What a counter of the Collector's own grew by within five minutes; some of its versions end the name in `_total`."""
    return target_grown(f'{{__name__=~"{name}|{name}_total"}}', "5m", young=_YOUNG)


GROUP: Final = Group(
    "trading-operations-alerts",
    (
        Alert(
            name="TradingScrapeTargetDown",
            # What has this label is written in prometheus.yml.
            expr='max_over_time(up{trading_target!=""}[1m]) == 0',
            summary="Prometheus cannot scrape a bot, the Collector, Alertmanager or itself.",
            description=f"{told('instance')} of the scrape job {told('job')} does not answer.",
            dashboard="trading-sdk",
            variable=None,
            severity="critical",
        ),
        Alert(
            name="TradingOtherTargetDown",
            expr='max_over_time(up{trading_target=""}[1m]) == 0',
            summary="Prometheus cannot scrape a target on which no other alert depends.",
            description=f"{told('instance')} of the scrape job {told('job')} does not answer.",
            dashboard="trading-sdk",
            variable=None,
            pending="5m",
        ),
        Alert(
            name="TradingScrapeNearLimit",
            expr=(
                "max_over_time(scrape_samples_post_metric_relabeling[5m]) / (max_over_time(scrape_sample_limit[5m]) > 0)"
                " > $threshold"
            ),
            summary="A target shows nearly as many samples as Prometheus takes; beyond that all of them are dropped.",
            description=f"{told('instance')} of the scrape job {told('job')} has used up {value('humanizePercentage')}.",
            dashboard="trading-sdk",
            variable=None,
            pending="5m",
            threshold=Threshold(0.8, "of the limit of its scrape job, as a fraction"),
        ),
        Alert(
            name="TradingErrors",
            expr=f"sum without ({_ERROR}) ({grown(of(m.ERRORS), '5m')}) > $threshold",
            summary="A part of the bot meets many errors.",
            description=f"{value()} errors in {told(_COMPONENT)} of {told('job')} in 5 minutes.",
            dashboard="trading-overview",
            pending="0s",
            threshold=Threshold(20, "errors of one part of the bot within five minutes"),
        ),
        Alert(
            name="TradingBotAlertCritical",
            expr=f"{grown(where(of(m.ALERTS), **{_SEVERITY: 'critical'}), '15m')} > $threshold",
            summary="The bot itself raised a critical alert.",
            description=f"{told('job')}{told_if(STRATEGY, before=' ')} raised {value()} critical alerts in 15 minutes.",
            dashboard="trading-overview",
            severity="critical",
            pending="0s",
            threshold=Threshold(0, "alerts within a quarter of an hour"),
        ),
        Alert(
            name="TradingBotAlertWarnings",
            expr=f"{grown(where(of(m.ALERTS), **{_SEVERITY: 'warning'}), '15m')} > $threshold",
            summary="The bot itself raised many warnings.",
            description=f"{told('job')}{told_if(STRATEGY, before=' ')} raised {value()} warnings in 15 minutes.",
            dashboard="trading-overview",
            pending="0s",
            threshold=Threshold(15, "alerts within a quarter of an hour"),
        ),
        Alert(
            name="TradingSdkErrors",
            expr=f"{grown(of(m.SDK_ERRORS), '15m')} > $threshold",
            summary="The SDK met faults that it kept from the trading code.",
            description=f"{value()} times {told(_ERROR)} in {told(_COMPONENT)} of {told('job')} in 15 minutes.",
            dashboard="trading-sdk",
            pending="0s",
            threshold=Threshold(0, "faults within a quarter of an hour"),
        ),
        Alert(
            name="TradingMeasurementsDropped",
            expr=f'{grown(f"""{of(m.SDK_DROPPED)}{{{_REASON}!="{_OVERFLOW}"}}""", "15m")} > $threshold',
            summary="Measurements are dropped or cut, so metrics tell less than what happened.",
            description=f"{value()} measurements of {told('job')} in 15 minutes: {told(_REASON)}.",
            dashboard="trading-sdk",
            pending="0s",
            threshold=Threshold(0, "measurements within a quarter of an hour"),
        ),
        Alert(
            name="TradingTooManySeries",
            expr=f"{grown(where(of(m.SDK_DROPPED), **{_REASON: _OVERFLOW}), '15m')} > $threshold",
            summary="A metric has more series than its limit; the rest is kept without its attributes.",
            description=f"{value()} measurements of {told('job')} lost their attributes in 15 minutes.",
            dashboard="trading-sdk",
            pending="0s",
            threshold=Threshold(0, "measurements within a quarter of an hour"),
        ),
        Alert(
            name="TradingCollectorRefusing",
            expr=f"{_lost('otelcol_receiver_refused_metric_points')} > $threshold",
            summary="The Collector refuses what bots send.",
            description=f"{told('instance')} refused {value()} points of {told('receiver')} in 5 minutes.",
            dashboard="trading-sdk",
            variable="collector",
            pending="2m",
            threshold=Threshold(0, "points refused within five minutes"),
        ),
        Alert(
            name="TradingCollectorFailing",
            expr=(
                f"{_lost('otelcol_exporter_send_failed_metric_points')} > $threshold"
                f" or {_lost('otelcol_exporter_enqueue_failed_metric_points')} > $threshold"
            ),
            summary="The Collector loses what it should send on.",
            description=f"{told('instance')} lost {value()} points for {told('exporter')} in 5 minutes.",
            dashboard="trading-sdk",
            variable="collector",
            severity="critical",
            pending="2m",
            threshold=Threshold(0, "points lost within five minutes"),
        ),
        Alert(
            name="TradingCollectorQueueFilling",
            expr=(
                "max_over_time(otelcol_exporter_queue_size[5m]) / (max_over_time(otelcol_exporter_queue_capacity[5m]) > 0)"
                " > $threshold"
            ),
            summary="The queue of the Collector fills: where it sends to is slow or away.",
            description=f"The queue for {told('exporter')} at {told('instance')} is {value('humanizePercentage')} full.",
            dashboard="trading-sdk",
            variable="collector",
            threshold=Threshold(0.8, "of the queue, as a fraction"),
        ),
    ),
)
