"""How the account is doing: drawdown, returns and growth of its flow-adjusted value, turnover, and the gain of the session.

The value of one unit of the account is what a share of a fund is worth: deposits and withdrawals issue and redeem units at the
present value and change nothing of it. It begins at 1 when the account first has capital.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from otel_trading.account.history import History
from otel_trading.account.money import QUOTIENT, ZERO, add, quotient, ratio, subtract
from otel_trading.account.position import NEVER
from otel_trading.account.settings import Settings
from otel_trading.analytics.drawdown import Drawdown
from otel_trading.analytics.growth import calmar
from otel_trading.analytics.returns import ReturnGrid
from otel_trading.analytics.turnover import Turnover
from otel_trading.analytics.window import ReturnWindow


@dataclass(frozen=True, slots=True)
class Ratios:
    """What the returns in the window say; None below their least number and where a denominator is zero."""

    sharpe: float | None
    sortino: float | None
    volatility: float | None
    value_at_risk: float | None
    expected_shortfall: float | None


class Performance:
    """Fed with what the account is worth after everything that happens to it.

    Only drawdown looks at every change. Returns and the average equity need the last value before a moment has come (see
    `sessions.Timeline`): they are computed then, and cost nothing in between.
    """

    def __init__(self, settings: Settings, history: History) -> None:
        self._settings = settings
        self._history = history
        self.drawdown: Drawdown[Decimal] | None = None
        self.turnover = Turnover()
        self.flows = ZERO
        """All deposits less all withdrawals."""
        self._worth: Decimal | None = None
        self._time = NEVER
        self._start: Decimal | None = None
        self._units: float | None = None
        self._since = NEVER
        self._grid = ReturnGrid(settings.returns_every)
        self.window = ReturnWindow(settings.window, settings.min_periods)
        """The latest returns on the grid."""
        self._ratios: Ratios | None = None

    @property
    def daily(self) -> Decimal | None:
        """Gain since the session began."""
        gain = self._gain
        return None if gain is None or self._start is None else subtract(gain, self._start)

    @property
    def daily_ratio(self) -> float | None:
        """The same as a fraction of the equity at the session's start plus the flows since; None where that is not positive."""
        daily, start = self.daily, self._start
        if daily is None or start is None or (base := add(start, self.flows)) <= 0:
            return None
        return ratio(daily, base)

    @property
    def calmar(self) -> float | None:
        """Growth a year over the maximum drawdown."""
        if self._units is None or self._worth is None or self.drawdown is None:
            return None
        return calmar(1.0, float(self._worth) / self._units, self._since, self._time, self.drawdown.maximum)

    @property
    def ratios(self) -> Ratios:
        """The ratios and tails of the returns in the window, computed when one was added since."""
        if self._ratios is None:
            window, settings = self.window, self._settings
            year, rate, level = settings.periods_per_year, settings.risk_free_rate, settings.confidence
            self._ratios = Ratios(
                sharpe=window.sharpe(year, rate),
                sortino=window.sortino(year, rate),
                volatility=window.volatility(year),
                value_at_risk=window.value_at_risk(level),
                expected_shortfall=window.expected_shortfall(level),
            )
        return self._ratios

    def update(self, worth: Decimal, time: float, *, funded: bool) -> None:
        """Take what the account is worth now; without capital (not `funded`) there is nothing that a fall is a fraction of."""
        if time < self._time:  # noqa: PLR1730 - of a market whose prices come late; `max` takes longer, at every price
            time = self._time
        self._worth, self._time = worth, time
        if self.drawdown is not None:
            self.drawdown.update(worth, time)
        elif funded:
            self.drawdown = Drawdown(worth, None if time == NEVER else time)
            self._begin_units()
        if self._start is None:
            self._start = self._gain

    def weigh(self) -> None:
        """Let the average equity contain the present one."""
        if self._worth is not None and self.drawdown is not None and self._time != NEVER:
            self.turnover.equity(float(self._worth), self._time)

    def turn(self, time: float) -> None:
        """Take notice that a moment has come, at `time`, before what happened then is entered."""
        if self._time == NEVER:  # what the account begins with is of the time of the first event
            self._time = self._since = time
            if self.drawdown is not None and self._worth is not None:
                self.drawdown.update(self._worth, time)
        self.weigh()
        if self._units is None:
            self._begin_units()
        if self._worth is not None and self._units is not None:
            unit = float(self._worth) / self._units
            for moment in (self._time, time):
                found = self._grid.observe(moment, unit)
                if found is not None:
                    self.window.append(found)
                    self._ratios = None
                    self._history.add("returns", time=moment, value=found)

    def begin_session(self, start: float, ended: str | None) -> None:
        """Measure from the last gain known, or from the first one known at all; `ended` is the date of the session before."""
        if ended is not None and self.daily is not None:
            self._history.add("days", session=ended, equity=self._worth, pnl=self.daily, ratio=self.daily_ratio)
        self._start = self._gain
        self.weigh()
        self.turnover.begin_session(start)

    def flow(self, amount: Decimal, time: float) -> None:
        """Say that `amount` is deposited, or withdrawn if negative, before the update that contains it."""
        self.flows += amount
        before = self._worth
        if self.drawdown is None or before is None:
            return
        after = before + amount
        with localcontext(QUOTIENT):
            self.drawdown.flow(before, after, time)
        if self._units is not None and before > 0 and after > 0:
            self._units *= float(quotient(after, before))
        else:
            self._units = None

    def restart(self) -> None:
        """Measure from the next update on."""
        self._worth = self._start = self.drawdown = self._units = None
        self.window = ReturnWindow(self._settings.window, self._settings.min_periods)
        self._ratios = None
        self.turnover = Turnover()

    def set_back(self, time: float) -> None:
        """Go on from `time`, which is before that of the last value: the clock was wrong."""
        self._time, self._since = min(self._time, time), min(self._since, time)
        self._grid.set_back(time)
        if self.drawdown is not None:
            self.drawdown.set_back(time)

    def _begin_units(self) -> None:
        """Let the present value be that of one unit, if it is one that returns can be measured by."""
        if self.drawdown is not None and self._worth is not None and self._worth > 0:
            self._units, self._since = float(self._worth), self._time
            self._grid = ReturnGrid(self._settings.returns_every)
            self._grid.observe(self._time, 1.0)

    @property
    def _gain(self) -> Decimal | None:
        """What the account is worth minus all deposits plus all withdrawals."""
        return None if self._worth is None else subtract(self._worth, self.flows)

    def capture(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        return {
            "drawdown": None if self.drawdown is None else self.drawdown.dump(),
            "turnover": self.turnover.dump(),
            "flows": self.flows,
            "worth": self._worth,
            "time": None if self._time == NEVER else self._time,
            "session_start": self._start,
            "units": self._units,
            "since": None if self._since == NEVER else self._since,
            "grid": self._grid.dump(),
            "window": self.window.dump(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what was captured; returns of another grid are not comparable with those of this one, and left out."""
        self.drawdown = None if state["drawdown"] is None else Drawdown.load(state["drawdown"])
        self.turnover = Turnover.load(state["turnover"])
        self.flows = Decimal(state["flows"])
        self._worth = None if state["worth"] is None else Decimal(state["worth"])
        self._start = None if state["session_start"] is None else Decimal(state["session_start"])
        self._time = NEVER if state["time"] is None else state["time"]
        self._since = NEVER if state["since"] is None else state["since"]
        self._units, self._ratios = state["units"], None
        grid = ReturnGrid.load(state["grid"])
        if grid.every != self._settings.returns_every:
            if self._units is not None and self._worth is not None:
                self._grid.observe(self._time, float(self._worth) / self._units)
            return
        self._grid = grid
        window = ReturnWindow.load(state["window"])
        if (window.size, window.min_periods) == (self._settings.window, self._settings.min_periods):
            self.window = window
        else:
            for value in window.values:
                self.window.append(value)
