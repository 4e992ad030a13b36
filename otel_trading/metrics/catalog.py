"""The meters of this process, and the one route that all their instruments take."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import cast

from opentelemetry.metrics import MeterProvider

from otel_trading.metrics import exemplars, faults
from otel_trading.metrics.collection import collecting
from otel_trading.metrics.delegate import DelegatingMeterProvider
from otel_trading.metrics.instruments import AnyInstrument, Histogram, Limits
from otel_trading.metrics.meter import Bounds, CoreGauge, CoreHistogram, CoreMeter, Counter, UpDownCounter
from otel_trading.metrics.observed import Gauge, Sum
from otel_trading.metrics.routes import Route
from otel_trading.semconv.spec import Metric
from otel_trading.version import __version__

SCOPE = "otel_trading"

provider = DelegatingMeterProvider()
"""The process' global MeterProvider where the application has set none: what other instrumentations record through."""

meter = CoreMeter(provider, SCOPE, __version__)
"""The meter of everything in the vocabulary."""

user_meter = CoreMeter(provider, "app")
"""The meter of the metrics that the bot declares itself through OpenTelemetry's API."""

_METERS = (meter, user_meter)
_route: Route = "idle"

_KINDS = {"counter": Counter, "updowncounter": UpDownCounter, "histogram": CoreHistogram, "gauge": CoreGauge}


def attach(
    route: Route,
    delegate: MeterProvider | None = None,
    bounds: Bounds | None = None,
    limits: Limits | None = None,
    settle: Callable[[], object] | None = None,
    exemplar_filter: exemplars.Filter = "trace_based",
) -> None:
    """Let all our instruments take `route` from now on, starting from zero, and those of others record to `delegate`.

    `bounds` and `limits` give the buckets of histograms and the numbers of series by the names of metrics, instead of what
    they were declared with. For `settle` see `DelegatingMeterProvider.attach`; `exemplar_filter` is that of our own cells.
    """
    global _route  # noqa: PLW0603 - the process has one route
    _route = route
    provider.attach(delegate, bounds, settle=lambda: None)
    for each in _METERS:
        each.attach(route, bounds or {}, limits or Limits())
    provider.settle_by(settle)
    exemplars.choose(exemplar_filter)


def meters() -> tuple[CoreMeter, ...]:
    """The meters whose cells are to be collected: none while the application's stock instruments have the figures."""
    return _METERS if _route == "core" else ()


def active() -> bool:
    """Whether what is recorded goes anywhere just now."""
    return provider.delegate is not None


def counter(metric: Metric) -> Sum:
    """Return the counter or up-down counter of `metric`."""
    return meter.declare(Counter if metric.kind == "counter" else UpDownCounter, metric)


def histogram(metric: Metric) -> Histogram:
    """Return the histogram of `metric`."""
    return meter.declare(CoreHistogram, metric)


def gauge(metric: Metric) -> Gauge:
    """Return the gauge of `metric`."""
    return meter.declare(CoreGauge, metric)


def declare(metric: Metric) -> AnyInstrument:
    """Return the instrument of `metric`, whatever its kind.

    Raises `ConfigurationError` when another metric has that name already, as it is or as Prometheus would write it.
    """
    return cast("AnyInstrument", meter.declare(_KINDS[metric.kind], metric))


@contextmanager
def collection(reader: Hashable) -> Iterator[None]:
    """Name `reader` as the one that collects in this thread, after everything that was declared meanwhile is made."""
    provider.settle()
    exemplars.refresh()
    with collecting(reader):
        yield


def begin_in_child() -> None:
    """Start from zero, and silent, in a process that forked."""
    provider.begin_in_child()
    faults.begin_in_child()
    for each in _METERS:
        each.begin_in_child()
    attach("idle")
