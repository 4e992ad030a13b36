"""Venue and market data: whether venues and streams are there, and how old what they say is."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build import panels as show
from otel_trading.stack.grafana.build import queries as q
from otel_trading.stack.grafana.build.frame import Board, Section
from otel_trading.stack.grafana.build.panels import Ask
from otel_trading.stack.grafana.build.queries import ERROR, RATE_LIMIT, STREAM, tell
from otel_trading.stack.promql import SYMBOL, VENUE

_CONNECTED: Final = {1: ("connected", show.GREEN), 0: ("DISCONNECTED", show.RED)}
_WINDOW: Final = "[$__rate_interval]"


def _connections() -> Section:
    return Section(
        "Connections",
        (
            show.number(
                "Venues",
                "Whether the bot says that it is connected to the venue.",
                Ask(f"min by (job, {VENUE}) ({q.now(m.VENUE_CONNECTED)})", tell(VENUE)),
                unit=show.NUMBER,
                texts=_CONNECTED,
                size=(6, 4),
            ),
            show.number(
                "Streams",
                "Whether each stream of market data or of the account is connected.",
                Ask(f"min by (job, {VENUE}, {STREAM}) ({q.now(m.STREAM_CONNECTED)})", tell(VENUE, STREAM)),
                unit=show.NUMBER,
                texts=_CONNECTED,
                size=(6, 4),
            ),
            show.number(
                "Age of market data",
                "How long ago the last update of any symbol of a stream came.",
                Ask(f"min by ({VENUE}, {STREAM}) ({q.age(m.MARKET_DATA_LAST_UPDATE_TIME)})", tell(VENUE, STREAM)),
                unit=show.SECONDS,
                at={30: show.ORANGE, 120: show.RED},
                decimals=1,
                size=(6, 4),
            ),
            show.number(
                "Offset of the clock",
                "The venue's clock minus ours: a venue refuses signed requests beyond its tolerance.",
                Ask(q.now(m.VENUE_CLOCK_OFFSET), tell(VENUE)),
                unit=show.SECONDS,
                base=show.RED,
                at={-1: show.ORANGE, -0.5: show.GREEN, 0.5: show.ORANGE, 1: show.RED},
                decimals=1,
                size=(6, 4),
            ),
            show.timeline(
                "Venues and streams",
                "When each was connected.",
                Ask(f"min by (job, {VENUE}) ({q.now(m.VENUE_CONNECTED)})", tell(VENUE)),
                Ask(f"min by (job, {VENUE}, {STREAM}) ({q.now(m.STREAM_CONNECTED)})", tell(VENUE, STREAM)),
                texts=_CONNECTED,
                size=(12, 7),
            ),
            show.course(
                "Reconnects",
                "Times that a stream had to be opened again, within each interval of the graph.",
                Ask(q.counted(m.STREAM_RECONNECTS, VENUE, STREAM), tell(VENUE, STREAM)),
                unit=show.NUMBER,
                columns=True,
                at={3: show.RED},
                size=(12, 7),
                absent="None known",
            ),
        ),
    )


def _data() -> Section:
    return Section(
        "Market data",
        (
            show.course(
                "Messages a second",
                "What each stream delivers.",
                Ask(q.rate(m.STREAM_MESSAGES, VENUE, STREAM), tell(VENUE, STREAM)),
                unit=show.NUMBER,
                low=0,
                size=(12, 8),
            ),
            show.course(
                "Age of market data, by symbol",
                "How long ago the last update of each symbol came. A symbol that is not traded gets old without a fault.",
                Ask(q.age(m.MARKET_DATA_LAST_UPDATE_TIME), tell(VENUE, STREAM, SYMBOL)),
                unit=show.SECONDS,
                low=0,
                at={120: show.RED},
                size=(12, 8),
            ),
        ),
    )


def _requests() -> Section:
    slow, host = "http_client_duration_milliseconds", "net_peer_name"
    new, server = "http_client_request_duration_seconds", "server_address"
    old_rate = f"sum by (le, {host}) (rate({q.narrowed(f'{slow}_bucket')}{_WINDOW}))"
    new_rate = f"sum by (le, {server}) (rate({q.narrowed(f'{new}_bucket')}{_WINDOW}))"
    statuses = ((slow, "http_status_code"), (new, "http_response_status_code"))

    def answers(name: str, status: str, value: str) -> str:
        return f"rate({q.narrowed(f'{name}_count', **{status: value})}{_WINDOW})"

    return Section(
        "Requests",
        (
            show.course(
                "Errors of venues",
                "Refusals, time-outs and other errors, by kind, within each interval of the graph.",
                Ask(q.counted(m.VENUE_ERRORS, VENUE, ERROR), tell(VENUE, ERROR)),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                at={5: show.RED},
                absent="None known",
            ),
            show.course(
                "Rate limits in use",
                "How much of each limit on requests or orders is used up.",
                Ask(q.now(m.VENUE_RATE_LIMIT_UTILIZATION_RATIO), tell(VENUE, RATE_LIMIT)),
                unit=show.SHARE,
                low=0,
                at={0.8: show.ORANGE, 1: show.RED},
            ),
            show.course(
                "Offset of the clock, over time",
                "The venue's clock minus ours.",
                Ask(q.now(m.VENUE_CLOCK_OFFSET), tell(VENUE)),
                unit=show.SECONDS,
                at={1: show.RED},
                around_zero=True,
            ),
            show.course(
                "Latency of HTTP requests",
                "Half of the requests that the bot sends, and 1 in 100, took longer.",
                Ask(f"histogram_quantile(0.5, {old_rate}) / 1000", f"median {tell(host)}"),
                Ask(f"histogram_quantile(0.99, {old_rate}) / 1000", f"99th {tell(host)}"),
                Ask(f"histogram_quantile(0.5, {new_rate})", f"median {tell(server)}"),
                Ask(f"histogram_quantile(0.99, {new_rate})", f"99th {tell(server)}"),
                unit=show.SECONDS,
                at={0.5: show.ORANGE},
                size=(12, 8),
            ),
            show.course(
                "HTTP requests a second, by status",
                "The answers of the servers that the bot asks.",
                *(Ask(f"sum by ({status}) ({answers(name, status, '!')})", tell(status)) for name, status in statuses),
                *(Ask(f"sum({answers(name, status, '')})", "no answer") for name, status in statuses),
                unit=show.NUMBER,
                size=(12, 8),
            ),
        ),
    )


BOARD: Final = Board(
    "trading-venue",
    "Venue and market data",
    "Connections, age of market data, errors, rate limits, clocks and the latency of requests.",
    (_connections(), _data(), _requests()),
)
