"""Whether the venue and its data are there."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, fired

BOT = 'job="bot",instance="a"'
KRAKEN = f'{BOT},trading_venue_name="kraken"'
BOOK = f'{KRAKEN},trading_stream_name="book"'
UPTIME = {f"process_uptime_seconds{{{BOT}}}": "0+60x60"}
NOTHING = Case({})

AGE = "trading_market_data_last_update_time_seconds"
LABELS = {"job": "bot", "trading_venue_name": "kraken"}
STREAM = LABELS | {"trading_stream_name": "book"}


def refused(kind: str) -> dict[str, str]:
    """Errors of one kind, whose series begins with the first."""
    return {f'trading_venue_errors_total{{{KRAKEN},error_type="{kind}"}}': "_x16 1 3 4 5x10", **UPTIME}


CASES: Cases = {
    "TradingMarketDataStale": {
        "firing": Case(
            {
                f'{AGE}{{{BOOK},trading_instrument_symbol="BTC/USD"}}': "0x20",
                f'{AGE}{{{BOOK},trading_instrument_symbol="ETH/USD"}}': "60x20",
            },
            fires=[fired("book of kraken brought bot nothing for 9m 0s.", **STREAM)],
        ),
        "missing": NOTHING,
        "one instrument is quiet": Case(
            {
                f'{AGE}{{{BOOK},trading_instrument_symbol="BTC/USD"}}': "0x20",
                f'{AGE}{{{BOOK},trading_instrument_symbol="ETH/USD"}}': "0+60x20",
            },
        ),
        "a stream that was ended": Case({f"{AGE}{{{BOOK}}}": "0 60 stale"}),
    },
    "TradingInstrumentDataStale": {
        "firing": Case(
            {
                f'{AGE}{{{BOOK},trading_instrument_symbol="BTC/USD"}}': "0x30",
                f'{AGE}{{{BOOK},trading_instrument_symbol="ETH/USD"}}': "0+60x30",
            },
            at="20m",
            fires=[
                fired(
                    "book of kraken brought bot nothing about BTC/USD for 20m 0s.",
                    **STREAM,
                    trading_instrument_symbol="BTC/USD",
                )
            ],
        ),
        "missing": NOTHING,
    },
    "TradingVenueDisconnected": {
        "firing": Case(
            {f"trading_venue_connected{{{KRAKEN}}}": "1x4 0x20"},
            at="7m",
            fires=[fired("bot (a) is not connected to kraken.", **LABELS, instance="a")],
        ),
        "missing": NOTHING,
        "a failed scrape hides nothing": Case(
            {f"trading_venue_connected{{{KRAKEN}}}": "1x4 0x11 stale 0x20"},
            at="4m30s",
            every="15s",
            fires=[fired("bot (a) is not connected to kraken.", **LABELS, instance="a")],
        ),
        "back again": Case({f"trading_venue_connected{{{KRAKEN}}}": "1x4 0x3 1x20"}),
        "one that ended is forgotten": Case({f"trading_venue_connected{{{KRAKEN}}}": "0x4 stale"}),
    },
    "TradingStreamDown": {
        "firing": Case(
            {f"trading_stream_connected{{{BOOK}}}": "1x4 0x20"},
            at="7m",
            fires=[fired("book of kraken is down at bot (a).", **STREAM, instance="a")],
        ),
        "missing": NOTHING,
    },
    "TradingStreamFlapping": {
        "firing": Case(
            {f"trading_stream_reconnects_total{{{BOOK}}}": "_x16 2+2x8 18x10", **UPTIME},
            at="26m",
            fires=[fired("book of kraken reconnected 18 times in 15 minutes at bot.", **STREAM)],
        ),
        "missing": NOTHING,
        "all between two looks": Case(
            {f"trading_stream_reconnects_total{{{BOOK}}}": "_x16 16x20", **UPTIME},
            at="20m",
            fires=[fired("book of kraken reconnected 16 times in 15 minutes at bot.", **STREAM)],
        ),
        "now and then": Case({f"trading_stream_reconnects_total{{{BOOK}}}": "1x16 2x16 3x16", **UPTIME}, at="40m"),
    },
    "TradingVenueRateLimited": {
        "firing": Case(
            refused("rate_limited"),
            at="20m",
            fires=[fired("kraken refused 5 requests of bot in 5 minutes.", **LABELS, error_type="rate_limited")],
        ),
        "missing": NOTHING,
        "other errors": Case(refused("timeout"), at="20m"),
    },
    "TradingVenueBanned": {
        "firing": Case(
            refused("ip_banned"),
            at="16m",
            fires=[fired("kraken banned the address of bot.", **LABELS, error_type="ip_banned")],
        ),
        "missing": NOTHING,
        "other errors": Case(refused("rate_limited"), at="20m"),
    },
    "TradingVenueKeyRefused": {
        "firing": Case(
            refused("auth"),
            at="20m",
            fires=[fired("kraken refused the key of bot 5 times in 15 minutes.", **LABELS, error_type="auth")],
        ),
        "missing": NOTHING,
    },
    "TradingVenueErrors": {
        "firing": Case(
            {
                f'trading_venue_errors_total{{{KRAKEN},error_type="timeout"}}': "0+4x30",
                f'trading_venue_errors_total{{{KRAKEN},error_type="network"}}': "0+2x30",
            },
            at="20m",
            fires=[fired("30 requests of bot to kraken failed in 5 minutes.", **LABELS)],
        ),
        "missing": NOTHING,
        "all at once, for the first time": Case(
            {f'trading_venue_errors_total{{{KRAKEN},error_type="timeout"}}': "_x16 25x20", **UPTIME},
            at="19m",
            fires=[fired("25 requests of bot to kraken failed in 5 minutes.", **LABELS)],
        ),
        "a few": Case({f'trading_venue_errors_total{{{KRAKEN},error_type="timeout"}}': "0+1x30"}, at="20m"),
    },
    "TradingVenueRateLimitNear": {
        "firing": Case(
            {
                f'trading_venue_rate_limit_utilization_ratio{{{KRAKEN},trading_rate_limit_name="orders"}}': "0.5 0.9 0.1 0.9 0.1 0.9 0.1 0.9 0.1 0.9 0.1 0.9"
            },
            at="9m",
            fires=[fired("bot uses 90% of orders of kraken.", **LABELS, instance="a", trading_rate_limit_name="orders")],
        ),
        "missing": NOTHING,
        "once": Case(
            {f'trading_venue_rate_limit_utilization_ratio{{{KRAKEN},trading_rate_limit_name="orders"}}': "0.5x4 1 0.1x10"},
            at="10m",
        ),
    },
    "TradingClockOffset": {
        "firing": Case(
            {f"trading_venue_clock_offset_seconds{{{KRAKEN}}}": "0x4 -2x20"},
            at="15m",
            fires=[fired("The clock of bot is 2s away from that of kraken.", **LABELS, instance="a")],
        ),
        "missing": NOTHING,
        "once": Case({f"trading_venue_clock_offset_seconds{{{KRAKEN}}}": "0x4 2 0x20"}, at="8m"),
    },
    "TradingApiSlow": {
        "firing": Case(
            {
                f'http_server_request_duration_seconds_bucket{{{BOT},le="0.5"}}': "0x30",
                f'http_server_request_duration_seconds_bucket{{{BOT},le="1"}}': "0+60x30",
                f'http_server_request_duration_seconds_bucket{{{BOT},le="+Inf"}}': "0+60x30",
            },
            at="20m",
            fires=[fired("One request in a hundred to bot takes 995ms or more.", job="bot")],
        ),
        "missing": NOTHING,
        "by its older name, in milliseconds": Case(
            {
                f'http_server_duration_milliseconds_bucket{{{BOT},le="500"}}': "0x30",
                f'http_server_duration_milliseconds_bucket{{{BOT},le="1000"}}': "0+60x30",
                f'http_server_duration_milliseconds_bucket{{{BOT},le="+Inf"}}': "0+60x30",
            },
            at="20m",
            fires=[fired("One request in a hundred to bot takes 995ms or more.", job="bot")],
        ),
        "nobody asks": Case(
            {
                f'http_server_request_duration_seconds_bucket{{{BOT},le="0.5"}}': "0x30",
                f'http_server_request_duration_seconds_bucket{{{BOT},le="+Inf"}}': "9x30",
            },
            at="20m",
        ),
    },
}
