"""Positions, cash, profit and drawdown of an account."""

from otel_trading.account.account import Account
from otel_trading.account.position import Position

__all__ = ["Account", "Position"]
