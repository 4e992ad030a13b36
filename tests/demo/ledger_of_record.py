"""What a run came to, computed from the exchange's own record alone: nothing of the SDK, plain fractions, one event at a time.

Definitions are those of docs/account.md, written down a second time: average cost, trades from flat to flat net of fees and
funding, drawdown and returns on the value of one unit, days of UTC, 252 periods a year.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from fractions import Fraction as F  # noqa: N817 - it stands on every line
from statistics import fmean, stdev

WINDOW, LEAST, A_YEAR = 252, 30, 252
REASONS = {
    "INVALID_ORDER": "invalid_order",
    "INSUFFICIENT_FUNDS": "insufficient_funds",
    "MARKET_CLOSED": "market_closed",
    "RATE_LIMITED": "rate_limited",
    "DUPLICATE_ORDER": "duplicate",
}


@dataclass
class Position:
    size: F = F(0)
    cost: F = F(0)
    result: F = F(0)
    """Of the trade so far: money that came in less money that went out."""


@dataclass
class Truth:
    """Everything that the record says, after its last event."""

    start: F
    """What the account began with."""
    cash: F
    equity: F = F(0)
    realized: F = F(0)
    fees: F = F(0)
    rebates: F = F(0)
    funding: F = F(0)
    positions: dict[str, Position] = field(default_factory=dict)
    prices: dict[str, F] = field(default_factory=dict)
    volume: Counter = field(default_factory=Counter)
    """Money traded, by symbol and side."""
    fills: Counter = field(default_factory=Counter)
    """By symbol, side and liquidity."""
    trades: list[tuple[str, F]] = field(default_factory=list)
    """Symbol and result of each closed trade."""
    units: F = F(0)
    peak: F = F(0)
    deepest: F = F(0)
    peak_time: int = 0
    """Unix milliseconds."""
    began: int = 0
    days: dict[str, tuple[F, F, F, F]] = field(default_factory=dict)
    """By date: unit value and gain at the end, deposits less withdrawals so far, money traded in it."""
    time: int = 0

    @property
    def unrealized(self) -> F:
        return sum((p.size * self.prices[s] - p.cost for s, p in self.positions.items()), F(0))

    @property
    def exposure(self) -> F:
        return sum((p.size * self.prices[s] for s, p in self.positions.items()), F(0))

    @property
    def net(self) -> F:
        return self.realized + self.unrealized - self.fees + self.rebates + self.funding

    @property
    def drawdown(self) -> F:
        return 1 - self.equity / self.units / self.peak

    @property
    def peak_equity(self) -> F:
        return self.peak * self.units

    @property
    def daily(self) -> F:
        """Gain of the last day, less what came in or went out."""
        last, before = (list(self.days.values())[n] for n in (-1, -2))
        return last[1] - before[1]

    @property
    def daily_ratio(self) -> F:
        last, before = (list(self.days.values())[n] for n in (-1, -2))
        return self.daily / (before[1] + last[2] + self.start)

    # -- trades -----------------------------------------------------------------------------------------------------------

    @property
    def wins(self) -> list[F]:
        return [result for _, result in self.trades if result > 0]

    @property
    def losses(self) -> list[F]:
        return [-result for _, result in self.trades if result < 0]

    @property
    def win_ratio(self) -> F:
        return F(len(self.wins), len(self.trades))

    @property
    def profit_ratio(self) -> F:
        return sum(self.wins) / sum(self.losses)

    @property
    def expectancy(self) -> F:
        return sum(result for _, result in self.trades) / len(self.trades)

    @property
    def losing_streak(self) -> int:
        streak = 0
        for _, result in self.trades:
            streak = streak + 1 if result < 0 else 0
        return streak

    @property
    def outcomes(self) -> Counter:
        return Counter((s, "win" if result > 0 else "loss" if result < 0 else "even") for s, result in self.trades)

    # -- returns ----------------------------------------------------------------------------------------------------------

    @property
    def returns(self) -> list[float]:
        """Of the days that have ended, which the last one has not; the first has none before it to be measured by."""
        units = [unit for unit, *_ in self.days.values()][:-1]
        return [float(b / a - 1) for a, b in itertools.pairwise(units)][-WINDOW:]

    @property
    def sharpe(self) -> float:
        return math.sqrt(A_YEAR) * fmean(self.returns) / stdev(self.returns)

    @property
    def sortino(self) -> float:
        below = math.sqrt(fmean(min(r, 0.0) ** 2 for r in self.returns))
        return math.sqrt(A_YEAR) * fmean(self.returns) / below

    @property
    def volatility(self) -> float:
        return math.sqrt(A_YEAR) * stdev(self.returns)

    @property
    def tail(self) -> tuple[float, float]:
        """Value at risk and expected shortfall at 95 %."""
        worst, share = sorted(self.returns), F(5, 100) * len(self.returns)
        whole = math.ceil(share) - 1
        rest = float(share - whole)
        return -worst[whole], -(math.fsum(worst[:whole]) + rest * worst[whole]) / float(share)

    @property
    def calmar(self) -> float:
        years = (self.time - self.began) / 1000 / (365.25 * 86_400)
        return (float(self.equity / self.units) ** (1 / years) - 1) / float(self.deepest)


def read(record: dict) -> Truth:
    """Go through the record from its first event to its last."""
    start = F(record["startingCash"])
    truth = Truth(start, cash=start, equity=start, units=start, peak=F(1))
    flows = F(0)
    traded: Counter = Counter()
    for event in record["events"]:
        kind, data = event["type"], event["data"]
        if kind in {"end", "order", "day"}:
            continue
        truth.time = event["time"]
        truth.began = truth.began or truth.time
        truth.peak_time = truth.peak_time or truth.time
        date = datetime.fromtimestamp(truth.time / 1000, timezone.utc).date().isoformat()
        if kind == "transfer":
            amount = F(data["amount"])
            truth.units *= (truth.equity + amount) / truth.equity
            truth.cash += amount
            flows += amount
        elif kind == "funding":
            truth.cash += F(data["amount"])
            truth.funding += F(data["amount"])
            truth.positions[data["symbol"]].result += F(data["amount"])
        elif kind == "bar":
            truth.prices[data["symbol"]] = F(data["close"])
        elif kind == "fill":
            traded[date] += fill(truth, data)
        truth.equity = truth.cash + truth.exposure
        unit = truth.equity / truth.units
        if unit > truth.peak:
            truth.peak, truth.peak_time = unit, truth.time
        truth.deepest = max(truth.deepest, 1 - unit / truth.peak)
        truth.days[date] = (unit, truth.equity - flows - start, flows, traded[date])
    return truth


def fill(truth: Truth, data: dict) -> F:
    """Enter an execution; return the money that was traded."""
    symbol, buys = data["symbol"], data["side"] == "buy"
    amount, price, fee = F(data["amount"]), F(data["price"]), F(data["fee"]["cost"])
    notional = amount * price
    position = truth.positions.setdefault(symbol, Position())
    if buys:
        position.size += amount
        position.cost += notional
    else:
        released = position.cost * amount / position.size
        truth.realized += notional - released
        position.size -= amount
        position.cost -= released
    received = (-notional if buys else notional) - fee
    position.result += received
    truth.cash += received
    truth.fees += max(fee, F(0))
    truth.rebates += max(-fee, F(0))
    truth.prices[symbol] = price
    truth.volume[symbol, data["side"]] += notional
    truth.fills[symbol, data["side"], data["takerOrMaker"]] += 1
    if not position.size:
        truth.trades.append((symbol, position.result))
        del truth.positions[symbol]
    return notional


def orders_that_ended(record: dict) -> Counter:
    """By how they ended and their type: orders of the venue, what it refused, and what never arrived there."""
    unanswered = {lost["clientOrderId"] for lost in record["unanswered"]}
    known = {order["clientOrderId"] for order in record["orders"]}
    ended = Counter(
        ("filled" if order["status"] == "closed" else order["status"], order["type"])
        for order in record["orders"]
        if order["status"] != "open"
    )
    ended.update(("rejected", r["type"]) for r in record["refusals"] if r["clientOrderId"] not in unanswered)
    ended.update(("rejected", lost["type"]) for lost in record["unanswered"] if lost["clientOrderId"] not in known)
    return ended


def rejections(record: dict) -> Counter:
    """By their reason; what never arrived has none that is known."""
    unanswered = {lost["clientOrderId"] for lost in record["unanswered"]}
    known = {order["clientOrderId"] for order in record["orders"]}
    reasons = Counter(order["rejectReason"] for order in record["orders"] if order["status"] == "rejected")
    reasons.update(REASONS[r["code"]] for r in record["refusals"] if r["clientOrderId"] not in unanswered)
    reasons.update("other" for lost in record["unanswered"] if lost["clientOrderId"] not in known)
    return reasons


def slippage_costs(record: dict) -> dict[str, F]:
    """By symbol: what fills cost more than the price at which the order was decided, the last close or the stop's own."""
    closes: dict[str, F] = {}
    decided: dict[str, F] = {}
    for event in record["events"]:
        data = event["data"]
        if event["type"] == "bar":
            closes[data["symbol"]] = F(data["close"])
        elif event["type"] in {"order", "fill"}:
            order = data["id"] if event["type"] == "order" else data["order"]
            decided.setdefault(order, closes[data["symbol"]])
    costs: dict[str, F] = {}
    for order in record["orders"]:
        reference = F(order["triggerPrice"]) if order["type"] == "stop_market" else decided[order["id"]]
        for trade in order["trades"]:
            worse = (F(trade["price"]) - reference) * (1 if order["side"] == "buy" else -1)
            costs[order["symbol"]] = costs.get(order["symbol"], F(0)) + worse * F(trade["amount"])
    return costs
