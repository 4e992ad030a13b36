"""Run by the interpreter of the environment of requirements/oracles.lock: writes as JSON what the oracles say of real prices.

    python ask_oracles.py answers.json

Windows are taken of several sizes all along each series, those included that are not full yet, as a bot that was just started
has them. Nothing of ours is imported here.
"""

# ruff: noqa: E402 - warnings are turned off before what warns
from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # other people's code

import arch.data.sp500
import bokeh_sampledata.stocks
import empyrical
import numpy as np
import pandas as pd
from backtesting.test import EURUSD, GOOG
from feature_engine.discretisation import EqualFrequencyDiscretiser
from feature_engine.selection import DropHighPSIFeatures
from riskfolio import RiskFunctions

SIZES = [30, 252, 1000]
MIN_PERIODS = 20
STEP = 29  # coprime with the sizes, so that windows of every offset are seen
PERIODS_PER_YEAR = 252
RISK_FREE_RATES = [0.0, 0.03]
TAILS = {"0.95": 0.05, "0.99": 0.01, "0.9": 0.1}  # as riskfolio takes them: what is left of the confidence


def prices() -> dict[str, list[float]]:
    series = {
        "SP500": arch.data.sp500.load()["Adj Close"],
        "EURUSD 1h": EURUSD["Close"],
        "GOOG": GOOG["Close"],
        **{name: getattr(bokeh_sampledata.stocks, name)["adj_close"] for name in ("AAPL", "IBM", "MSFT", "FB")},
    }
    return {name: [float(price) for price in values] for name, values in series.items()}


def window(returns) -> dict:
    ratios = []
    for annual in RISK_FREE_RATES:
        rate = (1 + annual) ** (1 / PERIODS_PER_YEAR) - 1
        ratios.append(
            {
                "risk_free_rate": annual,
                "sharpe": empyrical.sharpe_ratio(returns, risk_free=rate, annualization=PERIODS_PER_YEAR),
                "sortino": empyrical.sortino_ratio(returns, required_return=rate, annualization=PERIODS_PER_YEAR),
            }
        )
    return {
        "volatility": empyrical.annual_volatility(returns, annualization=PERIODS_PER_YEAR),
        "ratios": ratios,
        "tails": [
            {
                "confidence": float(confidence),
                "tail": tail,
                "value_at_risk": RiskFunctions.VaR_Hist(returns, alpha=tail),
                "expected_shortfall": RiskFunctions.CVaR_Hist(returns, alpha=tail),
            }
            for confidence, tail in TAILS.items()
        ],
    }


def path(returns) -> dict:
    """What is said of everything up to a moment."""
    return {
        "max_drawdown": -empyrical.max_drawdown(returns),
        "calmar": empyrical.calmar_ratio(returns, annualization=PERIODS_PER_YEAR),
        "annual_growth": empyrical.cagr(returns, annualization=PERIODS_PER_YEAR),
    }


def moments(values: list[float]) -> list[dict]:
    returns = empyrical.simple_returns(np.array(values))
    return [
        {
            "returns": end,
            "path": path(returns[:end]),
            "windows": {str(size): window(returns[max(0, end - size) : end]) for size in SIZES},
        }
        for end in range(MIN_PERIODS, len(returns) + 1, STEP)
    ]


def psi(reference, recent) -> float:
    frame = pd.DataFrame({"x": list(reference) + list(recent)})
    oracle = DropHighPSIFeatures(bins=10, strategy="equal_frequency", cut_off=len(reference) - 1, variables="all", p_value=0.05)
    oracle.fit(frame.assign(other=np.arange(len(frame), dtype=float)))  # it wants to have a second variable
    return float(oracle.psi_values_["x"])


def label(r: float) -> str:
    return ("up" if r > 0 else "down" if r < 0 else "even") + (", large" if abs(r) > 0.01 else "")


def drift(values: list[float]) -> list[dict]:
    """Recent returns, as they are and scaled and moved, against earlier ones; and the same as labels."""
    returns = empyrical.simple_returns(np.array(values))
    half = len(returns) // 2
    reference = returns[:half]
    bins = EqualFrequencyDiscretiser(q=10).fit(pd.DataFrame({"x": reference})).binner_dict_["x"]
    cases = []
    for scale, shift in [(1.0, 0.0), (2.0, 0.0), (1.0, 0.01), (0.001, 1.0)]:
        for end in range(half + 250, len(returns) + 1, 500):
            recent = returns[end - 250 : end] * scale + shift
            labels = [label(r) for r in reference], [label(r) for r in recent]
            cases.append(
                {
                    "reference": reference.tolist(),
                    "recent": recent.tolist(),
                    "edges": [float(edge) for edge in bins[1:-1]],
                    "psi": psi(reference, recent),
                    "labels": labels,
                    "label_psi": psi(*labels),
                }
            )
    return cases


def main() -> None:
    series = prices()
    numbers = {
        "periods_per_year": PERIODS_PER_YEAR,
        "min_periods": MIN_PERIODS,
        "sizes": SIZES,
        "series": {name: {"prices": values, "moments": moments(values)} for name, values in series.items()},
        "drift": {name: drift(values) for name, values in series.items()},
    }
    Path(sys.argv[1]).write_text(json.dumps(numbers), encoding="utf-8")


if __name__ == "__main__":
    main()
