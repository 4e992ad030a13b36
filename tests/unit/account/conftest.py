"""A fresh stock MeterProvider for each test, and what its readers see of the accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from otel_trading.account import Account
from otel_trading.metrics import faults
from otel_trading.metrics.collection import collecting
from otel_trading.semconv.attributes import ACCOUNT_NAME
from tests.routes import ROUTES, Reader, attached

Points = dict[str, list[tuple[float, dict[str, str]]]]


class Seen:
    """What one reader collects, by name without the leading `trading.`."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def points(self) -> Points:
        with collecting(id(self.reader)):
            data = self.reader.get_metrics_data()
        found: Points = {}
        for metric in (m for r in (data.resource_metrics if data else ()) for s in r.scope_metrics for m in s.metrics):
            # What is not of an account was said by other tests, of other things, and lives on in the process.
            ours = [point for point in metric.data.data_points if ACCOUNT_NAME in point.attributes]
            if ours:
                found[metric.name.removeprefix("trading.")] = [(point.value, dict(point.attributes)) for point in ours]
        return found

    def values(self) -> dict[str, float]:
        """Every series by its metric, and its symbol where it has one; for tests of a single account."""
        return {
            name + (f" {attributes['trading.instrument.symbol']}" if "trading.instrument.symbol" in attributes else ""): value
            for name, points in self.points().items()
            for value, attributes in points
        }


@pytest.fixture(params=ROUTES)
def readers(request: pytest.FixtureRequest) -> Iterator[tuple[Seen, Seen]]:
    """Two readers on one provider, as when a bot is scraped and pushes at once."""
    faults.reset()
    with attached(request.param, readers=2) as (first, second):
        yield Seen(first), Seen(second)


@pytest.fixture
def seen(readers: tuple[Seen, Seen]) -> Seen:
    return readers[0]


class Clock:
    """Unix seconds that a test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000.0)  # 2023-11-14T22:13:20Z


@pytest.fixture
def account(clock: Clock) -> Iterator[Callable[..., Account]]:
    """Make accounts that are closed at the end; in USD, with 10,000 of it, unless said otherwise."""
    made: list[Account] = []

    def make(name: str = "main", **arguments: object) -> Account:
        made.append(Account(name, **{"currency": "USD", "cash": 10_000, "clock": clock, **arguments}))
        return made[-1]

    yield make
    for one in made:
        one.close()
