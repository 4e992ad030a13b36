"""Whether what a model sees and says is still like what it was made for: the population stability index of each variable.

The mathematics is `analytics/drift.py`; here is which variables are watched, and where the observations come from.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeAlias, cast

from otel_trading import metrics
from otel_trading.analytics.drift import LabelStability, PopulationStability, ReferenceWindow
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.values import as_float, label
from otel_trading.recording.inference import Model, ModelSeries, series
from otel_trading.recording.series import Table, select
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m

_DRIFT = metrics.gauge(m.INFERENCE_DRIFT)
_FEATURE_TIME = metrics.gauge(m.INFERENCE_LAST_FEATURE_TIME)

SCORE: Final = "prediction.score"
LABEL: Final = "prediction.label"
"""What the variables that a model gives are called; all others are features by their names."""

MOST_VARIABLES: Final = 100
"""Features of one model that are watched."""
MOST_MODELS: Final = 100
"""Models that one `Drift` is watched of, or that `record_features` finds one for."""
_MOST_SAMPLES: Final = 100_000
"""Of a reference."""
_LEAST, _MOST = -sys.float_info.max, sys.float_info.max

Sample: TypeAlias = "Iterable[object] | None"
_Stability: TypeAlias = PopulationStability | LabelStability | ReferenceWindow


class Drift:
    """What is watched of a model, and what it is compared with.

    ```python
    drift = ot.Drift(reference=training_scores, features={"rsi": training["rsi"], "spread": None})

    @ot.inference(model="direction", drift=drift)
    def predict(features):
        ot.record_features("direction", {"rsi": features.rsi, "spread": features.spread}, time=features.time, drift=drift)
        ...
    ```

    The index of each variable is `trading.inference.drift`: that of the latest `window` observations against the reference,
    from `min_count` of them on.

    :param reference: what the model predicted when all was well: its scores (numbers) or its labels (text). None: what it
        predicts first is what later predictions are compared with, as many as `window`.
    :param features: names of the features to watch, each with a sample, or None for its first `window` values (numbers).
    :param window: how many of the latest observations are compared.
    :param bins: into how many bins of equal shares a reference of numbers is cut.
    :param min_count: how many observations it takes; by default a fifth of the window.
    :raises ConfigurationError: an argument is wrong; the message names it.
    """

    def __init__(
        self,
        reference: Sample = None,
        *,
        features: Mapping[str, Sample] | Iterable[str] | None = None,
        window: int = 1000,
        bins: int = 10,
        min_count: int | None = None,
    ) -> None:
        least = min_count
        if least is None:
            least = max(1, window // 5) if type(window) is int else 1
        wholes: tuple[tuple[str, object, int], ...] = (("window", window, 1), ("bins", bins, 2), ("min_count", least, 1))
        for argument, value, lowest in wholes:
            if type(value) is not int or value < lowest:
                raise ConfigurationError(f"Drift: {argument} is {value!r}, expected a whole number from {lowest} on")
        self._window, self._bins, self._least = window, bins, least
        if self._least > window:
            raise ConfigurationError(f"Drift: min_count is {min_count!r}, more than the window of {window}")
        self._predictions = self._sample("reference", reference)
        watched = _named(features)
        if len(watched) > MOST_VARIABLES:
            raise ConfigurationError(f"Drift: features are {len(watched)}, at most {MOST_VARIABLES} can be watched")
        self._features = {name: self._sample(f"features[{name!r}]", sample) for name, sample in watched.items()}
        self._models: dict[tuple[str, str | None, str | None], Watch] = {}
        self._lock = threading.Lock()

    def of(self, model: str, version: str | None = None, strategy: str | None = None) -> Watch:
        """Return what is watched of one model; each has its own observations."""
        key = (model, version, strategy)
        found = self._models.get(key)
        if found is not None:
            return found
        with self._lock:
            if key not in self._models:
                if len(self._models) >= MOST_MODELS:
                    return Watch(self, Model(*key), observed=False)
                self._models[key] = Watch(self, Model(*key))
            return self._models[key]

    def variables(self) -> dict[str, _Variable]:
        """Return each variable that is watched, without observations."""
        reference = self._predictions
        found = {name: self._variable(sample) for name, sample in self._features.items()}
        if reference is None or not isinstance(reference[0], str):
            found[SCORE] = self._variable(reference)
        if reference is None or isinstance(reference[0], str):
            found[LABEL] = self._variable(reference, labels=True)
        return found

    def _variable(self, sample: list[float] | list[str] | None, *, labels: bool = False) -> _Variable:
        if sample is None:
            index = ReferenceWindow(self._window, self._bins, labels=labels, size=self._window, min_count=self._least)
            return _Variable(index, self._window, textual=labels)
        if isinstance(sample[0], str):
            texts = LabelStability.from_reference(cast("list[str]", sample), size=self._window, min_count=self._least)
            return _Variable(texts, self._window, textual=True)
        numbers = PopulationStability.from_reference(
            cast("list[float]", sample), self._bins, size=self._window, min_count=self._least
        )
        return _Variable(numbers, self._window, textual=False)

    def _sample(self, what: str, sample: Sample) -> list[float] | list[str] | None:
        if sample is None:
            return None
        expected = "numbers, or texts, at least one of them finite"
        if isinstance(sample, (str, bytes)):
            raise ConfigurationError(f"Drift: {what} is {type(sample).__name__}, expected {expected}")
        try:
            values = list(islice(sample, _MOST_SAMPLES))
        except TypeError:
            raise ConfigurationError(f"Drift: {what} is {type(sample).__name__}, expected {expected}") from None
        numbers = [number for value in values if (number := as_float(value)) is not None and math.isfinite(number)]
        texts = [text for value in values if as_float(value) is None and (text := label(value)) is not None]
        if bool(numbers) == bool(texts):
            raise ConfigurationError(f"Drift: {what} holds {'both' if numbers else 'neither'}, expected {expected}")
        return numbers or texts


def _named(features: object) -> dict[str, Sample]:
    if features is None:
        return {}
    if isinstance(features, Mapping):
        found = dict(cast("Mapping[str, Sample]", features))
    elif isinstance(features, Iterable) and not isinstance(features, (str, bytes)):
        found = dict.fromkeys(cast("Iterable[str]", features))
    else:
        found = {}
    if not found or not all(type(cast("object", name)) is str for name in found):
        raise ConfigurationError(f"Drift: features are {features!r}, expected their names, or a mapping to their samples")
    return found


class _Variable:
    """One variable: its index, and what was observed since somebody asked for it.

    An observation is only put aside, which needs no lock; the index is brought up to date when metrics are collected.
    """

    __slots__ = ("_index", "_latest", "lock", "take", "textual")

    def __init__(self, index: _Stability, window: int, *, textual: bool) -> None:
        self.lock = threading.Lock()
        self.textual = textual
        self._index = index
        self._latest: deque[Any] = deque(maxlen=window)  # what comes before would have left the window of the index, too
        self.take: Callable[[Any], None] = self._learn if isinstance(index, ReferenceWindow) else self._latest.append
        """Takes an observation: a finite number, or a text."""

    def psi(self) -> float | None:
        """The index, of everything that was observed so far."""
        index, latest = self._index, self._latest
        with self.lock:
            for _ in range(len(latest)):
                cast("Any", index).observe(latest.popleft())
            return index.psi

    def _learn(self, value: Any) -> None:
        """Take one of the first observations, which are the reference."""
        index = cast("ReferenceWindow", self._index)
        with self.lock:
            index.observe(value)
            if index.stability is not None:
                self.take = self._latest.append


class Watch:
    """The variables of one model."""

    def __init__(self, drift: Drift, model: Model, *, observed: bool = True) -> None:
        self.model = model
        self.variables = drift.variables()
        if observed:
            stop = _DRIFT.observe(self._figures, select(m.INFERENCE_DRIFT, attributes_of(model)))
            before, _shown[model[:3]] = _shown.get(model[:3]), stop
            if before is not None:
                before()  # a model that is declared again takes the place of the one before
            _watches.add(self)

    def value(self, name: str, value: Any) -> None:
        """Take a number or a text of a variable; what is not watched, or is not what the variable is made of, is left out."""
        variable = self.variables.get(name)
        if variable is None:
            return
        if variable.textual:
            text = label(value)
            if text is not None:
                variable.take(text)
            return
        number = value if value.__class__ is float else as_float(value)
        if number is not None and _LEAST <= number <= _MOST:
            variable.take(number)

    def _figures(self) -> list[tuple[float | None, dict[str, object]]]:
        return [(variable.psi(), {a.DRIFT_VARIABLE: name}) for name, variable in self.variables.items()]

    def begin_in_child(self) -> None:
        """Go on in a process that forked, where a lock may be held by a thread that is not here."""
        for variable in self.variables.values():
            variable.lock = threading.Lock()


class WatchedSeries(ModelSeries):
    """The series of a model whose predictions are watched too."""

    def __init__(self, found: ModelSeries, watch: Watch) -> None:
        super().__init__(found.model)
        self._watch, self._labels = watch.value, watch.variables.get(LABEL)
        self._plain = super().scored  # found once: `super()` costs as much as half of what is done here

    def labelled(self, value: object) -> None:
        if type(value) is str and value in self.predictions:  # as most of them are
            self.predictions[value].add()
            if self._labels is not None:
                self._labels.take(value)
            return
        super().labelled(value)
        self._watch(LABEL, value)

    def scored(self, value: object) -> None:
        self._plain(value)
        self._watch(SCORE, value)


watched: Table[tuple[Model, Watch], WatchedSeries] = Table(lambda key: WatchedSeries(series[key[0]], key[1]))
"""The series of models that are watched."""


def declare(drift: Drift, model: Model) -> Watch:
    """Return what is watched of a model, and let `record_features` find it by the model's name."""
    watch = drift.of(model.name, model.version, model.strategy)
    if model.name in _declared or len(_declared) < MOST_MODELS:
        _declared[model.name] = watch
    return watch


