"""Data points that are kept as columns, each made when it is asked for.

Ten thousand data points at once are as many objects more for Python's garbage collector, which then goes through all objects
of the bot's process while its threads stand still: 50 ms with 10,000 series. Numbers and bytes in lists are none to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast, overload

_P = TypeVar("_P")


class Points(Sequence[_P]):
    """The data points that `make` makes of one value of each column, all of them as they were when the columns were filled."""

    __slots__ = ("_columns", "_make")

    def __init__(self, make: Callable[..., _P], *columns: list[Any]) -> None:
        self._make = make
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[_P]:
        return map(self._make, *self._columns)

    @overload
    def __getitem__(self, index: int) -> _P: ...
    @overload
    def __getitem__(self, index: slice) -> Points[_P]: ...
    def __getitem__(self, index: int | slice) -> _P | Points[_P]:
        found = [column[index] for column in self._columns]
        return Points(self._make, *found) if isinstance(index, slice) else self._make(*found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(cast("Sequence[object]", other))

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # as a list has none
