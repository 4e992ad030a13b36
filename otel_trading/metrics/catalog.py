"""The instruments of this process: each metric is declared once, on one meter, whoever asks for it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.metrics.collection import collecting
from otel_trading.metrics.delegate import DelegatingMeterProvider, prometheus_family
from otel_trading.metrics.gauge import Gauge
from otel_trading.metrics.instruments import Histogram, Instrument, Sum
from otel_trading.semconv.spec import Metric
from otel_trading.version import __version__

SCOPE = "otel_trading"

provider = DelegatingMeterProvider()
"""Where all of this process' instruments come from; `configure()` gives it its delegate."""

meter = provider.get_meter(SCOPE, __version__)

user_meter = provider.get_meter("app")
"""The meter of the metrics that the bot declares itself through OpenTelemetry's API."""
user_meter.exclusive = True

_instruments: dict[str, Instrument] = {}


def active() -> bool:
    """Whether what is recorded goes anywhere just now."""
    return provider.delegate is not None


def counter(metric: Metric) -> Sum:
    """Return the counter or up-down counter of `metric`."""
    instrument = _declare(metric)
    if not isinstance(instrument, Sum):
        raise _clash(metric, instrument.metric)
    return instrument


def histogram(metric: Metric) -> Histogram:
    """Return the histogram of `metric`."""
    instrument = _declare(metric)
    if not isinstance(instrument, Histogram):
        raise _clash(metric, instrument.metric)
    return instrument


def gauge(metric: Metric) -> Gauge:
    """Return the gauge of `metric`."""
    instrument = _declare(metric)
    if not isinstance(instrument, Gauge):
        raise _clash(metric, instrument.metric)
    return instrument


def declare(metric: Metric) -> Instrument:
    """Return the instrument of `metric`, whatever its kind.

    Raises `ConfigurationError` when another metric has that name already, as it is or as Prometheus would write it.
    """
    return _declare(metric)


def _declare(metric: Metric) -> Instrument:
    name = prometheus_family(metric.name)
    known = _instruments.get(name)
    if known is None:
        with provider.lock:
            known = _instruments.get(name)
            if known is None:
                provider.claim(SCOPE, metric.kind, metric.name, metric.unit, metric.description)
                make = {"gauge": Gauge, "histogram": Histogram}.get(metric.kind, Sum)
                known = _instruments[name] = make(metric, meter)
    if known.metric != metric:
        raise _clash(metric, known.metric)
    return known


@contextmanager
def collection(reader: Hashable) -> Iterator[None]:
    """Name `reader` as the one that collects in this thread, after everything that was declared meanwhile is made."""
    provider.settle()
    with collecting(reader):
        yield


def begin_in_child() -> None:
    """Start from zero, and silent, in a process that forked."""
    provider.begin_in_child()
    faults.begin_in_child()
    for instrument in _instruments.values():
        instrument.begin_in_child()


def _clash(wanted: Metric, known: Metric) -> ConfigurationError:
    return ConfigurationError(
        f"metric {wanted.name!r} ({wanted.kind}, unit {wanted.unit!r}) is already declared as "
        f"{known.name!r} ({known.kind}, unit {known.unit!r}, {known.description!r}): "
        "one name is one metric; choose another name or declare it just the same"
    )
