"""Metrics that are read from what the bot keeps already, when somebody asks for them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from otel_trading import metrics
from otel_trading.errors import ConfigurationError
from otel_trading.semconv import metrics as m
from otel_trading.semconv.spec import Kind, Metric

ObservedKind: TypeAlias = Literal["gauge", "counter", "updowncounter"]

_KINDS: tuple[ObservedKind, ...] = ("gauge", "counter", "updowncounter")
_RESERVED = "trading."


def observe(
    metric: str,
    callback: Callable[[], object],
    *,
    kind: ObservedKind = "gauge",
    unit: str = "",
    description: str = "",
    attributes: Mapping[str, object] | None = None,
) -> Callable[[], None]:
    """Read a metric from `callback` at each collection; call what is returned to stop doing so.

    `metric` is a name of the registry, whose kind, unit and description are then those that it has there, or one of your own,
    declared with `kind`, `unit` and `description`. `callback` returns a number, None (nothing to say just now), or pairs of a
    number and its attributes; it must return at once, for it runs while somebody waits for the metrics. One that raises is
    counted and logged, and its series are absent. `attributes` are on every series.

    Raises `ConfigurationError` when the name or the kind is none, when it is in the registry's namespace without being in the
    registry, when an attribute is not in the registry's metric, when it is declared otherwise already, or when the metric is
    one that the program records itself.
    """
    if not callable(callback):
        raise ConfigurationError(f"observe({metric!r}): the callback must be a function without arguments")
    return metrics.declare(_specification(metric, kind, unit, description, attributes)).observe(callback, attributes)


def own_metric(
    name: str, kind: Kind, unit: str, description: str, keys: tuple[str, ...] = (), bounds: tuple[float, ...] = ()
) -> Metric:
    """Return the specification of a metric of the user's own; raises `ConfigurationError` for a name that is the registry's."""
    if name in m.ALL:
        raise ConfigurationError(f"{name!r} is a metric of the registry: the SDK records it itself, choose another name")
    if name.startswith(_RESERVED):
        close = difflib.get_close_matches(name, m.ALL, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise ConfigurationError(f"{name!r} is not in the registry, and names that begin with {_RESERVED!r} are{hint}")
    return Metric(name, kind, unit, description, keys, bounds=bounds)


def _specification(
    name: str, kind: ObservedKind, unit: str, description: str, attributes: Mapping[str, object] | None
) -> Metric:
    known = m.ALL.get(name)
    if known is None:
        if kind not in _KINDS:
            raise ConfigurationError(f"observe({name!r}): kind is one of {', '.join(_KINDS)}, not {kind!r}")
        return own_metric(name, kind, unit, description)
    if unit and unit != known.unit:
        raise ConfigurationError(f"{name} has the unit {known.unit!r} in the registry, not {unit!r}")
    strange = sorted(set(attributes or ()) - set(known.attributes))
    if strange:
        raise ConfigurationError(f"{name} has no attribute {', '.join(strange)}; it has {', '.join(known.attributes)}")
    return known
