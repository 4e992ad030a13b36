"""What `inference` reads from results, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from enum import Enum
from fractions import Fraction

import numpy as np
import pytest

from otel_trading import recording
from otel_trading.decorators import inference
from otel_trading.errors import ConfigurationError
from otel_trading.metrics import faults


class Direction(Enum):
    UP = "up"
    DOWN = "down"


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("result", "label"),
    [
        *[("up", "up"), (Text("up"), "up"), (True, "true"), (False, "false"), (1, "1"), (-1, "-1"), (Direction.UP, "up")],
        *[(np.str_("up"), "up"), (np.int64(2), "2"), (np.bool_(True), "true")],
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_words_integers_bools_and_enums_are_labels(recorded, result, label) -> None:
    inference(model="m")(lambda: result)()
    assert recorded.points("predictions") == [({"model.name": "m", "prediction.label": label}, 1)]
    assert recorded.points("prediction.score") == []


@pytest.mark.parametrize(
    ("result", "size", "direction"),
    [
        *[(0.25, 0.25, "long"), (-0.5, 0.5, "short"), (0.0, 0.0, "flat"), (Decimal("0.25"), 0.25, "long")],
        *[(Fraction(-1, 4), 0.25, "short"), (np.float32(0.5), 0.5, "long"), (np.float64(-2), 2.0, "short")],
    ],
)
@pytest.mark.usefixtures("no_faults")
def test_fractional_numbers_are_scores(recorded, result, size, direction) -> None:
    """A regression gives a score histogram instead of labels: the size, and the sign as direction."""
    inference(model="m")(lambda: result)()
    assert recorded.points("prediction.score") == [({"model.name": "m", "prediction.direction": direction}, (1, size))]
    assert recorded.points("predictions") == []


@pytest.mark.parametrize("result", [None, [1.0], (0.1, 0.9), np.array([0.1]), {"up": 0.9}, object(), b"up"])
@pytest.mark.usefixtures("no_faults")
def test_anything_else_is_a_prediction_without_a_label(recorded, result) -> None:
    inference(model="m")(lambda: result)()
    assert recorded.points("predictions") == [({"model.name": "m"}, 1)]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), np.float64("nan")])
def test_score_that_is_not_finite_is_dropped_and_counted(recorded, score) -> None:
    assert inference(model="m")(lambda: score)() is score
    assert recorded.points("prediction.score") == []
    assert faults.dropped == {"non_finite": 1}


@pytest.mark.usefixtures("no_faults")
def test_labels_outside_of_the_declared_ones_are_other(recorded) -> None:
    predict = inference(model="m", labels=[Direction.UP, "flat", 1])(lambda result: result)
    for result in ("up", "up", "flat", 1, "sideways", "x" * 100):
        predict(result)
    assert [(known["prediction.label"], count) for known, count in recorded.points("predictions") if count] == [
        ("1", 1),
        ("flat", 1),
        ("other", 2),
        ("up", 2),
    ]


@pytest.mark.usefixtures("no_faults")
def test_labels_are_bounded_where_none_are_declared(recorded) -> None:
    """The first 20 distinct labels are told apart, a thousand further ones are one series."""
    predict = inference(model="bounded")(lambda result: result)
    for n in range(1020):
        predict(f"label {n}")
    found = {known["prediction.label"]: count for known, count in recorded.points("predictions")}
    assert len(found) == 21
    assert found["label 0"] == 1
    assert found["other"] == 1000


@pytest.mark.usefixtures("no_faults")
def test_functions_read_what_the_result_does_not_say_by_itself(recorded) -> None:
    predict = inference(model="m", label=lambda r: r[0], score=lambda r: r[1])(lambda: ("up", 0.75))
    assert predict() == ("up", 0.75)
    assert recorded.one("predictions", label="up") == 1
    assert recorded.one("prediction.score", direction="long") == (1, 0.75)


@pytest.mark.usefixtures("no_faults")
def test_functions_may_read_a_batch(recorded) -> None:
    predict = inference(model="m", label=lambda r: r["labels"], score=lambda r: r["scores"].tolist())(
        lambda: {"labels": ["up", "up", "down"], "scores": np.array([0.5, -0.25])}
    )
    predict()
    assert (recorded.one("predictions", label="up"), recorded.one("predictions", label="down")) == (2, 1)
    assert recorded.points("prediction.score") == [
        ({"model.name": "m", "prediction.direction": "long"}, (1, 0.5)),
        ({"model.name": "m", "prediction.direction": "short"}, (1, 0.25)),
    ]


def test_function_that_raises_is_reported_and_goes_no_further(recorded) -> None:
    predict = inference(model="m", label=lambda r: r["missing"])(dict.copy)
    result = {}
    assert predict(result) == result
    assert faults.errors == {("inference", "KeyError"): 1}
    assert recorded.one("inference.duration")[0] == 1
    assert recorded.points("predictions") == []


@pytest.mark.usefixtures("no_faults")
def test_failure_counts_no_prediction(recorded) -> None:
    with pytest.raises(ConnectionResetError):
        inference(model="m")(lambda: (_ for _ in ()).throw(ConnectionResetError()))()
    assert recorded.points("predictions") == []
    assert recorded.one("inference.duration", type="network")[0] == 1


@pytest.mark.usefixtures("no_faults")
def test_symbol_is_on_the_series_only_by_the_setting(recorded) -> None:
    @inference(model="m")
    def predict(symbol: str) -> str:
        return "up" if symbol else "down"

    predict("BTC/USDT")
    assert recorded.points("predictions") == [({"model.name": "m", "prediction.label": "up"}, 1)]
    recording.configure(recording.Options(symbol_on_durations=True))
    predict("BTC/USDT")
    assert recorded.one("predictions", instrument__symbol="BTC/USDT") == 1
    assert recorded.one("inference.duration", instrument__symbol="BTC/USDT")[0] == 1
    recording.configure(recording.Options())
    predict("ETH/USDT")
    assert recorded.one("predictions", instrument__symbol="ETH/USDT") is None


@pytest.mark.usefixtures("no_faults")
def test_bare_decorator_calls_the_model_as_the_function_is_called(recorded) -> None:
    class Model:
        @inference
        def predict(self) -> str:
            return "up"

        def __call__(self) -> float:
            return 0.5

    Model().predict()
    inference(Model())()
    assert recorded.one("predictions", model__name="test_inference_bare") is None
    assert [known["model.name"] for known, _ in recorded.points("inference.duration")] == ["Model", "Model.predict"]


@pytest.mark.parametrize("labels", ["up", 3])
def test_labels_must_be_several(labels) -> None:
    with pytest.raises(ConfigurationError, match="labels are all the labels"):
        inference(model="m", labels=labels)


def test_model_is_given_by_keyword() -> None:
    with pytest.raises(ConfigurationError, match=r"inference\(model='direction'\)"):
        inference("direction")


def test_numpy_is_not_imported_for_its_scalars() -> None:
    """The type of a result is compared with numpy's only where the bot has imported it."""
    code = """
import sys
from opentelemetry.sdk.metrics import MeterProvider
from otel_trading.decorators import inference
from otel_trading.metrics import catalog
catalog.attach("application", MeterProvider(shutdown_on_exit=False))
inference(model="m")(lambda: object())()
print("numpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
