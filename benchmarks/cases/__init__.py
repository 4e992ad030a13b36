"""The benchmarks, one a file: what runs in the workers, and what commands them and judges the outcome."""

from __future__ import annotations

from importlib import import_module

from benchmarks.results import Outcome
from benchmarks.scale import Scale

MODULES = {
    "machine": "machine",
    "calls": "calls",
    "orders": "orders",
    "async": "asynchronous",
    "bound": "bound",
    "threads": "threads",
    "scrape": "scrape",
    "lateness": "lateness",
    "otlp": "otlp",
    "memory": "memory",
    "imports": "imports",
    "account": "account",
    "risk": "risk",
}
"""All of them, in the order of the page, by the name that `--only` takes."""

QUICK = ("machine", "calls", "orders", "async", "bound", "scrape")
"""Those that a quick run makes: what calls cost, and a scrape."""


def run(name: str, scale: Scale) -> Outcome:
    """Run one benchmark; raises when it did not collect what was recorded."""
    return import_module(f"benchmarks.cases.{MODULES[name]}").run(scale)
