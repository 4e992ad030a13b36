"""Promise 1: a decorated function cannot be told from the plain one by what it does.

Functions of every kind and shape are generated, called in every way, driven step by step where they are generators, and what
the plain one and the decorated one did is compared: values, exceptions (the same object, causes and contexts), and tracebacks,
which may have one frame of ours.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_trading.decorators import inference, order_execution, strategy_cycle, timed
from otel_trading.decorators.template import FILE
from otel_trading.metrics import faults

pytestmark = pytest.mark.usefixtures("recorded")

DECORATORS: dict[str, Callable[[Any], Any]] = {
    "order_execution": order_execution(venue="kraken", strategy="s"),
    "order_execution, everything asked": order_execution(
        venue="kraken", arguments=lambda *_, **__: {"side": "buy"}, reference_price=lambda *_, **__: 1.0
    ),
    "inference": inference(model="m"),
    "inference, bare": inference,
    "strategy_cycle": strategy_cycle("s", every=60),
    "timed": timed("test.duration"),
    "timed, by arguments": timed("test.by_arguments.duration", attributes=lambda *_, **__: {"a": "b"}),
    "all of them": lambda f: timed("test.duration")(strategy_cycle("s")(inference(model="m")(order_execution(venue="x")(f)))),
}
ALLOWED = 4  # the last stacks four of them; test_tracebacks.py looks at one
each_decorator = pytest.mark.parametrize("decorate", DECORATORS.values(), ids=list(DECORATORS))
often = settings(max_examples=settings().max_examples // 2)

# ------------------------------------------------------------------------------------------------ what is generated

NAMES = ["symbol", "side", "quantity", "price", "order", "self", "_ot_call", "wrapper", "x", "args"]


@st.composite
def signatures(draw: st.DrawFn) -> str:
    """The parameters of a function: positional-only ones, defaults, `*args`, keyword-only ones, `**kwargs`."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))
    only_positional, only_keyword = draw(st.integers(0, len(names))), draw(st.integers(0, len(names)))
    positional, keywords = names[: len(names) - only_keyword], names[len(names) - only_keyword :]
    defaults_from = draw(st.integers(0, len(positional)))
    parts = [name if i < defaults_from else f"{name}={i}" for i, name in enumerate(positional)]
    if 0 < only_positional <= len(positional):
        parts.insert(only_positional, "/")
    if draw(st.booleans()):
        parts.append("*rest")
    elif keywords:
        parts.append("*")
    parts += [f"{name}: int = {i}" if draw(st.booleans()) else name for i, name in enumerate(keywords)]
    if draw(st.booleans()):
        parts.append("**more")
    return ", ".join(parts)


class BoomError(Exception):
    """Raised by what is generated."""


def raise_around() -> None:
    raise ThrownError("around")


class ThrownError(Exception):
    """ThrownError into what is generated."""


HEADS = {
    "function": "def f({}):",
    "coroutine": "async def f({}):",
    "generator": "def f({}):",
    "async generator": "async def f({}):",
}

ENDS = [
    "return result",
    "raise boom",
    "raise boom from cause",
    "raise BoomError('new')",
    "{}['missing']",
    "raise StopIteration(1)",
]


def compiled(kind: str, parameters: str, body: list[str], values: dict[str, object]) -> Callable[..., Any]:
    source = "\n".join([HEADS[kind].format(parameters), '    "What it does."', *(f"    {line}" for line in body)])
    space: dict[str, Any] = {
        "BoomError": BoomError,
        "ThrownError": ThrownError,
        "asyncio": asyncio,
        "__name__": __name__,
        **values,
    }
    exec(compile(source, "<generated>", "exec"), space)  # noqa: S102 - the test's own text
    return space["f"]


@st.composite
def results(draw: st.DrawFn) -> object:
    """Anything at all that a function may return."""
    anything = [
        *(None, True, 0, 1.5, float("nan"), "up", "x" * 5000, b"bytes", (1, 2), [3], object(), {"id": "1", "status": "closed"}),
        *({"id": "1", "filled": "1", "average": "2"}, ValueError("returned"), iter([1]), lambda: None, int, {"status": []}),
    ]
    return draw(st.sampled_from(anything))


# ------------------------------------------------------------------------------------------------ what is compared


def frames(traceback: TracebackType | None) -> tuple[list[str], int]:
    """The places of a traceback without ours, and how many were ours."""
    places, ours = [], 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename.startswith(f"<{FILE}"):
            ours += 1
        elif code.co_filename != __file__:
            places.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places, ours


