"""The threads that a pipeline runs."""

import threading

HEARTBEATS = "otel-trading-watchdog"
"""Of the heartbeats, which other tests of this process may have given: no pipeline's."""


def our_threads() -> set[str]:
    """Return their names."""
    names = {thread.name for thread in threading.enumerate()} - {HEARTBEATS}
    return {name for name in names if name.startswith(("otel-trading", "Otel"))}
