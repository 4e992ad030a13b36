"""Spans around decorated calls: they may carry what would be too many series on a metric, and never a message or a secret."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from typing import NamedTuple

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from otel_trading.metrics.values import as_float, label
from otel_trading.semconv.attributes import ERROR_TYPE
from otel_trading.tracing import tracer


class OpenSpan(NamedTuple):
    """A span that was started, and how to make the one before it current again."""

    span: Span
    token: Token[Context] | None

    def end(self, attributes: Mapping[str, object] | None = None, error_type: str | None = None) -> None:
        """End it; with an `error_type`, as failed. The message of an exception stays out: it may quote a signed request."""
        try:
            told = {**(attributes or {}), ERROR_TYPE: error_type}
            self.span.set_attributes(converted(told))
            if error_type is not None:
                self.span.set_status(Status(StatusCode.ERROR))
        finally:
            if self.token is not None:
                context.detach(self.token)
            self.span.end()


def start(name: str, kind: SpanKind, attributes: Mapping[str, object], *, current: bool) -> OpenSpan:
    """Start a span; `current` makes it the parent of what is started until it ends.

    A generator's span is never current: between two items the caller runs, in the same context.
    """
    span = tracer.start_span(name, kind=kind, attributes=converted(attributes))
    token = context.attach(trace.set_span_in_context(span)) if current else None
    return OpenSpan(span, token)


def converted(attributes: Mapping[str, object]) -> dict[str, AttributeValue]:
    """Return those that are not None: numbers as floats, what is true or false as it is, the rest as text."""
    found: dict[str, AttributeValue] = {}
    for key, value in attributes.items():
        number = value if isinstance(value, bool) else as_float(value)
        known = number if number is not None else label(value)
        if known is not None:
            found[key] = known
    return found
