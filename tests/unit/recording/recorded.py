"""A fresh stock MeterProvider for a test, and exactly what was recorded on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint

from otel_trading import recording
from otel_trading.metrics import catalog, faults
from otel_trading.metrics.instruments import Instrument
from otel_trading.metrics.observed import Observable
from otel_trading.orders import seen
from tests.routes import ROUTES, Reader, attached


def instruments() -> list[Instrument]:
    return [each for meter in (catalog.meter, catalog.user_meter) for each in meter.all()]


OF_THE_PROCESS = {each.name: each._sources.copy() for each in instruments() if isinstance(each, Observable)}
"""Callbacks that are there from the import on; those that came later are of other tests, which decorated something."""

Point = tuple[dict[str, str], "float | tuple[int, float]"]


class Recorded:
    """What a reader collects: for each metric, its points as (attributes without `trading.`, value or (count, sum))."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def all(self) -> dict[str, list[Point]]:
        data = self._reader.get_metrics_data()
        return {
            metric.name.removeprefix("trading."): [self._point(point) for point in metric.data.data_points]
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            if scope.scope.name in {catalog.meter.name, catalog.user_meter.name}  # what others declared lives on in the process
            for metric in scope.metrics
            if metric.data.data_points
        }

    def points(self, name: str) -> list[Point]:
        """The points of a metric, in a stable order."""
        return sorted(self.all().get(name, []), key=repr)

    def one(self, name: str, **attributes: str) -> float | tuple[int, float] | None:
        """The value of the one point with at least these attributes (`venue="x"` is `trading.venue.name`)."""
        found = [
            value
            for known, value in self.points(name)
            if all(any(known.get(key) == text for key in _keys(short)) for short, text in attributes.items())
        ]
        assert len(found) <= 1, f"{name} {attributes}: {found}"
        return found[0] if found else None

    @staticmethod
    def _point(point: object) -> Point:
        attributes = {key.removeprefix("trading."): value for key, value in point.attributes.items()}
        if isinstance(point, HistogramDataPoint):
            return attributes, (point.count, point.sum)
        return attributes, point.value


def _keys(short: str) -> tuple[str, ...]:
    dotted = short.replace("__", ".")
    return (dotted, f"{dotted}.name", f"order.{dotted}", f"model.{dotted}", f"prediction.{dotted}", f"error.{dotted}")


@pytest.fixture(params=ROUTES)
def recorded(request: pytest.FixtureRequest) -> Iterator[Recorded]:
    """Attach a fresh pipeline, with nothing seen and nothing reported before."""
    seen.clear()
    faults.reset()
    for instrument in instruments():  # forget what other tests said of their own strategies and venues
        if isinstance(instrument, Observable):
            instrument._sources[:] = OF_THE_PROCESS.get(instrument.name, [])
        for series in list(instrument._cells.values()):
            series.remove()
    with attached(request.param) as (reader,):
        yield Recorded(reader)
    recording.configure(recording.Options())


@pytest.fixture
def no_faults(recorded: Recorded) -> Iterator[Recorded]:
    """Nothing of ours failed, and nothing was dropped."""
    yield recorded
    assert not faults.errors
    assert not faults.dropped
