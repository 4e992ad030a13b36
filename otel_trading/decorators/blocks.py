"""The context manager that does for a block of code what the decorators do for a function."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from typing_extensions import Self

from otel_trading import metrics, tracing
from otel_trading.decorators import wrapping
from otel_trading.decorators.wrapping import Hooks
from otel_trading.metrics import faults


class Block:
    """A block that is recorded as a call is: used once, with `with` or `async with`; exceptions pass through it."""

    def __init__(self, hooks: Callable[[], Hooks]) -> None:
        self._make = hooks
        self._hooks: Hooks | None = None
        self._state: object = None
        self._result: object = None
        self._start = 0.0

    def set_result(self, result: Any) -> None:
        """Say what the function would have returned."""
        self._result = result

    def __enter__(self) -> Self:
        self._prepare()
        if self._hooks is not None and self._hooks.guard is not None:
            self._hooks.guard()
        self._enter()
        self._start = wrapping.clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self._exit(error, wrapping.clock() - self._start)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.__exit__(kind, error, traceback)

    @faults.contained("decorators")
    def _prepare(self) -> None:
        hooks = self._make()
        if hooks.always or metrics.active():
            self._hooks = hooks

    @faults.contained("decorators")
    def _enter(self) -> None:
        hooks = self._hooks
        if hooks is not None and (hooks.begins == "always" or (hooks.begins == "traced" and tracing.enabled())):
            self._state = hooks.begin()

    @faults.contained("decorators")
    def _exit(self, error: BaseException | None, seconds: float) -> None:
        hooks, self._hooks = self._hooks, None
        if hooks is None:
            return
        if error is not None and not isinstance(error, GeneratorExit):  # a consumer that stops early is no failure
            hooks.failed(error, seconds, self._state)
            return
        if hooks.duration is not None:
            hooks.duration.record(seconds)
        if hooks.ended is not None:
            hooks.ended(self._result, seconds, self._state)
