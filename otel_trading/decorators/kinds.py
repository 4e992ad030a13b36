"""What can be decorated, for the type checker and for the reader of a name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, overload

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class FunctionLike(Protocol):
    """A function or a method: it has a name of its own, which an object that can be called need not have."""

    __name__: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class CallableObject(Protocol[P, R_co]):
    """An object that can be called."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


FunctionT = TypeVar("FunctionT", bound="FunctionLike | classmethod[Any, ..., Any] | staticmethod[..., Any]")


class Decorator(Protocol):
    """A decorator that gives back what it gets: a function of the same type, or for another callable one of its signature."""

    @overload
    def __call__(self, function: FunctionT, /) -> FunctionT: ...
    @overload
    def __call__(self, function: CallableObject[P, R_co], /) -> Callable[P, R_co]: ...


def default_name(function: Callable[..., Any]) -> str:
    """Return the name of a function for people: `Bot.on_bar`, without where it was nested; an object's is its class'."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return str(name).rpartition("<locals>.")[2].removesuffix(".__call__")


def metric_name(function: Callable[..., Any]) -> str:
    """Return a metric name made of a function's module and name: `bots.sma.Bot.on_bar.duration`."""
    module = str(getattr(function, "__module__", None) or "")
    words = [re.sub(r"\W", "_", word, flags=re.ASCII).strip("_") for word in f"{module}.{default_name(function)}".split(".")]
    name = ".".join(word for word in words if word)
    return f"{name if name[:1].isalpha() else f'function.{name}'}.duration"
