"""A mapping that forgets what was not used for long."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

_V = TypeVar("_V")


class Recent(Generic[_V]):
    """A mapping that makes what is missing, and forgets what was not used while `size` others were.

    Two generations: the younger one is filled, and becomes the older one when it is full. What is `kept` is not forgotten.
    """

    def __init__(self, make: Callable[[], _V], size: int, kept: Mapping[Hashable, _V] | None = None) -> None:
        self._make = make
        self._kept: Mapping[Hashable, _V] = {} if kept is None else kept
        self.half = max(size // 2, 1)
        self.clear()

    def __getitem__(self, key: Hashable) -> _V:
        value = self.get(key)
        if value is None:
            value = self._make()
            self[key] = value
        return value

    def get(self, key: Hashable) -> _V | None:
        """What is remembered under the key, which is thereby used."""
        value = self.younger.get(key)
        if value is None and self.older:
            value = self.older.get(key)
            if value is not None:
                self[key] = value
        return value

    def __setitem__(self, key: Hashable, value: _V) -> None:
        if len(self.younger) >= self.half:
            self.older, self.younger = self.younger, dict(self._kept)
        self.younger[key] = value

    def clear(self) -> None:
        self.younger: dict[Hashable, _V] = {}
        self.older: dict[Hashable, _V] = {}