def raised(error: BaseException | None, depth: int = 0) -> object:
    """All that an exception says: its kind and text, where it came from, and what was chained to it."""
    if error is None or depth > 3:
        return None
    places, ours = frames(error.__traceback__)
    assert ours <= ALLOWED, "at most one frame of ours for each decorator"
    chained = (raised(error.__cause__, depth + 1), raised(error.__context__, depth + 1), error.__suppress_context__)
    return type(error), str(error), places, chained


def forget(error: BaseException) -> None:
    """Make an exception as it was before it was raised."""
    error.__cause__ = error.__context__ = error.__traceback__ = None
    error.__suppress_context__ = False


def outcome(act: Callable[[], object]) -> object:
    """What a call did; an exception with its identity where it is one that the test made."""
    try:
        return "value", act()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the other one has to do the same
        told = raised(error)
        forget(error)
        return "raised", told, error if error.args == ("made before",) else None
    finally:
        del act


def same(left: object, right: object) -> bool:
    """Equal, and identical where identity is to be kept."""
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        return all(map(same, left, right))
    return left is right or (type(left) is type(right) and left == right)


def assert_alike(plain: object, decorated: object) -> None:
    assert same(plain, decorated), f"\nplain:     {plain}\ndecorated: {decorated}"


# ------------------------------------------------------------------------------------------------ the properties


@each_decorator
@often
@given(kind=st.sampled_from(list(HEADS)), parameters=signatures(), data=st.data())
def test_wrong_calls_fail_at_the_call_with_the_same_words(decorate, kind, parameters, data) -> None:
    """Arguments that do not fit raise the function's own TypeError, from the caller's line, before anything is awaited."""
    plain = compiled(kind, parameters, ["return 1"] if kind != "async generator" else ["yield 1"], {})
    decorated = decorate(plain)
    args = data.draw(st.lists(st.integers(), max_size=5))
    kwargs = data.draw(st.dictionaries(st.sampled_from([*NAMES, "strange"]), st.integers(), max_size=4))

    def call(function: Callable[..., Any]) -> object:
        made = function(*args, **kwargs)
        if inspect.iscoroutine(made):
            made.close()
        return type(made)

    assert_alike(outcome(lambda: call(plain)), outcome(lambda: call(decorated)))


@each_decorator
@often
@given(kind=st.sampled_from(list(HEADS)), parameters=signatures())
def test_it_looks_the_same(decorate, kind, parameters) -> None:
    """Signature, names, annotations, defaults and kind are those of the plain function."""
    plain = compiled(kind, parameters, ["yield 1"] if "generator" in kind else ["pass"], {})
    plain.note = object()
    decorated = decorate(plain)
    assert inspect.signature(decorated) == inspect.signature(plain)
    assert inspect.signature(decorated, follow_wrapped=False) == inspect.signature(plain)
    asked = [
        *(inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.isfunction),
        *(asyncio.iscoroutinefunction, inspect.getdoc, type),
    ]
    assert [ask(decorated) for ask in asked] == [ask(plain) for ask in asked]
    for name in (
        "__name__",
        "__qualname__",
        "__module__",
        "__doc__",
        "__annotations__",
        "__defaults__",
        "__kwdefaults__",
        "note",
    ):
        assert getattr(decorated, name) == getattr(plain, name)
    assert inspect.unwrap(decorated) is plain
    assert decorated.__globals__ is plain.__globals__


@each_decorator
@often
@given(
    parameters=signatures(),
    result=results(),
    end=st.sampled_from(ENDS),
    kind=st.sampled_from(["function", "coroutine"]),
    data=st.data(),
)
def test_calls_do_the_same(decorate, parameters, result, end, kind, data) -> None:
    """The same arguments arrive, the same object comes back or out, from a function and from a coroutine function."""
    values = {"result": result, "boom": BoomError("made before"), "cause": BoomError("the cause")}
    plain = compiled(kind, parameters, ["seen.append(locals().copy())", end], {**values, "seen": (arrived := [])})
    decorated = decorate(plain)
    args = data.draw(st.lists(results(), max_size=4))
    kwargs = data.draw(st.dictionaries(st.sampled_from(NAMES), results(), max_size=3))

    def call(function: Callable[..., Any]) -> object:
        made = function(*args, **kwargs)
        return asyncio.run(made) if inspect.iscoroutine(made) else made

    for handling in (False, True):  # with and without an exception being handled around the call

        def act(function: Callable[..., Any], handling: bool = handling) -> object:
            if not handling:
                return call(function)
            try:
                raise_around()
            except ThrownError:
                return call(function)

        assert_alike(outcome(lambda: act(plain)), outcome(lambda: act(decorated)))
    # The two took turns.
    assert all(same(tuple(a.items()), tuple(b.items())) for a, b in zip(arrived[::2], arrived[1::2], strict=True))
    assert not faults.errors


