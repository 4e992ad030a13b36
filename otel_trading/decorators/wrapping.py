"""The one mechanism by which a function is decorated, whatever the decorator and whatever the function.

We go down to the plain function (through static and class methods, bound methods, partial objects and callable objects), put a
wrapper of exactly its shape (see template.py) in its place, and build up again what was around it.
"""

from __future__ import annotations

import functools
import inspect
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any, Final, Literal, Protocol, TypeVar, cast

from otel_trading import tracing
from otel_trading.decorators.template import HANDED, Kind, Source, compiled, named_like
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import HistogramCell, SumCell, catalog, faults

clock: Callable[[], float] = time.perf_counter
"""What durations are measured with, in seconds."""

_T = TypeVar("_T")


class Ended(Protocol):
    """Told that a call returned `result` after `seconds`; must not raise, and must not touch the result."""

    def __call__(self, result: Any, seconds: float, state: Any, /) -> object: ...


class Failed(Protocol):
    """Told that a call raised `error` after `seconds`."""

    def __call__(self, error: BaseException, seconds: float, state: Any, /) -> object: ...


def _nothing(*_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is done around each call of one function."""

    failed: Failed
    ended: Ended | None = None
    duration: HistogramCell | None = None
    """The series that the duration of a call is recorded in when it succeeds, before `ended` is told of it."""
    counts: Mapping[str, SumCell] | None = None
    """Counters of results that are text and that nothing else is to be known of: `ended` is not told of those."""
    guard: Callable[..., object] | None = None
    """Called with what `begin` is given, before everything else; what it raises is raised instead of the call."""
    begin: Callable[..., object] = _nothing
    """Returns the state that the others are given; None if it failed or was not called."""
    begins: Literal["never", "traced", "always"] = "never"
    """When `begin` is called; `traced`: only while spans go anywhere."""
    inputs: str = ""
    """What `begin` is given: expressions over the function's parameters."""
    always: bool = False
    """Whether a call is recorded even while no metric goes anywhere."""


class Shape:
    """How a function is called: its kind, and its parameters as text."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.kind: Kind = "function"
        if type(function) is not FunctionType:  # a builtin, or a class of an extension: no parameters to be known
            self.names: tuple[str, ...] = ()
            self.positional, self.args, self.kwargs = (), "_ot_args", "_ot_kwargs"
            self.parameters = "*_ot_args, **_ot_kwargs"
            self.arguments = self.parameters
            self.everything = "_ot_args, _ot_kwargs"
            return
        code = function.__code__
        self.kind = _KINDS.get(code.co_flags & _FLAGS, "function")
        count, keywords = code.co_argcount, code.co_kwonlyargcount
        names = list(code.co_varnames)
        self.positional = tuple(names[:count])
        only = tuple(names[count : count + keywords])
        rest = names[count + keywords :]
        self.args = rest.pop(0) if code.co_flags & inspect.CO_VARARGS else None
        self.kwargs = rest.pop(0) if code.co_flags & inspect.CO_VARKEYWORDS else None
        self.names = (*self.positional, *only)
        declared, given = list(self.positional), list(self.positional)
        if code.co_posonlyargcount:
            declared.insert(code.co_posonlyargcount, "/")
        if self.args or only:
            declared.append(f"*{self.args or ''}")
        if self.args:
            given.append(f"*{self.args}")
        declared.extend(only)
        given.extend(f"{name}={name}" for name in only)
        if self.kwargs:
            declared.append(f"**{self.kwargs}")
            given.append(f"**{self.kwargs}")
        self.parameters, self.arguments = ", ".join(declared), ", ".join(given)
        # By name where that can be: a function that is told of a call picks what it needs, `lambda symbol, **_: ...`.
        places = count if self.args else code.co_posonlyargcount
        unnamed = [*self.positional[:places], *([f"*{self.args}"] if self.args else [])]
        named = [f"{name!r}: {name}" for name in (*self.positional[places:], *only)] + (
            [f"**{self.kwargs}"] if self.kwargs else []
        )
        self.everything = f"({''.join(f'{name}, ' for name in unnamed)}), {{{', '.join(named)}}}"
        """The arguments as an expression: a tuple and a dict."""

    @property
    def runs_at_once(self) -> bool:
        """Whether its caller waits until it has ended; a generator is left between items, and the caller runs."""
        return self.kind in {"function", "coroutine"}

    @property
    def variadic(self) -> bool:
        """Whether arguments may come that have no parameter of their own."""
        return bool(self.args or self.kwargs)


_FLAGS: Final = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_KINDS: Final[dict[int, Kind]] = {
    inspect.CO_COROUTINE: "coroutine",
    inspect.CO_GENERATOR: "generator",
    inspect.CO_ASYNC_GENERATOR: "async generator",
}

Describe = Callable[[Shape], Hooks]
"""Says what is done around the calls of a function of that shape."""


def wrap(target: _T, describe: Describe) -> _T:
    """Return `target`, a function or anything that is called like one, with hooks around its calls.

    Raises `ConfigurationError` for what cannot be called, and for a class (decorate its methods instead).
    """
    kind = type(target)
    whole = cast("Any", target)
    if issubclass(kind, (staticmethod, classmethod)):
        return cast("_T", cast("Any", kind)(wrap(whole.__func__, describe)))
    if kind is functools.partialmethod:
        return cast("_T", functools.partialmethod(wrap(whole.func, describe), *whole.args, **whole.keywords))
    if kind is functools.partial:
        partial = functools.partial(wrap(whole.func, describe), *whole.args, **whole.keywords)
        partial.__dict__.update(whole.__dict__, __wrapped__=whole)
        return cast("_T", partial)
    if kind is MethodType:
        return cast("_T", MethodType(wrap(whole.__func__, describe), whole.__self__))
    if kind is FunctionType:
        return cast("_T", _wrapper(Shape(whole), describe))
    if issubclass(kind, type) or not callable(target):
        what = "a class" if issubclass(kind, type) else f"a {kind.__name__}"
        raise ConfigurationError(f"{what} cannot be decorated: decorate a function, or the method that is called")
    call = inspect.getattr_static(kind, "__call__", None)
    if isinstance(call, FunctionType):  # an object that is called: the function that runs is its class' own
        return cast("_T", MethodType(wrap(call, describe), whole))
    return cast("_T", _wrapper(Shape(whole), describe))


def _wrapper(shape: Shape, describe: Describe) -> FunctionType:
    function, hooks = shape.function, describe(shape)
    source = Source(
        shape.kind,
        shape.parameters,
        shape.arguments,
        hooks.inputs,
        hooks.begins,
        hooks.always,
        guarded=hooks.guard is not None,
        recorded=hooks.duration is not None,
        told="" if hooks.ended is None else "told" if hooks.counts is None else "counted",
        prefix=_prefix(shape),
    )
    handed = {
        "call": function,
        "meters": catalog.provider,
        "tracers": tracing.provider,
        "clock": clock,
        "guard": hooks.guard,
        "begin": hooks.begin,
        "duration": hooks.duration,
        "counts": hooks.counts,
        "ended": hooks.ended,
        "failed": hooks.failed,
        "report": _report,
        "first": _first,
        "type": type,
        "str": str,
        **{raised.__name__: raised for raised in (Exception, BaseException, GeneratorExit, StopIteration, StopAsyncIteration)},
    }
    factory = FunctionType(compiled(source), getattr(function, "__globals__", globals()))
    wrapper = cast("FunctionType", factory(*(handed[name] for name in HANDED)))
    if type(function) is FunctionType:
        functools.update_wrapper(wrapper, function)
        wrapper.__defaults__, wrapper.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
        wrapper.__code__ = named_like(wrapper.__code__, function)
    else:
        functools.update_wrapper(wrapper, function, updated=())
    return wrapper


def _prefix(shape: Shape) -> str:
    names = [*shape.names, shape.args or "", shape.kwargs or ""]
    prefix = "_ot_"
    while any(name.startswith(prefix) for name in names):
        prefix = f"_{prefix}"
    return prefix


def _report(fault: Exception) -> None:
    try:
        faults.contain("decorators", fault)
    except RecursionError:  # the bot is as deep as it may go: there is no room to tell anybody
        return


def _first(items: AsyncGenerator[_T, Any]) -> Awaitable[_T]:
    """Return the first step of an async generator that the event loop shall not know of."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return items.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
