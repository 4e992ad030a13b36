"""The source of what stands between a caller and a decorated function.

One text for each kind of function, compiled for the function's exact parameters: a wrong call fails where and how the function
itself would fail, nothing is packed into `*args` and unpacked again, and a traceback has one line of ours, which shows what
that line does. Names that begin with `_ot_` are ours; they are handed to the factory, so that the body can run with the
globals of the decorated function and looks nothing up in them.

The hooks (`_ot_begin`, `_ot_ended`, `_ot_failed`) are ours too: a fault in one is reported and goes no further.
"""

from __future__ import annotations

import inspect
import itertools
import linecache
import sys
from functools import lru_cache
from textwrap import indent
from types import CodeType, FunctionType
from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["function", "coroutine", "generator", "async generator"]

HANDED: Final = (
    *("call", "meters", "tracers", "clock", "guard", "begin", "duration", "counts", "ended", "failed", "report", "first"),
    *("type", "str"),
    *("Exception", "BaseException", "GeneratorExit", "StopIteration", "StopAsyncIteration"),
)
"""What the factory takes, in this order."""

_FACTORY: Final = """\
def _ot_factory({handed}):
{body}\
    return wrapper
"""

_INACTIVE: Final = """\
        if _ot_meters.delegate is None:
            return {awaited}_ot_call({arguments})
"""

_GUARD: Final = "        _ot_guard({inputs})\n"

_BEGIN: Final = """\
{guard}\
        _ot_state = None
        if {begins}:
            try:
                _ot_state = _ot_begin({inputs})
            except _ot_Exception as _ot_fault:
                _ot_report(_ot_fault)
        _ot_start = _ot_clock()
"""

_ENDED: Final = """\
        _ot_seconds = _ot_clock() - _ot_start
        try:
{told}\
        except _ot_Exception as _ot_fault:
            _ot_report(_ot_fault)
"""

_CLOSED: Final = """\
            _ot_result = None
            _ot_seconds = _ot_clock() - _ot_start
            try:
{told}\
            except _ot_Exception as _ot_fault:
                _ot_report(_ot_fault)
            raise
"""

_RECORDED: Final = "            _ot_duration.record(_ot_seconds)\n"
_TOLD: Final = "            _ot_ended(_ot_result, _ot_seconds, _ot_state)\n"
_COUNTED: Final = """\
            if _ot_state is None and _ot_type(_ot_result) is _ot_str and _ot_result in _ot_counts:
                _ot_counts[_ot_result].add()
            else:
                _ot_ended(_ot_result, _ot_seconds, _ot_state)
"""

_FAILED: Final = """\
            try:
                _ot_failed(_ot_error, _ot_clock() - _ot_start, _ot_state)
            except _ot_Exception as _ot_fault:
                _ot_report(_ot_fault)
            raise
"""

_CALL: Final = """\
    {defined} wrapper({parameters}):
{inactive}\
{begin}\
        try:
            _ot_result = {awaited}_ot_call({arguments})
        except _ot_BaseException as _ot_error:
{failed}\
{ended}\
        return _ot_result
"""

# A generator is driven step by step instead of by `yield from`, which would make something else of a GeneratorExit that is
# thrown in, and of what `close()` returns. What is thrown in loses our own line of its traceback before it goes further in,
# and is let go of before anything leaves, so that no exception refers to itself through our frame.
_GENERATOR: Final = """\
    def wrapper({parameters}):
        _ot_items = _ot_call({arguments})
{begin}\
        _ot_step = _ot_items.send
        _ot_value = None
        try:
            while True:
                _ot_item = _ot_step(_ot_value)
                try:
                    _ot_value = yield _ot_item
                    _ot_step = _ot_items.send
                except _ot_BaseException as _ot_error:
                    _ot_error.__traceback__ = _ot_error.__traceback__.tb_next
                    _ot_value = _ot_error
                    _ot_step = _ot_items.throw
        except _ot_StopIteration as _ot_stop:
            _ot_result = _ot_stop.value
        except _ot_GeneratorExit:
            _ot_value = None
{closed}\
        except _ot_BaseException as _ot_error:
            _ot_value = None
{failed}\
{ended}\
        return _ot_result
"""

