from __future__ import annotations

import math

import numpy as np
import pytest

from otel_trading.demo.model import HISTORY, LAGS, Direction, features


def walk(days: int, *, momentum: float, seed: int = 5) -> list[float]:
    """A price whose daily return leans towards the sign of the one before."""
    rng = np.random.default_rng(seed)
    closes, last = [100.0], 0.0
    for _ in range(days):
        last = 0.01 * rng.normal() + momentum * math.copysign(0.01, last)
        closes.append(closes[-1] * (1 + last))
    return closes


def test_it_learns_what_there_is_to_learn():
    """With a return that follows the last one's sign, days it has never seen are predicted far better than by chance."""
    model = Direction.train([walk(1500, momentum=1.0)])

    assert model.test_accuracy > 0.7
    assert model.weights[LAGS - 1] > abs(model.weights[: LAGS - 1]).max()


def test_it_claims_nothing_where_there_is_nothing_to_learn():
    assert Direction.train([walk(3000, momentum=0.0)]).test_accuracy == pytest.approx(0.5, abs=0.06)


def test_training_is_at_the_optimum_of_the_penalized_likelihood():
    """No small step from the weights raises the likelihood that logistic regression maximizes."""
    closes = walk(400, momentum=0.5)
    model = Direction.train([closes])
    samples = [(features(closes[: d + 1]), closes[d + 1] > closes[d]) for d in range(HISTORY, len(closes) - 1)]

    def likelihood(weights):
        total = -0.5 * weights @ weights
        for inputs, up in samples[: model.samples]:
            z = np.append(inputs, 1.0) @ weights
            total += -math.log1p(math.exp(-z if up else z))
        return total

    best = likelihood(model.weights)
    for axis in np.eye(len(model.weights)):
        assert likelihood(model.weights + 1e-3 * axis) < best
        assert likelihood(model.weights - 1e-3 * axis) < best


def test_the_same_prices_give_the_same_model():
    closes = walk(300, momentum=0.3)
    assert (Direction.train([closes]).weights == Direction.train([closes]).weights).all()


def test_a_prediction_is_a_probability_of_what_is_known_by_then():
    model = Direction.train([walk(500, momentum=1.0)])
    rising = [100 * 1.01**day for day in range(HISTORY - 1)] + [130.0]
    falling = [100 * 1.01**day for day in range(HISTORY - 1)] + [100.0]

    assert 0 < model.up(features(falling)) < 0.5 < model.up(features(rising)) < 1


def test_a_price_that_does_not_move_has_features():
    assert (features([5.0] * HISTORY) == 0).all()
