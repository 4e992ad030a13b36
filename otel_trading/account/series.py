"""The metrics of an account: each reads one figure when a reader collects, so that recording costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from otel_trading.account.figures import Figures, PositionFigures
from otel_trading.metrics import gauge
from otel_trading.semconv import attributes, metrics
from otel_trading.semconv.spec import Metric

Show = Callable[[Metric], Figures]
Stop = Callable[[], None]

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
    (metrics.POSITION_ACTIVE, lambda now: now.active),
    (metrics.PNL_REALIZED, lambda now: now.realized),
    (metrics.PNL_UNREALIZED, lambda now: now.unrealized),
    (metrics.PNL_NET, lambda now: now.net),
    (metrics.PNL_DAILY, lambda now: now.daily),
    (metrics.PNL_DAILY_RATIO, lambda now: now.daily_ratio),
    (metrics.DRAWDOWN_CURRENT_RATIO, lambda now: now.drawdown),
    (metrics.DRAWDOWN_MAX_RATIO, lambda now: now.max_drawdown),
)

_POSITION: tuple[tuple[Metric, Callable[[PositionFigures], object]], ...] = (
    (metrics.POSITION_SIZE, lambda position: position.size),
    (metrics.POSITION_VALUE, lambda position: position.value),
    (metrics.POSITION_UNREALIZED_PNL, lambda position: position.unrealized_pnl),
)


def observe(show: Show, texts: dict[str, str]) -> list[Stop]:
    """Export what `show` returns under the attributes `texts`, as far as each metric has them; return what ends it."""
    callbacks: list[tuple[Metric, Callable[[], object]]] = [
        *((metric, _account(partial(show, metric), figure)) for metric, figure in _ACCOUNT),
        *((metric, _each(partial(show, metric), figure)) for metric, figure in _POSITION),
        (metrics.POSITION_ENTRY_PRICE, _entry_prices(partial(show, metrics.POSITION_ENTRY_PRICE))),
    ]
    return [gauge(metric).observe(callback, _those_of(metric, texts)) for metric, callback in callbacks]


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
