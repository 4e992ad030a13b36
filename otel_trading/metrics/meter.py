"""A Meter of the OpenTelemetry API whose instruments are ours: a program written against the API runs on it unchanged."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from opentelemetry import metrics
from opentelemetry.metrics import (
    CallbackOptions,
    CallbackT,
    Meter,
    Observation,
    _Gauge,  # exported in the API's __all__: the return type of Meter.create_gauge
)

from otel_trading.errors import ConfigurationError
from otel_trading.metrics.delegate import DelegatingMeterProvider, prometheus_family
from otel_trading.metrics.following import restartable
from otel_trading.metrics.instruments import AnyInstrument, Histogram, Instrument, Limits
from otel_trading.metrics.observed import Gauge, Sum
from otel_trading.metrics.routes import Route
from otel_trading.metrics.stock import stock_of
from otel_trading.metrics.values import encodable
from otel_trading.semconv.spec import Kind, Metric

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_./-]{0,254}\Z")
"""Specification, "Instrument name syntax"."""
_UNIT = re.compile(r"[\x00-\x7f]{0,63}\Z")
"""Specification, "Instrument unit": what every SDK takes."""


class Counter(Sum, metrics.Counter):
    pass


class UpDownCounter(Sum, metrics.UpDownCounter):
    pass


class CoreHistogram(Histogram, metrics.Histogram):
    pass


class CoreGauge(Gauge, _Gauge):
    pass


class ObservableCounter(Sum, metrics.ObservableCounter):
    pass


class ObservableUpDownCounter(Sum, metrics.ObservableUpDownCounter):
    pass


class ObservableGauge(Gauge, metrics.ObservableGauge):
    pass


_InstrumentT = TypeVar("_InstrumentT", bound=Instrument[Any])
Bounds = Mapping[str, Sequence[float]]


class CoreMeter(Meter):
    """Makes instruments of one scope; each name is one metric, declared the same way by whoever asks for it."""

    def __init__(self, provider: DelegatingMeterProvider, name: str, version: str | None = None) -> None:
        """`provider` has the application's behind it, on that route, and knows which names are taken."""
        super().__init__(name, version)
        self._provider = provider
        self._stock = provider.get_meter(name, version)
        self._instruments: dict[str, AnyInstrument] = {}
        self._lock = threading.RLock()
        self._attached: tuple[Route, Bounds, Limits] = ("idle", {}, Limits())

    def all(self) -> list[AnyInstrument]:
        """The instruments that were declared so far."""
        with self._lock:
            return list(self._instruments.values())

    def begin_in_child(self) -> None:
        """Start from zero in a process that forked."""
        self._lock = threading.RLock()
        for instrument in self._instruments.values():
            instrument.begin_in_child()

    def attach(self, route: Route, bounds: Bounds, limits: Limits) -> None:
        """Let every instrument record by `route`."""
        with self._lock:
            self._attached = (route, bounds, limits)
            for instrument in self._instruments.values():
                self._attach(instrument)

    def _attach(self, instrument: AnyInstrument) -> None:
        route, bounds, limits = self._attached
        instrument.limit = limits.of(instrument.name)
        if isinstance(instrument, Histogram):
            instrument.rebound(bounds.get(instrument.name))
        instrument.attach(route, lambda: stock_of(self._stock, instrument))

    def declare(self, kind: type[_InstrumentT], metric: Metric) -> _InstrumentT:
        """Return the instrument of `metric`, made the first time.

        Raises `ConfigurationError` for a name or a unit that is not one, or a name that another metric has.
        """
        if not _NAME.match(metric.name):
            raise ConfigurationError(
                f"{metric.name!r} is no metric name: "
                "it begins with a letter, then letters, digits and _ . - /, at most 255 in all"
            )
        if not _UNIT.match(metric.unit):
            raise ConfigurationError(f"{metric.unit!r} is no unit of a metric ({metric.name}): at most 63 characters of ASCII")
        metric = replace(metric, description=encodable(metric.description))
        with self._lock:
            family = prometheus_family(metric.name)
            known = self._instruments.get(family)
            if known is None:
                self._provider.claim(self.name, metric.kind, metric.name, metric.unit, metric.description)
                known = self._instruments[family] = kind(metric)
                self._attach(known)
            elif known.metric != metric or type(known) is not kind:
                raise _clash(metric, known.metric)
            return cast("_InstrumentT", known)

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Counter:
        return self.declare(Counter, _metric(name, "counter", unit, description))

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> UpDownCounter:
        return self.declare(UpDownCounter, _metric(name, "updowncounter", unit, description))

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> CoreHistogram:
        try:
            advisory = explicit_bucket_boundaries_advisory
            given = [float(bound) for bound in (() if advisory is None else advisory)]
        except (TypeError, ValueError, OverflowError) as fault:
            raise ConfigurationError(f"{name}: the bounds of its buckets are to be numbers: {fault}") from None
        bounds = tuple(sorted(set(filter(math.isfinite, given))))  # the bucket up to infinity is always there
        return self.declare(CoreHistogram, _metric(name, "histogram", unit, description, bounds))

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> CoreGauge:
        return self.declare(CoreGauge, _metric(name, "gauge", unit, description))

    def create_observable_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> ObservableCounter:
        return self._observable(ObservableCounter, _metric(name, "counter", unit, description), callbacks)

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> ObservableUpDownCounter:
        return self._observable(ObservableUpDownCounter, _metric(name, "updowncounter", unit, description), callbacks)

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> ObservableGauge:
        return self._observable(ObservableGauge, _metric(name, "gauge", unit, description), callbacks)

    def _observable(self, kind: type[Any], metric: Metric, callbacks: Sequence[CallbackT] | None) -> Any:
        instrument = self.declare(kind, metric)
        instrument.declared([_pairs(callback) for callback in callbacks or ()], self._provider.generation)
        return instrument


def _metric(name: str, kind: Kind, unit: str, description: str, bounds: tuple[float, ...] = ()) -> Metric:
    return Metric(name=name, kind=kind, unit=unit or "", description=description or "", bounds=bounds)


def _pairs(callback: CallbackT) -> Callable[[], list[tuple[float, Any]]]:
    """`callback` of the API as one of ours; a generator, which is such a callback too, is started."""
    call: Callable[[CallbackOptions], Any] = cast("Any", restartable(callback))

    def pairs() -> list[tuple[float, Any]]:
        observations: list[Observation] = list(call(CallbackOptions()))
        return [(observation.value, observation.attributes) for observation in observations]

    return pairs


def _clash(wanted: Metric, known: Metric) -> ConfigurationError:
    """Say that one name cannot be two metrics."""
    return ConfigurationError(
        f"metric {wanted.name!r} ({wanted.kind}, unit {wanted.unit!r}) is already declared as "
        f"{known.name!r} ({known.kind}, unit {known.unit!r}, {known.description!r}): "
        "one name is one metric; choose another name or declare it just the same"
    )
