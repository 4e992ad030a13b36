"""Which reader is collecting just now: series that end owe each reader their last zeros.

An observable callback of OpenTelemetry is not told who collects; our readers say it by this module around their `collect()`.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class _Current(threading.local):
    reader: Hashable = None


_current = _Current()


@contextmanager
def collecting(reader: Hashable) -> Iterator[None]:
    """Name `reader` as the one that collects in this thread."""
    before, _current.reader = _current.reader, reader
    try:
        yield
    finally:
        _current.reader = before


def current_reader() -> Hashable:
    """The reader that collects in this thread; None for a reader that is not one of ours (an application's own)."""
    return _current.reader
