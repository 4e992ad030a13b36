"""What models say."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, fired

BOT = 'job="bot",instance="a"'
MODEL = f'{BOT},trading_model_name="direction",trading_model_version="3"'
LABELS = {"job": "bot", "trading_model_name": "direction"}
VERSION = LABELS | {"trading_model_version": "3"}
UPTIME = {f"process_uptime_seconds{{{BOT}}}": "0+60x60"}
CALLS = "trading_inference_duration_seconds_count"
AGE = f"trading_inference_last_feature_time_seconds{{{MODEL}}}"
INTERVAL = f'trading_strategy_cycle_interval_seconds{{{BOT},trading_strategy_name="daily"}}'
CYCLES = f'trading_strategy_cycle_duration_seconds_count{{{BOT},trading_strategy_name="sma"}}'
NOTHING = Case({})


def durations(within: str, all_: str) -> dict[str, str]:
    """Inferences within half a second, and all of them."""
    return {
        f'trading_inference_duration_seconds_bucket{{{MODEL},le="0.25"}}': "0x60",
        f'trading_inference_duration_seconds_bucket{{{MODEL},le="0.5"}}': within,
        f'trading_inference_duration_seconds_bucket{{{MODEL},le="1.0"}}': all_,
        f'trading_inference_duration_seconds_bucket{{{MODEL},le="+Inf"}}': all_,
        f"{CALLS}{{{MODEL}}}": all_,
    }


CASES: Cases = {
    "TradingInferenceSlow": {
        "firing": Case(
            durations("0+99x60", "0+100x60"),
            at="20m",
            fires=[fired("One inference in a hundred of direction 3 of bot takes 500ms or more.", **VERSION)],
        ),
        "missing": Case({}, at="20m"),
        "too few to tell": Case(durations("0x60", "0+0.3x60"), at="20m"),
    },
    "TradingInferenceErrors": {
        "firing": Case(
            {f"{CALLS}{{{MODEL}}}": "0+9x60", f'{CALLS}{{{MODEL},error_type="ValueError"}}': "0+1x60", **UPTIME},
            at="20m",
            fires=[fired("10% of the inferences of direction 3 of bot raised an error.", **VERSION)],
        ),
        "missing": Case(UPTIME, at="20m"),
        "the first errors of a bot that runs": Case(
            {f"{CALLS}{{{MODEL}}}": "0+1x60", f'{CALLS}{{{MODEL},error_type="ValueError"}}': "_x19 5", **UPTIME},
            at="20m",
            fires=[fired("25% of the inferences of direction 3 of bot raised an error.", **VERSION)],
        ),
        "two errors": Case(
            {f"{CALLS}{{{MODEL}}}": "0+1x60", f'{CALLS}{{{MODEL},error_type="ValueError"}}': "_x19 2", **UPTIME}, at="20m"
        ),
    },
    "TradingModelDrift": {
        "firing": Case(
            {f'trading_inference_drift{{{MODEL},trading_drift_variable="rsi"}}': "0.1x4 0.5x60"},
            at="30m",
            fires=[fired("The stability index of rsi of direction 3 of bot is 0.5.", **VERSION, trading_drift_variable="rsi")],
        ),
        "missing": Case({}, at="30m"),
        "for a moment": Case(
            {f'trading_inference_drift{{{MODEL},trading_drift_variable="rsi"}}': "0.1x10 0.5x10 0.1 0.5x60"}, at="30m"
        ),
    },
    "TradingFeaturesStale": {
        "firing": Case({AGE: "0x20"}, fires=[fired("The newest data that direction of bot sees is 10m 0s old.", **LABELS)]),
        "missing": NOTHING,
        "a model of daily bars": Case({AGE: "0x600", INTERVAL: "86400x600"}, at="9h"),
        "a version that was replaced": Case({AGE: "0x20", AGE.replace('"3"', '"4"'): "0+60x20"}),
    },
    "TradingPredictionsMissing": {
        "firing": Case(
            {f"{CALLS}{{{MODEL}}}": "0+2x300 600x100", CYCLES: "0+1x400"},
            at="6h",
            fires=[fired("direction of bot made 600 predictions within a day, and none for 30 minutes.", **LABELS)],
        ),
        "missing": Case({CYCLES: "0+1x400"}, at="6h"),
        "the bot stands still, too": Case({f"{CALLS}{{{MODEL}}}": "0+2x300 600x100", CYCLES: "0+1x300 300x100"}, at="6h"),
        "a model that is seldom asked": Case({f"{CALLS}{{{MODEL}}}": "0+0.1x300 30x100", CYCLES: "0+1x400"}, at="6h"),
    },
}
