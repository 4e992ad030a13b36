"""Whether a histogram should look for a sampled span, and which one is current.

Looking costs more than recording, so it is switched on only where some tracer provider could have made a span.
"""

from __future__ import annotations

from typing import NamedTuple

from opentelemetry import trace

on = False
"""Kept up to date by `refresh()`; read on the hot path."""


class SpanIds(NamedTuple):
    """Where a measurement was made."""

    trace_id: int
    span_id: int


def refresh() -> None:
    """Look again whether anybody makes spans: called when a pipeline starts and at each collection."""
    global on  # noqa: PLW0603 - a module's flag is the cheapest thing that the hot path can ask
    provider = trace.get_tracer_provider()
    on = not type(provider).__module__.startswith("opentelemetry.trace")


def current() -> SpanIds | None:
    """The span that is current here, if it is sampled."""
    context = trace.get_current_span().get_span_context()
    return SpanIds(context.trace_id, context.span_id) if context.trace_flags.sampled else None
