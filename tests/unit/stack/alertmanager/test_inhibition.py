"""What is not said because something else explains it: alerts with the labels that they fire with, in a real Alertmanager."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

import pytest
import yaml

from otel_trading.stack.prometheus.alerts.alerting import WATCHDOG
from otel_trading.stack.prometheus.rules import alerts
from tests.harness import Alertmanager, wait_until
from tests.unit.stack.alertmanager.shipped import CONFIG, copy
from tests.unit.stack.prometheus import test_alerts
from tests.unit.stack.prometheus.cases import Fired

SEVERITIES = {alert.name: alert.severity for alert in alerts()}
FIRED: dict[str, Fired] = {name: cases["firing"].fires[0] for name, cases in test_alerts.CASES.items()}
RULES = yaml.safe_load(CONFIG.read_text())["inhibit_rules"]

ACCOUNT = "trading_account_name"
LIMIT = "trading_risk_limit_name"
COLLECTOR = "trading_collector"
GONE = ("TradingBotGone", {ACCOUNT: "", COLLECTOR: ""})
"""A bot of which nothing is there."""
ACCOUNT_GONE = ("TradingBotGone", {ACCOUNT: "main", COLLECTOR: ""})

jobs = (f"job{number}" for number in itertools.count())

Alert = Mapping[str, str]


def alert(what: str | tuple[str, Alert], job: str, **others: str) -> Alert:
    """An alert as it fires, of a job of its own; with other labels where they are given, without one that is empty."""
    name, given = (what, {}) if isinstance(what, str) else what
    labels = {"alertname": name, "severity": SEVERITIES[name], **FIRED[name].labels, "job": job, **given, **others}
    return {label: value for label, value in labels.items() if value}


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory) -> Iterator[Alertmanager]:
    with Alertmanager(copy(tmp_path_factory.mktemp("inhibition"))) as running:
        yield running


def inhibited(alertmanager: Alertmanager, labels: Alert) -> bool:
    [found] = [each for each in alertmanager.alerts() if each["labels"] == labels]
    return bool(found["status"]["inhibitedBy"])


def posted(alertmanager: Alertmanager, sources: Iterable[Alert], targets: Iterable[Alert]) -> None:
    alertmanager.post([{"labels": labels} for labels in [*targets, *sources]])


# What explains, what it explains, and what it does not, of the same bot.
CASES: dict[str, tuple[str | tuple[str, Alert], list[str | tuple[str, Alert]], list[str | tuple[str, Alert]]]] = {
    "a bot that is gone": (
        GONE,
        ["TradingStrategyStalled", "TradingMarketDataStale", "TradingErrors", "TradingBotStoppedUncleanly", ACCOUNT_GONE],
        ["TradingScrapeTargetDown", "TradingOtherTargetDown"],
    ),
    "an account that is gone": (
        ACCOUNT_GONE,
        [("TradingBotStoppedUncleanly", {ACCOUNT: "main"})],
        [("TradingBotStoppedUncleanly", {ACCOUNT: "other"}), "TradingStrategyStalled", "TradingVenueDisconnected"],
    ),
    "a strategy that hangs": (
        "TradingStrategyStalled",
        [
            *("TradingHeartbeatStalls", "TradingStrategyCyclesLate", "TradingStrategyCyclesFailing"),
            *("TradingInstrumentDataStale", "TradingFeaturesStale", "TradingReconciliationOverdue"),
        ],
        ["TradingHeartbeatMissed", "TradingVenueDisconnected", "TradingErrors"],
    ),
    "a loop that hangs": (
        "TradingHeartbeatMissed",
        ["TradingHeartbeatStalls", "TradingStrategyCyclesLate"],
        ["TradingStrategyStalled", ("TradingHeartbeatStalls", {"severity": "critical"})],
    ),
    "a venue that cannot be reached": (
        "TradingVenueDisconnected",
        ["TradingStreamDown", "TradingStreamFlapping", "TradingMarketDataStale", "TradingVenueErrors"],
        [("TradingStreamDown", {"trading_venue_name": "other"}), "TradingVenueKeyRefused", "TradingStrategyStalled"],
    ),
    "a stream that is down": (
        "TradingStreamDown",
        ["TradingStreamFlapping", "TradingMarketDataStale", "TradingInstrumentDataStale"],
        [("TradingMarketDataStale", {"trading_stream_name": "other"}), "TradingVenueErrors"],
    ),
    "a stream without data": (
        "TradingMarketDataStale",
        ["TradingInstrumentDataStale"],
        [("TradingInstrumentDataStale", {"trading_stream_name": "other"}), "TradingVenueErrors"],
    ),
    "a banned address": (
        "TradingVenueBanned",
        ["TradingVenueRateLimited", "TradingVenueRateLimitNear", "TradingVenueErrors"],
        ["TradingVenueDisconnected", ("TradingVenueErrors", {"trading_venue_name": "other"})],
    ),
    "a key that is refused": ("TradingVenueKeyRefused", ["TradingVenueErrors"], ["TradingVenueBanned"]),
    "a day's loss at its limit": (
        "TradingDailyLossLimit",
        ["TradingDailyLoss", ("TradingRiskLimitNear", {LIMIT: "max_daily_loss"})],
        [("TradingRiskLimitNear", {LIMIT: "max_drawdown"}), "TradingDrawdown", ("TradingDailyLoss", {ACCOUNT: "other"})],
    ),
    "a drawdown at its limit": (
        "TradingDrawdownLimit",
        ["TradingDrawdown", ("TradingRiskLimitNear", {LIMIT: "max_drawdown"})],
        [("TradingRiskLimitNear", {LIMIT: "max_daily_loss"}), "TradingDailyLoss"],
    ),
    "a circuit breaker that is open": (
        ("TradingCircuitBreakerOpen", {ACCOUNT: "main"}),
        [("TradingRiskLimitNear", {LIMIT: "max_drawdown"}), ("TradingRiskLimitNear", {LIMIT: "max_daily_loss"})],
        [("TradingRiskLimitNear", {"trading_circuit_breaker_name": "other"}), "TradingDrawdown"],
    ),
    "a win ratio that is very low": (
        "TradingWinRatioVeryLow",
        ["TradingWinRatioLow"],
        [("TradingWinRatioLow", {"trading_strategy_name": "other"}), "TradingLosingStreak"],
    ),
    "orders whose state is not known": (
        "TradingOrdersUnresolved",
        ["TradingOrdersUnknown"],
        [("TradingOrdersUnknown", {"trading_venue_name": "other"}), "TradingOrdersRejected"],
    ),
    "an objective of orders that is missed fast": (
        "TradingOrderLatencyBurningFast",
        ["TradingOrderLatencyBurningSlowly"],
        [
            ("TradingOrderErrorsBurningSlowly", {"slo": "order-errors"}),
            ("TradingOrderLatencyBurningSlowly", {"trading_venue_name": "other"}),
        ],
    ),
    "an objective of errors that is missed fast": (
        "TradingOrderErrorsBurningFast",
        ["TradingOrderErrorsBurningSlowly"],
        [("TradingOrderLatencyBurningSlowly", {"slo": "order-latency"})],
    ),
    "an objective of a model that is missed fast": (
        "TradingInferenceLatencyBurningFast",
        ["TradingInferenceLatencyBurningSlowly"],
        [("TradingInferenceLatencyBurningSlowly", {"trading_model_name": "other"})],
    ),
    "positions that differ": (
        "TradingPositionMismatch",
        ["TradingOrderMismatch"],
        [("TradingOrderMismatch", {ACCOUNT: "other"}), "TradingOrdersUnknown"],
    ),
    "a bot that crashes all the time": ("TradingBotCrashLooping", ["TradingBotRestarting"], ["TradingBotStoppedUncleanly"]),
    "a bot's own alert": ("TradingBotAlertCritical", ["TradingBotAlertWarnings"], ["TradingErrors"]),
    "a Collector that loses data": (
        "TradingCollectorFailing",
        ["TradingCollectorQueueFilling", "TradingCollectorRefusing"],
        [("TradingCollectorRefusing", {"instance": "other:8888"}), "TradingScrapeTargetDown"],
    ),
    "alerts that no Alertmanager takes": (
        "TradingAlertsDropped",
        ["TradingAlertmanagerErrors"],
        [("TradingAlertmanagerErrors", {"instance": "other:9090"}), "TradingRulesFailing"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_explained_is_silent_and_the_rest_is_not(name, alertmanager):
    source, silent, loud = CASES[name]
    job = next(jobs)
    shared = {
        label: value for label, value in alert(source, job).items() if label not in {"alertname", "severity", "job"} and value
    }
    targets = [alert(each, job, **_shared(each, shared)) for each in silent]
    others = [alert(each, job, **_shared(each, shared)) for each in loud] + [alert(silent[0], next(jobs))]
    posted(alertmanager, [alert(source, job)], targets + others)
    wait_until(lambda: all(inhibited(alertmanager, each) for each in targets), "each of them is silent")
    assert [each for each in others if inhibited(alertmanager, each)] == []
    assert not inhibited(alertmanager, alert(source, job))


def _shared(what: str | tuple[str, Alert], shared: Alert) -> Alert:
    """What both have labels for they have in common, unless the case says otherwise."""
    name, given = (what, {}) if isinstance(what, str) else what
    return {label: value for label, value in shared.items() if label in FIRED[name].labels and label not in given}


def test_bots_behind_a_collector_that_does_not_answer_are_not_called_gone(alertmanager):
    """But those behind another one are, and so are those of which it is not known; one with an endpoint is a target that is down."""
    job = next(jobs)
    target = alert(("TradingScrapeTargetDown", {COLLECTOR: job}), "otel-collector")
    behind = [alert(("TradingBotGone", {ACCOUNT: account, COLLECTOR: job}), "pushing") for account in ("", "main")]
    others = [alert(GONE, "scraped"), alert(("TradingBotGone", {ACCOUNT: "", COLLECTOR: "another"}), "elsewhere")]
    own = alert(("TradingScrapeTargetDown", {COLLECTOR: ""}), "scraped")
    posted(alertmanager, [target], [*behind, *others, own])
    wait_until(lambda: all(inhibited(alertmanager, each) for each in behind), "the bots are silent")
    assert [each for each in (*others, own, target) if inhibited(alertmanager, each)] == []


def test_the_watchdog_is_silenced_by_nothing_and_silences_nothing(alertmanager):
    """Somebody outside waits for it, and what it says is that alerts arrive."""
    job = next(jobs)
    watchdog = {"alertname": WATCHDOG, "severity": SEVERITIES[WATCHDOG]}
    others = [alert(name, job) for name in (*SEVERITIES, GONE) if name != WATCHDOG]
    without_job = [{label: value for label, value in each.items() if label != "job"} for each in others]
    posted(alertmanager, [watchdog], [*others, *without_job])
    silenced = alert("TradingHeartbeatStalls", job)
    wait_until(lambda: inhibited(alertmanager, silenced), "what is explained is silent")
    assert not inhibited(alertmanager, watchdog)
    silencing = {source for each in alertmanager.alerts() for source in each["status"]["inhibitedBy"]}
    [found] = [each for each in alertmanager.alerts() if each["labels"] == watchdog]
    assert found["fingerprint"] not in silencing


def named(matchers: Iterable[str]) -> list[str]:
    """What the names in matchers stand for: each alternative of a regular expression is one."""
    found = [re.match(r'alertname(?:=~|=)"([^"]+)"', matcher) for matcher in matchers]
    return [name for match in found if match for name in match[1].split("|")]


def pairs() -> list[tuple[str, str, tuple[str, ...]]]:
    """Each alert that explains, each that it explains, and the labels in which they are equal."""
    return [
        (source, target, tuple(rule.get("equal", ())))
        for rule in RULES
        for pattern in named(rule["source_matchers"])
        for source in SEVERITIES
        if re.fullmatch(pattern, source)
        for other in named(rule["target_matchers"])
        if other != "Trading.+"
        for target in SEVERITIES
        if re.fullmatch(other, target)
    ]


def test_every_name_is_that_of_an_alert():
    names = [name for rule in RULES for side in ("source_matchers", "target_matchers") for name in named(rule[side])]
    assert [name for name in names if not any(re.fullmatch(name, each) for each in SEVERITIES)] == []


def test_alerts_that_are_compared_have_the_labels_in_which_they_are_compared():
    """A label that neither has is equal: so both have it, or neither, as they fire in the rules' own tests.

    Alerts of two objectives are not compared: `slo` tells them apart.
    """
    wrong = [
        f"{source} and {target}: {label}"
        for source, target, equal in pairs()
        if FIRED[source].labels.get("slo") == FIRED[target].labels.get("slo")
        for label in equal
        if (label in FIRED[source].labels) != (label in FIRED[target].labels)
    ]
    assert wrong == []


def test_every_pair_of_the_configuration_is_in_a_case():
    def name(what: str | tuple[str, Alert]) -> str:
        return what if isinstance(what, str) else what[0]

    tested = {(name(source), name(target)) for source, silent, _ in CASES.values() for target in silent}
    tested.add(("TradingScrapeTargetDown", "TradingBotGone"))
    sources = {source for source, _ in tested}
    assert {source for source, _, _ in pairs()} <= sources
    assert {target for _, target, _ in pairs()} <= {target for _, target in tested}
