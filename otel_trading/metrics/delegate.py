"""A MeterProvider of the OpenTelemetry API that can be given another MeterProvider behind it at any time.

The global provider can be set only once in a process, but a bot may be configured, shut down and configured again. So this
one is registered, and instruments that anybody made through it follow when its delegate is swapped. Without a delegate
they do nothing.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry import metrics
from opentelemetry.metrics import (
    CallbackT,
    Meter,
    MeterProvider,
    _Gauge,  # exported in the API's __all__: the return type of Meter.create_gauge
)
from opentelemetry.util.types import Attributes

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.following import (
    Bounds,
    Following,
    FollowingCounter,
    FollowingGauge,
    FollowingHistogram,
    FollowingObservableCounter,
    FollowingObservableGauge,
    FollowingObservableUpDownCounter,
    FollowingUpDownCounter,
    Observed,
)


class DelegatingMeter(Meter):
    """A meter whose instruments follow the delegate of the provider that made it."""

    def __init__(self, provider: DelegatingMeterProvider, scope: tuple[Any, ...]) -> None:
        super().__init__(scope[0], scope[1], scope[2])
        self.provider = provider
        self._scope = scope
        self._instruments: dict[tuple[str, ...], Following] = {}
        self._made: WeakKeyDictionary[MeterProvider, dict[tuple[str, ...], Any]] = WeakKeyDictionary()

    def attach(self) -> None:
        """Make every instrument follow the provider's delegate of now."""
        for identity, instrument in self._instruments.items():
            # A foreign instrument that the SDK does not take must not keep ours from starting.
            _contained(partial(self._attach, identity, instrument))

    def make(self, identity: tuple[str, ...], instrument: Following) -> None:
        """Give `instrument` its real one on the delegate: the one that it had there before, if any."""
        delegate = self.provider.delegate
        if delegate is None:
            instrument.real = None
            return
        made = self._made.setdefault(delegate, {})
        if identity not in made:
            made[identity] = instrument.create(delegate.get_meter(*self._scope), delegate, self.provider.bounds)
        instrument.real = made[identity]

    def _attach(self, identity: tuple[str, ...], instrument: Following) -> None:
        if isinstance(instrument, Observed) and self.provider.delegate is not None:
            self.provider.settle_later(lambda: self.make(identity, instrument))
        else:
            self.make(identity, instrument)

    def _declare(self, kind: str, name: str, unit: str, description: str, make: Callable[[], Following]) -> Any:
        """Return the instrument that was declared just the same before, else a new one."""
        identity = (kind, name.lower(), unit, description)
        with self.provider.lock:
            instrument = self._instruments.get(identity)
            if instrument is None:
                instrument = make()
                self._attach(identity, instrument)
                self._instruments[identity] = instrument
            return instrument

    def _observe(
        self, kind: str, name: str, unit: str, description: str, callbacks: Sequence[CallbackT] | None, cls: type[Observed]
    ) -> Any:
        instrument = self._declare(kind, name, unit, description, lambda: cls(name, unit, description, self.provider))
        instrument.declared(callbacks)
        return instrument

    def create_counter(self, name: str, unit: str = "", description: str = "") -> metrics.Counter:
        return self._declare("counter", name, unit, description, lambda: FollowingCounter(name, unit, description))

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> metrics.UpDownCounter:
        return self._declare(
            "up_down_counter", name, unit, description, lambda: FollowingUpDownCounter(name, unit, description)
        )

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> _Gauge:
        return self._declare("gauge", name, unit, description, lambda: FollowingGauge(name, unit, description))

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> metrics.Histogram:
        advisory = explicit_bucket_boundaries_advisory
        return self._declare(
            "histogram", name, unit, description, lambda: FollowingHistogram(name, unit, description, advisory)
        )

    def create_observable_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableCounter:
        return self._observe("observable_counter", name, unit, description, callbacks, FollowingObservableCounter)

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableUpDownCounter:
        return self._observe("observable_up_down_counter", name, unit, description, callbacks, FollowingObservableUpDownCounter)

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> metrics.ObservableGauge:
        return self._observe("observable_gauge", name, unit, description, callbacks, FollowingObservableGauge)