@faults.contained("record_features")
def record_features(
    model: str,
    features: Mapping[str, object],
    *,
    time: float | datetime | None = None,
    version: str | None = None,
    strategy: str | None = None,
    drift: Drift | None = None,
) -> None:
    """Say what a model is given: the features by their names, and the time of the newest data that they were made of.

    `time`, in unix seconds or as a datetime with a zone, becomes `trading.inference.last_feature.time`. Those features are
    compared with their reference that `drift` names, or the `drift` of the decorator of that model; all others are not looked
    at. `version` and `strategy` are the decorator's where they are not given.
    """
    watch = _declared.get(model) if drift is None else drift.of(model, version, strategy)
    if watch is not None:
        take = watch.value
        for name, value in features.items():
            take(name, value)
    if time is not None:
        known = Model(model, version, strategy)
        if watch is not None and version is None and strategy is None:
            known = watch.model
        _feature_times[known].set(_seconds(time))


def _seconds(time: object) -> object:
    if isinstance(time, datetime):
        return None if time.tzinfo is None else time.timestamp()  # None is dropped and counted
    return time


def attributes_of(model: Model) -> dict[str, object]:
    """What every figure of a model carries."""
    return {a.MODEL_NAME: model.name, a.MODEL_VERSION: model.version, a.STRATEGY_NAME: model.strategy}


def _feature_time(model: Model) -> metrics.GaugeCell:
    return _FEATURE_TIME.bind(select(m.INFERENCE_LAST_FEATURE_TIME, attributes_of(model)))


_feature_times: Table[Model, metrics.GaugeCell] = Table(_feature_time)
_declared: dict[str, Watch] = {}
_shown: dict[tuple[str, str | None, str | None], Callable[[], None]] = {}
"""What ends the figures of each model, by its name, version and strategy."""
_watches: weakref.WeakSet[Watch] = weakref.WeakSet()


def _begin_in_child() -> None:
    for watch in list(_watches):
        watch.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
