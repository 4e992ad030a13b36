"""The metrics of an account: each reads one figure when a reader collects, so that recording costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from otel_trading.account.figures import Figures, PositionFigures
from otel_trading.account.reconciliation import Check
from otel_trading.metrics import counter, gauge
from otel_trading.semconv import attributes, metrics
from otel_trading.semconv.spec import Metric

Show = Callable[[Metric], Figures]
Read = Callable[[], "list[tuple[object, dict[str, str]]]"]
Stop = Callable[[], None]

UNKNOWN_VENUE = "unknown"
"""Of an account that does not say its venue, on metrics that cannot be without one."""


_ACCOUNT: tuple[tuple[Metric, Callable[[Figures], object]], ...] = (
    (metrics.PORTFOLIO_EQUITY, lambda now: now.equity),
    (metrics.PORTFOLIO_CASH, lambda now: now.cash),
    (metrics.PORTFOLIO_PEAK_EQUITY, lambda now: now.peak_equity),
    (metrics.PORTFOLIO_BUYING_POWER, lambda now: now.buying_power),
    (metrics.PORTFOLIO_MARGIN_USED, lambda now: now.margin_used),
    (metrics.PORTFOLIO_MARGIN_AVAILABLE, lambda now: now.margin_available),
    (metrics.PORTFOLIO_EXPOSURE_GROSS, lambda now: now.exposure_gross),
    (metrics.PORTFOLIO_EXPOSURE_NET, lambda now: now.exposure_net),
    (metrics.PORTFOLIO_EXPOSURE_RATIO, lambda now: now.exposure_ratio),
    (metrics.PORTFOLIO_LEVERAGE_RATIO, lambda now: now.leverage_ratio),
    (metrics.PORTFOLIO_TURNOVER_RATIO, lambda now: now.turnover),
    (metrics.POSITION_ACTIVE, lambda now: now.active),
    (metrics.POSITION_UNPROTECTED, lambda now: now.unprotected),
    (metrics.PNL_REALIZED, lambda now: now.realized),
    (metrics.PNL_UNREALIZED, lambda now: now.unrealized),
    (metrics.PNL_NET, lambda now: now.net),
    (metrics.PNL_DAILY, lambda now: now.daily),
    (metrics.PNL_DAILY_RATIO, lambda now: now.daily_ratio),
    (metrics.TRADE_WIN_RATIO, lambda now: now.win_ratio),
    (metrics.TRADE_PROFIT_RATIO, lambda now: now.profit_ratio),
    (metrics.TRADE_EXPECTANCY, lambda now: now.expectancy),
    (metrics.TRADE_AVERAGE_WIN, lambda now: now.average_win),
    (metrics.TRADE_AVERAGE_LOSS, lambda now: now.average_loss),
    (metrics.TRADE_LOSING_STREAK, lambda now: now.losing_streak),
    (metrics.DRAWDOWN_CURRENT_RATIO, lambda now: now.drawdown),
    (metrics.DRAWDOWN_MAX_RATIO, lambda now: now.max_drawdown),
    (metrics.DRAWDOWN_DURATION, lambda now: now.drawdown_duration),
    (metrics.RETURNS_SHARPE_RATIO, lambda now: now.ratios.sharpe),
    (metrics.RETURNS_SORTINO_RATIO, lambda now: now.ratios.sortino),
    (metrics.RETURNS_CALMAR_RATIO, lambda now: now.calmar),
    (metrics.RETURNS_VOLATILITY_RATIO, lambda now: now.ratios.volatility),
    (metrics.RETURNS_VALUE_AT_RISK_RATIO, lambda now: now.ratios.value_at_risk),
    (metrics.RETURNS_EXPECTED_SHORTFALL_RATIO, lambda now: now.ratios.expected_shortfall),
)

_POSITION: tuple[tuple[Metric, Callable[[PositionFigures], object]], ...] = (
    (metrics.POSITION_SIZE, lambda position: position.size),
    (metrics.POSITION_VALUE, lambda position: position.value),
    (metrics.POSITION_UNREALIZED_PNL, lambda position: position.unrealized_pnl),
    (metrics.POSITION_LIQUIDATION_DISTANCE_RATIO, lambda position: position.liquidation_distance),
)


def observe(show: Show, risky: Callable[[], object], check: Callable[[], Check | None], texts: dict[str, str]) -> list[Stop]:
    """Export what `show`, `risky` and `check` return under the attributes `texts`, as far as each metric has them.

    Return what ends it.
    """
    callbacks: list[tuple[Metric, Callable[[], object]]] = [
        *((metric, _account(partial(show, metric), figure)) for metric, figure in _ACCOUNT),
        *((metric, _each(partial(show, metric), figure)) for metric, figure in _POSITION),
        (metrics.POSITION_ENTRY_PRICE, _entry_prices(partial(show, metrics.POSITION_ENTRY_PRICE))),
        (metrics.POSITION_RISKY, risky),
        (metrics.RECONCILIATION_POSITION_DIFFERENCE, _differences(check)),
        (metrics.RECONCILIATION_ORDER_DIFFERENCE, lambda: None if (last := check()) is None else last.orders),
        (metrics.RECONCILIATION_LAST_CHECK_TIME, lambda: None if (last := check()) is None else last.time),
    ]
    charged = {attributes.VENUE_NAME: UNKNOWN_VENUE, **texts}
    return [
        *(gauge(metric).observe(callback, _those_of(metric, texts)) for metric, callback in callbacks),
        counter(metrics.TRADES).observe(_trades(partial(show, metrics.TRADES)), _those_of(metrics.TRADES, texts)),
        counter(metrics.FUNDING).observe(_funding(partial(show, metrics.FUNDING)), _those_of(metrics.FUNDING, charged)),
    ]


def _those_of(metric: Metric, texts: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in texts.items() if key in metric.attributes}


def _account(read: Callable[[], Figures], figure: Callable[[Figures], object]) -> Callable[[], object]:
    return lambda: figure(read())


def _each(read: Callable[[], Figures], figure: Callable[[PositionFigures], object]) -> Callable[[], Iterable[object]]:
    return lambda: [(figure(position), {attributes.INSTRUMENT_SYMBOL: position.symbol}) for position in read().positions]


def _entry_prices(read: Callable[[], Figures]) -> Callable[[], Iterable[object]]:
    """A price stays in the currency that it is quoted in: at another day's rate it would be no price that was paid."""

    def prices() -> Iterable[object]:
        return [
            (position.entry_price, {attributes.INSTRUMENT_SYMBOL: position.symbol, attributes.CURRENCY: position.quote})
            for position in read().positions
        ]

    return prices


def _trades(read: Callable[[], Figures]) -> Read:
    return lambda: [
        (number, {attributes.INSTRUMENT_SYMBOL: symbol, attributes.TRADE_OUTCOME: outcome})
        for (symbol, outcome), number in read().closed.items()
    ]


def _funding(read: Callable[[], Figures]) -> Read:
    return lambda: [(amount, {attributes.CURRENCY: currency}) for currency, amount in read().funding.items()]


def _differences(check: Callable[[], Check | None]) -> Callable[[], Iterable[object]]:
    def differences() -> Iterable[object]:
        last = check()
        if last is None:
            return []
        return [(difference, {attributes.INSTRUMENT_SYMBOL: symbol}) for symbol, difference in last.positions.items()]

    return differences