class DelegatingMeterProvider(MeterProvider):
    """The provider of all our instruments, and the process' global one where the application has set none."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held while anything is declared or attached, never while somebody's callback runs."""
        self.delegate: MeterProvider | None = None
        self.generation = 0
        """How often a delegate was attached."""
        self.bounds: Bounds = {}
        self._meters: dict[tuple[Any, ...], DelegatingMeter] = {}
        self._claims: dict[str, tuple[str, ...]] = {}
        self._unsettled: deque[Callable[[], None]] = deque()
        self._settle: Callable[[], object] | None = None

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> DelegatingMeter:
        identity = (name, version, schema_url, tuple(sorted((attributes or {}).items(), key=str)))
        with self.lock:
            meter = self._meters.get(identity)
            if meter is None:
                meter = self._meters[identity] = DelegatingMeter(self, (name, version, schema_url, attributes))
            return meter

    def attach(
        self, delegate: MeterProvider | None, bounds: Bounds | None = None, *, settle: Callable[[], object] | None = None
    ) -> None:
        """Send everything to `delegate` from now on (nowhere if None).

        `bounds` gives the bucket bounds of histograms by name, before the ones that they were declared with.

        The SDK makes an observable instrument only while nobody collects, and runs the callbacks meanwhile. Whoever declares
        one under a lock that a callback wants would wait for ever, so with `settle` it is only noted, and `settle` is called,
        so that somebody calls `settle()` of this provider before the next collection. Without it, it is made at once.
        """
        with self.lock:
            self.delegate = delegate
            self.bounds = bounds or {}
            self.generation += 1
            self._unsettled.clear()
            self._settle = lambda: None  # what is attached is made below, not under the lock
            for meter in self._meters.values():
                meter.attach()
        self.settle_by(settle)

    def settle_by(self, settle: Callable[[], object] | None) -> None:
        """Make what was noted, and call `settle` for what is declared from now on."""
        self._settle = settle
        self.settle()

    def settle_later(self, make: Callable[[], None]) -> None:
        """Run `make`, which waits for whoever collects: at once, or with the next `settle()`."""
        settle = self._settle  # another thread may attach meanwhile
        if settle is None:
            make()
        else:
            self._unsettled.append(make)
            settle()

    def settle(self) -> None:
        """Make the observable instruments that were noted."""
        while self._unsettled:
            try:
                make = self._unsettled.popleft()
            except IndexError:  # another thread was faster
                return
            _contained(make)

    def claim(self, *owner: str) -> None:
        """Take a name for one declaration: scope, kind, name, unit and description.

        Raises `ConfigurationError` when it is taken by another one, as it is or as Prometheus would write it.
        """
        taken = self._claims.setdefault(prometheus_family(owner[2]), owner)
        if taken != owner:
            raise ConfigurationError(
                f"metric {_described(owner)} is already declared as {_described(taken)}: "
                "one name is one metric; choose another name or declare it just the same"
            )

    def begin_in_child(self) -> None:
        """Start without a delegate in a process that forked, where the lock may be held by a thread that is not here."""
        self.lock = threading.RLock()
        self.attach(None)


@faults.contained("instruments")
def _contained(make: Callable[[], None]) -> None:
    make()


def prometheus_family(name: str) -> str:
    """Return `name` as Prometheus would write it without unit and suffix: what two metrics may not share."""
    return re.sub(r"[^a-zA-Z0-9]+", "_", name).lower()


def _described(owner: tuple[str, ...]) -> str:
    scope, kind, name, unit, description = owner
    return f"{name!r} ({kind.replace('_', ' ')}, unit {unit!r}, {description!r}, of {scope})"
