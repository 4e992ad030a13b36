"""What Prometheus and Alertmanager say of themselves, and what Prometheus says always."""

from __future__ import annotations

from tests.unit.stack.prometheus.cases import Case, Cases, Fired, fired

PROMETHEUS = 'job="prometheus",instance="p"'
ALERTMANAGER = 'job="alertmanager",instance="am"'
TAKER = "http://am:9093/api/v2/alerts"
FIRST = "_x16 1x20"
"""A series that begins with its first event."""
NOTHING = Case({})


def failed(values: str, labels: str = "", started: int = 0, up: str = "1x40") -> dict[str, str]:
    return {
        f'alertmanager_notifications_failed_total{{{ALERTMANAGER},integration="webhook"{labels}}}': values,
        f"process_start_time_seconds{{{ALERTMANAGER}}}": f"{started}x40",
        f"up{{{ALERTMANAGER}}}": up,
    }


def lost(number: int) -> list[Fired]:
    said = f"{number} messages by webhook were lost at am in 15 minutes."
    return [fired(said, job="alertmanager", instance="am", integration="webhook")]


WATCHDOG = Case({}, fires=[fired("Rules were evaluated and alerts passed on at 1970-01-01 00:10:00 +0000 UTC.")])

CASES: Cases = {
    "TradingWatchdog": {"firing": WATCHDOG, "missing": WATCHDOG},
    "TradingNotificationsFailed": {
        "firing": Case(failed(FIRST), at="20m", fires=lost(1)),
        "missing": NOTHING,
        "for two reasons": Case(
            failed(FIRST, ',reason="serverError"') | failed(FIRST, ',reason="contextDeadlineExceeded"'),
            at="20m",
            fires=lost(2),
        ),
        "soon after it was started": Case(failed("_x4 1x20", started=180, up="_x3 1x20"), at="5m", fires=lost(1)),
        "before Prometheus looked": Case(failed("3x20", started=-86400, up="1x20"), at="5m"),
        "while nothing could be seen": Case(failed("7x4 stale _x20 7x20", up="1x4 0x20 1x20"), at="27m"),
        "more than a quarter of an hour ago": Case(failed("0 1x40"), at="30m"),
    },
    "TradingAlertsDropped": {
        "firing": Case(
            {f"prometheus_notifications_dropped_total{{{PROMETHEUS}}}": "0x4 0+2x20"},
            at="15m",
            fires=[fired("p lost 6 alerts in 3 minutes.", job="prometheus", instance="p")],
        ),
        "missing": NOTHING,
        "for each Alertmanager": Case(
            {
                f'prometheus_notifications_dropped_total{{{PROMETHEUS},alertmanager="{taker}"}}': "0x4 0+2x20"
                for taker in ("a", "b")
            },
            at="15m",
            fires=[fired("p lost 12 alerts in 3 minutes.", job="prometheus", instance="p")],
        ),
        "while Alertmanager starts": Case({f"prometheus_notifications_dropped_total{{{PROMETHEUS}}}": "0 3x20"}, at="7m"),
    },
    "TradingAlertmanagerErrors": {
        "firing": Case(
            {f'prometheus_notifications_errors_total{{{PROMETHEUS},alertmanager="{TAKER}"}}': "0x4 0+2x20"},
            at="15m",
            fires=[
                fired(f"{TAKER} did not take 6 alerts of p in 3 minutes.", job="prometheus", instance="p", alertmanager=TAKER)
            ],
        ),
        "missing": NOTHING,
        "once": Case({f'prometheus_notifications_errors_total{{{PROMETHEUS},alertmanager="{TAKER}"}}': "0x4 1x20"}),
    },
    "TradingAlertmanagerMissing": {
        "firing": Case(
            {f"prometheus_notifications_alertmanagers_discovered{{{PROMETHEUS}}}": "1x4 0x20"},
            at="12m",
            fires=[fired("p knows 0 Alertmanagers.", job="prometheus", instance="p")],
        ),
        "missing": NOTHING,
        "while Prometheus starts": Case(
            {f"prometheus_notifications_alertmanagers_discovered{{{PROMETHEUS}}}": "0 1x20"}, at="45s", every="15s"
        ),
    },
    "TradingRulesFailing": {
        "firing": Case(
            {f'prometheus_rule_evaluation_failures_total{{{PROMETHEUS},rule_group="/rules/mine.yml;mine"}}': "0x4 0+20x20"},
            at="16m",
            fires=[
                fired(
                    "100 evaluations of /rules/mine.yml;mine failed at p in 5 minutes.",
                    job="prometheus",
                    instance="p",
                    rule_group="/rules/mine.yml;mine",
                )
            ],
        ),
        "missing": NOTHING,
        "once": Case(
            {f'prometheus_rule_evaluation_failures_total{{{PROMETHEUS},rule_group="/rules/mine.yml;mine"}}': "0x4 1x20"},
            at="9m",
        ),
    },
    "TradingReloadFailed": {
        "firing": Case(
            {
                f"alertmanager_config_last_reload_successful{{{ALERTMANAGER}}}": "1x4 0x20",
                f"prometheus_config_last_reload_successful{{{PROMETHEUS}}}": "1x30",
            },
            at="12m",
            fires=[
                fired("am of the scrape job alertmanager did not take its configuration.", job="alertmanager", instance="am")
            ],
        ),
        "missing": NOTHING,
        "Prometheus' own": Case(
            {f"prometheus_config_last_reload_successful{{{PROMETHEUS}}}": "1x4 0x20"},
            at="12m",
            fires=[fired("p of the scrape job prometheus did not take its configuration.", job="prometheus", instance="p")],
        ),
    },
}
