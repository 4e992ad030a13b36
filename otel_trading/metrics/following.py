"""Instruments of the OpenTelemetry API that hand on to another one, which may change: see `delegate`.

Numbers that the SDK cannot take (a Decimal beside a float raises into the caller, or fails the whole collection) are
converted on the way.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from weakref import ref

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import (
    CallbackOptions,
    CallbackT,
    Meter,
    MeterProvider,
    Observation,
    _Gauge,  # exported in the API's __all__: the return type of Meter.create_gauge
)
from opentelemetry.util.types import Attributes

from otel_trading.metrics import faults
from otel_trading.metrics.values import encodable, number

if TYPE_CHECKING:
    from otel_trading.metrics.delegate import DelegatingMeterProvider

Bounds = Mapping[str, Sequence[float]]

_EXACT = 2**53
"""Integers below it are floats without a loss, and their sums fit into OTLP's 64 bits for long."""


class Following(ABC):
    """An instrument whose real one is another on each provider that it is attached to."""

    def __init__(self, name: str, unit: str, description: str) -> None:
        self.name = name
        self.unit = unit
        self.description = encodable(description or "")
        self.real: Any = None
        """What it hands on to; None: nowhere."""

    @abstractmethod
    def create(self, meter: Meter, delegate: MeterProvider, bounds: Bounds) -> Any:
        """Make a real one on `meter`, which is of `delegate`; `bounds` are those of histograms, by name."""


def _taken(amount: Any, about: str) -> float | None:
    """`amount` as the SDK takes it, or None when it cannot be recorded."""
    if type(amount) is float and math.isfinite(amount):
        return amount
    if type(amount) is int and -_EXACT < amount < _EXACT:
        return amount
    return number(amount, about)


def _sendable(attributes: Any) -> Any:
    """`attributes` without what UTF-8 does not know: one such character would fail the whole scrape or batch."""
    if isinstance(attributes, Mapping):
        given = cast("Mapping[Any, Any]", attributes)
        for key, value in given.items():
            if (isinstance(key, str) and not key.isascii()) or (isinstance(value, str) and not value.isascii()):
                return {_text(key): _text(value) for key, value in given.items()}
    return cast("Any", attributes)


def _text(value: Any) -> Any:
    return encodable(value) if isinstance(value, str) else value


class FollowingCounter(Following, metrics.Counter):
    def create(self, meter: Meter, delegate: MeterProvider, bounds: Bounds) -> metrics.Counter:
        return meter.create_counter(self.name, self.unit, self.description)

    def add(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if (real := self.real) is not None and (taken := _taken(amount, self.name)) is not None:
            real.add(taken, _sendable(attributes), context)


class FollowingUpDownCounter(Following, metrics.UpDownCounter):
    def create(self, meter: Meter, delegate: MeterProvider, bounds: Bounds) -> metrics.UpDownCounter:
        return meter.create_up_down_counter(self.name, self.unit, self.description)

    def add(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if (real := self.real) is not None and (taken := _taken(amount, self.name)) is not None:
            real.add(taken, _sendable(attributes), context)


class FollowingGauge(Following, _Gauge):
    def create(self, meter: Meter, delegate: MeterProvider, bounds: Bounds) -> _Gauge:
        return meter.create_gauge(self.name, self.unit, self.description)

    def set(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if (real := self.real) is not None and (taken := _taken(amount, self.name)) is not None:
            real.set(taken, _sendable(attributes), context)


class FollowingHistogram(Following, metrics.Histogram):
    def __init__(self, name: str, unit: str, description: str, advisory: Sequence[float] | None) -> None:
        super().__init__(name, unit, description)
        self._advisory = advisory

    def create(self, meter: Meter, delegate: MeterProvider, bounds: Bounds) -> metrics.Histogram:
        return meter.create_histogram(
            self.name,
            self.unit,
            self.description,
            explicit_bucket_boundaries_advisory=bounds.get(self.name, self._advisory),
        )

    def record(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if (real := self.real) is not None and (taken := _taken(amount, self.name)) is not None:
            real.record(taken, _sendable(attributes), context)


class Observed(Following):
    """An observable instrument: its callbacks run only for the provider that is attached just now."""

    def __init__(self, name: str, unit: str, description: str, provider: DelegatingMeterProvider) -> None:
        super().__init__(name, unit, description)
        self._provider = provider
        self._callbacks: list[CallbackT] = []
        self._declared_in: int | None = None

    def declared(self, callbacks: Sequence[CallbackT] | None) -> None:
        """Observe through `callbacks` from now on; declared twice under one delegate, the first counts, as with the SDK.

        Under a later delegate the last counts: whoever sets up again after a new `configure()` means the new objects.
        """
        generation = self._provider.generation
        if self._declared_in == generation:
            faults.declared_twice(self.name)
            return
        self._declared_in = generation
        self._callbacks = [restartable(callback) for callback in callbacks or ()]

    def callback(self, delegate: MeterProvider) -> CallbackT:
        """Return what `delegate` calls."""
        caller = ref(delegate)  # else what an SDK keeps would keep the SDK alive

        def observations(options: CallbackOptions) -> list[Observation]:
            found: list[Observation] = []
            attached = self._provider.delegate
            if attached is not None and attached is caller():
                for callback in self._callbacks:
                    found += _observations(self.name, callback, options) or ()
            return found

        return observations


@faults.isolated("observe")
def _observations(name: str, callback: Any, options: CallbackOptions) -> list[Observation]:
    return [
        Observation(taken, _sendable(dict(observation.attributes or {})), observation.context)
        for observation in callback(options)
        if (taken := _taken(observation.value, name)) is not None
    ]


def restartable(callback: CallbackT) -> CallbackT:
    """Turn a generator, which an SDK starts once, into a function that each next SDK can call."""
    if not isinstance(callback, Generator):
        return callback
    generator = cast("Generator[Any, CallbackOptions, None]", callback)
    next(generator)

    def following(options: CallbackOptions) -> Any:
        try:
            return generator.send(options)
        except StopIteration:
            return ()

    return following


class FollowingObservableCounter(Observed, metrics.ObservableCounter):
    def create(self, meter: Meter, delegate: MeterProvider, bounds: Bounds) -> metrics.ObservableCounter:
        return meter.create_observable_counter(self.name, [self.callback(delegate)], self.unit, self.description)


class FollowingObservableUpDownCounter(Observed, metrics.ObservableUpDownCounter):
    def create(self, meter: Meter, delegate: MeterProvider, bounds: Bounds) -> metrics.ObservableUpDownCounter:
        return meter.create_observable_up_down_counter(self.name, [self.callback(delegate)], self.unit, self.description)


class FollowingObservableGauge(Observed, metrics.ObservableGauge):
    def create(self, meter: Meter, delegate: MeterProvider, bounds: Bounds) -> metrics.ObservableGauge:
        return meter.create_observable_gauge(self.name, [self.callback(delegate)], self.unit, self.description)
