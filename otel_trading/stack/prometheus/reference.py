"""Writes docs/alerts.md and the index of docs/runbooks: `python -m otel_trading.stack.prometheus.reference [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from otel_trading.stack.prometheus.model import Alert, Group, Record
from otel_trading.stack.prometheus.rules import FILES, alerts

DOCS: Final = Path(__file__).parents[3] / "docs"

_MARK: Final = "<!-- Written by `make generate` from otel_trading/stack/prometheus; edit that. -->"

_ALERTS: Final = f"""\
# Alerts

{_MARK}

The rules that come with the SDK, for any Prometheus from 2.42 on, whether it scrapes the bot or the Collector. Each alert
has a page that says what it means, what to look at and what to do: its `runbook_url` leads there, its `dashboard_url` to the
dashboard that shows it. `critical` wakes somebody, `warning` is looked at today, `info` is worth knowing.

## Change them

`otel-trading stack init DIR` writes `DIR/alerts.yaml` with every default in it. Change what you like and run the command again;
the rules in `DIR/prometheus/rules` are written anew; send Prometheus a SIGHUP, or start the stack again, so that it reads them.
What you leave out of the file stays as it is below.

```yaml
alerts:
  TradingStrategyStalled:
    threshold: 5          # what it counts stands in the table below
    for: 2m               # how long it has to be so before it fires
    severity: warning
  TradingBotRestarting:
    enabled: false
```

A name, a key or a value that is not allowed is refused, with the file, the setting and what is allowed; so is a name that
stands twice in one place: add to what is there. `runbook_url` is where the pages are, `{{alert}}` in it stands for the name of
the alert; Prometheus itself serves them by default.

## Objectives

