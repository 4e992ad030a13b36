"""Measures what a call costs beyond another one, within one process."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

Block = Callable[[], int]
"""Makes a number of calls and returns the nanoseconds that they took."""

Calls = Sequence[tuple[Callable[..., Any], tuple[Any, ...]]]
"""Functions with their arguments: neighbours differ, so that no call finds everything as the last one left it."""


def difference(measured: Block, plain: Block, blocks: int, calls: int) -> float:
    """Return the nanoseconds by which a call of `measured` is dearer than one of `plain`: the median over pairs of blocks."""
    found: list[int] = []
    gc.collect()  # each round begins with a clean heap and pays for the collections that it causes itself
    for turn in range(blocks):
        if turn % 2:
            found.append(measured() - plain())
        else:
            base = plain()
            found.append(measured() - base)
    return statistics.median(found) / calls


def in_turn(calls: Calls) -> Block:
    """Return the block that makes `calls`."""

    def block() -> int:
        start = time.perf_counter_ns()
        for function, arguments in calls:
            function(*arguments)
        return time.perf_counter_ns() - start

    return block


def awaited_in_turn(calls: Calls) -> Block:
    """Return the block that awaits `calls`; the event loop is started and ended outside of the time."""

    async def run() -> int:
        start = time.perf_counter_ns()
        for function, arguments in calls:
            await function(*arguments)
        return time.perf_counter_ns() - start

    return lambda: asyncio.run(run())


def passing_through(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `function` in the least that a decorator can be."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def passing_through_async(function: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Wrap a coroutine function in the least that a decorator can be."""

    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return wrapper
