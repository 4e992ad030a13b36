"""A bot with an endpoint is found without having been named, and is left alone by us once Prometheus scrapes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from otel_trading.stack.lookout import SCRAPE_INTERVAL, Lookout
from tests.harness import Prometheus, job, refusing_port, wait_until
from tests.harness.ports import LOOPBACK


class Bot:
    """An endpoint that counts who asks it."""

    def __init__(self, metrics: bytes) -> None:
        self.metrics = metrics
        self.asked = 0
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                bot.asked += "Prometheus" not in self.headers["User-Agent"]
                self.send_response(200)
                self.send_header("Content-Length", str(len(bot.metrics)))
                self.end_headers()
                self.wfile.write(bot.metrics)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
                pass

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.address = f"{LOOPBACK}:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def bot() -> Iterator[Bot]:
    bot = Bot(b"trading_sdk_errors_total 0\n")
    yield bot
    bot.end()


@pytest.fixture(scope="module")
def scraped() -> Iterator[Bot]:
    """A bot that Prometheus has as a target already."""
    bot = Bot(b"trading_sdk_errors_total 0\n")
    yield bot
    bot.end()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory, scraped) -> Iterator[Prometheus]:
    with Prometheus([job("mine", f"http://{scraped.address}")], directory=tmp_path_factory.mktemp("prometheus")) as server:
        wait_until(lambda: server.get("targets", state="active")["activeTargets"], "Prometheus has its targets")
        yield server


class Looked:
    """A lookout, with all that it has said."""

    def __init__(self, directory: Path, bot: str, prometheus: str) -> None:
        self.said: list[str] = []
        self.bots = directory / "bots.yml"
        self.found = directory / "placed" / "targets" / "bots-found.yml"
        self.found.parent.mkdir(parents=True)
        self.lookout = Lookout(
            bot,
            prometheus=prometheus.removeprefix("http://"),
            bots=self.bots,
            placed=directory / "placed",
            say=self.said.append,
        )

    def over(self, seconds: int) -> None:
        for now in range(seconds):
            self.lookout.look(1000.0 + now)


def test_a_bot_is_scraped_from_its_first_answer_on_and_not_asked_again(tmp_path, prometheus, bot):
    looked = Looked(tmp_path, bot.address, prometheus.url)
    looked.over(600)
    assert yaml.safe_load(looked.found.read_text()) == [{"targets": [bot.address]}]
    assert looked.said == [f"A bot answers at {bot.address}: it is scraped from now on, as the job trading-bots."]
    assert bot.asked == 1


def test_what_is_no_bot_is_asked_ever_less_often(tmp_path, prometheus, bot):
    """At 0, 1, 3, 7 and 15 s, then each 15 s, as a scrape would."""
    bot.metrics = b"node_load1 0.5\n"
    looked = Looked(tmp_path, bot.address, prometheus.url)
    looked.over(15)
    assert bot.asked == 4
    looked.over(15 + 600)
    assert bot.asked == 4 + 1 + 600 // SCRAPE_INTERVAL - 1
    assert not looked.found.exists()


def test_a_bot_that_comes_late_is_found_within_a_scrape_interval(tmp_path, prometheus, bot):
    bot.metrics = b""
    looked = Looked(tmp_path, bot.address, prometheus.url)
    looked.over(1000)
    bot.metrics = b"trading_sdk_errors_total 0\n"
    looked.over(1000 + int(SCRAPE_INTERVAL))
    assert looked.found.exists()


def test_a_bot_that_prometheus_scrapes_already_is_neither_asked_nor_scraped_twice(tmp_path, prometheus, scraped):
    """Under a job of the user's own, in a file that is not known to us."""
    asked = scraped.asked
    looked = Looked(tmp_path, scraped.address, prometheus.url)
    looked.over(60)
    assert not looked.found.exists()
    assert scraped.asked == asked


def test_a_bot_that_the_user_has_named_is_left_to_him_as_long_as_it_is_named(tmp_path, prometheus, bot):
    looked = Looked(tmp_path, bot.address, prometheus.url)
    looked.bots.write_text(f"- targets: ['{bot.address}']\n")
    looked.over(60)
    assert (looked.found.exists(), bot.asked) == (False, 0)
    looked.bots.write_text("[]\n")
    looked.over(60 + int(SCRAPE_INTERVAL))
    assert looked.found.exists()


@pytest.mark.parametrize("text", ["- targets: [", "- labels: {job: mine}\n", "1"], ids=["open", "no targets", "number"])
def test_a_file_of_bots_that_is_half_written_ends_nothing(tmp_path, prometheus, bot, text):
    looked = Looked(tmp_path, bot.address, prometheus.url)
    looked.bots.write_text(text)
    looked.over(60)
    assert bot.asked == 0
    looked.bots.write_text("[]\n")
    looked.over(60 + int(SCRAPE_INTERVAL))
    assert looked.found.exists()


def test_a_bot_with_many_series_is_found_too(tmp_path, prometheus, bot):
    """What the SDK says of itself comes after all that the bot measures."""
    bot.metrics = b'trading_orders_total{trading_instrument_symbol="BTC/USD"} 1.0\n' * 100_000 + bot.metrics
    looked = Looked(tmp_path, bot.address, prometheus.url)
    looked.over(2)
    assert looked.found.exists()


def test_before_prometheus_has_read_its_own_targets_none_is_added(tmp_path, bot):
    """It takes over new ones every five seconds; one without any other has them then as well."""
    with Prometheus([], directory=tmp_path / "prometheus") as server:
        looked = Looked(tmp_path, bot.address, server.url)
        looked.over(6)
        assert not looked.found.exists()
        looked.over(16)
        assert looked.found.exists()


def test_without_prometheus_there_is_nobody_to_scrape_it(tmp_path, bot):
    looked = Looked(tmp_path, bot.address, f"{LOOPBACK}:{refusing_port()}")
    looked.over(60)
    assert (looked.found.exists(), bot.asked) == (False, 0)
