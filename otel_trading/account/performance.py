"""How the account is doing: drawdown on the flow-adjusted equity, and the gain of the session."""

from __future__ import annotations

from decimal import Decimal, localcontext

from otel_trading.account.money import QUOTIENT, ZERO, quotient
from otel_trading.analytics.drawdown import Drawdown


class Performance:
    """Fed with what the account is worth after everything that happens to it."""

    def __init__(self) -> None:
        self.drawdown: Drawdown[Decimal] | None = None
        self._flows = ZERO
        self._worth: Decimal | None = None
        self._start: Decimal | None = None

    @property
    def daily(self) -> Decimal | None:
        """Gain since the session began."""
        gain = self._gain
        return None if gain is None or self._start is None else gain - self._start

    @property
    def daily_ratio(self) -> float | None:
        """The same as a fraction of the equity at the session's start plus the flows since; None where that is not positive."""
        daily, start = self.daily, self._start
        if daily is None or start is None or (base := start + self._flows) <= 0:
            return None
        return float(quotient(daily, base))

    def update(self, worth: Decimal, *, funded: bool) -> None:
        """Take what the account is worth now; without capital (not `funded`) there is nothing that a fall is a fraction of."""
        self._worth = worth
        if self.drawdown is not None:
            self.drawdown.update(worth)
        elif funded:
            self.drawdown = Drawdown(worth)
        if self._start is None:
            self._start = self._gain

    def begin_session(self) -> None:
        """Measure the daily gain from the last one known, or from the first one known at all."""
        self._start = self._gain

    def flow(self, amount: Decimal) -> None:
        """Say that `amount` is deposited, or withdrawn if negative, before the update that contains it."""
        self._flows += amount
        if self.drawdown is not None and self._worth is not None:
            with localcontext(QUOTIENT):
                self.drawdown.flow(self._worth, self._worth + amount)

    def restart(self) -> None:
        """Measure from the next update on."""
        self._worth = self._start = self.drawdown = None

    @property
    def _gain(self) -> Decimal | None:
        """What the account is worth minus all deposits plus all withdrawals."""
        return None if self._worth is None else self._worth - self._flows
