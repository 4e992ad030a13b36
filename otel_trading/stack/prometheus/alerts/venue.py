"""Whether the venue and its data are there: connections, streams, freshness, limits, clocks."""

from __future__ import annotations

from typing import Final

from otel_trading.stack.prometheus.model import Group

GROUP: Final = Group("trading-venue-alerts", ())
