"""Whether the venue and its data are there: connections, streams, freshness, limits, clocks."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Alert, Group, Threshold, told, value
from otel_trading.stack.prometheus.recording import SERVER_P99
from otel_trading.stack.promql import SYMBOL, VENUE, grown, last, of, recent, where

_STREAM: Final = label_name(a.STREAM_NAME)
_LIMIT: Final = label_name(a.RATE_LIMIT_NAME)
_ERROR: Final = label_name(a.ERROR_TYPE)

_AGE: Final = f"time() - {last(m.MARKET_DATA_LAST_UPDATE_TIME)}"


def _refusals(kind: str, window: str) -> str:
    return grown(where(of(m.VENUE_ERRORS), **{_ERROR: kind}), window)


def _down(name: str) -> str:
    """Instances whose gauge said 0 last; one that ended is forgotten after two minutes."""
    return f"last_over_time({name}[2m]) == 0"


GROUP: Final = Group(
    "trading-venue-alerts",
    (
        Alert(
            name="TradingMarketDataStale",
            expr=f"min without ({SYMBOL}) ({_AGE}) > $threshold",
            summary="A stream of market data has brought nothing new for any instrument.",
            description=f"{told(_STREAM)} of {told(VENUE)} brought {told('job')} nothing for {value('humanizeDuration')}.",
            dashboard="trading-venue",
            severity="critical",
            pending="30s",
            threshold=Threshold(120, "seconds without anything new; below 60 a stream that was just ended fires, too"),
        ),
        Alert(
            name="TradingInstrumentDataStale",
            expr=f"{_AGE} > $threshold",
            summary="The data of one instrument has not changed for long.",
            description=(
                f"{told(_STREAM)} of {told(VENUE)} brought {told('job')} nothing about {told(SYMBOL)}"
                f" for {value('humanizeDuration')}."
            ),
            dashboard="trading-venue",
            threshold=Threshold(900, "seconds without anything new about the instrument"),
        ),
        Alert(
            name="TradingVenueDisconnected",
            expr=_down(of(m.VENUE_CONNECTED)),
            summary="A bot has no connection to its venue.",
            description=f"{told('job')} ({told('instance')}) is not connected to {told(VENUE)}.",
            dashboard="trading-venue",
            severity="critical",
        ),
        Alert(
            name="TradingStreamDown",
            expr=_down(of(m.STREAM_CONNECTED)),
            summary="A stream of market data or of the account's own orders is down.",
            description=f"{told(_STREAM)} of {told(VENUE)} is down at {told('job')} ({told('instance')}).",
            dashboard="trading-venue",
            severity="critical",
        ),
        Alert(
            name="TradingStreamFlapping",
            expr=f"{grown(of(m.STREAM_RECONNECTS), '15m')} > $threshold",
            summary="A stream is lost and connected again all the time.",
            description=f"{told(_STREAM)} of {told(VENUE)} reconnected {value()} times in 15 minutes at {told('job')}.",
            dashboard="trading-venue",
            pending="0s",
            threshold=Threshold(15, "reconnects within a quarter of an hour"),
        ),
        Alert(
            name="TradingVenueRateLimited",
            expr=f"{_refusals('rate_limited', '5m')} > $threshold",
            summary="The venue refuses requests because there are too many.",
            description=f"{told(VENUE)} refused {value()} requests of {told('job')} in 5 minutes.",
            dashboard="trading-venue",
            pending="0s",
            threshold=Threshold(3, "requests refused within five minutes"),
        ),
        Alert(
            name="TradingVenueBanned",
            expr=f"{_refusals('ip_banned', '15m')} > $threshold",
            summary="The venue refuses every request from this address.",
            description=f"{told(VENUE)} banned the address of {told('job')}.",
            dashboard="trading-venue",
            severity="critical",
            pending="0s",
            threshold=Threshold(0, "requests refused within a quarter of an hour"),
        ),
        Alert(
            name="TradingVenueKeyRefused",
            expr=f"{_refusals('auth', '15m')} > $threshold",
            summary="The venue refuses the bot's key.",
            description=f"{told(VENUE)} refused the key of {told('job')} {value()} times in 15 minutes.",
            dashboard="trading-venue",
            severity="critical",
            pending="0s",
            threshold=Threshold(0, "requests refused within a quarter of an hour"),
        ),
        Alert(
            name="TradingVenueErrors",
            expr=f"sum without ({_ERROR}) ({grown(of(m.VENUE_ERRORS), '5m')}) > $threshold",
            summary="Many requests to the venue fail.",
            description=f"{value()} requests of {told('job')} to {told(VENUE)} failed in 5 minutes.",
            dashboard="trading-venue",
            threshold=Threshold(20, "requests that failed within five minutes"),
        ),
        Alert(
            name="TradingVenueRateLimitNear",
            # Use falls back at the end of each of the venue's windows: two minutes see a peak of any of them.
            expr=f"{recent(m.VENUE_RATE_LIMIT_UTILIZATION_RATIO, '2m')} > $threshold",
            summary="A rate limit of the venue is nearly used up.",
            description=f"{told('job')} uses {value('humanizePercentage')} of {told(_LIMIT)} of {told(VENUE)}.",
            dashboard="trading-venue",
            pending="5m",
            threshold=Threshold(0.8, "of the limit, as a fraction"),
        ),
        Alert(
            name="TradingClockOffset",
            expr=f"abs(last_over_time({of(m.VENUE_CLOCK_OFFSET)}[5m])) > $threshold",
            summary="The clocks of the bot and of the venue differ.",
            description=f"The clock of {told('job')} is {value('humanizeDuration')} away from that of {told(VENUE)}.",
            dashboard="trading-venue",
            pending="5m",
            threshold=Threshold(0.5, "seconds between the two clocks, in either direction"),
        ),
        Alert(
            name="TradingApiSlow",
            expr=f"{SERVER_P99} > $threshold",
            summary="The bot's own API answers slowly.",
            description=f"One request in a hundred to {told('job')} takes {value('humanizeDuration')} or more.",
            dashboard="trading-sdk",
            severity="critical",
            pending="5m",
            threshold=Threshold(0.5, "seconds that one request in a hundred takes"),
        ),
    ),
)
