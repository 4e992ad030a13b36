"""One interface over the libraries that are measured: each does what its own documentation says is the way to do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol

Record = Callable[[float], object]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

VENUE, SYMBOL, STRATEGY = "trading.venue.name", "trading.instrument.symbol", "trading.strategy.name"
KEYS = (VENUE, SYMBOL, STRATEGY)

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds that make 15 buckets, as many as prometheus_client has by default."""

IN_EACH_BUCKET = (*BOUNDS, 20.0)
"""A value for every bucket: a bound belongs to the bucket below it."""


class Count(NamedTuple):
    """A sum over the exposition that has to equal what was done."""

    prefix: str
    ending: str
    label: str
    """A text that the labels contain."""
    of: Literal["calls", "failures", "successes"]


class Library(Protocol):
    """What every library can do."""

    def counter(self, name: str, attributes: Mapping[str, str]) -> Record:
        """Return what adds to one series, in the cheapest way that the library has."""
        ...

    def histogram(self, name: str, attributes: Mapping[str, str]) -> Record:
        """Return what records into one series."""
        ...

    def gauge(self, name: str, attributes: Mapping[str, str]) -> Record:
        """Return what sets one series."""
        ...

    def url(self) -> str:
        """Serve what was recorded, as the library serves it itself, and return the address."""
        ...

    def nothing_url(self) -> str:
        """Return an address of the same server that renders nothing."""
        ...

    def text(self) -> str:
        """Return what was recorded, as Prometheus would scrape it."""
        ...


def library(name: str, **options: Any) -> Any:
    """Return the library `name`, imported only now: a process holds one."""
    return import_module(f"benchmarks.libraries.{name}").Library(**options)


def series(count: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Names and attributes of `count` series, a thousand to each metric: below every limit of cardinality."""
    for place in range(count):
        yield (
            f"bench.family.{place // 1000}",
            {VENUE: f"venue-{place % 7}", SYMBOL: f"SYM{place % 1000:03}/USD", STRATEGY: f"strategy-{place % 3}"},
        )
