"""What becomes of orders."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, fired

BOT = 'job="bot",instance="a"'
SMA = f'{BOT},trading_strategy_name="sma",trading_venue_name="kraken"'
LABELS = {"job": "bot", "trading_strategy_name": "sma", "trading_venue_name": "kraken"}
UPTIME = {f"process_uptime_seconds{{{BOT}}}": "0+60x400"}
SENT = f"trading_order_submissions_total{{{SMA}}}"
NOTHING = Case({})


def ended(status: str, values: str, others: str) -> dict[str, str]:
    """Orders that ended in a status, and those that were filled."""
    return {
        f'trading_orders_total{{{SMA},trading_order_status="{status}"}}': values,
        f'trading_orders_total{{{SMA},trading_order_status="filled"}}': others,
        **UPTIME,
    }


def acknowledged(within: str, all_: str) -> dict[str, str]:
    """Orders that were acknowledged within five seconds, and all of them."""
    leg = f'{SMA},trading_order_leg="submit_ack"'
    return {
        f'trading_order_leg_duration_seconds_bucket{{{leg},le="5.0"}}': within,
        f'trading_order_leg_duration_seconds_bucket{{{leg},le="15.0"}}': all_,
        f'trading_order_leg_duration_seconds_bucket{{{leg},le="+Inf"}}': all_,
        f"trading_order_leg_duration_seconds_count{{{leg}}}": all_,
    }


def slipped(adverse: str, favorable: str, orders: str) -> dict[str, str]:
    """Basis points in each direction, and the orders in one of them."""
    btc = f'{SMA},trading_instrument_symbol="BTC/USD",trading_slippage_direction'
    return {
        f'trading_slippage_sum{{{btc}="adverse"}}': adverse,
        f'trading_slippage_sum{{{btc}="favorable"}}': favorable,
        f'trading_slippage_count{{{btc}="adverse"}}': orders,
        f'trading_slippage_count{{{btc}="favorable"}}': orders,
    }


def filled(share: str, orders: str) -> dict[str, str]:
    return {
        f'trading_order_fill_ratio_sum{{{SMA},trading_order_type="limit"}}': share,
        f'trading_order_fill_ratio_count{{{SMA},trading_order_type="limit"}}': orders,
    }


CASES: Cases = {
    "TradingOrdersRunaway": {
        "firing": Case(
            {SENT: "0x200 0+20x20"},
            at="3h31m",
            fires=[fired("sma of bot at kraken sends 20 times as many orders as usual.", **LABELS)],
        ),
        "missing": NOTHING,
        "for forty minutes already": Case(
            {SENT: "0x200 0+20x60"},
            at="4h1m",
            fires=[fired("sma of bot at kraken sends 20 times as many orders as usual.", **LABELS)],
        ),
        "a bot that has just begun": Case({SENT: "0+50x30"}, at="30m"),
        "a bot that sends many all day": Case({SENT: "0+50x300"}, at="4h"),
        "a bot that sends one after a quiet day": Case({SENT: "0x200 1x20"}, at="3h22m"),
        "a bot that sends five times as many as on the day before": Case({SENT: "0+10x200 2000+50x20"}, at="3h31m"),
        "a bot that was restarted": Case({SENT: "0+50x200 stale", SENT.replace('"a"', '"b"'): "_x200 0+50x20"}, at="3h31m"),
    },
    "TradingOrdersRejected": {
        "firing": Case(
            ended("rejected", "0+1x60", "0+9x60"),
            at="30m",
            fires=[fired("10% of the orders of sma of bot at kraken were rejected.", **LABELS)],
        ),
        "missing": Case(UPTIME, at="30m"),
        "one of a hundred": Case(ended("rejected", "0+1x60", "0+99x60"), at="30m"),
        "the only order": Case(ended("rejected", "_x20 1x60", "0x60"), at="30m"),
        "of no strategy": Case(
            {
                f'trading_orders_total{{{BOT},trading_venue_name="kraken",trading_order_status="rejected"}}': "_x10 1+1x60",
                **UPTIME,
            },
            at="30m",
            fires=[fired("100% of the orders of bot at kraken were rejected.", job="bot", trading_venue_name="kraken")],
        ),
        "every order": Case(
            {f'trading_orders_total{{{SMA},trading_order_status="rejected"}}': "_x10 1+1x60", **UPTIME},
            at="30m",
            fires=[fired("100% of the orders of sma of bot at kraken were rejected.", **LABELS)],
        ),
    },
    "TradingOrdersUnknown": {
        "firing": Case(
            ended("unknown", "_x19 5x60", "0+1x60"),
            at="20m",
            fires=[fired("25% of the orders of sma of bot at kraken ended unknown.", **LABELS)],
        ),
        "missing": Case(UPTIME, at="30m"),
        "two of them": Case(ended("unknown", "_x19 2x60", "0+1x60"), at="20m"),
    },
    "TradingOrdersUnresolved": {
        "firing": Case(
            {f"trading_order_unresolved{{{SMA}}}": "0x4 2x20"},
            fires=[fired("The state of 2 orders of sma of bot at kraken is not known.", **LABELS)],
        ),
        "missing": NOTHING,
        "resolved": Case({f"trading_order_unresolved{{{SMA}}}": "0x4 2x3 0x20"}),
    },
    "TradingOrderStuck": {
        "firing": Case(
            {f"trading_order_oldest_open_time_seconds{{{SMA}}}": "0x1600"},
            at="25h",
            fires=[fired("The oldest order of sma of bot at kraken is open for 1d 1h 0m 0s.", **LABELS)],
        ),
        "missing": Case({}, at="25h"),
        "closed": Case({f"trading_order_oldest_open_time_seconds{{{SMA}}}": "0x1480 stale"}, at="25h"),
    },
    "TradingOrderAckSlow": {
        "firing": Case(
            acknowledged("0+9x60", "0+10x60"),
            at="20m",
            fires=[fired("One order in a hundred of sma of bot at kraken waits 14s or more for the venue.", **LABELS)],
        ),
        "missing": Case({}, at="20m"),
        "too few to tell": Case(acknowledged("0x60", "0+0.3x60"), at="20m"),
    },
    "TradingSlippageHigh": {
        "firing": Case(
            slipped("0+60x60", "0+10x60", "0+1x60"),
            at="30m",
            fires=[
                fired("sma of bot at kraken pays 25 basis points for BTC/USD.", **LABELS, trading_instrument_symbol="BTC/USD")
            ],
        ),
        "missing": Case({}, at="30m"),
        "as much in its favor": Case(slipped("0+60x60", "0+60x60", "0+1x60"), at="30m"),
        "too few to tell": Case(slipped("0+60x60", "0x60", "0+0.1x60"), at="30m"),
    },
    "TradingFillRatioLow": {
        "firing": Case(
            filled("0+0.5x300 150+0.125x100", "0+1x400"),
            at="6h40m",
            fires=[
                fired(
                    "limit orders of sma of bot at kraken fill 30.79% of what is usual.", **LABELS, trading_order_type="limit"
                )
            ],
        ),
        "missing": Case({}, at="6h40m"),
        "a market maker fills few of them": Case(filled("0+0.05x400", "0+1x400"), at="6h40m"),
        "nothing was ever filled": Case(filled("0x400", "0+1x400"), at="6h40m"),
    },
}
