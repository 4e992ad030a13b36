"""Objectives: alerts by the rate at which what they allow is used up."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, fired

BOT = 'job="bot",instance="a"'
SUBMIT = f'{BOT},trading_strategy_name="sma",trading_venue_name="kraken",trading_order_operation="submit"'
MODEL = f'{BOT},trading_model_name="direction",trading_model_version="3"'
ORDERS = {"job": "bot", "trading_strategy_name": "sma", "trading_venue_name": "kraken"}
SLOW = ORDERS | {"slo": "order-latency"}
LOST = ORDERS | {"slo": "order-errors"}
LATE = {"job": "bot", "trading_model_name": "direction", "slo": "inference-latency"}
NOTHING = Case({}, at="6h")


def orders(within: str, all_: str, bound: str = "1.0") -> dict[str, str]:
    """Orders that the venue answered, and those of them that it answered within a second."""
    return {
        f'trading_order_duration_seconds_bucket{{{SUBMIT},trading_order_status="new",le="{bound}"}}': within,
        f'trading_order_duration_seconds_bucket{{{SUBMIT},trading_order_status="new",le="+Inf"}}': all_,
        f'trading_order_duration_seconds_count{{{SUBMIT},trading_order_status="new"}}': all_,
    }


def errors(failed: str, answered: str, kind: str = "timeout") -> dict[str, str]:
    return {
        f'trading_order_duration_seconds_count{{{SUBMIT},error_type="{kind}"}}': failed,
        f'trading_order_duration_seconds_count{{{SUBMIT},trading_order_status="new"}}': answered,
    }


def inferences(within: str, all_: str) -> dict[str, str]:
    """Inferences, and those of them within 0.1 s."""
    return {
        f'trading_inference_duration_seconds_bucket{{{MODEL},le="0.1"}}': within,
        f'trading_inference_duration_seconds_bucket{{{MODEL},le="+Inf"}}': all_,
        f"trading_inference_duration_seconds_count{{{MODEL}}}": all_,
    }


SLOW_20 = "20% of the orders of sma of bot at kraken took longer than 1 s; 0.01 is allowed, as a fraction."

CASES: Cases = {
    "TradingOrderLatencyBurningFast": {
        "firing": Case(orders("0+4x120", "0+5x120"), at="1h30m", fires=[fired(SLOW_20, **SLOW)]),
        "missing": NOTHING,
        "bounds as the Collector writes them": Case(
            orders("0+4x120", "0+5x120", "1"), at="1h30m", fires=[fired(SLOW_20, **SLOW)]
        ),
        "six times what is allowed for six hours": Case(
            orders("0+15x400", "0+16x400"),
            at="6h30m",
            fires=[fired(SLOW_20.replace("20%", "6.25%"), **SLOW)],
        ),
        "five times": Case(orders("0+19x400", "0+20x400"), at="6h30m"),
        "five minutes after hours": Case(orders("0+5x400 2000x5", "0+5x500"), at="6h45m"),
        "an hour that is over": Case(orders("0x60 0+5x60", "0+5x200"), at="1h35m"),
        "too few to tell": Case(orders("0x120", "0+0.1x120"), at="1h30m"),
    },
    "TradingOrderLatencyBurningSlowly": {
        "firing": Case(orders("0+49x400", "0+50x400"), at="6h", fires=[fired(SLOW_20.replace("20%", "2%"), **SLOW)]),
        "missing": NOTHING,
        "as much as is allowed": Case(orders("0+199x400", "0+200x400"), at="6h"),
    },
    "TradingOrderErrorsBurningFast": {
        "firing": Case(
            errors("0+3x120", "0+1x120"),
            at="1h30m",
            fires=[
                fired(
                    "75% of the orders of sma of bot at kraken did not get through to the venue; 0.05 is allowed, as a fraction.",
                    **LOST,
                )
            ],
        ),
        "missing": NOTHING,
        "errors of the bot's own": Case(errors("0+3x120", "0+1x120", "invalid_request"), at="1h30m"),
    },
    "TradingOrderErrorsBurningSlowly": {
        "firing": Case(
            errors("0+1x400", "0+7x400"),
            at="6h",
            fires=[
                fired(
                    "12.5% of the orders of sma of bot at kraken did not get through to the venue; 0.05 is allowed, as a fraction.",
                    **LOST,
                )
            ],
        ),
        "missing": NOTHING,
        "none ever failed": Case(orders("0+1x400", "0+1x400"), at="6h"),
    },
    "TradingInferenceLatencyBurningFast": {
        "firing": Case(
            inferences("0+1x120", "0+2x120"),
            at="1h30m",
            fires=[
                fired(
                    "50% of the inferences of direction of bot took longer than 0.1 s; 0.01 is allowed, as a fraction.", **LATE
                )
            ],
        ),
        "missing": NOTHING,
    },
    "TradingInferenceLatencyBurningSlowly": {
        "firing": Case(
            inferences("0+24x400", "0+25x400"),
            at="6h",
            fires=[
                fired(
                    "4% of the inferences of direction of bot took longer than 0.1 s; 0.01 is allowed, as a fraction.", **LATE
                )
            ],
        ),
        "missing": NOTHING,
    },
}
