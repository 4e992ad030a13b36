"""Population stability index (PSI): how far the distribution of what is seen now is from that of a reference.

PSI = Σ (q - p) · ln(q / p) over bins, p the share of the reference in a bin, q that of the recent observations: the symmetric
divergence of Jeffreys. Rules of thumb: below 0.1 stable, above 0.25 drift (Siddiqi, "Credit Risk Scorecards", 2006).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

FLOOR = 1e-4
"""The least that a share counts as, since an empty bin would make the sum infinite; shares are not scaled to 1 again.

It is what feature-engine puts in the place of an empty bin: less than one observation in a window of up to 10,000."""

MOST_LABELS = 50
"""Labels of a reference that have a bin of their own, the most frequent ones; all others share one."""


class ShareWindow:
    """The shares of bins in the latest `size` observations, against those that are expected."""

    __slots__ = ("_counts", "_expected", "_min_count", "_recent", "_size")

    def __init__(self, expected: Sequence[float], size: int, min_count: int) -> None:
        """Take the expected share of each bin, or its count; ValueError for what is neither."""
        if not 1 <= min_count <= size:
            raise ValueError(f"min_count must be from 1 to the size of the window, {size}, not {min_count}")
        total = math.fsum(expected)
        if not 0.0 < total < math.inf or min(expected) < 0.0:
            raise ValueError(f"expected shares must not be negative, nor all of them 0, not {list(expected)}")
        self._size = size
        self._min_count = min_count
        self._expected = [share / total for share in expected]
        self._counts = [0] * len(expected)
        self._recent: deque[int] = deque()

    def __len__(self) -> int:
        """Return how many recent observations there are."""
        return len(self._recent)

    @property
    def expected(self) -> list[float]:
        """The share of each bin in the reference."""
        return list(self._expected)

    @property
    def observed(self) -> list[float]:
        """The share of each bin in the recent observations; empty before the first."""
        return [count / len(self._recent) for count in self._counts] if self._recent else []

    @property
    def psi(self) -> float | None:
        """The index; None with fewer than `min_count` recent observations."""
        if len(self._recent) < self._min_count:
            return None
        return math.fsum(
            (max(q, FLOOR) - max(p, FLOOR)) * math.log(max(q, FLOOR) / max(p, FLOOR))
            for p, q in zip(self._expected, self.observed, strict=True)
        )

    def add(self, at: int) -> None:
        """Take an observation in the bin number `at`."""
        if len(self._recent) == self._size:
            self._counts[self._recent.popleft()] -= 1
        self._recent.append(at)
        self._counts[at] += 1

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {"size": self._size, "min_count": self._min_count, "expected": self.expected, "recent": list(self._recent)}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> ShareWindow:
        """Return a window that goes on as the one that was dumped."""
        window = cls(state["expected"], state["size"], state["min_count"])
        window._expected = list(state["expected"])  # another division by their sum might change the last digit
        for at in state["recent"]:
            window.add(at)
        return window


class _Stability:
    """What the index of a number and that of a label have in common."""

    __slots__ = ("_shares",)
    _shares: ShareWindow

    @property
    def shares(self) -> ShareWindow:
        """What was expected and what was observed lately."""
        return self._shares

    @property
    def psi(self) -> float | None:
        """The index; None with fewer than `min_count` recent observations."""
        return self._shares.psi


class PopulationStability(_Stability):
    """PSI of a number: a feature of a model, or its score.

    A bin is closed at its upper edge: x <= first edge, first edge < x <= second edge, …, x > last edge.
    """

    __slots__ = ("_edges",)

    def __init__(self, edges: Sequence[float], expected: Sequence[float], *, size: int = 1000, min_count: int = 200) -> None:
        """Take the edges between the bins, ascending, and for each bin (one more than edges) its expected share or count."""
        if not all(map(math.isfinite, edges)) or any(low >= high for low, high in pairwise(edges)):
            raise ValueError(f"the edges between bins must be finite and ascending, not {list(edges)}")
        if len(expected) != len(edges) + 1:
            raise ValueError(f"{len(edges)} edges need {len(edges) + 1} expected shares, not {len(expected)}")
        self._edges = [float(edge) for edge in edges]
        self._shares = ShareWindow(expected, size, min_count)

    @classmethod
    def from_reference(
        cls, sample: Iterable[float], bins: int = 10, *, size: int = 1000, min_count: int = 200
    ) -> PopulationStability:
        """Make bins of equal shares of `sample` (fewer where many of its values are equal).

        Only finite values count; ValueError without one.
        """
        values = [float(x) for x in sample if math.isfinite(x)]
        if not values or bins < 2:  # noqa: PLR2004 - one bin cannot tell anything
            raise ValueError(f"a reference needs two bins and one value at least, not {bins} and {len(values)}")
        edges = _quantiles(values, bins)
        counts = [0] * (len(edges) + 1)
        for x in values:
            counts[bisect_left(edges, x)] += 1
        return cls(edges, counts, size=size, min_count=min_count)

    @property
    def edges(self) -> list[float]:
        """The edges between the bins."""
        return list(self._edges)

    def observe(self, x: float) -> None:
        """Take a value; infinite ones are in the outer bins, NaN is no value."""
        if x == x:  # noqa: PLR0124 - false for NaN
            self._shares.add(bisect_left(self._edges, x))

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {"edges": self.edges, "shares": self._shares.dump()}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> PopulationStability:
        """Return an index that goes on as the one that was dumped."""
        shares = ShareWindow.load(state["shares"])
        stability = cls(state["edges"], shares.expected)
        stability._shares = shares
        return stability


class LabelStability(_Stability):
    """PSI of a label: a categorical feature, or the class that a model predicts. Labels that are not expected share a bin."""

    __slots__ = ("_bins",)

    def __init__(self, expected: Mapping[str, float], *, size: int = 1000, min_count: int = 200) -> None:
        """Take the expected share or count of each label; of more than `MOST_LABELS` only the largest have their own bin."""
        ranked = sorted(expected, key=lambda label: (-expected[label], label))
        own, others = ranked[:MOST_LABELS], ranked[MOST_LABELS:]
        self._bins = {label: at for at, label in enumerate(own)}
        self._shares = ShareWindow(
            [*(expected[label] for label in own), math.fsum(expected[label] for label in others)], size, min_count
        )

    @classmethod
    def from_reference(cls, sample: Iterable[str], *, size: int = 1000, min_count: int = 200) -> LabelStability:
        """Expect the labels as often as they are in `sample`; ValueError without one."""
        return cls(Counter(sample), size=size, min_count=min_count)

    @property
    def labels(self) -> list[str]:
        """The labels that have a bin of their own; that of all others is the last one of `shares`."""
        return list(self._bins)

    def observe(self, label: str) -> None:
        """Take a label."""
        self._shares.add(self._bins.get(label, len(self._bins)))

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {"labels": self.labels, "shares": self._shares.dump()}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> LabelStability:
        """Return an index that goes on as the one that was dumped."""
        shares = ShareWindow.load(state["shares"])
        stability = cls({"": 1.0})
        stability._bins = {label: at for at, label in enumerate(state["labels"])}
        stability._shares = shares
        return stability


class ReferenceWindow:
    """PSI against what came first: the first `reference` observations are what all later ones are compared with.

    For a bot without a sample of what its model was trained on. The index is None until the reference is whole, and then until
    `min_count` more were observed.
    """

    __slots__ = ("_bins", "_labels", "_min_count", "_reference", "_sample", "_size", "_stability")

    def __init__(
        self, reference: int = 1000, bins: int = 10, *, labels: bool = False, size: int = 1000, min_count: int = 200
    ) -> None:
        """Take how many observations make the reference, and how many bins they are cut into if they are not `labels`."""
        if reference < 1 or bins < 2 or not 1 <= min_count <= size:  # noqa: PLR2004 - one bin cannot tell anything
            raise ValueError(
                "needs reference >= 1, bins >= 2 and 1 <= min_count <= size, not "
                f"reference {reference}, bins {bins}, min_count {min_count}, size {size}"
            )
        self._reference = reference
        self._bins = bins
        self._labels = labels
        self._size = size
        self._min_count = min_count
        self._sample: list[Any] = []
        self._stability: PopulationStability | LabelStability | None = None

    @property
    def stability(self) -> PopulationStability | LabelStability | None:
        """What later observations are compared by; None until the reference is whole."""
        return self._stability

    @property
    def psi(self) -> float | None:
        """The index."""
        return None if self._stability is None else self._stability.psi

    def observe(self, x: Any) -> None:
        """Take a number, or a label if this was made for `labels`; for the reference only finite numbers count."""
        if self._stability is not None:
            self._stability.observe(x)
        elif self._labels or math.isfinite(x):
            self._sample.append(x if self._labels else float(x))
            if len(self._sample) == self._reference:
                self._stability = self._learned()
                self._sample = []

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON can hold it."""
        return {
            "reference": self._reference,
            "bins": self._bins,
            "labels": self._labels,
            "size": self._size,
            "min_count": self._min_count,
            "sample": list(self._sample),
            "stability": None if self._stability is None else self._stability.dump(),
        }

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> ReferenceWindow:
        """Return an index that goes on as the one that was dumped."""
        window = cls(
            state["reference"], state["bins"], labels=state["labels"], size=state["size"], min_count=state["min_count"]
        )
        window._sample = list(state["sample"])
        if state["stability"] is not None:
            window._stability = (LabelStability if window._labels else PopulationStability).load(state["stability"])
        return window

    def _learned(self) -> PopulationStability | LabelStability:
        if self._labels:
            return LabelStability.from_reference(self._sample, size=self._size, min_count=self._min_count)
        return PopulationStability.from_reference(self._sample, self._bins, size=self._size, min_count=self._min_count)


def _quantiles(values: Sequence[float], bins: int) -> list[float]:
    """Return the edges between bins of equal shares (linear between order statistics, as numpy's default).

    Where the least value is an edge itself, because many are equal to it, what is below it gets a bin of its own: what never
    was in the reference must not pass for its most frequent value. Above the greatest one that is so anyway.
    """
    ordered = sorted(values)
    edges: set[float] = set()
    for i in range(1, bins):
        at, rest = divmod(i * (len(ordered) - 1), bins)
        low, high = ordered[at], ordered[min(at + 1, len(ordered) - 1)]
        # Not the formula for equal neighbours: its rounding would put the edge beside the values that it is meant to hold.
        edges.add(low if low == high or not rest else low * (1.0 - rest / bins) + high * (rest / bins))
    if ordered[0] in edges:
        edges.add(math.nextafter(ordered[0], -math.inf))
    return sorted(edge for edge in edges if math.isfinite(edge))
