"""The endpoint's port: the bot's, free, or somebody else's."""

from __future__ import annotations

import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from otel_trading.pipeline.settings import Settings
from otel_trading.stack.doctor.endpoint import check
from tests.harness import free_port


def settings(port: int, **more) -> Settings:
    return Settings.model_validate({"prometheus_port": port, **more})


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"# TYPE up gauge\nup 1\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other_page():
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def binds():
    """The kind and port of each socket that this thread binds meanwhile, as the interpreter itself reports it."""
    found: list[tuple[int, int]] = []
    me, watching = threading.get_ident(), True

    def heard(event: str, arguments: tuple) -> None:
        if watching and event == "socket.bind" and threading.get_ident() == me:
            bound, address = arguments
            found.append((bound.type, address[1]))

    sys.addaudithook(heard)  # there is no way to take it away again
    yield found
    watching = False


def test_a_bot_that_serves_is_found_with_its_name(configured):
    telemetry = configured(service_name="sma-bot")
    port = urlsplit(telemetry.endpoint_url).port

    bot, [finding] = check(settings(port))

    assert finding.status == "ok"
    assert "sma-bot" in finding.says
    assert (bot.service, bot.port) == ("sma-bot", port)


def test_another_bot_at_the_port_is_wrong(configured):
    telemetry = configured(service_name="sma-bot")

    _, [finding] = check(settings(urlsplit(telemetry.endpoint_url).port, service_name="other-bot"))

    assert finding.status == "wrong"
    assert "that of the bot sma-bot, these settings are for other-bot" in finding.says


def test_a_free_port_means_that_no_bot_runs():
    port = free_port()

    bot, [finding] = check(settings(port))

    assert bot is None
    assert (finding.status, finding.mend) == ("warning", "start the bot")


def test_the_port_is_never_bound_so_a_bot_that_starts_meanwhile_gets_it(binds):
    port = free_port()
    binds.clear()

    check(settings(port))

    assert [port for kind, port in binds if kind == socket.SOCK_STREAM] == []


def test_another_programs_page_is_no_bot_and_the_program_is_named(other_page):
    bot, [finding] = check(settings(other_page))

    assert bot is None
    assert finding.status == "wrong"
    assert f"port {other_page} is taken by another program" in finding.says
    assert f"process {os.getpid()}" in finding.says


def test_a_program_that_does_not_speak_http_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def hang_up() -> None:
            server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        _, [finding] = check(settings(port))

    assert finding.status == "wrong"
    assert f"process {os.getpid()}" in finding.says


def test_a_program_on_another_address_is_in_the_way_of_a_bot_that_wants_all_of_them():
    """127.0.0.2 is this machine, too."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]
        _, [of_all] = check(settings(port, prometheus_host="0.0.0.0", allow_unauthenticated=True))  # noqa: S104 - not bound
        _, [of_one] = check(settings(port, prometheus_host="127.0.0.1"))

    assert of_all.status == "wrong"
    assert f"process {os.getpid()}" in of_all.says
    assert of_one.mend == "start the bot"


def test_an_address_that_this_machine_does_not_have_is_wrong():
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    _, [finding] = check(settings(free_port(), prometheus_host="192.0.2.1", allow_unauthenticated=True))

    assert finding.status == "wrong"
    assert "192.0.2.1" in finding.says


def test_a_port_that_only_the_bot_knows_cannot_be_scraped():
    _, [finding] = check(settings(0))

    assert finding.status == "warning"
