"""What a scrape of the bot says."""

from __future__ import annotations

import otel_trading as ot
from tests.harness import Sample, scrape
from tests.harness.exposition import find, one


class Scrape:
    """What was scraped; `scraped("trading_orders_total", trading_order_side="buy")` is the one such sample's value."""

    def __init__(self, telemetry: ot.Telemetry) -> None:
        assert telemetry.endpoint_url is not None
        self.samples: list[Sample] = scrape(telemetry.endpoint_url, openmetrics=True)

    def __call__(self, name: str, **labels: str) -> float | None:
        return one(self.samples, name, **labels)

    def all(self, name: str, **labels: str) -> list[Sample]:
        return find(self.samples, name, **labels)


def stop_all(stops) -> None:
    for stop in stops:
        stop()
