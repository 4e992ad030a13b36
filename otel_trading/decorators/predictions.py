"""What a model's result says it predicted: a label, a score, or nothing that we look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast

from otel_trading.metrics import faults
from otel_trading.orders.reading import is_fraction, is_numpy_scalar, numpy_item
from otel_trading.recording.inference import OTHER, ModelSeries

Read = Callable[[Any], object]
"""Reads something from a result: one, None for nothing, or a list of them for a batch."""

_LABELS: Final = (Enum, str, int)  # a bool is an int
_SCORES: Final = (float, Decimal)
_MOST_BITS: Final = 64
"""Of an integer that is a label."""
_MOST: Final = 10_000
"""Predictions of one batch that are recorded."""


def record_prediction(found: ModelSeries, result: object, label: Read | None, score: Read | None) -> None:
    """Record what `result` predicts, read by the functions if there are any, else by its type."""
    if label is None and score is None:
        _by_type(found, result)
        return
    if score is not None:
        for value in _several(_read(score, result)):
            found.scored(value)
    if label is not None:
        for value in _several(_read(label, result)):
            found.labelled(value)


def _by_type(found: ModelSeries, result: object) -> None:
    kind = type(result)  # not isinstance, which asks a lazy proxy for its class
    if issubclass(kind, _LABELS):
        found.labelled(OTHER if kind is int and cast("int", result).bit_length() > _MOST_BITS else result)
    elif issubclass(kind, _SCORES) or is_fraction(kind):
        found.scored(result)
    elif is_numpy_scalar(kind):
        _by_type(found, numpy_item(result))
    else:
        found.labelled(None)


@faults.contained("inference")
def _read(read: Read, result: object) -> object:
    return read(result)


def _several(value: object) -> Sequence[object]:
    if value is None:
        return ()
    return cast("Sequence[object]", value)[:_MOST] if type(value) is list or type(value) is tuple else (value,)
