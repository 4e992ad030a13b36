"""Our instruments: one narrow interface (`bind`, `add`, `record`, `set`, `observe`, `remove`) over OpenTelemetry's.

Each is declared from a metric of the registry, converts every value and attribute once, and does nothing until a provider is
attached. Recording never raises: a value that cannot be recorded is dropped, counted and logged once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import cast

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.delegate import DelegatingMeter
from otel_trading.metrics.values import Attributes, labels, number
from otel_trading.semconv.attributes import SdkDropReason
from otel_trading.semconv.spec import Metric

ObserveCallback = Callable[[], object]
"""Returns a number, None (absent just now), or an iterable of pairs of a value and its attributes."""

Texts = dict[str, str]
Read = list[tuple[float, Texts]]


class Instrument:
    """One metric of the vocabulary, or of the user, on a meter."""

    def __init__(self, metric: Metric, meter: DelegatingMeter) -> None:
        self.metric = metric
        self._meter = meter
        self._sources: tuple[tuple[ObserveCallback, Texts], ...] = ()

    def observe(self, callback: ObserveCallback, attributes: Attributes | None = None) -> Callable[[], None]:
        """Read the metric from `callback` at each collection; call what is returned to stop doing so.

        Raises `ConfigurationError` when the metric cannot be observed (a histogram, or a counter that is already added to),
        or when `callback` is asynchronous, as nobody could await it.
        """
        if inspect.iscoroutinefunction(callback):
            raise ConfigurationError(f"{self.metric.name}: the callback is asynchronous; let it return a value that is there")
        source = (callback, labels(attributes))
        with self._meter.provider.lock:
            self._declare_observable()
            self._sources = (*self._sources, source)

        def stop() -> None:
            with self._meter.provider.lock:
                self._sources = tuple(kept for kept in self._sources if kept is not source)

        return stop

    def begin_in_child(self) -> None:
        """Forget what was recorded before the process forked, where this keeps it itself."""

    def _declare_observable(self) -> None:
        raise ConfigurationError(f"{self.metric.name} is a {self.metric.kind}: it can be recorded but not observed")

    def _read_sources(self) -> Read:
        """All that the callbacks return now; one that fails is reported and left out."""
        found: Read = []
        for callback, fixed in self._sources:
            found.extend(_read(self.metric.name, callback, fixed) or ())
        return found


@faults.contained("observe")
def _read(about: str, callback: ObserveCallback, fixed: Texts) -> Read:
    result = callback()
    if result is None:
        return []
    several = isinstance(result, Iterable) and not isinstance(result, (str, bytes))
    pairs = cast("Iterable[tuple[object, Attributes | None]]", result if several else [(result, None)])
    found: Read = []
    for value, attributes in pairs:
        if value is not None and (converted := number(value, about)) is not None:
            found.append((converted, {**fixed, **labels(attributes)}))
    return found


class Sum(Instrument):
    """A counter or an up-down counter: it is either added to or observed, never both."""

    def __init__(self, metric: Metric, meter: DelegatingMeter) -> None:
        super().__init__(metric, meter)
        self._monotonic = metric.kind == "counter"
        self._recorded: metrics.Counter | metrics.UpDownCounter | None = None
        self._observed = False

    @faults.contained("record")
    def add(self, value: object = 1, attributes: Attributes | None = None) -> None:
        """Add `value`, which must not be negative on a counter."""
        self.add_texts(value, labels(attributes))

    def bind(self, attributes: Attributes | None = None) -> BoundSum:
        """Return the handle of the series with these attributes."""
        return BoundSum(self, labels(attributes))

    def add_texts(self, value: object, texts: Texts) -> None:
        amount = number(value, self.metric.name)
        if amount is None:
            return
        if amount < 0 and self._monotonic:
            _drop(self.metric, "negative", "it counts up, a negative value was dropped")
            return
        recorded = self._recorded or self._declare_recorded()
        if recorded is None:
            _drop(self.metric, "observed", "it is observed, what is added to it was dropped")
            return
        recorded.add(amount, texts)

    def _declare_recorded(self) -> metrics.Counter | metrics.UpDownCounter | None:
        with self._meter.provider.lock:
            if self._recorded is None and not self._observed:
                metric = self.metric
                create = self._meter.create_counter if self._monotonic else self._meter.create_up_down_counter
                self._recorded = create(metric.name, metric.unit, metric.description)
            return self._recorded

    def _declare_observable(self) -> None:
        metric, meter = self.metric, self._meter
        if self._recorded is not None:
            raise ConfigurationError(f"{metric.name} is already recorded by this program: it cannot be observed too")
        if not self._observed:
            create = meter.create_observable_counter if self._monotonic else meter.create_observable_up_down_counter
            create(metric.name, [self._observations], metric.unit, metric.description)
            self._observed = True

    def _observations(self, _: CallbackOptions) -> list[Observation]:
        # Two callbacks of one series are two parts of one sum.
        sums: dict[tuple[tuple[str, str], ...], float] = {}
        for value, texts in self._read_sources():
            if value < 0 and self._monotonic:
                _drop(self.metric, "negative", "it counts up, a negative value was dropped")
                continue
            key = tuple(sorted(texts.items()))
            sums[key] = sums.get(key, 0.0) + value
        return [Observation(value, dict(key)) for key, value in sums.items()]


class BoundSum:
    """One series of a counter or an up-down counter."""

    __slots__ = ("_instrument", "_texts")

    def __init__(self, instrument: Sum, texts: Texts) -> None:
        self._instrument = instrument
        self._texts = texts

    @faults.contained("record")
    def add(self, value: object = 1) -> None:
        self._instrument.add_texts(value, self._texts)


class Histogram(Instrument):
    """A distribution of values that are not negative (what has a sign carries it as an attribute)."""

    def __init__(self, metric: Metric, meter: DelegatingMeter) -> None:
        super().__init__(metric, meter)
        self._recorded = meter.create_histogram(
            metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.bounds or None
        )

    @faults.contained("record")
    def record(self, value: object, attributes: Attributes | None = None) -> None:
        """Record `value`, in the metric's unit."""
        self.record_texts(value, labels(attributes))

    def bind(self, attributes: Attributes | None = None) -> BoundHistogram:
        """Return the handle of the series with these attributes."""
        return BoundHistogram(self, labels(attributes))

    def record_texts(self, value: object, texts: Texts) -> None:
        amount = number(value, self.metric.name)
        if amount is None:
            return
        if amount < 0:
            _drop(self.metric, "negative", "a histogram is unsigned, a negative value was dropped")
            return
        self._recorded.record(amount, texts)


class BoundHistogram:
    """One series of a histogram."""

    __slots__ = ("_instrument", "_texts")

    def __init__(self, instrument: Histogram, texts: Texts) -> None:
        self._instrument = instrument
        self._texts = texts

    @faults.contained("record")
    def record(self, value: object) -> None:
        self._instrument.record_texts(value, self._texts)


def _drop(metric: Metric, reason: SdkDropReason, message: str) -> None:
    faults.drop(reason, "%s: %s", metric.name, message, about=metric.name)
