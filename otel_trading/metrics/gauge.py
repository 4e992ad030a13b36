"""Gauges whose series can end.

OpenTelemetry's own gauge repeats its last value for ever. Ours is observable underneath: each collection exports what is
alive, and a series that was alive at a reader's last collection and is no more is either gone at once or, where the registry
says that it truly ended at zero (`ends_at_zero`), exported as 0 for two more collections of that reader. A Collector keeps
the last value that it got, so that last value has to be the true one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from opentelemetry.metrics import CallbackOptions, Observation

from otel_trading.metrics import faults
from otel_trading.metrics.collection import current_reader
from otel_trading.metrics.delegate import DelegatingMeter
from otel_trading.metrics.instruments import Instrument
from otel_trading.metrics.values import Attributes, Key, key_of, labels, number
from otel_trading.semconv.spec import Metric

FINAL_COLLECTIONS = 2
"""Collections of a reader in which a series that ended at zero is still exported."""

FINAL_SECONDS = 120.0
"""The same for readers that cannot be told apart, those of the application: two of OpenTelemetry's default intervals."""


class Gauge(Instrument):
    """The present value of something: set, or observed through callbacks, or both."""

    def __init__(self, metric: Metric, meter: DelegatingMeter, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(metric, meter)
        self._clock = clock
        self._values: dict[Key, float] = {}
        self._endings: dict[Hashable, _Endings] = {}
        self._generation = 0
        meter.create_observable_gauge(metric.name, [self._observations], metric.unit, metric.description)

    @faults.contained("record")
    def set(self, value: object, attributes: Attributes | None = None) -> None:
        """Make `value` the present one of the series; a value that is no finite number leaves it as it was."""
        self.set_key(value, key_of(labels(attributes)))

    def bind(self, attributes: Attributes | None = None) -> BoundGauge:
        """Return the handle of the series with these attributes."""
        return BoundGauge(self, key_of(labels(attributes)))

    @faults.contained("record")
    def remove(self, attributes: Attributes | None = None) -> None:
        """End the series with these attributes."""
        self._values.pop(key_of(labels(attributes)), None)

    def set_key(self, value: object, key: Key) -> None:
        if (converted := number(value, self.metric.name)) is not None:
            self._values[key] = converted

    def remove_key(self, key: Key) -> None:
        self._values.pop(key, None)

    def _declare_observable(self) -> None:
        """A gauge is observable from the start."""

    def _observations(self, _: CallbackOptions) -> list[Observation]:
        alive = self._values.copy()
        alive.update((key_of(texts), value) for value, texts in self._read_sources())
        found = [Observation(value, dict(key)) for key, value in alive.items()]
        if self.metric.ends_at_zero:
            found.extend(Observation(0.0, dict(key)) for key in self._endings_now().collect(alive, self._clock()))
        return found

    def _endings_now(self) -> _Endings:
        """Of the reader that collects just now; those of readers that went with their provider are forgotten."""
        if self._generation != (generation := self._meter.provider.generation):
            self._endings, self._generation = {}, generation
        reader = current_reader()
        return self._endings.setdefault(reader, _Endings(timed=reader is None))

    def begin_in_child(self) -> None:
        """Start without a value in a process that forked."""
        self._values.clear()


class _Endings:
    """What one reader has seen alive, and the last zeros that it is still owed."""

    def __init__(self, *, timed: bool) -> None:
        self._timed = timed
        self._seen: set[Key] = set()
        self._owed: dict[Key, tuple[int, float]] = {}

    def collect(self, alive: dict[Key, float], now: float) -> list[Key]:
        """Return the series to export as 0 in this collection."""
        for key in self._seen.difference(alive):
            self._owed[key] = (FINAL_COLLECTIONS, now + FINAL_SECONDS)
        self._seen = set(alive)
        for key in self._seen.intersection(self._owed):
            del self._owed[key]
        due = list(self._owed)
        for key, (collections, until) in list(self._owed.items()):
            if (now >= until) if self._timed else (collections <= 1):
                del self._owed[key]
            else:
                self._owed[key] = (collections - 1, until)
        return due


class BoundGauge:
    """One series of a gauge."""

    __slots__ = ("_instrument", "_key")

    def __init__(self, instrument: Gauge, key: Key) -> None:
        self._instrument = instrument
        self._key = key

    @faults.contained("record")
    def set(self, value: object) -> None:
        self._instrument.set_key(value, self._key)

    def remove(self) -> None:
        """End the series; setting it again begins a new one."""
        self._instrument.remove_key(self._key)