UNTIL_CLOSED = ["close"] * 5  # one that ignores GeneratorExit is not left to the garbage collector
STEP = ["next", "send", "throw", "throw class", "throw exit", "close"]
CATCHES = [
    "raise",
    "pass",
    "yield 'caught'",
    "return 'caught'",
    "raise BoomError('instead')",
    "raise BoomError('instead') from error",
    "raise BoomError('instead') from None",
]


@st.composite
def bodies(draw: st.DrawFn, *, returns: bool) -> list[str]:
    """The body of a generator: items, what it does with what is thrown in, what it does at last."""
    lines = []
    for i in range(draw(st.integers(0, 3))):
        caught = draw(st.sampled_from(["ThrownError", "BaseException", "GeneratorExit"]))
        # An async generator that ignores GeneratorExit can only be ended by the garbage collector.
        ignores = returns or caught == "ThrownError"
        catch = draw(st.sampled_from(CATCHES if ignores else [c for c in CATCHES if c.startswith(("raise", "return"))]))
        if not returns and catch.startswith("return"):
            catch = "return"
        lines += ["try:", f"    got.append((yield {i}))", f"except {caught} as error:", f"    {catch}"]
        if draw(st.booleans()):
            lines += ["finally:", f"    got.append('finally {i}')"]
    end = draw(st.sampled_from(ENDS))
    return [*lines, "return" if not returns and end.startswith("return") else end, "yield"]


def step(items: Any, how: str, thrown: ThrownError) -> object:
    if how == "next":
        return next(items)
    if how == "send":
        return items.send("sent")
    if how == "throw":
        return items.throw(thrown)
    if how == "throw class":
        return items.throw(ThrownError)
    if how == "throw exit":
        return items.throw(GeneratorExit())
    return items.close()


def play(items: Any, script: list[str], thrown: ThrownError, run: Callable[[Any], object] = lambda x: x) -> list[object]:
    told = []
    for how in script:
        handled = outcome(lambda how=how: run(step(items, how, thrown)))
        forget(thrown)
        told.append(handled)
    return told


@each_decorator
@often
@given(body=bodies(returns=True), script=st.lists(st.sampled_from(STEP), max_size=6))
def test_generators_do_the_same(decorate, body, script) -> None:
    """Each step of a generator, whatever is sent or thrown in, ends as it does in the plain one; so does closing it.

    It is started first: what is thrown into one that was not has a line of the wrapper instead of the function's first.
    """
    script = ["next", *script, *UNTIL_CLOSED]
    values = {"result": object(), "boom": BoomError("made before"), "cause": BoomError("the cause")}
    got: list[list[object]] = [[], []]
    plain = compiled("generator", "", body, {**values, "got": got[0]})
    twin = decorate(compiled("generator", "", body, {**values, "got": got[1]}))
    thrown = ThrownError("made before")
    before = play(plain(), script, thrown)
    forget(values["boom"])
    assert_alike(tuple(before), tuple(play(twin(), script, thrown)))
    assert got[0] == got[1]
    assert not faults.errors


class AsyncSteps:
    """Drives an async generator as `step` drives a generator."""

    def __init__(self, items: Any) -> None:
        self._items = items

    def __next__(self) -> object:
        return self._run(self._items.__anext__())

    def send(self, value: object) -> object:
        return self._run(self._items.asend(value))

    def throw(self, error: object) -> object:
        return self._run(self._items.athrow(error))

    def close(self) -> object:
        return self._run(self._items.aclose())

    @staticmethod
    def _run(awaitable: Any) -> object:
        steps = awaitable.__await__()
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("nothing here waits")


@each_decorator
@often
@given(
    body=bodies(returns=False),
    script=st.lists(st.sampled_from([s for s in STEP if s != "send"]), max_size=6),
    sends=st.booleans(),
)
def test_async_generators_do_the_same(decorate, body, script, sends) -> None:
    """The same for async generators."""
    values = {"result": object(), "boom": BoomError("made before"), "cause": BoomError("the cause")}
    script = ["next", *(["send"] if sends else []), *script, *UNTIL_CLOSED]
    got: list[list[object]] = [[], []]
    plain = compiled("async generator", "", body, {**values, "got": got[0]})
    twin = decorate(compiled("async generator", "", body, {**values, "got": got[1]}))
    thrown = ThrownError("made before")
    before = play(AsyncSteps(plain()), script, thrown)
    forget(values["boom"])
    assert_alike(tuple(before), tuple(play(AsyncSteps(twin()), script, thrown)))
    assert got[0] == got[1]
    assert not faults.errors
