"""A small model that is really trained, on whether the next day's close will be above today's.

Logistic regression on scaled lagged returns, fitted by Newton's method, so that the same prices always give the same model. It
is trained on the first part of what it is given and tested on the rest; do not expect more than a coin's accuracy of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LAGS = 5
HISTORY = 21
"""Closes that a prediction needs: the lags, and the days that their scale is measured over."""
_TRAINED_SHARE = 0.8
_RIDGE = 1.0
_STEPS = 25
_EVEN = 0.5

Floats = NDArray[np.float64]
_Sample = tuple[Floats, float]


def features(closes: Sequence[float]) -> Floats:
    """Return the last returns in units of their recent standard deviation; `closes` has at least `HISTORY` of them."""
    prices = np.asarray(closes[-HISTORY:], dtype=np.float64)
    returns = np.diff(prices) / prices[:-1]
    scale = returns.std() or 1.0
    return returns[-LAGS:] / scale


class Outlook(NamedTuple):
    """What a model predicts."""

    label: str
    """up or down"""
    score: float
    """By how much up is more likely than down, -1 to 1."""


@dataclass(frozen=True, slots=True)
class Direction:
    """A trained model and how well it did on the part of the data that it had not seen."""

    weights: Floats
    samples: int
    test_accuracy: float
    """Share of days of the test part whose direction it predicted."""

    @classmethod
    def train(cls, histories: Iterable[Sequence[float]]) -> Direction:
        """Fit to the first four fifths of each history of closes, and test on the rest."""
        trained: list[_Sample] = []
        tested: list[_Sample] = []
        for closes in histories:
            samples = [_sample(closes[: day + 1], closes[day + 1]) for day in range(HISTORY, len(closes) - 1)]
            split = int(len(samples) * _TRAINED_SHARE)
            trained += samples[:split]
            tested += samples[split:]
        known, answers = _columns(trained)
        weights = _fit(known, answers)
        unseen, truth = _columns(tested)
        return cls(weights, len(answers), float(((unseen @ weights > 0) == (truth > 0)).mean()))

    def predict(self, inputs: Floats) -> Outlook:
        """Return the direction that is more likely, and how sure that is."""
        lead = 2 * (self.up(inputs) - _EVEN)
        return Outlook("up" if lead > 0 else "down", lead)

    def up(self, inputs: Floats) -> float:
        """Return the probability that the next close is higher, 0 to 1."""
        return float(_sigmoid(np.append(inputs, 1.0) @ self.weights))


def _sample(closes: Sequence[float], following: float) -> _Sample:
    return np.append(features(closes), 1.0), float(following > closes[-1])


def _columns(samples: Sequence[_Sample]) -> tuple[Floats, Floats]:
    return np.array([inputs for inputs, _ in samples]), np.array([answer for _, answer in samples])


def _fit(inputs: Floats, answers: Floats) -> Floats:
    weights: Floats = np.zeros(LAGS + 1)
    columns = np.transpose(inputs)
    for _ in range(_STEPS):
        probability = _sigmoid(inputs @ weights)
        gradient = columns @ (probability - answers) + _RIDGE * weights
        doubt = probability * (1 - probability)
        curvature = (columns * doubt) @ inputs + _RIDGE * np.eye(len(weights))
        weights = weights - np.linalg.solve(curvature, gradient)
    return weights


def _sigmoid(values: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-values))
