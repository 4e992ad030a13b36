"""What the bot can ask of its account at any time."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from threading import RLock
from typing import NamedTuple, TypeVar

from otel_trading.account.money import Exact
from otel_trading.account.position import Position
from otel_trading.account.sessions import Timeline
from otel_trading.account.state import State
from otel_trading.analytics.trades import TradeStatistics

_T = TypeVar("_T")


class _Limited(NamedTuple):
    """The figures that limits are about, which somebody asks for before every order."""

    version: int
    """That of the account when they were found."""
    drawdown: float | None = None
    daily_ratio: float | None = None
    losing_streak: int = 0


class Readings:
    """The properties of an account: money as Decimal, ratios as float, None for what is not known."""

    _lock: RLock  # pyright: ignore[reportGeneralTypeIssues] - a function in the stubs before 3.13
    _state: State
    _timeline: Timeline
    _version: int
    """Another one after everything that may have changed a figure."""
    _limited = _Limited(-1)

    @property
    def equity(self) -> Decimal | None:
        """Cash plus the worth of all positions."""
        return self._read(lambda state: state.equity)

    @property
    def cash(self) -> Decimal | None:
        """All cash, in the account's currency."""
        return self._read(lambda state: state.cash)

    @property
    def positions(self) -> dict[str, Position]:
        """The open positions by symbol."""
        return self._read(lambda state: {symbol: holding.position() for symbol, holding in state.book.open.items()})

    @property
    def realized_pnl(self) -> Decimal | None:
        """Profit of what was closed, before fees."""
        return self._read(lambda state: state.realized)

    @property
    def unrealized_pnl(self) -> Decimal | None:
        """Profit of what is open, at its marks."""
        return self._read(lambda state: state.unrealized)

    @property
    def fees(self) -> Decimal | None:
        """All fees so far, less rebates."""
        return self._read(lambda state: state.fees)

    @property
    def funding_pnl(self) -> Decimal | None:
        """All funding, interest and dividends so far, received less paid."""
        return self._read(lambda state: state.funding)

    @property
    def net_pnl(self) -> Decimal | None:
        """Realised and unrealised profit, after fees and funding."""
        return self._read(lambda state: state.net)

    @property
    def daily_pnl(self) -> Decimal | None:
        """Gain since the session began, without deposits and withdrawals."""
        return self._read(lambda state: state.performance.daily if state.worth is not None else None)

    @property
    def daily_ratio(self) -> float | None:
        """The same as a fraction of the equity at the session's start plus the deposits less the withdrawals since."""
        return self._limits_read().daily_ratio

    @property
    def drawdown(self) -> float | None:
        """Fall from the highest equity, deposits and withdrawals taken into account, as a positive fraction of it."""
        return self._limits_read().drawdown

    @property
    def max_drawdown(self) -> float | None:
        """The deepest drawdown so far."""
        return self._read(lambda state: state.max_drawdown)

    @property
    def drawdown_duration(self) -> float | None:
        """Seconds since the highest equity."""
        with self._lock:
            drawdown, moment = self._state.performance.drawdown, self._timeline.present(self._timeline.clock.present())
            return None if drawdown is None or moment is None else drawdown.duration(moment)

    @property
    def trades(self) -> TradeStatistics:
        """Statistics of all trades that were closed so far, as of now."""
        return self._read(lambda state: TradeStatistics.load(state.trades.statistics.dump()))

    @property
    def losing_streak(self) -> int:
        """Losing trades in a row, up to the last closed one."""
        return self._limits_read().losing_streak

    @property
    def turnover_ratio(self) -> float | None:
        """Money traded in this session over average equity."""
        return self._read(lambda state: state.performance.turnover.ratio if state.trades_known else None)

    @property
    def returns(self) -> list[float]:
        """The returns in the window, the oldest first."""
        return self._read(lambda state: state.performance.window.values)

    @property
    def sharpe_ratio(self) -> float | None:
        """Annualised mean excess return over its standard deviation."""
        return self._read(lambda state: state.performance.ratios.sharpe)

    @property
    def sortino_ratio(self) -> float | None:
        """Annualised mean excess return over its downside deviation."""
        return self._read(lambda state: state.performance.ratios.sortino)

    @property
    def calmar_ratio(self) -> float | None:
        """Growth a year over the maximum drawdown."""
        return self._read(lambda state: state.performance.calmar)

    @property
    def volatility(self) -> float | None:
        """Annualised standard deviation of returns."""
        return self._read(lambda state: state.performance.ratios.volatility)

    @property
    def value_at_risk(self) -> float | None:
        """Historic value at risk of one return, as a positive fraction."""
        return self._read(lambda state: state.performance.ratios.value_at_risk)

    @property
    def expected_shortfall(self) -> float | None:
        """Mean loss beyond the value at risk, as a positive fraction."""
        return self._read(lambda state: state.performance.ratios.expected_shortfall)

    @property
    def last_event_time(self) -> float | None:
        """Time of the latest event that was entered, in unix seconds."""
        with self._lock:
            return self._timeline.present(float("-inf"))

    def _read(self, read: Callable[[State], _T]) -> _T:
        """Return what `read` finds at this moment: with the time, the session may have changed since the last event."""
        with self._lock, Exact():
            self._pass(self._timeline.clock.present())
            return read(self._state)

    def _limits_read(self) -> _Limited:
        """As `_read`, but once for as long as nothing happens and the session goes on: then without the lock."""
        now = self._timeline.clock.present()
        found = self._limited
        if found.version == self._version and not self._timeline.is_over(now):
            return found
        with self._lock:  # none of it needs the exact context
            self._pass(now)
            state = self._state
            ratio = state.performance.daily_ratio if state.equity is not None else None
            found = _Limited(self._version, state.drawdown, ratio, state.trades.statistics.losing_streak)
            self._limited = found
        return found

    def _pass(self, now: float) -> None:
        """Take notice of the time."""
        raise NotImplementedError
