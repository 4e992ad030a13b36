"""Names of samples on the endpoint, compared with the registry."""

from __future__ import annotations

from otel_trading.stack.doctor.endpoint import Bot
from otel_trading.stack.doctor.names import KNOWN, check, losses


def bot(*names: str, value: float = 1.0, **labels: str) -> Bot:
    return Bot("http://127.0.0.1:9464/metrics", 9464, samples=[(name, labels, value) for name in names])


def test_the_registrys_names_are_those_of_the_reference_page():
    # As docs/reference/metrics.md and a scrape have them: counters end in _total, a histogram is three.
    assert {"trading_orders_total", "trading_order_duration_seconds_bucket", "trading_drawdown_current_ratio"} <= KNOWN
    assert "trading_order_duration_seconds" not in KNOWN


def test_names_of_the_registry_of_others_and_times_of_creation_are_right():
    [finding] = check(
        None, bot("trading_orders_total", "trading_orders_created", "my_own_jobs_total", "process_uptime_seconds"), []
    )

    assert finding.status == "ok"


def test_a_name_with_our_prefix_that_no_rule_knows_is_named():
    [finding] = check(None, bot("trading_orders_total", "trading_oders_total"), [])

    assert finding.status == "warning"
    assert "trading_oders_total" in finding.says
    assert "trading_orders_total" not in finding.says


def test_names_without_their_suffixes_are_the_collectors_wrong_setting():
    [finding] = check(None, bot("trading_orders", "trading_order_duration_bucket"), [])

    assert finding.status == "wrong"
    assert "UnderscoreEscapingWithSuffixes" in finding.mend


def test_what_was_dropped_is_told_with_its_reasons():
    [finding] = losses(None, bot("trading_sdk_dropped_total", value=3.0, trading_sdk_drop_reason="not_finite"), [])

    assert finding.status == "warning"
    assert finding.says == "3 measurements were dropped: not_finite"


def test_a_counter_at_zero_lost_nothing():
    [finding] = losses(None, bot("trading_sdk_dropped_total", value=0.0), [])

    assert finding.status == "ok"
