"""Puts our cells into what an SDK reader exports, and cuts that into parts that do not hold up a trading thread.

The SDK only calls a reader while it has something of its own to report; the always-present `trading.sdk.route` sees to that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

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


class _InTurns(list[_T]):
    """A list that lets other threads run while it is gone through, as the exporters' encoders do."""

    def __iter__(self) -> Iterator[_T]:
        for start in range(0, len(self), POINTS_IN_ONE_GO):
            if start:
                time.sleep(0)
            yield from self[start : start + POINTS_IN_ONE_GO]


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
    part: list[ResourceMetrics] = []
    room = POINTS_IN_ONE_REQUEST
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for piece in _pieces(metric):
                    size = len(piece.data.data_points)
                    if size > room and part:
                        yield MetricsData(part)
                        part, room = [], POINTS_IN_ONE_REQUEST
                    part = _added(part, resource, scope, piece)
                    room -= size
    if part:
        yield MetricsData(part)


def _pieces(metric: Metric) -> Iterator[Metric]:
    points, data = list[Any](metric.data.data_points), cast("Any", metric.data)
    for start in range(0, len(points), POINTS_IN_ONE_REQUEST):
        piece = replace(data, data_points=_InTurns(points[start : start + POINTS_IN_ONE_REQUEST]))
        yield replace(metric, data=piece)


def _added(
    part: list[ResourceMetrics], resource: ResourceMetrics, scope: ScopeMetrics, metric: Metric
) -> list[ResourceMetrics]:
    """`part` with one more metric, under the resource and the scope that it belongs to."""
    if part and part[-1].resource is resource.resource:
        last = part[-1]
        if last.scope_metrics[-1].scope is scope.scope:
            cast("list[Metric]", last.scope_metrics[-1].metrics).append(metric)
        else:
            cast("list[ScopeMetrics]", last.scope_metrics).append(replace(scope, metrics=_InTurns([metric])))
        return part
    return [*part, replace(resource, scope_metrics=[replace(scope, metrics=_InTurns([metric]))])]
