"""SDK and Collector: whether what the other dashboards show can be trusted, and what it costs."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build import panels as show
from otel_trading.stack.grafana.build import queries as q
from otel_trading.stack.grafana.build.frame import COLLECTOR, Board, Section
from otel_trading.stack.grafana.build.panels import Ask
from otel_trading.stack.grafana.build.queries import COMPONENT, ERROR, HEARTBEAT, tell

_DROPPED: Final = label_name(a.SDK_DROP_REASON)
_ROUTE: Final = label_name(a.SDK_ROUTE_NAME)
_BOT: Final = tell("job", "instance")
_WINDOW: Final = "[$__rate_interval]"
_RELOADED: Final = (
    'prometheus_config_last_reload_successful{job=~".+"} or alertmanager_config_last_reload_successful{job=~".+"}'
)
_MEMORY: Final = f'{{__name__=~"otelcol_process_memory_rss|otelcol_process_memory_rss_bytes", job=~"${COLLECTOR}"}}'


def _sdk() -> Section:
    return Section(
        "The SDK in the bots",
        (
            show.number(
                "Up for",
                "Time since the process started; less than five minutes are another colour.",
                Ask(q.series(m.PROCESS_UPTIME), _BOT),
                unit=show.SECONDS,
                base=show.ORANGE,
                at={300: show.BLUE},
                line=False,
            ),
            show.number(
                "Faults of the SDK",
                "The SDK's own errors in the time that is shown: each is in the bot's log once.",
                Ask(f"({q.grown(m.SDK_ERRORS, 'job')}) or max by (job) ({q.series(m.PROCESS_UPTIME)}) * 0", tell("job")),
                unit=show.NUMBER,
                at={1: show.RED},
                decimals=0,
            ),
            show.number(
                "Measurements dropped",
                "What the SDK was told in the time that is shown and could not count: no number, too many series.",
                Ask(f"({q.grown(m.SDK_DROPPED, 'job')}) or max by (job) ({q.series(m.PROCESS_UPTIME)}) * 0", tell("job")),
                unit=show.NUMBER,
                at={1: show.ORANGE},
                decimals=0,
            ),
            show.number(
                "Unclean stops",
                "Runs that ended without closing their ledger, as counted in it.",
                Ask(f"max by (job) ({q.series(m.SDK_UNCLEAN_STOPS)})", tell("job")),
                unit=show.NUMBER,
                at={1: show.ORANGE},
                absent="no ledger known",
            ),
            show.number(
                "Route",
                "By the SDK's own instruments (core), or by those of a provider that the application made (application).",
                Ask(f"max by ({_ROUTE}) ({q.series(m.SDK_ROUTE)}) > 0", tell(_ROUTE)),
                unit=show.NUMBER,
                base=show.BLUE,
                line=False,
                named=True,
            ),
            show.number(
                "Series",
                "Samples of the last scrape of the target that has most of them.",
                Ask('max(scrape_samples_scraped{job=~".+"})'),
                unit=show.NUMBER,
                base=show.BLUE,
                at={20000: show.ORANGE},
            ),
            show.course(
                "Faults of the SDK, by kind",
                "Within each interval of the graph.",
                Ask(q.counted(m.SDK_ERRORS, COMPONENT, ERROR), tell(COMPONENT, ERROR)),
                unit=show.NUMBER,
                columns=True,
                at={1: show.RED},
                absent="None known",
            ),
            show.course(
                "Measurements dropped, by reason",
                "Within each interval of the graph.",
                Ask(q.counted(m.SDK_DROPPED, _DROPPED), tell(_DROPPED)),
                unit=show.NUMBER,
                columns=True,
                at={1: show.ORANGE},
                absent="None known",
            ),
            show.course(
                "Since the last beat",
                "How long ago each heartbeat was given, beside the time after which it counts as stalled.",
                Ask(q.age(m.HEARTBEAT_LAST_BEAT_TIME), tell(HEARTBEAT)),
                Ask(f"max by (job, {HEARTBEAT}) ({q.now(m.HEARTBEAT_TIMEOUT)})", f"limit {tell(HEARTBEAT)}"),
                unit=show.SECONDS,
                low=0,
            ),
        ),
    )


def _process() -> Section:
    server = "http_server_request_duration_seconds_bucket"
    older = "http_server_duration_milliseconds_bucket"
    return Section(
        "The process",
        (
            show.course(
                "CPU",
                "Cores in use.",
                Ask(f"sum by (job, instance) (rate({q.narrowed('process_cpu_time_seconds_total')}{_WINDOW}))", _BOT),
                unit=show.RATIO,
                low=0,
                at={1: show.ORANGE},
                decimals=2,
            ),
            show.course(
                "Memory",
                "Physical memory in use.",
                Ask(q.narrowed("process_memory_usage_bytes"), _BOT),
                unit="bytes",
                low=0,
                at={2**30: show.ORANGE},
            ),
            show.course(
                "Threads and open files",
                "A number that only rises is a leak.",
                Ask(q.narrowed("process_thread_count"), f"threads {_BOT}"),
                Ask(q.narrowed("process_open_file_descriptor_count"), f"files {_BOT}"),
                unit=show.NUMBER,
                low=0,
                at={900: show.RED},
            ),
            show.course(
                "Network of the machine",
                "Bytes a second, without the loopback device.",
                Ask(
                    f"sum by (job, direction) (rate({q.narrowed('system_network_io_bytes_total', device='!lo')}{_WINDOW}))",
                    tell("job", "direction"),
                ),
                unit="Bps",
                low=0,
            ),
            show.course(
                "Latency of the bot's own API",
                "The 99th percentile of the requests that the bot answers, where it serves HTTP itself.",
                Ask(f"histogram_quantile(0.99, sum by (job, le) (rate({q.narrowed(server)}{_WINDOW})))", tell("job")),
                Ask(f"histogram_quantile(0.99, sum by (job, le) (rate({q.narrowed(older)}{_WINDOW}))) / 1000", tell("job")),
                unit=show.SECONDS,
                at={0.5: show.RED},
                absent="No HTTP of the bot known",
            ),
            show.course(
                "Requests that the bot's own API answers now",
                "Where the bot serves HTTP itself.",
                Ask(f"max by (job) ({q.narrowed('http_server_active_requests')})", tell("job")),
                unit=show.NUMBER,
                low=0,
                absent="No HTTP of the bot known",
            ),
        ),
    )


def _of_collector(name: str) -> str:
    return f'{name}{{job=~"${COLLECTOR}"}}'


def _collected(name: str) -> str:
    """A counter of the Collector: some versions append `_total` to its name."""
    return f'{{__name__=~"{name}|{name}_total", job=~"${COLLECTOR}"}}'


def _collector() -> Section:
    def flow(name: str, *by: str) -> str:
        return f"sum by ({', '.join(by)}) (rate({_collected(name)}{_WINDOW}))"

    def lost(name: str, *by: str) -> str:
        return f"sum by ({', '.join(by)}) (increase({_collected(name)}{_WINDOW}))"

    def missed(name: str, *by: str) -> str:
        """With the first of its kind, with which some series begin; not after a time in which its target was not seen."""
        series = f'{name}{{job=~".+"}}'
        watched = 'scrape_samples_scraped{job=~".+"} offset $__rate_interval > 0'
        new = f"{series} unless {series} offset $__rate_interval and on (job, instance) ({watched})"
        return f"sum by ({', '.join(by)}) ({new} or increase({series}{_WINDOW}))"

    return Section(
        "Prometheus, Alertmanager and the Collector",
        (
            show.timeline(
                "Scrape targets",
                "Whether Prometheus could read each target.",
                Ask('min by (job, instance) (up{job=~".+"})', _BOT),
                texts={1: ("up", show.GREEN), 0: ("DOWN", show.RED)},
                size=(8, 8),
            ),
            show.course(
                "Duration of a scrape",
                "How long each target took to answer.",
                Ask('max by (job, instance) (scrape_duration_seconds{job=~".+"})', _BOT),
                unit=show.SECONDS,
                low=0,
                at={1: show.ORANGE},
            ),
            show.course(
                "Samples of a scrape, of its limit",
                "Prometheus drops a scrape as a whole when it has more samples than the limit of its job.",
                Ask(
                    'scrape_samples_post_metric_relabeling{job=~".+"} / (scrape_sample_limit{job=~".+"} > 0)',
                    _BOT,
                ),
                unit=show.SHARE,
                low=0,
                at={0.8: show.RED},
                absent="No limit known",
            ),
            show.course(
                "Alerts that were not told",
                "Within each interval of the graph: to Alertmanager (dropped, failed), and from there to a person, by the way.",
                Ask(missed("prometheus_notifications_dropped_total", "job"), f"dropped {tell('job')}"),
                Ask(missed("prometheus_notifications_errors_total", "job"), f"failed {tell('job')}"),
                Ask(missed("alertmanager_notifications_failed_total", "integration"), tell("integration")),
                unit=show.NUMBER,
                columns=True,
                at={1: show.RED},
                absent="Prometheus and Alertmanager are not scraped",
            ),
            show.course(
                "What keeps alerts from being raised",
                "Rules that failed, within each interval of the graph; 1 while a changed configuration is refused, and while"
                " Prometheus knows no Alertmanager.",
                Ask(missed("prometheus_rule_evaluation_failures_total", "job"), f"rules failed {tell('job')}"),
                Ask(f"1 - min by (job) ({_RELOADED})", f"configuration refused {tell('job')}"),
                Ask(
                    'max by (job) (prometheus_notifications_alertmanagers_discovered{job=~".+"} < bool 1)',
                    f"no Alertmanager {tell('job')}",
                ),
                unit=show.NUMBER,
                columns=True,
                at={1: show.RED},
                absent="Prometheus and Alertmanager are not scraped",
            ),
            show.course(
                "Points through the Collector",
                "Data points a second that the Collector accepted and sent on.",
                Ask(flow("otelcol_receiver_accepted_metric_points", "job", "receiver"), f"accepted {tell('job', 'receiver')}"),
                Ask(flow("otelcol_exporter_sent_metric_points", "job", "exporter"), f"sent {tell('job', 'exporter')}"),
                unit=show.NUMBER,
                low=0,
            ),
            show.course(
                "Points that the Collector refused or failed to send",
                "Within each interval of the graph. Refused: it is short of memory, and the SDK sends them again.",
                Ask(lost("otelcol_receiver_refused_metric_points", "job", "receiver"), f"refused {tell('job', 'receiver')}"),
                Ask(lost("otelcol_exporter_send_failed_metric_points", "job", "exporter"), f"failed {tell('job', 'exporter')}"),
                Ask(
                    lost("otelcol_exporter_enqueue_failed_metric_points", "job", "exporter"),
                    f"not queued {tell('job', 'exporter')}",
                ),
                unit=show.NUMBER,
                columns=True,
                at={1: show.RED},
            ),
            show.course(
                "Queue of the Collector",
                "How full the queue in front of each exporter is, where one has a queue.",
                Ask(
                    f"{_of_collector('otelcol_exporter_queue_size')} / {_of_collector('otelcol_exporter_queue_capacity')}",
                    tell("job", "exporter"),
                ),
                unit=show.SHARE,
                low=0,
                at={0.8: show.RED},
                absent="No queue known",
            ),
            show.course(
                "Memory of the Collector",
                "Physical memory in use.",
                Ask(f"max by (job, instance) ({_MEMORY})", _BOT),
                unit="bytes",
                low=0,
                at={2**28: show.ORANGE},
            ),
        ),
    )


BOARD: Final = Board(
    "trading-sdk",
    "SDK and Collector",
    "Whether what the other dashboards show can be trusted: faults, drops, scrapes, the Collector, and what it all costs.",
    (_sdk(), _process(), _collector()),
)
