"""Drift of what a model predicts and is given; the mathematics itself is proved with the analytics."""

from __future__ import annotations

import math
import random
import threading
from datetime import datetime, timezone

import numpy as np
import pytest

from otel_trading.decorators import inference
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults
from otel_trading.recording import Drift, record_features, record_inference


def psi(reference: list[float], seen: list[float], bins: int = 10) -> float:
    """The index by numpy: quantiles of the reference, then the sum over the bins."""
    edges = np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1])

    def shares(values: list[float]) -> np.ndarray:
        return np.maximum(np.bincount(np.searchsorted(edges, values), minlength=bins) / len(values), 1e-4)

    p, q = shares(reference), shares(seen)
    return float(np.sum((q - p) * np.log(q / p)))


def drift(recorded, model: str) -> dict[str, float]:
    return {
        known["drift.variable"]: value for known, value in recorded.points("inference.drift") if known["model.name"] == model
    }


@pytest.mark.usefixtures("no_faults")
def test_scores_are_compared_with_the_reference_by_the_latest_window(recorded) -> None:
    rng = random.Random(1)  # noqa: S311 - a sample, no secret
    reference = [rng.gauss(0, 1) for _ in range(2000)]
    scores = [rng.gauss(0.5, 1) for _ in range(300)]
    left = iter([5.0] * 50 + scores)

    @inference(model="scores", version="3", strategy="sma", drift=Drift(reference=reference, window=300))
    def predict() -> float:
        return next(left)

    for _ in range(350):
        predict()
    (point,) = [point for point in recorded.points("inference.drift") if point[0]["model.name"] == "scores"]
    assert point[0] == {
        "model.name": "scores",
        "model.version": "3",
        "strategy.name": "sma",
        "drift.variable": "prediction.score",
    }
    assert point[1] == pytest.approx(psi(reference, scores), rel=1e-9)
    assert sum(count for _, (count, _) in recorded.points("prediction.score")) == 350


@pytest.mark.usefixtures("no_faults")
@pytest.mark.parametrize("said", [("up", "down"), (True, False)], ids=["text", "bool"])
def test_labels_are_compared_with_the_reference(recorded, said) -> None:
    """Half and half expected, nine of ten seen: 0.4 ln 1.8 - 0.4 ln 0.2 = 0.4 ln 9; both ways a label comes count."""
    left = iter([said[0]] * 90 + [said[1]] * 10)
    labels = [str(each).lower() for each in said]

    @inference(model="labels", drift=Drift(reference=labels, window=100))
    def predict() -> object:
        return next(left)

    for _ in range(100):
        predict()
    assert drift(recorded, "labels") == {"prediction.label": pytest.approx(0.4 * math.log(9))}
    assert sorted(count for _, count in recorded.points("predictions")) == [10, 90]


@pytest.mark.usefixtures("no_faults")
def test_without_a_sample_the_first_window_is_the_reference(recorded) -> None:
    left = iter(["up", "down"] * 50 + ["up"] * 100)

    @inference(model="first", drift=Drift(window=100))
    def predict() -> str:
        return next(left)

    for _ in range(100):
        predict()
    assert drift(recorded, "first") == {}
    for _ in range(100):
        predict()
    assert drift(recorded, "first")["prediction.label"] > 0.25


