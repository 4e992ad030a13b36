"""`inference`: how long a model takes, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, cast, overload

from opentelemetry.trace import SpanKind

from otel_trading.decorators import spans
from otel_trading.decorators.blocks import Block
from otel_trading.decorators.kinds import CallableObject, Decorator, FunctionT, P, R_co, default_name
from otel_trading.decorators.predictions import Read, record_prediction
from otel_trading.decorators.spans import OpenSpan
from otel_trading.decorators.wrapping import Hooks, Shape, wrap
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import SumCell
from otel_trading.metrics.values import label as label_text
from otel_trading.orders import error_type
from otel_trading.recording import options
from otel_trading.recording.drift import Drift, declare, watched
from otel_trading.recording.inference import Model, ModelSeries, series
from otel_trading.recording.series import Table
from otel_trading.semconv.attributes import INSTRUMENT_SYMBOL, MODEL_NAME, MODEL_VERSION, STRATEGY_NAME
from otel_trading.tracing import enabled as tracing_enabled

_SYMBOLS: Final = ("symbol", "pair", "ticker", "instrument")
"""Parameters that are taken for the symbol."""


class _Inference:
    """Record each inference of a model: its duration, what it predicted, and `error.type` when it failed.

    ```python
    @ot.inference(model="direction", version="3", labels=("up", "down", "flat"))
    def predict(features): ...

    @ot.inference(model="returns", score=lambda forecast: forecast.mean)
    async def forecast(features): ...

    with ot.inference.track(model="direction") as op:
        op.set_result(model.predict(features))
    ```

    What is read from the result:

    - text, an integer, a bool or an Enum is a label: one of `labels` if they are given, else one of the first 20 that come;
      what is outside of them is counted as `other`;
    - a float, a Decimal or a Fraction is a score: its size goes to the score histogram, its sign is the direction; a numpy
      scalar counts as what it holds;
    - anything else (None, a sequence, an array, an object) is a prediction without a label: it is not looked at;
    - `label` and `score` are functions of the result, for those: each returns what to record, None for nothing, or a list for
      a batch. They run in your call, so they have to be quick; one that raises is reported and goes no further.

    With `drift`, what it predicts is compared with a reference, too: see `ot.Drift`, and `ot.record_features` for what it is
    given.

    The items of a generator are not looked at; what it takes is counted from its first step to its end, and a consumer that
    stops early is no failure. Without `model` the model is called as the function is.
    """

    @overload
    def __call__(self, function: FunctionT, /) -> FunctionT: ...
    @overload
    def __call__(
        self,
        function: None = None,
        /,
        *,
        model: str | None = None,
        version: str | None = None,
        strategy: str | None = None,
        labels: Iterable[object] | None = None,
        label: Read | None = None,
        score: Read | None = None,
        drift: Drift | None = None,
    ) -> Decorator: ...
    @overload
    def __call__(self, function: CallableObject[P, R_co], /) -> Callable[P, R_co]: ...
    def __call__(
        self,
        function: Any = None,
        /,
        *,
        model: str | None = None,
        version: str | None = None,
        strategy: str | None = None,
        labels: Iterable[object] | None = None,
        label: Read | None = None,
        score: Read | None = None,
        drift: Drift | None = None,
    ) -> Any:
        if isinstance(function, str):
            raise ConfigurationError(f"inference takes the name of its model by keyword: inference(model={function!r})")
        declared = _Declared(model, version, strategy, _label_set(labels), label, score, drift)
        describe = partial(_hooks, declared)
        return partial(wrap, describe=describe) if function is None else wrap(function, describe)

    def track(
        self,
        *,
        model: str,
        version: str | None = None,
        strategy: str | None = None,
        symbol: str | None = None,
        labels: Iterable[object] | None = None,
        label: Read | None = None,
        score: Read | None = None,
        drift: Drift | None = None,
    ) -> Block:
        """Return the context manager that does the same for a block of code."""

        def hooks() -> Hooks:
            operation = _Operation(
                _Declared(model, version, strategy, _label_set(labels), label, score, drift), model, current=True
            )
            return Hooks(operation.failed, operation.ended, begin=partial(operation.begin, symbol), begins="always")

        return Block(hooks)


def _label_set(labels: Iterable[object] | None) -> frozenset[str] | None:
    if labels is None:
        return None
    if isinstance(labels, str) or not isinstance(cast("object", labels), Iterable):
        raise ConfigurationError(f"labels are all the labels that a model may give, not {labels!r}")
    return frozenset(text for each in labels if (text := label_text(each)) is not None)


class _Declared(NamedTuple):
    """What a decorator was told."""

    model: str | None
    version: str | None
    strategy: str | None
    labels: frozenset[str] | None
    label: Read | None
    score: Read | None
    drift: Drift | None


class _State(NamedTuple):
    symbol: str | None
    span: OpenSpan | None


def _hooks(declared: _Declared, shape: Shape) -> Hooks:
    operation = _Operation(declared, declared.model or default_name(shape.function), current=shape.runs_at_once)
    symbol = next((name for name in _SYMBOLS if name in shape.names), None)
    if symbol is None:
        return operation.hooks()
    return Hooks(operation.failed, operation.ended, begin=operation.begin, begins="always", inputs=symbol)


class _Operation:
    """What is done around each inference of one decorated function."""

    def __init__(self, declared: _Declared, model: str, *, current: bool) -> None:
        self._model = Model(model, declared.version, declared.strategy, None, declared.labels)
        self._label, self._score = declared.label, declared.score
        self._current = current
        if declared.drift is not None and type(cast("object", declared.drift)) is not Drift:
            raise ConfigurationError(f"inference: drift is {declared.drift!r}, expected an ot.Drift")
        self._watch = None if declared.drift is None else declare(declared.drift, self._model)
        self._series: Table[str | None, ModelSeries] = Table(self._found)

    def _found(self, symbol: str | None) -> ModelSeries:
        model = self._model._replace(symbol=symbol)
        return series[model] if self._watch is None else watched[model, self._watch]

    def hooks(self) -> Hooks:
        """Return the hooks of a function without a symbol: what most calls need is at hand."""
        found, label, score = self._series[None], self._label, self._score

        def ended(result: object, _seconds: float, state: _State | None) -> None:
            record_prediction(found, result, label, score)
            if state is not None and state.span is not None:
                state.span.end()

        # A label that came before, as most of them did, is counted right there.
        plain = label is None and score is None and self._watch is None
        counts = cast("Mapping[str, SumCell]", found.predictions) if plain else None
        return Hooks(self.failed, ended, found.duration, counts, begin=self.begin, begins="traced")

    def begin(self, symbol: object = None) -> _State | None:
        text = symbol if type(symbol) is str else None
        counted = text if options.current.symbol_on_durations else None
        if not tracing_enabled():
            return None if counted is None else _State(counted, None)
        known = {
            MODEL_NAME: self._model.name,
            MODEL_VERSION: self._model.version,
            STRATEGY_NAME: self._model.strategy,
            INSTRUMENT_SYMBOL: text,
        }
        return _State(counted, spans.start(f"inference {self._model.name}", SpanKind.INTERNAL, known, current=self._current))

    def ended(self, result: object, seconds: float, state: _State | None) -> None:
        found = self._series[None if state is None else state.symbol]
        found.duration.record(seconds)
        record_prediction(found, result, self._label, self._score)
        if state is not None and state.span is not None:
            state.span.end()

    def failed(self, error: BaseException, seconds: float, state: _State | None) -> None:
        kind = error_type(error)
        self._series[None if state is None else state.symbol].failures[kind].record(seconds)
        if state is not None and state.span is not None:
            state.span.end(error_type=kind)


inference = _Inference()
