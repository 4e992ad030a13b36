"""Lets the sides of a benchmark take their rounds in turn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.processes import Worker

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Side:
    """One library in one way of using it."""

    library: str
    """As the tables call it."""
    case: type
    """What runs in its worker; its method `check` raises unless the counts collected equal the calls made."""
    options: Mapping[str, Any] = field(default_factory=dict)
    pinned: bool = True
    python: str | Path = sys.executable

    def worker(self) -> Worker:
        """Return a new process of it."""
        return Worker(self.case, python=self.python, pinned=self.pinned, **self.options)


def in_turn(
    sides: Sequence[Side], measure: Callable[[Worker, Side], T], *, rounds: int, processes: int = 1
) -> dict[Side, list[T]]:
    """Return what the rounds gave: `processes` times `rounds` of each side, by turns, every other time the other way round."""
    found: dict[Side, list[T]] = {side: [] for side in sides}
    for _ in range(processes):
        with ExitStack() as stack:
            workers = {side: stack.enter_context(side.worker()) for side in sides}
            for turn in range(rounds):
                for side in sides if turn % 2 == 0 else tuple(reversed(sides)):
                    found[side].append(measure(workers[side], side))
            for worker in workers.values():
                worker.call("check")
    return found
