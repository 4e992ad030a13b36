"""Colours of panels follow the thresholds that a user sets for the alerts about the same figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from otel_trading.stack.prometheus.model import Alert
from otel_trading.stack.prometheus.settings import RuleSettings

FOLLOWING: Final = {
    "TradingApiSlow": ("Latency of the bot's own API",),
    "TradingClockOffset": ("Offset of the clock",),
    "TradingCollectorQueueFilling": ("Queue of the Collector",),
    "TradingDailyLoss": ("P&L today, of equity", "Bots"),
    "TradingDrawdown": ("Drawdown", "Bots"),
    "TradingInferenceErrors": ("Failed inferences",),
    "TradingLiquidationNear": ("Distance to liquidation", "Open positions"),
    "TradingLosingStreak": ("Losing streak",),
    "TradingMarketDataStale": ("Age of market data", "Age of market data, by symbol"),
    "TradingModelDrift": ("Drift",),
    "TradingOrderStuck": ("Oldest open order",),
    "TradingOrdersRejected": ("Rejected",),
    "TradingRiskLimitNear": ("Limits in use", "Limits in use, over time"),
    "TradingSlippageHigh": ("Slippage",),
    "TradingVenueRateLimitNear": ("Rate limits in use",),
    "TradingWinRatioLow": ("Win rate",),
}
"""The panels, by their titles, that change colour where an alert fires: their thresholds have the same unit."""


def follow(panel: dict[str, Any], alerts: Iterable[Alert], settings: RuleSettings) -> None:
    """Move the thresholds of a panel to where its alerts fire by these settings."""
    for alert in alerts:
        old, new = alert.threshold, settings.of(alert).threshold
        if old is None or new is None or new == old.value or panel["title"] not in FOLLOWING.get(alert.name, ()):
            continue
        for thresholds in _thresholds(panel):
            thresholds["steps"] = _moved(thresholds["steps"], old.value, new)


def _thresholds(panel: dict[str, Any]) -> Iterator[dict[str, Any]]:
    config = panel["fieldConfig"]
    yield config["defaults"]["thresholds"]
    for override in config["overrides"]:
        yield from (found["value"] for found in override["properties"] if found["id"] == "thresholds")


def _moved(steps: list[dict[str, Any]], old: float, new: float) -> list[dict[str, Any]]:
    """With the steps at `old`, and at the loss of as much, at `new`; those that they have passed are left out."""
    moved = {old: new, -old: -new}
    kept: list[dict[str, Any]] = []
    for step in steps:
        value = step["value"]
        if value in moved:
            kept = [other for other in kept if other["value"] is None or other["value"] < moved[value]]
            kept.append({**step, "value": moved[value]})
        elif value is None or kept[-1]["value"] is None or value > kept[-1]["value"]:
            kept.append(step)
    return kept
