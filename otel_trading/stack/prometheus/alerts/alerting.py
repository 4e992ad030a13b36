"""Whether an alert would reach anybody: Prometheus, Alertmanager and the way from one to the other, and on to a person.

Both have to be scraped for it, as the jobs of any name that Prometheus' configuration gives them.
"""

from __future__ import annotations

from typing import Final

from otel_trading.stack.prometheus.model import Alert, Group, Threshold, told, value
from otel_trading.stack.promql import target_grown

WATCHDOG: Final = "TradingWatchdog"
"""Fires always: somebody outside misses it when nothing fires any more. So nobody counts it among what is wrong."""

_YOUNG: Final = "time() - process_start_time_seconds < {seconds}"
"""Prometheus and Alertmanager say when they were started."""

GROUP: Final = Group(
    "trading-alerting-alerts",
    (
        Alert(
            name=WATCHDOG,
            expr="vector(time())",
            summary="Fires always: when it is not heard any more, no other alert would be.",
            description="Rules were evaluated and alerts passed on at {{ $value | humanizeTimestamp }}.",
            dashboard="trading-sdk",
            variable=None,
            severity="info",
            pending="0s",
        ),
        Alert(
            name="TradingNotificationsFailed",
            # Since 0.26 there is a label for the reason.
            expr=(
                target_grown("alertmanager_notifications_failed_total", "15m", young=_YOUNG, without="reason") + " > $threshold"
            ),
            summary="Alertmanager cannot reach those whom it should tell.",
            description=f"{value()} messages by {told('integration')} were lost at {told('instance')} in 15 minutes.",
            dashboard="trading-sdk",
            variable=None,
            severity="critical",
            pending="0s",
            threshold=Threshold(0, "messages lost within a quarter of an hour"),
        ),
        Alert(
            name="TradingAlertsDropped",
            # Not what is lost while Alertmanager starts: alerts that fire are sent again each minute. Some versions count for
            # each Alertmanager.
            expr="sum without (alertmanager) (increase(prometheus_notifications_dropped_total[3m])) > 0",
            summary="Prometheus loses alerts: no Alertmanager takes them.",
            description=f"{told('instance')} lost {value()} alerts in 3 minutes.",
            dashboard="trading-sdk",
            variable=None,
            severity="critical",
            pending="5m",
        ),
        Alert(
            name="TradingAlertmanagerErrors",
            expr="increase(prometheus_notifications_errors_total[3m]) > 0",
            summary="One Alertmanager does not take what Prometheus sends it.",
            description=f"{told('alertmanager')} did not take {value()} alerts of {told('instance')} in 3 minutes.",
            dashboard="trading-sdk",
            variable=None,
            pending="5m",
        ),
        Alert(
            name="TradingAlertmanagerMissing",
            expr="max_over_time(prometheus_notifications_alertmanagers_discovered[5m]) < 1",
            summary="Prometheus knows no Alertmanager.",
            description=f"{told('instance')} knows {value()} Alertmanagers.",
            dashboard="trading-sdk",
            variable=None,
            severity="critical",
        ),
        Alert(
            name="TradingRulesFailing",
            expr="increase(prometheus_rule_evaluation_failures_total[5m]) > 0",
            summary="Rules cannot be evaluated, so their alerts cannot fire.",
            description=f"{value()} evaluations of {told('rule_group')} failed at {told('instance')} in 5 minutes.",
            dashboard="trading-sdk",
            variable=None,
            severity="critical",
            pending="5m",
        ),
        Alert(
            name="TradingReloadFailed",
            expr=(
                'max_over_time({__name__=~"prometheus_config_last_reload_successful|alertmanager_config_last_reload_successful"}'
                "[5m]) == 0"
            ),
            summary="Prometheus or Alertmanager refuses its changed configuration and goes on with the old one.",
            description=f"{told('instance')} of the scrape job {told('job')} did not take its configuration.",
            dashboard="trading-sdk",
            variable=None,
        ),
    ),
)
