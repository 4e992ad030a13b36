"""Inference: models and the strategies that ask them."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.grafana.build import levels
from otel_trading.stack.grafana.build import panels as show
from otel_trading.stack.grafana.build import queries as q
from otel_trading.stack.grafana.build.frame import Board, Section
from otel_trading.stack.grafana.build.panels import Ask
from otel_trading.stack.grafana.build.queries import DIRECTION, ERROR, HEARTBEAT, LABEL, SIGNAL, VARIABLE, VERSION, tell
from otel_trading.stack.promql import MODEL, STRATEGY

_MODEL: Final = tell(MODEL, VERSION)
_RAISED: Final = {ERROR: "!"}


def _models() -> Section:
    failed = q.part(
        q.grown(m.INFERENCE_DURATION, MODEL, suffix="_count", **_RAISED),
        q.grown(m.INFERENCE_DURATION, MODEL, suffix="_count"),
    )
    return Section(
        "Models",
        (
            show.number(
                "Predictions a second",
                "How often models are asked.",
                Ask(q.rate(m.PREDICTIONS, MODEL, VERSION), _MODEL),
                unit=show.NUMBER,
                base=show.BLUE,
                size=(6, 4),
            ),
            show.number(
                "Failed inferences",
                "Share of the inferences in the time that is shown which raised an exception.",
                Ask(failed, tell(MODEL)),
                unit=show.SHARE,
                at={0.01: show.ORANGE, 0.05: show.RED},
                decimals=2,
                size=(6, 4),
            ),
            show.number(
                "Age of features",
                "How old the newest data is that a model's features were made of.",
                Ask(q.age(m.INFERENCE_LAST_FEATURE_TIME), _MODEL),
                unit=show.SECONDS,
                at={300: show.ORANGE, 3600: show.RED},
                size=(6, 4),
            ),
            show.number(
                "Drift",
                "The largest population stability index of a model's inputs and outputs: below 0.1 stable, above 0.25 drift.",
                Ask(f"max by ({MODEL}, {VERSION}) ({q.now(m.INFERENCE_DRIFT)})", _MODEL),
                unit=show.RATIO,
                at={0.1: show.YELLOW, 0.25: show.RED},
                decimals=3,
                size=(6, 4),
            ),
            show.heat(
                "Latency of inferences",
                "How many inferences a second took how long.",
                Ask(q.rate(m.INFERENCE_DURATION, "le", suffix="_bucket"), "{{le}}"),
                unit=show.SECONDS,
            ),
            show.course(
                "Latency of inferences, quantiles",
                "Half of the inferences, and 1 in 100, took longer.",
                Ask(q.quantile(0.5, m.INFERENCE_DURATION, MODEL, VERSION), f"median {_MODEL}"),
                Ask(q.quantile(0.99, m.INFERENCE_DURATION, MODEL, VERSION), f"99th {_MODEL}"),
                unit=show.SECONDS,
                at={0.1: show.RED},
                size=(12, 9),
            ),
            show.course(
                "Predictions, by label",
                "A second: a model that only gives one answer any more has drifted or starves.",
                Ask(q.rate(m.PREDICTIONS, MODEL, LABEL), tell(MODEL, LABEL)),
                unit=show.NUMBER,
                stacked=True,
            ),
            show.course(
                "Score of predictions",
                "Median of the score without its sign, for each direction.",
                Ask(q.quantile(0.5, m.PREDICTION_SCORE, MODEL, DIRECTION), tell(MODEL, DIRECTION)),
                unit=show.RATIO,
                decimals=2,
                low=0,
            ),
            show.course(
                "Drift",
                "Population stability index of each input and output: below 0.1 stable, above 0.25 drift.",
                Ask(q.now(m.INFERENCE_DRIFT), tell(MODEL, VARIABLE)),
                unit=show.RATIO,
                at={0.1: show.YELLOW, 0.25: show.RED},
                decimals=3,
                low=0,
            ),
        ),
    )


def _levels() -> Section:
    graphs = (levels.windows(name, size=(16, 7)) for name in levels.MODELS)
    return Section("Service levels", (levels.left(*levels.MODELS, size=(8, 7)), *graphs))


def _strategies() -> Section:
    interval = f"max by ({STRATEGY}) ({q.now(m.STRATEGY_CYCLE_INTERVAL)})"
    return Section(
        "Strategies",
        (
            show.course(
                "Signals",
                "Signals that strategies gave, within each interval of the graph.",
                Ask(q.counted(m.SIGNALS, STRATEGY, SIGNAL), tell(STRATEGY, SIGNAL)),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
            ),
            show.course(
                "Duration of a cycle",
                "Half of the cycles, and 1 in 100, took longer; beside them the interval at which they are expected.",
                Ask(q.quantile(0.5, m.STRATEGY_CYCLE_DURATION, STRATEGY), f"median {tell(STRATEGY)}"),
                Ask(q.quantile(0.99, m.STRATEGY_CYCLE_DURATION, STRATEGY), f"99th {tell(STRATEGY)}"),
                Ask(interval, f"interval {tell(STRATEGY)}"),
                unit=show.SECONDS,
                orders_of_magnitude=True,
            ),
            show.course(
                "Since the last cycle and the last beat",
                "Rises when a strategy or a heartbeat hangs.",
                Ask(q.age(m.STRATEGY_LAST_CYCLE_TIME), f"cycle {tell(STRATEGY)}"),
                Ask(q.age(m.HEARTBEAT_LAST_BEAT_TIME), f"beat {tell(HEARTBEAT)}"),
                unit=show.SECONDS,
                at={60: show.ORANGE},
                low=0,
            ),
            show.course(
                "Cycles that raised",
                "Cycles that raised an exception, by its kind, within each interval of the graph.",
                Ask(
                    q.counted(m.STRATEGY_CYCLE_DURATION, STRATEGY, ERROR, suffix="_count", **_RAISED),
                    tell(STRATEGY, ERROR),
                ),
                unit=show.NUMBER,
                columns=True,
                stacked=True,
                at={1: show.RED},
                size=(12, 7),
                absent="No error known",
            ),
            show.course(
                "Heartbeats that stalled",
                "Times that a heartbeat was missing for longer than it may, within each interval of the graph.",
                Ask(q.counted(m.HEARTBEAT_STALLS, HEARTBEAT), tell(HEARTBEAT)),
                unit=show.NUMBER,
                columns=True,
                at={1: show.RED},
                size=(12, 7),
                absent="No stall known",
            ),
        ),
    )


BOARD: Final = Board(
    "trading-inference",
    "Inference",
    "Models and the strategies that ask them: how fast and how often, with what result, and whether they drift.",
    (_models(), _levels(), _strategies()),
)
