"""Turns inferences into metrics: how long a model took, and what it predicted."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from otel_trading import metrics
from otel_trading.metrics.values import as_float, label
from otel_trading.recording.series import Table, select
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.semconv.attributes import PredictionDirection

_DURATION = metrics.histogram(m.INFERENCE_DURATION)
_PREDICTIONS = metrics.counter(m.PREDICTIONS)
_SCORE = metrics.histogram(m.PREDICTION_SCORE)

LABELS: Final = 20
"""Distinct labels of a model that are told apart if it declares none; further ones are `other`."""

OTHER: Final = "other"


class Model(NamedTuple):
    """The attributes that everything about an inference shares."""

    name: str
    version: str | None = None
    strategy: str | None = None
    symbol: str | None = None
    labels: frozenset[str] | None = None
    """The labels that the model may give; None if it did not declare them."""


class ModelSeries:
    """The series of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._known: dict[str, object] = {
            a.MODEL_NAME: model.name,
            a.MODEL_VERSION: model.version,
            a.STRATEGY_NAME: model.strategy,
            a.INSTRUMENT_SYMBOL: model.symbol,
        }
        self.duration = _DURATION.bind(select(m.INFERENCE_DURATION, self._known))
        self.failures = Table(self._failure)
        self.predictions = Table(self._prediction)
        self._scores = Table(self._score)

    def labelled(self, value: object) -> None:
        """Count a prediction of the label `value`; None is a prediction that has none."""
        text = label(value)
        known = self.model.labels
        if text is not None and text not in self.predictions:
            bounded = text in known if known is not None else len(self.predictions) < LABELS
            if not bounded:
                text = OTHER
        self.predictions[text].add()

    def scored(self, value: object) -> None:
        """Record a score: its size in the histogram, its sign as the direction."""
        score = value if type(value) is float else as_float(value)
        if score is None or not math.isfinite(score):
            self._scores["flat"].record(value if score is None else score)  # dropped there, counted and logged
            return
        self._scores["long" if score > 0 else "short" if score < 0 else "flat"].record(abs(score))

    def _failure(self, error_type: str) -> metrics.HistogramCell:
        return _DURATION.bind(select(m.INFERENCE_DURATION, {**self._known, a.ERROR_TYPE: error_type}))

    def _prediction(self, text: str | None) -> metrics.SumCell:
        return _PREDICTIONS.bind(select(m.PREDICTIONS, {**self._known, a.PREDICTION_LABEL: text}))

    def _score(self, direction: PredictionDirection) -> metrics.HistogramCell:
        return _SCORE.bind(select(m.PREDICTION_SCORE, {**self._known, a.PREDICTION_DIRECTION: direction}))


series: Table[Model, ModelSeries] = Table(ModelSeries)
"""The series of every model, shared by the decorators and the plain calls."""
