"""Puts our cells into what an SDK reader exports, and cuts that into parts that do not hold up a trading thread.

The SDK only calls a reader while it has something of its own to report; the always-present `trading.sdk.route` sees to that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeVar, cast

from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)

_T = TypeVar("_T")

POINTS_IN_ONE_GO: Final = 100
"""Data points of a metric, and metrics of a scope, that are encoded before another thread may run. Not fewer: where one is
busy, it is milliseconds before ours runs again."""

POINTS_IN_ONE_REQUEST: Final = 2_500
"""Data points that are sent at once: protobuf copies and writes all of them without letting another thread run, and 100,000
series in one request would exceed gRPC's limit of 4 MiB."""


class _InTurns(Sequence[_T]):
    """A sequence that lets other threads run while it is gone through, as the exporters' encoders do."""

    def __init__(self, entries: Sequence[_T]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: Any) -> Any:
        return cast("Any", self._entries[index])

    def __iter__(self) -> Iterator[_T]:
        for start in range(0, len(self), POINTS_IN_ONE_GO):
            if start:
                time.sleep(0)
            yield from self._entries[start : start + POINTS_IN_ONE_GO]


def merged(data: MetricsData, ours: list[ScopeMetrics]) -> MetricsData:
    """Return `data` with `ours` under its resource, each scope once: of two that are equal OTLP's encoder keeps the last."""
    first, *rest = data.resource_metrics
    scopes = {scope.scope: scope for scope in first.scope_metrics}
    for mine in ours:
        same = scopes.get(mine.scope)
        scopes[mine.scope] = replace(mine, metrics=[*same.metrics, *mine.metrics]) if same else mine
    return MetricsData([replace(first, scope_metrics=list(scopes.values())), *rest])


def batches(data: MetricsData) -> Iterator[MetricsData]:
    """Parts of `data` of at most so many points, in order."""
    batch: list[_Piece] = []
    room = POINTS_IN_ONE_REQUEST
    for piece in _pieces(data):
        size = len(piece.metric.data.data_points)
        if size > room and batch:
            yield _request(batch)
            batch, room = [], POINTS_IN_ONE_REQUEST
        batch.append(piece)
        room -= size
    if batch:
        yield _request(batch)


class _Piece(NamedTuple):
    resource: ResourceMetrics
    scope: ScopeMetrics
    metric: Metric


def _pieces(data: MetricsData) -> Iterator[_Piece]:
    """All metrics, those with more points than fit into a request in several pieces."""
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                points, kind = cast("Sequence[Any]", metric.data.data_points), cast("Any", metric.data)
                for start in range(0, len(points), POINTS_IN_ONE_REQUEST):
                    part = replace(kind, data_points=_InTurns(points[start : start + POINTS_IN_ONE_REQUEST]))
                    yield _Piece(resource, scope, replace(metric, data=part))


def _request(batch: list[_Piece]) -> MetricsData:
    """The pieces, each under its resource and its scope."""
    resources: list[ResourceMetrics] = []
    for _, of_resource in groupby(batch, lambda piece: id(piece.resource)):
        found = list(of_resource)
        scopes = [list(of_scope) for _, of_scope in groupby(found, lambda piece: id(piece.scope))]
        told = [replace(of[0].scope, metrics=_InTurns([piece.metric for piece in of])) for of in scopes]
        resources.append(replace(found[0].resource, scope_metrics=told))
    return MetricsData(resources)
