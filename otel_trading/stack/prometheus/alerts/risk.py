"""What stopped trading, or is about to: circuit breakers, limits, reconciliation."""

from __future__ import annotations

from typing import Final

from otel_trading.exposition.naming import label_name
from otel_trading.semconv import attributes as a
from otel_trading.semconv import metrics as m
from otel_trading.stack.prometheus.model import Alert, Group, Threshold, told, told_if, value
from otel_trading.stack.promql import ACCOUNT, SYMBOL, VENUE, current, held, of

_LIMIT: Final = label_name(a.RISK_LIMIT_NAME)
_BREAKER: Final = label_name(a.CIRCUIT_BREAKER_NAME)

_WHOSE: Final = f"{told(ACCOUNT)} of {told('job')}"

_FIGURE: Final = value('printf "%.4g"')

GROUP: Final = Group(
    "trading-risk-alerts",
    (
        Alert(
            name="TradingCircuitBreakerOpen",
            expr=f"{held(m.CIRCUIT_BREAKER_OPEN)} == 1",
            summary="A circuit breaker is open.",
            description=f"{told(_BREAKER)} of {told('job')}{told_if(ACCOUNT, before=' ')} is open.",
            dashboard="trading-risk",
            severity="critical",
            pending="30s",
        ),
        Alert(
            name="TradingRiskLimitNear",
            expr=f"{held(m.RISK_LIMIT_UTILIZATION_RATIO)} > $threshold",
            summary="A limit is nearly used up.",
            description=f"{told('job')}{told_if(ACCOUNT, before=' ')} uses {value('humanizePercentage')} of {told(_LIMIT)}.",
            dashboard="trading-risk",
            pending="2m",
            threshold=Threshold(0.8, "of the limit, as a fraction"),
        ),
        Alert(
            name="TradingPositionMismatch",
            expr=f"abs({current(m.RECONCILIATION_POSITION_DIFFERENCE)}) > $threshold",
            summary="The venue has another position than the bot believes.",
            description=f"The venue's {told(SYMBOL)} of {_WHOSE} differs by {_FIGURE} from what the bot believes.",
            dashboard="trading-risk",
            severity="critical",
            pending="2m",
            threshold=Threshold(0, "units of the instrument between the two, in either direction"),
        ),
        Alert(
            name="TradingOrderMismatch",
            expr=f"{current(m.RECONCILIATION_ORDER_DIFFERENCE)} > $threshold",
            summary="Orders are open at the venue or at the bot, but not at both.",
            description=f"{value()} orders of {_WHOSE} are open at one side only.",
            dashboard="trading-risk",
            pending="2m",
            threshold=Threshold(0, "orders that are open at only one side"),
        ),
        Alert(
            name="TradingReconciliationOverdue",
            # Whether the time changes and not how old it is: a bot that replays the past tells times of the past.
            expr=(
                f"sum without (instance) (changes({of(m.RECONCILIATION_LAST_CHECK_TIME)}[10m])) == 0"
                f" and on (job, {ACCOUNT}) {current(m.POSITION_ACTIVE)} > 0"
            ),
            summary="An account with open positions was not compared with its venue for long.",
            description=f"{_WHOSE} is not compared with {told(VENUE)} any more.",
            dashboard="trading-risk",
            pending="20m",
        ),
    ),
)
