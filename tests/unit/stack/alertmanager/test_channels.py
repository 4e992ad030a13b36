"""What arrives at each channel of the configuration, once it is filled in: secrets come from files, links are in the message."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.harness import Alertmanager, Listener, fetch, free_port, wait_until
from tests.harness.ports import LOOPBACK
from tests.unit.stack.alertmanager.shipped import copy, filled_in, with_secrets

RUNBOOK = "http://prometheus:9090/consoles/runbooks/{}.html"
DASHBOARD = "http://127.0.0.1:3000/d/trading-overview"

TELEGRAM = '{"ok": true, "result": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "group"}}}'


class Mail:
    """A mail server that asks for a password, and keeps what it gets."""

    def __init__(self) -> None:
        self.logins: set[tuple[bytes, bytes]] = set()
        self.letters: list[Envelope] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        self.letters.append(envelope)
        return "250 OK"

    def __call__(self, server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        self.logins.add((data.login, data.password))
        return AuthResult(success=True)


class Channels(NamedTuple):
    alertmanager: Alertmanager
    telegram: Listener
    webhook: Listener
    slack: Listener
    watchdog: Listener
    mail: Mail


@pytest.fixture(scope="module")
def channels(tmp_path_factory) -> Iterator[Channels]:
    directory = tmp_path_factory.mktemp("channels")
    config = copy(directory)
    mail = Mail()
    server = Controller(
        mail, LOOPBACK, free_port(), authenticator=mail, auth_require_tls=False, auth_exclude_mechanism=["LOGIN"]
    )
    server.start()
    try:
        with (
            Listener(TELEGRAM, "application/json") as telegram,
            Listener() as webhook,
            Listener() as slack,
            Listener() as watchdog,
        ):
            text = with_secrets(
                filled_in().replace("SMTP.EXAMPLE.ORG:587", f"{LOOPBACK}:{server.port}"),
                directory,
                **{
                    "telegram-bot-token": "123:telegram-secret",
                    "webhook-url": f"{webhook.url}/webhook-secret",
                    "webhook-token": "token-secret",
                    "watchdog-url": f"{watchdog.url}/watchdog-secret",
                    "slack-url": f"{slack.url}/slack-secret",
                    "smtp-password": "smtp-secret",
                },
            )
            config.write_text(hurried(text, telegram.url))
            with Alertmanager(config) as alertmanager:
                yield Channels(alertmanager, telegram, webhook, slack, watchdog, mail)
    finally:
        server.stop()


def hurried(text: str, telegram: str) -> str:
    """Without waiting, and with what a loopback server needs: no TLS for mail, another address for Telegram."""
    contents = yaml.safe_load(text)
    for route in (contents["route"], *contents["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "1s"}
        if route["receiver"] == "watchdog":  # 55 s of two times 30 s
            route["repeat_interval"] = "1900ms"
    for receiver in contents["receivers"]:
        for channel in receiver.get("telegram_configs", []):
            channel["api_url"] = telegram
        for channel in receiver.get("email_configs", []):
            channel["require_tls"] = False
    return yaml.safe_dump(contents)


def alert(severity: str, name: str, **times: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, "severity": severity, "job": "sma-bot", "trading_account_name": "main"},
        "annotations": {
            "summary": f"The summary of {name}.",
            "description": "Fewer than 3 < 4 & more.",
            "runbook_url": RUNBOOK.format(name),
            "dashboard_url": DASHBOARD,
        },
        **times,
    }


def messages(listener: Listener, name: str) -> list[str]:
    return [request.body for request in listener.heard if name in request.body]


def test_telegram_gets_what_is_critical_with_links_and_the_end_of_it(channels):
    name = "TradingTelegram"
    channels.alertmanager.post([alert("critical", name)])
    wait_until(lambda: messages(channels.telegram, name), "Telegram hears of it")
    [request] = [request for request in channels.telegram.heard if name in request.body]
    assert request.path == "/bot123:telegram-secret/sendMessage"
    message = json.loads(request.body)
    assert message["chat_id"] == "-1001234567890"
    assert message["parse_mode"] == "HTML"
    assert message["text"].startswith(f"<b>1 firing, critical: sma-bot main {name}</b>\n")
    assert f"<b>{name}</b> (critical) The summary of {name}.\nFewer than 3 &lt; 4 &amp; more.\n" in message["text"]
    assert f'<a href="{RUNBOOK.format(name)}">Runbook</a>' in message["text"]
    assert f'<a href="{DASHBOARD}">Dashboard</a>' in message["text"]
    channels.alertmanager.post([alert("critical", name, endsAt="2020-01-01T00:00:00Z")])
    wait_until(lambda: len(messages(channels.telegram, name)) == 2, "Telegram hears that it is over")
    over = json.loads(messages(channels.telegram, name)[1])["text"]
    assert over.startswith(f"<b>resolved, critical: sma-bot main {name}</b>\n")
    assert f"Resolved: {name}. Fewer than 3 &lt; 4 &amp; more." in over


def test_a_webhook_gets_the_alert_itself(channels):
    name = "TradingWebhook"
    channels.alertmanager.post([alert("critical", name)])
    wait_until(lambda: messages(channels.webhook, name), "the webhook hears of it")
    [request] = [request for request in channels.webhook.heard if name in request.body]
    assert request.path == "/webhook-secret"
    assert request.headers["Authorization"] == "Bearer token-secret"
    [told] = json.loads(request.body)["alerts"]
    assert told["annotations"] == alert("critical", name)["annotations"]


def test_slack_gets_a_warning_with_links(channels):
    name = "TradingSlack"
    channels.alertmanager.post([alert("warning", name)])
    wait_until(lambda: messages(channels.slack, name), "Slack hears of it")
    [request] = [request for request in channels.slack.heard if name in request.body]
    assert request.path == "/slack-secret"
    message = json.loads(request.body)
    [attachment] = message["attachments"]
    assert message["channel"] == "#TRADING"
    assert attachment["title"] == f"1 firing, warning: sma-bot main {name}"
    assert f"*{name}* (warning) The summary of {name}.\nFewer than 3 < 4 & more.\n" in attachment["text"]
    assert f"<{RUNBOOK.format(name)}|Runbook>  <{DASHBOARD}|Dashboard>" in attachment["text"]


def test_a_service_outside_hears_the_switch_again_and_again_and_nobody_else_does(channels):
    """And it is not told when the alert is over: what it waits for has to stay away then."""
    name = "TradingWatchdog"
    labels = {"alertname": name, "severity": "info"}
    channels.alertmanager.post([{"labels": labels}])
    wait_until(lambda: len(messages(channels.watchdog, name)) >= 3, "it is heard three times")
    channels.alertmanager.post([{"labels": labels, "endsAt": "2020-01-01T00:00:00Z"}])
    marker = alert("critical", "TradingAfterTheSwitch")
    channels.alertmanager.post([marker])
    wait_until(lambda: messages(channels.webhook, "TradingAfterTheSwitch"), "what comes later is heard")
    assert {request.path for request in channels.watchdog.heard} == {"/watchdog-secret"}
    assert {json.loads(body)["status"] for body in messages(channels.watchdog, name)} == {"firing"}
    for other in (channels.telegram, channels.webhook, channels.slack):
        assert messages(other, name) == []
    assert [each for each in channels.mail.letters if name in _text(each)] == []


def test_many_alerts_at_once_are_told_within_what_a_messenger_takes(channels):
    """Telegram takes 4096 characters; Alertmanager would cut a longer message, in the middle of a link."""
    channels.alertmanager.post([{**one, "labels": {**one["labels"], "job": "many"}} for one in _many(30)])
    wait_until(lambda: messages(channels.telegram, "30 firing"), "Telegram hears of all")
    text = json.loads(messages(channels.telegram, "30 firing")[0])["text"]
    assert len(text) < 4096
    assert text.count(">Runbook</a>") == 8
    assert "\nOnly the first 8 of 30 are told here." in text


def _many(number: int) -> list[dict[str, Any]]:
    return [alert("critical", f"TradingMany{each:02}") for each in range(number)]


def test_mail_brings_what_is_worth_knowing_with_links(channels):
    name = "TradingMail"
    channels.alertmanager.post([alert("info", name)])
    [letter] = wait_until(lambda: [each for each in channels.mail.letters if name in _text(each)], "a letter comes")
    assert channels.mail.logins == {(b"ALERTS@EXAMPLE.ORG", b"smtp-secret")}
    assert letter.rcpt_tos == ["YOU@EXAMPLE.ORG"]
    text = _text(letter)
    assert f"Subject: 1 firing, info: sma-bot main {name}" in text
    assert f"The summary of {name}.<br>" in text
    assert html.escape("Fewer than 3 < 4 & more.") in text
    assert f'<a href="{RUNBOOK.format(name)}">Runbook</a>' in text


def _text(letter: Envelope) -> str:
    """The letter with the line breaks of quoted-printable taken away."""
    assert isinstance(letter.content, bytes)
    return letter.content.decode().replace("=\r\n", "").replace("=3D", "=")


def test_no_secret_is_in_the_configuration_that_alertmanager_shows(channels):
    shown = fetch(f"{channels.alertmanager.url}/api/v2/status").text
    assert "otel_trading.telegram" in shown
    # The webhook's address is one only where it has a file, from 0.26 on.
    assert [secret for secret in ("telegram", "token", "slack", "smtp") if f"{secret}-secret" in shown] == []