Alerts whose names end in `BurningFast` and `BurningSlowly` watch objectives: a share of events that has to be good. They are
those of [chapter 5 of Google's Site Reliability Workbook](https://sre.google/workbook/alerting-on-slos/). Fast means that what
an objective allows in 30 days is used up at 14.4 times that pace, over an hour and over its last five minutes, or at 6 times,
over six hours and 30 minutes; slowly is 3 times, over a day and two hours, or more than is allowed at all, over three days and
six hours. With fewer than ten events in the longer window they say nothing.

```yaml
slos:
  order_latency:          # of the orders that the venue answered, 99 % within a second
    objective: 0.99
    seconds: 1            # one of the bounds of trading.order.duration: between two of them a histogram cannot tell
  order_errors:           # of the orders that were sent, 95 % got an answer; the bot's own mistakes do not count
    objective: 0.95
  inference_latency:
    objective: 0.99
    seconds: 0.1
```

`slo:sli_error:ratio_rate1h{{slo="order-latency"}}` and the like are the shares that were bad, for dashboards.

## Who is told

`DIR/alertmanager/alertmanager.yml` sends nothing until you fill it in: alerts are seen in Alertmanager's own page only. Under
`receivers` there are examples for Telegram, a webhook, Slack and e-mail; take `# ` away from the lines of one, fill in what is
in capitals, put the token or password into a file of `DIR/secrets/alertmanager` and send Alertmanager a SIGHUP. Messages
bring the links to the runbook and the dashboard. Then see one arrive:

```console
$ otel-trading stack test-alert DIR --severity critical
http://127.0.0.1:9093 has TradingTest, critical; it ends by itself at 22:50:12 UTC.
The receiver critical tells it by telegram, after 10s or so.
If it does not arrive, the log of Alertmanager says why.
```

It says of itself that it is a test, has the links that alerts have, and its exit code is 1 where nobody is told. `otel-trading
doctor`, `stack init` and `stack up --local` say so as long as nobody is told of `critical` or `warning` alerts. Alertmanager
reads the tokens of Telegram and the addresses of webhooks from files since 0.26. For an older one they stand in
`alertmanager.yml` itself, which is written for its owner alone for that; the doctor says if it was opened to others.

| severity | told | again |
|---|---|---|
| `critical` | after 10 s | every hour |
| `warning`, or none | after a minute, together with others of the bot and account | every 12 hours |
| `info` | one message a day about everything | every day |

What something else explains is not told: of a bot that is gone nothing but that; of a limit that is reached not that it is
near; of a venue that cannot be reached not its streams. `inhibit_rules` has them all. Bots behind a Collector that is
down are not called gone, if it is the only one: behind which of two a bot is cannot be told. `TradingWatchdog` is silenced by
nothing.

## Who watches the watcher

When the machine, Prometheus or Alertmanager is down, no alert says so. `TradingWatchdog` fires as long as all is well, and goes
once a minute to the receiver `watchdog` and to no other; that it is over is never told. Behind it belongs a service elsewhere
that waits for a call, and wakes you when none comes, such as healthchecks.io, Dead Man's Snitch or the heartbeat monitor of
another one. Make a check there with a period of a minute and a grace of some minutes, put its address into
`DIR/secrets/alertmanager/watchdog-url`, and take `# ` away from the lines of the receiver. Then stop Alertmanager once, and
see that you hear of it.

## Links that lead somewhere from outside

Everything listens on 127.0.0.1, so the links in a message work on that machine only. Neither Prometheus nor Alertmanager asks
who is there, so do not publish them as they are. What does:

- **A VPN** (WireGuard, Tailscale) between your phone and the machine, with a proxy on the VPN's address.
- **A reverse proxy** with TLS that asks for a password, such as Caddy or nginx. Under a path of its own, such as
  `https://watch.example.org/prometheus/`, it has to take the path away: what is behind it listens at `/`.
- **A tunnel** on demand: with `ssh -L 9090:127.0.0.1:9090 -L 3000:127.0.0.1:3000 HOST` the links work as they are.

Then say in `DIR/.env`, which Compose and `stack up --local` read, what the links begin with; run
`otel-trading stack init DIR` again, and start the parts again.

| link | `.env` | with `up --local` as well |
|---|---|---|
| runbooks, and the source of an alert | `PROMETHEUS_EXTERNAL_URL` | `--prometheus-external-url` |
| Alertmanager in messages | `ALERTMANAGER_EXTERNAL_URL` | `--alertmanager-external-url` |
| dashboards | `GRAFANA_EXTERNAL_URL`, unless `alerts.yaml` has a `grafana_url` | |

The link to a dashboard shows the bot of the alert alone, `?var-job=sma-bot`. An alert that is about none leads to all of them.

## Markets that close

Shares and futures stand still at night, and `TradingMarketDataStale` calls that critical after two minutes. A market that never
closes needs nothing. For the others `alertmanager.yml` has the hours of the New York Stock Exchange ready: take `# ` away
from `time_intervals` and from the two routes that name `nyse`, and write the job of your bots in place of `STOCK-BOT`. Of
their stale market data, streams and features and missing predictions you are told then while the market is open only, from
five minutes after it opens; of all else, and of other bots, always. Alerts still fire and are seen in Alertmanager.

- Other hours are another `start_time`, `end_time` and `location`; one that closes over midnight is two times.
- Holidays that move, and half days, are for you to add to `nyse-holidays` each year.
- A strategy that pauses at night raises `TradingStrategyStalled`: add it to the first route's names.
- `active_time_intervals` needs Alertmanager 0.25 or later, as `location` does.

## What Prometheus has to scrape

`DIR/prometheus/prometheus.yml` has all of it. With a Prometheus of your own, mind these:

- All of it every 30 seconds at least: rules look back one minute for what may be gone, and are silent between rarer scrapes.
- Prometheus and Alertmanager themselves, under any job: the alerts on [alerting](#alerting) look at them.
- A target that is down wakes somebody if `up` has the label `trading_target`, whatever its value; of others there is a warning,
  `TradingOtherTargetDown`. `relabel_configs` set it, `metric_relabel_configs` take it away from all but `up` and its like.
- The label `trading_collector` of a Collector, its address, says that bots are behind it.
- Limits of a scrape are seen only with `--enable-feature=extra-scrape-metrics`: `TradingScrapeNearLimit` needs it.

## Add your own

Any other file in `DIR/prometheus/rules` that ends in `.yml` is yours: Prometheus reads it, and nothing overwrites it. The
recording rules below are there to build on. A new alert for one account, and an alert on a metric of your own:

```yaml
groups:
  - name: my-alerts
    rules:
      - alert: HedgeAccountOutOfCash
        expr: max without (instance) (max_over_time(trading_portfolio_cash{{trading_account_name="hedge"}}[5m])) < 1000
        for: 5m
        labels: {{severity: warning}}
      - alert: ModelIsOld
        expr: time() - max without (instance) (my_model_trained_time_seconds) > 30 * 86400
        labels: {{severity: info}}
```

- Prometheus keeps the series of a bot that was moved or restarted under another instance for some minutes, so two instances may
  be one bot: never add gauges up over `instance`. For an account's figures take those of the instance that was heard of last,
  which `account_instance:trading_alive_time_seconds:newest` names; for times take the latest; for counters add up
  what they grew by.
- Compare times with the clock, `time() - x_time_seconds`: that goes on rising when the bot hangs.
- Test them as these are tested: `promtool check rules` and `promtool test rules`.
"""

_RUNBOOKS: Final = f"""\
# Runbooks

{_MARK}

A page for each alert; [alerts](../alerts.md) says when they fire. Its queries can be copied as they
are into Prometheus or Grafana.

Of what is counted many pages ask `x_total unless x_total offset 15m == x_total`: the series that counted something within a
quarter of an hour, with their count since the bot started. `increase()` would leave out what happened for the first time, since
a series begins with its first event and does not rise by it.

"""

_RECORDS: Final = """\

## Recording rules

Named `level:metric:operations`: the labels that are left, what it was made of, and how.

"""


def pages() -> dict[Path, str]:
    """Return each page's text."""
    groups = [group for groups in FILES.values() for group in groups]
    alerting = "".join(_alerts(group) for group in groups if any(isinstance(rule, Alert) for rule in group.rules))
    return {
        DOCS / "alerts.md": f"{_ALERTS}{alerting}{_RECORDS}{''.join(map(_records, groups))}",
        DOCS / "runbooks" / "README.md": _RUNBOOKS
        + "".join(f"- [{alert.name}]({alert.name}.md): {alert.summary}\n" for alert in alerts()),
    }


def _alerts(group: Group) -> str:
    title = group.name.removeprefix("trading-").removesuffix("-alerts").replace("-", " ").capitalize()
    rows = [_alert(rule) for rule in group.rules if isinstance(rule, Alert)]
    return f"\n## {title}\n\n| alert | when | threshold | for | severity |\n|---|---|---|---|---|\n{''.join(rows)}"


def _alert(alert: Alert) -> str:
    limit = f"{alert.threshold.value:g} {alert.threshold.meaning}" if alert.threshold else ""
    cells = (f"[{alert.name}](runbooks/{alert.name}.md)", alert.summary, limit, alert.pending, alert.severity)
    return f"| {' | '.join(cells)} |\n"


def _records(group: Group) -> str:
    return "".join(f"- `{_selector(rule)}`: {rule.meaning}\n" for rule in group.rules if isinstance(rule, Record))


def _selector(rule: Record) -> str:
    labels = ", ".join(f'{name}="{value}"' for name, value in rule.labels.items())
    return f"{rule.name}{{{labels}}}" if labels else rule.name


def main() -> int:
    """Write the pages, or with `--check` say which are not as they would be written."""
    old = {page: page.read_text(encoding="utf-8") if page.is_file() else "" for page in pages()}
    wrong = [page for page, text in pages().items() if old[page] != text]
    if "--check" in sys.argv[1:]:
        for page in wrong:
            sys.stderr.write(f"{page.relative_to(DOCS.parent)} is out of date: run `make generate`.\n")
        return bool(wrong)
    for page in wrong:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(pages()[page], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
