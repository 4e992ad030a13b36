"""Read what an endpoint exposes, with Prometheus' own parser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.harness.web import fetch

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Sample(NamedTuple):
    """One line of an exposition or one element of a query's result."""

    name: str
    labels: dict[str, str]
    value: float


def scrape(url: str, *, openmetrics: bool = False) -> list[Sample]:
    """Return every sample at `url` (an OpenMetrics body must be valid for prometheus_client's strict parser)."""
    accept = OPENMETRICS if openmetrics else "text/plain; version=0.0.4"
    response = fetch(url, accept=accept)
    if response.status != 200:
        raise AssertionError(f"{url} answers {response.status}: {response.text[:500]}")
    parse = parse_openmetrics if response.content_type.startswith("application/openmetrics-text") else parse_text
    return [Sample(s.name, dict(s.labels), float(s.value)) for family in parse(response.text) for s in family.samples]


def find(samples: Iterable[Sample], name: str, **labels: str) -> list[Sample]:
    """Return the samples called `name` that have at least these labels."""
    return [s for s in samples if s.name == name and labels.items() <= s.labels.items()]


def one(samples: Iterable[Sample], name: str, **labels: str) -> float | None:
    """Return the value of the one sample called `name` with these labels, None if there is none; two are an error."""
    found = find(samples, name, **labels)
    if len(found) > 1:
        raise AssertionError(f"{len(found)} series are {name} {labels}: {found}")
    return found[0].value if found else None
