"""A bot in another language that keeps all figures in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import otel_trading as ot
from tests.harness import free_port
from tests.unit.users.scraped import Scrape, stop_all


@dataclass
class BotMetrics:
    """The Rust bot's figures in memory, as its terminal dashboard shows them."""

    balances: dict[str, float] = field(default_factory=lambda: {"USDT": 1000.0, "BTC": 0.5})
    trades: int = 0
    wins: int = 0
    positions: dict[str, float] = field(default_factory=dict)


@dataclass
class RiskMetrics:
    sharpe: float | None = None
    value_at_risk: float | None = None
    drawdown: float = 0.0


def test_rust_bot() -> None:
    """Gauges over the bot's own objects: no second source of truth; what is not known yet is absent."""
    bot, risk = BotMetrics(), RiskMetrics()
    mine = {"trading.account.name": "rust"}
    with ot.configure(prometheus_port=free_port()) as telemetry:
        stops = [
            ot.observe(
                "trading.portfolio.cash",
                lambda: [(amount, {"trading.currency": currency}) for currency, amount in bot.balances.items()],
                attributes=mine,
            ),
            ot.observe("bot.trades", lambda: bot.trades, kind="counter", unit="{trade}"),
            ot.observe("trading.trade.win_ratio", lambda: bot.wins / bot.trades if bot.trades else None, attributes=mine),
            ot.observe("trading.position.active", lambda: len(bot.positions), attributes=mine),
            ot.observe(
                "trading.position.size",
                lambda: [(size, {"trading.instrument.symbol": symbol}) for symbol, size in bot.positions.items()],
                attributes=mine,
            ),
            ot.observe("trading.returns.sharpe_ratio", lambda: risk.sharpe, attributes=mine),
            ot.observe(
                "trading.returns.value_at_risk_ratio",
                lambda: risk.value_at_risk,
                attributes={**mine, "trading.risk.confidence": "0.95"},
            ),
            ot.observe("trading.drawdown.current_ratio", lambda: risk.drawdown, attributes=mine),
        ]
        before = Scrape(telemetry)
        bot.trades, bot.wins, bot.positions = 4, 3, {"BTC/USDT": 0.5}
        bot.balances["USDT"] = 900.0
        risk.sharpe, risk.value_at_risk, risk.drawdown = 1.5, 0.02, 0.1
        after = Scrape(telemetry)
        stop_all(stops)
    rust = {"trading_account_name": "rust"}
    assert before("trading_portfolio_cash", trading_currency="USDT", **rust) == 1000
    assert before("bot_trades_total") == 0
    assert before("trading_trade_win_ratio", **rust) is None
    assert before("trading_returns_sharpe_ratio", **rust) is None
    assert after("trading_portfolio_cash", trading_currency="USDT", **rust) == 900
    assert after("trading_portfolio_cash", trading_currency="BTC", **rust) == 0.5
    assert after("bot_trades_total") == 4
    assert after("trading_trade_win_ratio", **rust) == 0.75
    assert after("trading_position_active", **rust) == 1
    assert after("trading_position_size", trading_instrument_symbol="BTC/USDT", **rust) == 0.5
    assert after("trading_returns_sharpe_ratio", **rust) == 1.5
    assert after("trading_returns_value_at_risk_ratio", **rust) == 0.02
    assert after("trading_drawdown_current_ratio", **rust) == 0.1
