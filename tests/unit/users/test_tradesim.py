"""A simulation of trade between companies, with metrics of its own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import otel_trading as ot
from tests.harness import free_port
from tests.unit.users.scraped import Scrape, stop_all


@dataclass
class Company:
    """One of the simulation."""

    budget: float
    continent: str

    @property
    def solvent(self) -> bool:
        return self.budget >= 0


@pytest.mark.parametrize("monitored", [True, False], ids=["with metrics", "without"])
def test_tradesim(monitored: bool) -> None:
    """`simulate --tours 3 [--with-metrics]`: the simulation's own metrics under their own names, and its results either way."""
    companies = [Company(100.0, "Europe"), Company(50.0, "Asia"), Company(-10.0, "Asia")]

    def budgets():
        return [company.budget for company in companies]

    def totals():
        by: dict[str, float] = {}
        for company in companies:
            by[company.continent] = by.get(company.continent, 0.0) + company.budget
        return [(total, {"continent": continent}) for continent, total in by.items()]

    exporters = ["prometheus"] if monitored else ["none"]
    with ot.configure(service_name="tradesim", prometheus_port=free_port(), exporters=exporters) as telemetry:
        stops = [
            ot.observe("budget", totals, unit="{currency}", description="Budgets of the companies, by continent."),
            ot.observe("budget.mean", lambda: sum(budgets()) / len(companies), unit="{currency}"),
            ot.observe("budget.min", lambda: min(budgets()), unit="{currency}"),
            ot.observe("budget.max", lambda: max(budgets()), unit="{currency}"),
            ot.observe("companies.solvent", lambda: sum(company.solvent for company in companies), unit="{company}"),
            ot.observe("produits_actifs", lambda: 7),
        ]
        transactions = telemetry.meter.create_counter("transactions", "{transaction}", "Transactions, by outcome.")
        amounts = telemetry.meter.create_histogram(
            "transaction.amount", "{currency}", explicit_bucket_boundaries_advisory=[1.0, 10.0]
        )
        tours = telemetry.meter.create_counter("tours_completes")

        @ot.timed("temps_simulation_tour")
        def tour(number: int) -> int:
            transactions.add(1, {"outcome": "success" if number else "failure"})
            amounts.record(5.0)
            tours.add(1)
            return number * number

        assert [tour(number) for number in range(3)] == [0, 1, 4]
        s = Scrape(telemetry) if monitored else None
        stop_all(stops)
    if s is None:
        return
    # budget_total, transactions_total, produits_actifs, tours_completes, temps_simulation_tour_seconds, CPU and memory
    assert (s("budget", continent="Europe"), s("budget", continent="Asia")) == (100.0, 40.0)
    assert (s("transactions_total", outcome="success"), s("transactions_total", outcome="failure")) == (2, 1)
    assert s("produits_actifs") == 7
    assert s("tours_completes_total") == 3
    assert s("temps_simulation_tour_seconds_count") == 3
    assert s("process_memory_usage_bytes") > 0
    assert s.all("process_cpu_time_seconds_total")
    # mean, min and max of budgets, solvent companies; amounts of transactions
    assert s("budget_mean") == pytest.approx(140 / 3)
    assert (s("budget_min"), s("budget_max"), s("companies_solvent")) == (-10, 100, 2)
    assert s("transaction_amount_sum") == 15
