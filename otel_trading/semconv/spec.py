"""What the registry says of one metric, as the code reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "updowncounter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the registry: what an OpenTelemetry instrument of it must be declared with."""

    name: str
    kind: Kind
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    """Every attribute key that a point of this metric may carry; other keys are not in the vocabulary."""
    opt_in: tuple[str, ...] = ()
    """Those of `attributes` that a point carries only when a setting asks for them, as they multiply the series."""
    bounds: tuple[float, ...] = ()
    """Default upper bounds of the buckets of a histogram, ascending, in `unit`."""
    ends_at_zero: bool = False
    """A series of this gauge that ends was truly 0 then (the size of a closed position): it is exported as 0 before it goes."""