# The same for an async generator. `_ot_first` starts the inner one without telling the event loop of it: the loop closes the
# outer one when it shuts down, and through it the inner one.
_ASYNC_GENERATOR: Final = """\
    async def wrapper({parameters}):
        _ot_items = _ot_call({arguments})
{begin}\
        _ot_step = _ot_first(_ot_items)
        try:
            while True:
                _ot_item = await _ot_step
                try:
                    _ot_value = yield _ot_item
                    _ot_step = _ot_items.asend(_ot_value)
                except _ot_BaseException as _ot_error:
                    _ot_error.__traceback__ = _ot_error.__traceback__.tb_next
                    _ot_step = _ot_items.athrow(_ot_error)
        except _ot_StopAsyncIteration:
            _ot_result = None
        except _ot_GeneratorExit:
            _ot_step = None
{closed}\
        except _ot_BaseException as _ot_error:
            _ot_step = None
{failed}\
{ended}\
"""

_PARTS: Final = {
    "function": _CALL,
    "coroutine": _CALL,
    "generator": _GENERATOR,
    "async generator": _ASYNC_GENERATOR,
    "inactive": _INACTIVE,
    "guard": _GUARD,
    "begin": _BEGIN,
    "ended": _ENDED,
    "closed": _CLOSED,
    "failed": _FAILED,
    "recorded": _RECORDED,
    "told": _TOLD,
    "counted": _COUNTED,
}

_BEGINS: Final = {"never": "False", "traced": "_ot_tracers.delegate is not None", "always": "True"}

_KEPT: Final = 1_000
"""Different sources that are kept compiled, and whose lines a traceback can show."""


class Source(NamedTuple):
    """Everything that the text of a wrapper depends on."""

    kind: Kind
    parameters: str
    """The parameters without their defaults, as they stand in a `def`."""
    arguments: str
    """The parameters handed on, as they stand in a call."""
    inputs: str
    """What the hook that begins is given."""
    begins: Literal["never", "traced", "always"]
    """When the hook that begins is called; `traced`: only while spans go anywhere."""
    always: bool
    """Whether a call is recorded even while no metric goes anywhere."""
    guarded: bool
    """Whether something is asked before the call, which may raise instead of letting it pass."""
    recorded: bool
    """Whether the duration of a call that succeeds is recorded right here."""
    told: Literal["", "told", "counted"]
    """Whether the hook that is told of a result is called; `counted`: unless the result is text that is counted right here."""
    prefix: str
    """What our own names begin with: something that no parameter begins with."""

    def text(self) -> str:
        """Return the source of the factory."""
        own = {name: text.replace("_ot_", self.prefix) for name, text in _PARTS.items()}
        awaited = "await " if self.kind == "coroutine" else ""
        begins = _BEGINS[self.begins].replace("_ot_", self.prefix)
        guard = own["guard"].format(inputs=self.inputs) if self.guarded else ""
        told = (own["recorded"] if self.recorded else "") + (own[self.told] if self.told else "")
        body = own[self.kind].format(
            defined="async def" if awaited else "def",
            awaited=awaited,
            parameters=self.parameters,
            arguments=self.arguments,
            inactive="" if self.always else own["inactive"].format(awaited=awaited, arguments=self.arguments),
            begin=own["begin"].format(guard=guard, begins=begins, inputs=self.inputs),
            failed=own["failed"],
            closed=own["closed"].format(told=indent(told, "    ")),
            ended=own["ended"].format(told=told),
        )
        handed = ", ".join(self.prefix + name for name in HANDED)
        return _FACTORY.format(handed=handed, body=body)


@lru_cache(maxsize=_KEPT)
def compiled(source: Source) -> CodeType:
    """Return the code of the factory that makes wrappers of this source."""
    text = source.text()
    name = f"<{FILE} {next(_numbers)}>"
    if name not in linecache.cache and len(linecache.cache) < _KEPT * 10:
        # An entry without a modification time is no file's: `checkcache` leaves it alone.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = compile(text, name, "exec", dont_inherit=True)
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


FILE: Final = "otel_trading wrapper"
"""What the file name of a wrapper in a traceback begins with, after its `<`."""

_numbers = itertools.count(1)


def named_like(code: CodeType, function: FunctionType) -> CodeType:
    """Return `code` under the name of `function`, as a traceback shows it, and awaitable if `types.coroutine` made that so."""
    flags = code.co_flags | (function.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE)
    if sys.version_info >= (3, 11):
        return code.replace(co_flags=flags, co_name=function.__code__.co_name, co_qualname=function.__code__.co_qualname)
    return code.replace(co_flags=flags, co_name=function.__code__.co_name)
