"""autometrics, in an environment of its own, with the cheaper of its two trackers."""

from __future__ import annotations

from autometrics import autometrics, init
from prometheus_client import generate_latest

from benchmarks.libraries import Count, Decorator


class Library:
    """It records what it decorates in the default registry of prometheus_client."""

    def __init__(self) -> None:
        init(tracker="prometheus", service_name="benchmark")

    def text(self) -> str:
        return generate_latest().decode()

    def autometrics(self, _: int) -> Decorator:
        """Return `@autometrics`: its attributes are the names of function, module and caller."""
        return autometrics

    def autometrics_counts(self) -> list[Count]:
        """Where these calls are counted."""
        return [
            Count("function_calls", "_total", "", "calls"),
            Count("function_calls", "_total", 'result="error"', "failures"),
        ]
