"""What of an account survives a restart: one SQLite file, written off the hot path."""

from otel_trading.account.ledger.changes import Changes
from otel_trading.account.ledger.ledger import Ledger

__all__ = ["Changes", "Ledger"]
