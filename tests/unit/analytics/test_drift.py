"""The population stability index: a published example, its definition, and when there is nothing to say."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading.analytics.drift import (
    FLOOR,
    MOST_LABELS,
    LabelStability,
    PopulationStability,
    ReferenceWindow,
)

values = st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6))
KINDS = {
    "numbers": lambda: PopulationStability.from_reference([n / 7 for n in range(50)], 5, size=20, min_count=5),
    "labels": lambda: LabelStability.from_reference([f"{n % 4}" for n in range(50)], size=20, min_count=5),
    "numbers after a reference": lambda: ReferenceWindow(15, 5, size=20, min_count=5),
    "labels after a reference": lambda: ReferenceWindow(15, labels=True, size=20, min_count=5),
}


def see(stability: PopulationStability | LabelStability | ReferenceWindow, observations: list) -> float | None:
    for x in observations:
        stability.observe(x)
    return stability.psi


def test_worked_example() -> None:
    """By hand: 20/30/50 % became 40/30/30 %: 0.2 ln 2 + 0 + 0.2 ln (5/3) = 0.2408."""
    stability = PopulationStability([1.0, 2.0], [0.2, 0.3, 0.5], size=10, min_count=10)
    assert see(stability, [0.5] * 4 + [1.5] * 3 + [2.5] * 3) == pytest.approx(0.2 * math.log(2) + 0.2 * math.log(5 / 3))
    assert stability.psi == pytest.approx(0.2408, abs=5e-5)


def test_a_bin_is_closed_at_its_upper_edge() -> None:
    stability = PopulationStability([1.0, 2.0], [1, 1, 1])
    see(stability, [-math.inf, 1.0, 1.5, 2.0, math.nextafter(2.0, 3.0), math.inf])
    assert stability.shares.observed == [1 / 3] * 3


def test_an_empty_bin_counts_as_one_in_ten_thousand() -> None:
    stability = PopulationStability([0.0], [0.0, 1.0], size=4, min_count=4)
    expected = (0.5 - 0.0001) * math.log(0.5 / 0.0001) + (0.5 - 1) * math.log(0.5)
    assert see(stability, [-1.0, -1.0, 1.0, 1.0]) == pytest.approx(expected)
    assert see(stability, [1.0] * 4) == 0.0


@given(st.lists(values, min_size=1, max_size=80), st.lists(values, min_size=5, max_size=60), st.integers(2, 12))
def test_the_index_follows_its_definition(reference: list[float], recent: list[float], bins: int) -> None:
    stability = PopulationStability.from_reference(reference, bins, size=30, min_count=5)
    edges = [-math.inf, *stability.edges, math.inf]

    def shares(sample: list[float]) -> list[Fraction]:
        inside = [sum(low < x <= high for x in sample) for low, high in pairwise(edges)]
        return [max(Fraction(count, len(sample)), Fraction(FLOOR)) for count in inside]

    expected = sum(float(q - p) * math.log(q / p) for p, q in zip(shares(reference), shares(recent[-30:]), strict=True))
    assert see(stability, recent) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.lists(values, min_size=5, max_size=60))
def test_what_looks_like_the_reference_has_an_index_of_zero(sample: list[float]) -> None:
    stability = PopulationStability.from_reference(sample, size=len(sample), min_count=1)
    assert see(stability, sample) == 0.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=200), st.integers(2, 12))
def test_edges_are_the_quantiles_of_numpy(sample: list[float], bins: int) -> None:
    edges = PopulationStability.from_reference(sample, bins).edges
    for quantile in np.quantile(sample, [n / bins for n in range(1, bins)]):
        assert min(abs(edge - quantile) for edge in edges) <= 1e-9 * max(1.0, abs(quantile))


@given(st.floats(-1e300, 1e300), st.integers(1, 30), st.integers(2, 12))
def test_equal_values_are_their_own_edge_to_the_last_digit(value: float, count: int, bins: int) -> None:
    assert PopulationStability.from_reference([value] * count, bins).edges == [math.nextafter(value, -math.inf), value]


def test_values_that_never_were_do_not_pass_for_the_most_frequent_one() -> None:
    constant = PopulationStability.from_reference([3.0] * 100, size=100, min_count=100)
    assert see(constant, [3.0] * 100) == 0.0
    assert see(constant, [2.0] * 100) > 9.0
    assert see(constant, [4.0] * 100) > 9.0
    switch = PopulationStability.from_reference([0.0, 1.0] * 50, size=100, min_count=100)
    assert see(switch, [0.0, 1.0] * 50) == 0.0
    assert see(switch, [-1.0, 1.0] * 50) > 4.0


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=50), st.lists(st.sampled_from("abcdef"), min_size=5, max_size=60))
def test_labels_follow_the_definition(reference: list[str], recent: list[str]) -> None:
    """What is not in the reference is one bin."""
    before, after = Counter(reference), Counter(label if label in reference else "others" for label in recent[-30:])
    expected = 0.0
    for label in {*before, "others"}:
        p, q = max(before[label] / before.total(), FLOOR), max(after[label] / after.total(), FLOOR)
        expected += (q - p) * math.log(q / p)
    stability = LabelStability.from_reference(reference, size=30, min_count=5)
    assert see(stability, recent) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_of_very_many_labels_the_most_frequent_have_their_own_bin() -> None:
    expected = {f"label {n}": 1000.0 - n for n in range(3 * MOST_LABELS)}
    stability = LabelStability(expected)
    assert stability.labels == [f"label {n}" for n in range(MOST_LABELS)]
    rest = sum(share for share in list(expected.values())[MOST_LABELS:]) / sum(expected.values())
    assert stability.shares.expected[-1] == pytest.approx(rest)


def test_drift_is_seen_and_forgotten() -> None:
    """The rules of thumb: below 0.1 for the same distribution, above 0.25 for one that moved by a deviation."""
    draw = random.Random(7)  # noqa: S311 - the same numbers every time
    stability = PopulationStability.from_reference([draw.gauss(0, 1) for _ in range(5000)])
    assert see(stability, [draw.gauss(0, 1) for _ in range(1000)]) < 0.1
    assert see(stability, [draw.gauss(1, 1) for _ in range(1000)]) > 0.25
    assert see(stability, [draw.gauss(0, 1) for _ in range(1000)]) < 0.1


def test_the_index_of_what_has_not_changed_is_on_average_that_of_chance() -> None:
    """Yurdakul, "Statistical Properties of Population Stability Index" (2018): (bins - 1)(1/n + 1/m) on average."""
    draw = random.Random(11)  # noqa: S311 - the same numbers every time
    indices = []
    for _ in range(200):
        stability = PopulationStability.from_reference([draw.random() for _ in range(1000)], size=500)
        indices.append(see(stability, [draw.random() for _ in range(500)]))
    assert sum(indices) / len(indices) == pytest.approx(9 * (1 / 1000 + 1 / 500), rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_said_of_too_few_observations(kind: str) -> None:
    stability = KINDS[kind]()
    unanswered = 4 + (15 if "reference" in kind else 0)
    for n in range(unanswered):
        stability.observe(f"{n}" if "labels" in kind else float(n))
        assert stability.psi is None
    stability.observe("1" if "labels" in kind else 1.0)
    assert stability.psi is not None


def test_the_first_observations_are_the_reference() -> None:
    draw = random.Random(3)  # noqa: S311 - the same numbers every time
    first, later = [draw.gauss(0, 1) for _ in range(300)], [draw.gauss(0.3, 1) for _ in range(400)]
    learned = ReferenceWindow(300, size=250, min_count=100)
    given = PopulationStability.from_reference(first, size=250, min_count=100)
    see(learned, first)
    assert learned.stability.edges == given.edges
    assert see(learned, later) == see(given, later)


def test_nan_is_no_value() -> None:
    stability = PopulationStability.from_reference([1.0, 2.0, math.nan, math.inf, 3.0], 2)
    assert stability.edges == [2.0]
    see(stability, [math.nan, 1.0])
    learned = ReferenceWindow(2, 2)
    see(learned, [math.nan, math.inf, 1.0])
    assert (len(stability.shares), learned.stability) == (1, None)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: PopulationStability([2.0, 1.0], [1, 1, 1]), id="edges that fall"),
        pytest.param(lambda: PopulationStability([1.0, 1.0], [1, 1, 1]), id="edges that are equal"),
        pytest.param(lambda: PopulationStability([math.nan], [1, 1]), id="an edge that is not a number"),
        pytest.param(lambda: PopulationStability([1.0], [1, 1, 1]), id="too many shares"),
        pytest.param(lambda: PopulationStability([1.0], [-1, 2]), id="a negative share"),
        pytest.param(lambda: PopulationStability([1.0], [0, 0]), id="no share at all"),
        pytest.param(lambda: PopulationStability([1.0], [1, math.nan]), id="a share that is not a number"),
        pytest.param(lambda: PopulationStability([1.0], [1, 1], size=10, min_count=11), id="never enough"),
        pytest.param(lambda: PopulationStability.from_reference([]), id="no sample"),
        pytest.param(lambda: PopulationStability.from_reference([math.nan]), id="no number in the sample"),
        pytest.param(lambda: PopulationStability.from_reference([1.0, 2.0], 1), id="one bin"),
        pytest.param(lambda: LabelStability({}), id="no label"),
        pytest.param(lambda: ReferenceWindow(0), id="no reference"),
        pytest.param(lambda: ReferenceWindow(10, 1), id="a reference in one bin"),
        pytest.param(lambda: ReferenceWindow(10, size=10, min_count=11), id="a reference and never enough"),
    ],
)
def test_what_could_never_be_right_is_refused(make) -> None:
    with pytest.raises(ValueError, match="not"):
        make()


@pytest.mark.parametrize("kind", KINDS)
@given(st.lists(st.integers(0, 9), max_size=60), st.integers(0, 60))
def test_a_restart_anywhere_changes_nothing(kind: str, seen: list[int], at: int) -> None:
    observations = [str(x) if "labels" in kind else float(x) for x in seen]
    through, begun = KINDS[kind](), KINDS[kind]()
    see(through, observations)
    see(begun, observations[:at])
    state = json.loads(json.dumps(begun.dump(), allow_nan=False))
    continued = type(begun).load(state)
    assert continued.dump() == state
    assert see(continued, observations[at:]) == through.psi
    assert continued.dump() == through.dump()


def test_expected_shares_do_not_move_by_a_digit_at_each_restart() -> None:
    draw = random.Random(5)  # noqa: S311 - the same numbers every time
    for _ in range(200):
        stability = PopulationStability([1.0, 2.0, 3.0], [draw.random() for _ in range(4)])
        assert PopulationStability.load(stability.dump()).dump() == stability.dump()


def test_memory_is_bounded() -> None:
    window = ReferenceWindow(50, size=30, min_count=30)
    see(window, [float(n) for n in range(5000)])
    assert (len(window._sample), len(window.stability.shares)) == (0, 30)
    labels = ReferenceWindow(50, labels=True, size=30, min_count=30)
    see(labels, [str(n) for n in range(5000)])
    assert len(labels.stability.labels) == MOST_LABELS
