"""What models say: how late, how stale, how far from what they were trained on."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Alert, Group, Threshold, told, told_if, value
from otel_trading.stack.promql import MODEL, STRATEGY, buckets, count, grown, last, of, recent, where

_ERROR: Final = label_name(a.ERROR_TYPE)
_VERSION: Final = label_name(a.MODEL_VERSION)
_VARIABLE: Final = label_name(a.DRIFT_VARIABLE)

_KEYS: Final = f"job, {MODEL}, {_VERSION}, {STRATEGY}"
_WHICH: Final = f"{told(MODEL)}{told_if(_VERSION, before=' ')} of {told('job')}"

_CALLS: Final = count(m.INFERENCE_DURATION)
_ANSWERED: Final = where(buckets(m.INFERENCE_DURATION), **{_ERROR: ""})
_FAILED: Final = f'{_CALLS}{{{_ERROR}!=""}}'
_CYCLES: Final = count(m.STRATEGY_CYCLE_DURATION)


def _calls(name: str, window: str) -> str:
    return f"sum by ({_KEYS}) ({grown(name, window)})"


def _made(window: str) -> str:
    """Inferences of a model, of whichever version: that a version is replaced is no loss."""
    return f"sum by (job, {MODEL}) (increase({_CALLS}[{window}]))"


_FIGURE: Final = value('printf "%.4g"')

GROUP: Final = Group(
    "trading-inference-alerts",
    (
        Alert(
            name="TradingInferenceSlow",
            expr=(
                f"histogram_quantile(0.99, sum by ({_KEYS}, le) (rate({_ANSWERED}[10m])))"
                f" > $threshold and sum by ({_KEYS}) (increase({_CALLS}[10m])) > 4.5"
            ),
            summary="A model answers slowly.",
            description=f"One inference in a hundred of {_WHICH} takes {value('humanizeDuration')} or more.",
            dashboard="trading-inference",
            pending="5m",
            threshold=Threshold(0.25, "seconds that one inference in a hundred takes, from five in ten minutes on"),
        ),
        Alert(
            name="TradingInferenceErrors",
            expr=f"({_calls(_FAILED, '15m')} > 2.5) / ({_calls(_CALLS, '15m')} > 0) > $threshold",
            summary="Inferences end with an error.",
            description=f"{value('humanizePercentage')} of the inferences of {_WHICH} raised an error.",
            dashboard="trading-inference",
            pending="0s",
            threshold=Threshold(0.05, "of the inferences of a quarter of an hour, as a fraction, from three errors on"),
        ),
        Alert(
            name="TradingModelDrift",
            expr=f"max without (instance) (last_over_time({of(m.INFERENCE_DRIFT)}[5m])) > $threshold",
            summary="What a model sees or says is not what it was trained on.",
            description=f"The stability index of {told(_VARIABLE)} of {_WHICH} is {_FIGURE}.",
            dashboard="trading-inference",
            pending="15m",
            threshold=Threshold(0.25, "population stability index; below 0.1 is stable"),
        ),
        Alert(
            name="TradingFeaturesStale",
            # By the slowest strategy of the bot: a model of daily bars has features that are a day old. Of all versions of the
            # model, as one that was replaced sees nothing new.
            expr=(
                f"time() - max without ({_VERSION}) ({last(m.INFERENCE_LAST_FEATURE_TIME)}) > on (job) group_left ()"
                f" clamp_min($threshold * (max by (job) ({recent(m.STRATEGY_CYCLE_INTERVAL)})"
                f" or max by (job) ({recent(m.INFERENCE_LAST_FEATURE_TIME)}) * 0 + 60), 300)"
            ),
            summary="A model decides by old data.",
            description=f"The newest data that {told(MODEL)} of {told('job')} sees is {value('humanizeDuration')} old.",
            dashboard="trading-inference",
            threshold=Threshold(3, "intervals of the bot's slowest strategy, a minute if it has none; five minutes at least"),
        ),
        Alert(
            name="TradingPredictionsMissing",
            expr=(f"({_made('1d')} > 480) unless {_made('30m')} > 0 and on (job) sum by (job) (increase({_CYCLES}[30m])) > 0"),
            summary="A model is not asked any more, while the bot goes on.",
            description=f"{told(MODEL)} of {told('job')} made {value()} predictions within a day, and none for 30 minutes.",
            dashboard="trading-inference",
            pending="5m",
        ),
    ),
)
