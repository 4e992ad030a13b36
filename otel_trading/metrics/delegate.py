"""A MeterProvider of the OpenTelemetry API that can be given another MeterProvider behind it at any time.

The global provider can be set only once in a process, but a bot may be configured, shut down and configured again. So this
one is registered, and instruments that anybody made through it follow when its delegate is swapped. Without a delegate
they do nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.metrics import (
    CallbackOptions,
    CallbackT,
    Meter,
    MeterProvider,
    _Gauge,  # exported in the API's __all__: the return type of Meter.create_gauge
)
from opentelemetry.util.types import Attributes

Bounds = Mapping[str, Sequence[float]]
_InstrumentT = TypeVar("_InstrumentT")


class _Delegating(Generic[_InstrumentT]):
    """An instrument whose real one is made anew on each meter that it is attached to."""

    def __init__(self, create: Callable[[Meter, Bounds], _InstrumentT]) -> None:
        self._create = create
        self._real: _InstrumentT | None = None

    def attach(self, meter: Meter | None, bounds: Bounds) -> None:
        self._real = None if meter is None else self._create(meter, bounds)


class _Counter(_Delegating[metrics.Counter], metrics.Counter):
    def add(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if (real := self._real) is not None:
            real.add(amount, attributes, context)


class _UpDownCounter(_Delegating[metrics.UpDownCounter], metrics.UpDownCounter):
    def add(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if (real := self._real) is not None:
            real.add(amount, attributes, context)


class _Histogram(_Delegating[metrics.Histogram], metrics.Histogram):
    def record(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if (real := self._real) is not None:
            real.record(amount, attributes, context)


class _SyncGauge(_Delegating[_Gauge], _Gauge):
    def set(self, amount: float, attributes: Attributes | None = None, context: Context | None = None) -> None:
        if (real := self._real) is not None:
            real.set(amount, attributes, context)


class _ObservableCounter(_Delegating[metrics.ObservableCounter], metrics.ObservableCounter):
    pass


class _ObservableUpDownCounter(_Delegating[metrics.ObservableUpDownCounter], metrics.ObservableUpDownCounter):
    pass


class _ObservableGauge(_Delegating[metrics.ObservableGauge], metrics.ObservableGauge):
    pass


def _restartable(callbacks: Sequence[CallbackT] | None) -> list[CallbackT]:
    """Turn generator callbacks, which an SDK starts once, into functions that each next SDK can call."""

    def of(callback: CallbackT) -> CallbackT:
        if not isinstance(callback, Generator):
            return callback
        generator = cast("Generator[Any, CallbackOptions, None]", callback)
        next(generator)
        return generator.send

    return [of(callback) for callback in callbacks or ()]


class DelegatingMeter(Meter):
    """A meter whose instruments follow the delegate of the provider that made it."""

    def __init__(self, provider: DelegatingMeterProvider, scope: tuple[Any, ...]) -> None:
        super().__init__(scope[0], scope[1], scope[2])
        self._provider = provider
        self._scope = scope
        self._instruments: dict[tuple[object, ...], _Delegating[Any]] = {}

    def attach(self, delegate: MeterProvider | None, bounds: Bounds) -> None:
        real = None if delegate is None else delegate.get_meter(*self._scope)
        for instrument in self._instruments.values():
            instrument.attach(real, bounds)

    def _declare(self, identity: tuple[object, ...], instrument: _Delegating[Any]) -> Any:
        """Remember `instrument`, or return the one that was declared just the same before."""
        with self._provider.lock:
            known = self._instruments.get(identity)
            if known is not None:
                return known
            self._instruments[identity] = instrument
            delegate = self._provider.delegate
            instrument.attach(delegate and delegate.get_meter(*self._scope), self._provider.bounds)
        return instrument

    def create_counter(self, name: str, unit: str = "", description: str = "") -> metrics.Counter:
        return self._declare(
            ("counter", name, unit, description),
            _Counter(lambda meter, _: meter.create_counter(name, unit, description)),
        )

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> metrics.UpDownCounter:
        return self._declare(
            ("updowncounter", name, unit, description),
            _UpDownCounter(lambda meter, _: meter.create_up_down_counter(name, unit, description)),
        )

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> metrics.Histogram:
        advisory = explicit_bucket_boundaries_advisory

        def create(meter: Meter, bounds: Bounds) -> metrics.Histogram:
            return meter.create_histogram(
                name, unit, description, explicit_bucket_boundaries_advisory=bounds.get(name, advisory)
            )

        return self._declare(("histogram", name, unit, description), _Histogram(create))

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> _Gauge:
        return self._declare(
            ("gauge", name, unit, description),
            _SyncGauge(lambda meter, _: meter.create_gauge(name, unit, description)),
        )

    def create_observable_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableCounter:
        calls = _restartable(callbacks)
        return self._declare(
            (object(),),  # callbacks are never the same twice
            _ObservableCounter(lambda meter, _: meter.create_observable_counter(name, calls, unit, description)),
        )

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableUpDownCounter:
        calls = _restartable(callbacks)
        return self._declare(
            (object(),),  # callbacks are never the same twice
            _ObservableUpDownCounter(lambda meter, _: meter.create_observable_up_down_counter(name, calls, unit, description)),
        )

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableGauge:
        calls = _restartable(callbacks)
        return self._declare(
            (object(),),  # callbacks are never the same twice
            _ObservableGauge(lambda meter, _: meter.create_observable_gauge(name, calls, unit, description)),
        )


class DelegatingMeterProvider(MeterProvider):
    """The provider of all our instruments, and the process' global one where the application has set none."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.delegate: MeterProvider | None = None
        self.bounds: Bounds = {}
        self._meters: dict[tuple[Any, ...], DelegatingMeter] = {}

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Meter:
        identity = (name, version, schema_url, tuple(sorted((attributes or {}).items(), key=str)))
        with self.lock:
            meter = self._meters.get(identity)
            if meter is None:
                meter = self._meters[identity] = DelegatingMeter(self, (name, version, schema_url, attributes))
            return meter

    def attach(self, delegate: MeterProvider | None, bounds: Bounds | None = None) -> None:
        """Send everything to `delegate` from now on (nowhere if None).

        `bounds` gives the bucket bounds of histograms by name, before the ones that they were declared with.
        """
        with self.lock:
            self.delegate = delegate
            self.bounds = bounds or {}
            for meter in self._meters.values():
                meter.attach(delegate, self.bounds)
