"""Clocks that differ, told by real HTTP servers that answer as Prometheus does."""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from otel_trading.stack.doctor.asking import Prometheus, UnansweredError
from otel_trading.stack.doctor.clock import check, synchronised
from otel_trading.stack.doctor.seen import Sighting

BOT = Sighting("sma-bot", "i-1", "sma-bot", "i-1", 0.0)


@pytest.fixture
def serve():
    """A server that answers queries: its clock is ahead of ours, and it has these series for a text in the query."""
    servers = []

    def start(ahead: float = 0.0, **series: tuple[dict[str, str], float]) -> Prometheus:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)["query"][0]
                now = time.time() + ahead
                if query == "time()":
                    result: object = [now, str(now)]
                else:
                    found = [series[text] for text in series if text in query]
                    result = [{"metric": labels, "value": [now, str(value)]} for labels, value in found]
                body = json.dumps({"status": "success", "data": {"resultType": "any", "result": result}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return Prometheus(f"http://127.0.0.1:{server.server_port}")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("ahead", "way"), [(90.0, "ahead of"), (-3600.0, "behind")], ids=["ahead", "behind"])
def test_a_clock_that_is_off_is_told_by_how_much_and_which_way(ahead, way, serve):
    [finding] = check(serve(ahead), [BOT], 0.5)

    assert finding.status == "wrong"
    said = re.fullmatch(rf"Prometheus' clock is ([0-9]+\.[0-9]) s {way} this machine's", finding.says)
    assert said
    assert float(said[1]) == pytest.approx(abs(ahead), abs=10), "as exactly as an answer takes time"
    assert "NTP" in finding.mend


def test_clocks_that_agree_are_right(serve):
    [finding] = check(serve(), [BOT], 0.5)

    assert finding.status == "ok"


def test_a_bot_whose_beats_are_still_to_come_has_a_clock_that_is_ahead(serve):
    [finding] = check(serve(trading_heartbeat=({"job": "sma-bot", "instance": "i-1"}, 42.0)), [BOT], 0.5)

    assert finding.says == "the clock of sma-bot is at least 42.0 s ahead of Prometheus'"


def test_a_venue_whose_clock_is_another_is_named(serve):
    labels = {"job": "sma-bot", "trading_venue_name": "kraken"}

    [finding] = check(serve(trading_venue_clock_offset=(labels, 1.25)), [BOT], 0.5)

    assert finding.says == "the clock of sma-bot is 1.25 s away from that of kraken"


def test_other_bots_clocks_are_not_this_ones(serve):
    other = {"job": "other", "instance": "i-2"}

    [finding] = check(serve(trading_heartbeat=(other, 42.0), trading_venue_clock_offset=(other, 1.25)), [BOT], 0.5)

    assert finding.status == "ok"


def test_a_server_that_is_no_prometheus_is_told_of():
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(UnansweredError, match="it answers 200, and not as Prometheus does"):
            Prometheus(f"http://127.0.0.1:{server.server_port}").query("up")
        server.shutdown()


@pytest.mark.parametrize("url", ["127.0.0.1:9090", "file:///etc/hostname", "http://[::1", "http://:9090"])
def test_an_address_that_is_none_is_told_of(url):
    with pytest.raises(UnansweredError):
        Prometheus(url).version()


# adjtimex(2): maxerror is in microseconds and grows by 500 a second while nobody corrects it, up to 16 s (NTP_PHASE_LIMIT).
@pytest.mark.parametrize(
    ("maxerror", "status"), [(2_500, "ok"), (15_999_999, "ok"), (16_000_000, "warning")], ids=["good", "drifting", "unknown"]
)
def test_the_kernels_own_bound_says_if_ntp_keeps_the_clock(maxerror, status):
    assert synchronised(maxerror).status == status
