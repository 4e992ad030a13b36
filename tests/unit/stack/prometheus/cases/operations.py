"""What the process, the SDK and the Collector say of themselves."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, Fired, fired

BOT = 'job="bot",instance="a"'
COLLECTOR = 'job="otel-collector",instance="c"'
UPTIME = {f"process_uptime_seconds{{{BOT}}}": "0+60x60"}
NOTHING = Case({})
OTLP = 'receiver="otlp",transport="http"'
FIRST = "_x16 1x20"
"""A series that begins with its first event."""


def alerts(severity: str, values: str) -> dict[str, str]:
    return {f'trading_alerts_total{{{BOT},trading_alert_severity="{severity}",trading_strategy_name="sma"}}': values, **UPTIME}


def dropped(reason: str) -> dict[str, str]:
    return {f'trading_sdk_dropped_total{{{BOT},trading_sdk_drop_reason="{reason}"}}': FIRST, **UPTIME}


def points(what: str, labels: str, suffix: str = "", values: str = "0x4 0+10x20") -> dict[str, str]:
    return {f"otelcol_{what}_metric_points{suffix}{{{COLLECTOR},{labels}}}": values, f"up{{{COLLECTOR}}}": "1x30"}


def refused(number: int) -> list[Fired]:
    said = f"c refused {number} points of otlp in 5 minutes."
    return [fired(said, job="otel-collector", instance="c", receiver="otlp", transport="http")]


CASES: Cases = {
    "TradingScrapeTargetDown": {
        "firing": Case(
            {
                f'up{{{BOT},trading_target="bot"}}': "1x30",
                f'up{{{COLLECTOR},trading_target="collector",trading_collector="c"}}': "1x4 0x20",
            },
            fires=[
                fired(
                    "c of the scrape job otel-collector does not answer.",
                    job="otel-collector",
                    instance="c",
                    trading_target="collector",
                    trading_collector="c",
                )
            ],
        ),
        "missing": NOTHING,
        "a bot": Case(
            {f'up{{{BOT},trading_target="bot"}}': "1x4 0x20"},
            fires=[fired("a of the scrape job bot does not answer.", job="bot", instance="a", trading_target="bot")],
        ),
        "one failed scrape": Case({f'up{{{BOT},trading_target="bot"}}': "1x20 0 1x20"}, at="6m", every="15s"),
        "a target that wakes nobody": Case({'up{job="grafana",instance="g"}': "0x20"}),
    },
    "TradingOtherTargetDown": {
        "firing": Case(
            {'up{job="grafana",instance="g"}': "1x4 0x20", f'up{{{BOT},trading_target="bot"}}': "0x30"},
            at="15m",
            fires=[fired("g of the scrape job grafana does not answer.", job="grafana", instance="g")],
        ),
        "missing": NOTHING,
        "while it is started anew": Case({'up{job="grafana",instance="g"}': "1x4 0x4 1x20"}, at="9m"),
    },
    "TradingScrapeNearLimit": {
        "firing": Case(
            {
                f"scrape_samples_post_metric_relabeling{{{BOT}}}": "100x4 45000x20",
                f"scrape_sample_limit{{{BOT}}}": "50000x30",
            },
            at="15m",
            fires=[fired("a of the scrape job bot has used up 90%.", job="bot", instance="a")],
        ),
        "missing": NOTHING,
        "no limit": Case(
            {f"scrape_samples_post_metric_relabeling{{{BOT}}}": "45000x30", f"scrape_sample_limit{{{BOT}}}": "0x30"}, at="15m"
        ),
        "far from it": Case(
            {f"scrape_samples_post_metric_relabeling{{{BOT}}}": "4000x30", f"scrape_sample_limit{{{BOT}}}": "50000x30"},
            at="15m",
        ),
    },
    "TradingErrors": {
        "firing": Case(
            {
                f'trading_errors_total{{{BOT},trading_component_name="feed",error_type="timeout"}}': "0+3x20",
                f'trading_errors_total{{{BOT},trading_component_name="feed",error_type="KeyError"}}': "0+3x20",
            },
            fires=[fired("30 errors in feed of bot in 5 minutes.", job="bot", trading_component_name="feed")],
        ),
        "missing": NOTHING,
        "all at once, for the first time": Case(
            {f'trading_errors_total{{{BOT},trading_component_name="feed",error_type="timeout"}}': "_x19 25x20", **UPTIME},
            at="20m",
            fires=[fired("25 errors in feed of bot in 5 minutes.", job="bot", trading_component_name="feed")],
        ),
        "a few": Case({f'trading_errors_total{{{BOT},trading_component_name="feed",error_type="timeout"}}': "0+1x20"}),
    },
    "TradingBotAlertCritical": {
        "firing": Case(
            alerts("critical", FIRST),
            at="20m",
            fires=[
                fired(
                    "bot sma raised 1 critical alerts in 15 minutes.",
                    job="bot",
                    trading_strategy_name="sma",
                    trading_alert_severity="critical",
                )
            ],
        ),
        "missing": NOTHING,
        "a warning": Case(alerts("warning", FIRST), at="20m"),
    },
    "TradingBotAlertWarnings": {
        "firing": Case(
            alerts("warning", "0+2x30"),
            at="20m",
            fires=[
                fired(
                    "bot sma raised 30 warnings in 15 minutes.",
                    job="bot",
                    trading_strategy_name="sma",
                    trading_alert_severity="warning",
                )
            ],
        ),
        "missing": NOTHING,
        "all at once, for the first time": Case(
            alerts("warning", "_x16 16x20"),
            at="20m",
            fires=[
                fired(
                    "bot sma raised 16 warnings in 15 minutes.",
                    job="bot",
                    trading_strategy_name="sma",
                    trading_alert_severity="warning",
                )
            ],
        ),
        "a few": Case(alerts("warning", "1x16 2x16"), at="20m"),
    },
    "TradingSdkErrors": {
        "firing": Case(
            {f'trading_sdk_errors_total{{{BOT},trading_component_name="ledger",error_type="OSError"}}': FIRST, **UPTIME},
            at="20m",
            fires=[
                fired(
                    "1 times OSError in ledger of bot in 15 minutes.",
                    job="bot",
                    trading_component_name="ledger",
                    error_type="OSError",
                )
            ],
        ),
        "missing": NOTHING,
        "half an hour ago": Case(
            {f'trading_sdk_errors_total{{{BOT},trading_component_name="ledger",error_type="OSError"}}': "_x16 1x40", **UPTIME},
            at="50m",
        ),
    },
    "TradingMeasurementsDropped": {
        "firing": Case(
            dropped("non_finite"),
            at="20m",
            fires=[fired("1 measurements of bot in 15 minutes: non_finite.", job="bot", trading_sdk_drop_reason="non_finite")],
        ),
        "missing": NOTHING,
        "too many series is another alert's": Case(dropped("cardinality_limit"), at="20m"),
    },
    "TradingTooManySeries": {
        "firing": Case(
            dropped("cardinality_limit"),
            at="20m",
            fires=[
                fired(
                    "1 measurements of bot lost their attributes in 15 minutes.",
                    job="bot",
                    trading_sdk_drop_reason="cardinality_limit",
                )
            ],
        ),
        "missing": NOTHING,
        "what cannot be counted is another alert's": Case(dropped("not_a_number"), at="20m"),
    },
    "TradingCollectorRefusing": {
        "firing": Case(points("receiver_refused", OTLP), fires=refused(50)),
        "missing": NOTHING,
        "by the other name": Case(points("receiver_refused", OTLP, "_total"), fires=refused(50)),
        "once, and never before": Case(points("receiver_refused", OTLP, values="_x9 30x20"), at="13m", fires=refused(30)),
        "soon after it was started": Case(
            points("receiver_refused", OTLP, values="_ 30x20")
            | {f"up{{{COLLECTOR}}}": "_ 1x20", f"otelcol_process_uptime_seconds_total{{{COLLECTOR}}}": "_ 10+60x20"},
            at="4m",
            fires=refused(30),
        ),
        "before Prometheus looked": Case(
            points("receiver_refused", OTLP, values="_ 30x20")
            | {f"up{{{COLLECTOR}}}": "_ 1x20", f"otelcol_process_uptime{{{COLLECTOR}}}": "_ 86400+60x20"},
            at="4m",
        ),
    },
    "TradingCollectorFailing": {
        "firing": Case(
            points("exporter_send_failed", 'exporter="otlp_grpc"'),
            fires=[
                fired("c lost 50 points for otlp_grpc in 5 minutes.", job="otel-collector", instance="c", exporter="otlp_grpc")
            ],
        ),
        "missing": NOTHING,
        "nothing is lost": Case(points("exporter_send_failed", 'exporter="otlp_grpc"', values="0x30")),
        "once, and never before": Case(
            points("exporter_send_failed", 'exporter="otlp_grpc"', values="_x9 30x20"),
            at="13m",
            fires=[
                fired("c lost 30 points for otlp_grpc in 5 minutes.", job="otel-collector", instance="c", exporter="otlp_grpc")
            ],
        ),
        "the queue is full": Case(
            points("exporter_enqueue_failed", 'exporter="otlp_grpc"', "_total"),
            fires=[
                fired("c lost 50 points for otlp_grpc in 5 minutes.", job="otel-collector", instance="c", exporter="otlp_grpc")
            ],
        ),
    },
    "TradingCollectorQueueFilling": {
        "firing": Case(
            {
                f'otelcol_exporter_queue_size{{{COLLECTOR},exporter="otlp_grpc",data_type="metrics"}}': "0x4 950x10",
                f'otelcol_exporter_queue_capacity{{{COLLECTOR},exporter="otlp_grpc",data_type="metrics"}}': "1000x20",
            },
            at="8m",
            fires=[
                fired(
                    "The queue for otlp_grpc at c is 95% full.",
                    job="otel-collector",
                    instance="c",
                    exporter="otlp_grpc",
                    data_type="metrics",
                )
            ],
        ),
        "missing": NOTHING,
        "half full": Case(
            {
                f'otelcol_exporter_queue_size{{{COLLECTOR},exporter="otlp_grpc",data_type="metrics"}}': "0x4 500x10",
                f'otelcol_exporter_queue_capacity{{{COLLECTOR},exporter="otlp_grpc",data_type="metrics"}}': "1000x20",
            },
            at="8m",
        ),
        "no queue": Case(
            {
                f'otelcol_exporter_queue_size{{{COLLECTOR},exporter="otlp_grpc",data_type="metrics"}}': "0x20",
                f'otelcol_exporter_queue_capacity{{{COLLECTOR},exporter="otlp_grpc",data_type="metrics"}}': "0x20",
            },
        ),
    },
}
