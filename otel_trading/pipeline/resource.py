"""The OpenTelemetry resource of a bot: who it is, in each metric and span that leaves the process."""

from __future__ import annotations

import os
import socket
import sys
import uuid

from opentelemetry.sdk.resources import Resource

from otel_trading.metrics.values import encodable
from otel_trading.pipeline.settings import Settings
from otel_trading.semconv import attributes

_forked = False
"""Whether this process is the child of one that had loaded this module: same place, same command, and yet another."""


def begin_in_child() -> None:
    """Have another id than the parent."""
    global _forked  # noqa: PLW0603 - a fact about the process
    _forked = True


_NAMESPACE = uuid.UUID("f3a7b1de-43a5-5b6c-9e0e-5d8d5a3c2b11")


def resource(settings: Settings) -> Resource:
    """Return the resource that `settings` describe, together with what OpenTelemetry's own detectors and variables say."""
    known = {
        "service.name": settings.service_name,
        "service.version": settings.service_version,
        "service.instance.id": settings.service_instance_id or instance_id(settings.service_name or ""),
        "deployment.environment.name": settings.environment,
        attributes.MODE: settings.trading_mode,
    }
    made = Resource.create({**settings.resource_attributes, **{key: value for key, value in known.items() if value}})
    # A variable may be in another encoding: what UTF-8 does not know would fail each scrape and batch.
    texts = {encodable(key): encodable(value) if isinstance(value, str) else value for key, value in made.attributes.items()}
    return Resource(texts, made.schema_url)


def instance_id(service_name: str) -> str:
    """Return an id that the same bot, started again in the same place, has again.

    So that a restarted bot continues its series on a Collector instead of leaving a frozen twin beside them. Two copies of
    one bot in one directory with one command line need an id of their own in the settings.
    """
    try:
        directory = os.getcwd()  # noqa: PTH109 - as text
    except OSError:  # it has been removed
        directory = ""
    place = (socket.gethostname(), service_name, directory, *sys.orig_argv, *([str(os.getpid())] if _forked else []))
    return str(uuid.uuid5(_NAMESPACE, encodable("\0".join(place))))