@pytest.mark.usefixtures("no_faults")
@pytest.mark.parametrize("collects", [1, 70, 10_000], ids=["each time", "now and then", "at the end"])
def test_index_is_the_same_however_often_it_is_collected(recorded, collects) -> None:
    """The first window is the reference, the latest one is compared, and what came in between is neither."""
    rng = random.Random(4)  # noqa: S311 - a sample, no secret
    scores = [rng.gauss(at / 300, 1) for at in range(600)]
    watched = Drift(window=200)
    for at, score in enumerate(scores):
        record_inference(0.001, model=f"often {collects}", score=score, drift=watched)
        if not at % collects:
            recorded.points("inference.drift")
    expected = psi(scores[:200], scores[-200:])
    assert drift(recorded, f"often {collects}")["prediction.score"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.usefixtures("no_faults")
def test_threads_that_record_while_somebody_collects_lose_nothing(recorded) -> None:
    """Half of each label, whoever says it: of a window that holds all of them the index is 0."""
    watched = Drift(reference=["up", "down"], window=4000, min_count=4000)
    start = threading.Barrier(5)

    def work() -> None:
        start.wait()
        for at in range(1000):
            record_inference(0.001, model="threads", label=("up", "down")[at % 2], drift=watched)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait()
    while any(thread.is_alive() for thread in threads):
        recorded.points("inference.drift")
    for thread in threads:
        thread.join()
    assert drift(recorded, "threads") == {"prediction.label": 0.0}


@pytest.mark.usefixtures("no_faults")
def test_features_are_watched_that_were_named(recorded) -> None:
    rng = random.Random(2)  # noqa: S311 - a sample, no secret
    reference = [rng.uniform(0, 100) for _ in range(1000)]
    seen = [rng.uniform(20, 100) for _ in range(200)]
    sides = ["buy"] * 100 + ["sell"] * 100

    @inference(model="features", version="1", drift=Drift(features={"rsi": reference, "side": ["buy", "sell"]}, window=200))
    def predict(rsi: float, side: str) -> None:
        record_features("features", {"rsi": rsi, "side": side, "other": 1.0, "broken": object()}, time=1_700_000_000)

    for rsi, side in zip(seen, sides, strict=True):
        predict(rsi, side)
    assert drift(recorded, "features") == {"rsi": pytest.approx(psi(reference, seen), rel=1e-9), "side": 0.0}
    assert recorded.points("inference.last_feature.time") == [({"model.name": "features", "model.version": "1"}, 1_700_000_000)]


@pytest.mark.usefixtures("no_faults")
def test_code_that_has_the_numbers_already_needs_no_decorator(recorded) -> None:
    watched = Drift(reference=[0.0, 1.0], features=["spread"], window=4, min_count=2, bins=2)
    for _ in range(6):
        record_inference(0.001, model="plain", score=1.0, drift=watched)
        record_features("plain", {"spread": 0.5}, drift=watched)
    assert set(drift(recorded, "plain")) == {"prediction.score", "spread"}


@pytest.mark.usefixtures("no_faults")
def test_one_setting_is_for_several_models_each_with_its_own_observations(recorded) -> None:
    watched = Drift(reference=["up", "down"], window=10, min_count=10)
    one = inference(model="one", drift=watched)(lambda: "up")
    other = inference(model="other", drift=watched)(lambda: "down")
    for _ in range(10):
        one()
    assert set(drift(recorded, "one")) == {"prediction.label"}
    assert drift(recorded, "other") == {}
    other()


@pytest.mark.usefixtures("no_faults")
def test_time_of_features_is_unix_seconds_or_a_datetime_with_a_zone(recorded) -> None:
    record_features("dated", {}, time=datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc), version="2")
    assert recorded.points("inference.last_feature.time") == [({"model.name": "dated", "model.version": "2"}, 1_700_000_000.0)]
    record_features("undated", {"rsi": 31.0})
    assert len(recorded.points("inference.last_feature.time")) == 1


@pytest.mark.parametrize("time", [datetime(2023, 11, 14), "2023", math.nan], ids=["naive", "text", "nan"])  # noqa: DTZ001
def test_time_of_features_that_is_none_is_dropped_and_counted(recorded, time) -> None:
    record_features("wrong", {"rsi": math.nan}, time=time)
    assert recorded.points("inference.last_feature.time") == []
    assert sum(faults.dropped.values()) == 1


@pytest.mark.parametrize("features", [None, 3, [("rsi", 1)]])
@pytest.mark.usefixtures("recorded")
def test_features_that_are_no_mapping_go_no_further(features) -> None:
    record_features("bad", features, drift=Drift(features=["rsi"]))
    assert faults.errors == {("record_features", "AttributeError"): 1}


def test_values_that_are_no_numbers_are_left_out(recorded) -> None:
    watched = Drift(reference=[0.0, 1.0], features=["rsi"], window=2, min_count=1, bins=2)
    for value in (math.nan, math.inf, None, "high", object()):
        record_features("odd", {"rsi": value}, drift=watched)
        record_inference(0.001, model="odd", score=value, drift=watched)
    assert drift(recorded, "odd") == {}


def test_model_without_drift_is_counted_right_in_the_wrapper() -> None:
    """What costs most of it is only there where it was asked for."""
    from otel_trading.decorators.inference import _Declared, _Operation

    declared = _Declared("fast", None, None, None, None, None, None)
    assert _Operation(declared, "fast", current=True).hooks().counts is not None
    assert _Operation(declared._replace(drift=Drift()), "slow", current=True).hooks().counts is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference": []}, "reference holds neither"),
        ({"reference": [math.nan]}, "reference holds neither"),
        ({"reference": ["up", 1.0]}, "reference holds both"),
        ({"reference": "up"}, "reference is str"),
        ({"reference": 3}, "reference is int"),
        ({"features": "rsi"}, "features are 'rsi'"),
        ({"features": []}, r"features are \[\]"),
        ({"features": {"rsi": []}}, r"features\['rsi'\] holds neither"),
        ({"features": {3: None}}, "features are {3: None}"),
        ({"features": [f"f{n}" for n in range(101)]}, "features are 101, at most 100"),
        ({"window": 0}, "window is 0"),
        ({"window": 1.5}, "window is 1.5"),
        ({"bins": 1}, "bins is 1"),
        ({"min_count": 0}, "min_count is 0"),
        ({"window": 5, "min_count": 6}, "min_count is 6, more than the window of 5"),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(arguments, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Drift(**arguments)


def test_drift_of_a_decorator_is_one() -> None:
    with pytest.raises(ConfigurationError, match=r"drift is 0.25, expected an ot.Drift"):
        inference(model="m", drift=0.25)(lambda: None)
