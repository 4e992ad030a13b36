"""The dashboards keep the rules of Grafana's dashboard-linter, lead to each other and to the runbooks, and look orderly."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from otel_trading.stack.grafana.documents import UIDS, dashboards
from otel_trading.stack.prometheus.alerts.alerting import WATCHDOG
from otel_trading.stack.prometheus.rules import alerts
from otel_trading.stack.prometheus.settings import Change, RuleSettings
from tests.unit.stack.grafana.grafana import BOARDS, expressions, panels

ROOT = Path(__file__).parents[4]
every_board = pytest.mark.parametrize("board", [pytest.param(board, id=uid) for uid, board in BOARDS.items()])

UNITS = {"locale", "percentunit", "short", "none", "s", "bytes", "Bps", "suffix: bp"}
"""Ids of Grafana's units that are used, as @grafana/data lists them; what follows `suffix:` is written behind the number."""


def test_the_dashboards_that_alerts_lead_to_are_there():
    assert set(UIDS) >= {alert.dashboard for alert in alerts()}
    assert [board["uid"] for board in BOARDS.values()] == list(UIDS)


@every_board
def test_a_dashboard_says_what_it_is_and_chooses_its_data_source(board):
    assert board["title"].startswith("Trading / ")
    assert board["description"].endswith(".")
    assert board["tags"] == ["otel-trading"]
    source, *others = board["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert {"job"} <= {variable["name"] for variable in others}
    for variable in others:
        assert variable["datasource"]["uid"] == "$datasource"
        assert variable["includeAll"]
        assert variable["multi"]
        assert variable["refresh"] == 2  # when the time range changes
        assert re.fullmatch(r"label_values\(.+, \w+\)", variable["query"]["query"])


@every_board
def test_every_variable_is_used_and_every_used_one_is_there(board):
    """The variables of Grafana itself begin with two underscores."""
    text = json.dumps([board["panels"], board["annotations"]])
    used = {name for name in re.findall(r"\$\{?([a-z]\w*)", text) if not name.startswith("__")}
    assert used == {variable["name"] for variable in board["templating"]["list"]}


@every_board
def test_a_panel_says_what_it_shows_and_in_which_unit(board):
    for panel in panels(board):
        assert re.fullmatch(r"[A-Z].*[^.]", panel["title"])
        assert re.fullmatch(r"[A-Z].*\.", panel["description"]), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None, panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "$datasource"}, panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"], panel["title"]
        for override in panel["fieldConfig"]["overrides"]:
            for value in override["properties"]:
                assert value["id"] != "unit" or value["value"] in UNITS, panel["title"]


NEITHER_GOOD_NOR_BAD = {
    "what there is": {
        "trading-fleet": {"Bots", "Value", "Open positions"},
        "trading-overview": {"Portfolio value", "Open positions", "Unrealized P&L of positions"},
        "trading-risk": {"Exposure", "Value of positions", "Positions"},
        "trading-sdk": {"Route", "Network of the machine"},
    },
    "what was done: as much as there was to do": {
        "trading-inference": {"Predictions a second", "Predictions, by label", "Score of predictions", "Signals"},
        "trading-orders": {
            "Orders sent", "Working", "Fills", "Orders sent, by type and side", "Orders that ended, by status",
            "Fills, by liquidity", "Size of a fill", "Volume", "Fees", "Rebates",
        },
        "trading-overview": {"Trades in the last hour", "Trades an hour"},
        "trading-risk": {"Volatility and turnover", "Average win", "Average loss", "Trades by symbol"},
        "trading-sdk": {"Requests that the bot's own API answers now", "Points through the Collector"},
        "trading-venue": {"Messages a second", "HTTP requests a second, by status"},
    },
    "the colour says how many": {
        "trading-inference": {"Latency of inferences"},
        "trading-orders": {"Latency of submissions"},
    },
    "a line of its own says how much is too much": {
        "trading-inference": {"Duration of a cycle"},
        "trading-sdk": {"Since the last beat"},
    },
    "a row is an alert, which has a severity": {"trading-overview": {"Alerts that fire"}},
}  # fmt: skip
"""Panels whose colour does not change with the value, and why."""


def test_the_colour_of_a_panel_says_if_its_value_is_good_but_where_none_is():
    def plain(panel) -> bool:
        field = panel["fieldConfig"]
        own = [each["id"] for override in field["overrides"] for each in override["properties"]]
        steps = field["defaults"]["thresholds"]["steps"]
        return len(steps) < 2 and not field["defaults"].get("mappings") and "thresholds" not in own

    found = {(uid, panel["title"]) for uid, board in BOARDS.items() for panel in panels(board) if plain(panel)}
    listed = [(uid, title) for boards in NEITHER_GOOD_NOR_BAD.values() for uid, titles in boards.items() for title in titles]
    assert sorted(found) == sorted(listed)


@every_board
def test_every_series_of_a_graph_has_a_name(board):
    for panel in panels(board):
        if panel["type"] in {"timeseries", "bargauge", "state-timeline"}:
            assert "__auto" not in {target["legendFormat"] for target in panel["targets"]}, panel["title"]


def test_a_rate_goes_over_what_grafana_finds_long_enough():
    """A fixed window is too short for a slow scrape, but for what is asked in words: in an hour, in 7 days."""
    for where, expression in expressions().items():
        windows = set(re.findall(r"\[([^\]]+)\]", expression))
        assert windows <= {"$__rate_interval", "$__range", "1h", "7d"}, where
        rates = re.findall(r"\brate\([^\[]*\[([^\]]+)\]", expression)
        assert set(rates) <= {"$__rate_interval"}, where


@every_board
def test_panels_fill_lines_of_24_columns_and_none_covers_another(board):
    taken = set[tuple[int, int]]()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    bottom = max(y for _, y in taken) + 1
    assert len(taken) == 24 * bottom


@every_board
def test_panels_have_their_own_ids(board):
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert 0 not in ids


@every_board
def test_it_leads_to_the_others_and_marks_trips_and_restarts(board):
    [link] = board["links"]
    assert (link["type"], link["tags"]) == ("dashboards", ["otel-trading"])
    assert link["includeVars"]
    assert link["keepTime"]
    trips, restarts = board["annotations"]["list"]
    assert "trading_circuit_breaker_trips_total" in trips["expr"]
    assert "process_uptime_seconds" in restarts["expr"]


def test_a_dashboard_has_the_variable_that_links_of_alerts_set():
    """One that it does not have would be passed over, and every bot shown."""
    variables = {uid: {each["name"] for each in board["templating"]["list"]} for uid, board in BOARDS.items()}
    assert [alert.name for alert in alerts() if alert.variable and alert.variable not in variables[alert.dashboard]] == []


# -- runbooks -------------------------------------------------------------------------------------------------------------


def runbooks(boards) -> dict[str, list[str]]:
    """The addresses of runbooks by the dashboard and panel that lead to them."""
    return {
        f"{uid} {panel['title']}": [link["url"] for link in panel.get("links", ())]
        for uid, board in boards.items()
        for panel in panels(board)
        if panel.get("links")
    }


def test_a_panel_leads_to_the_runbooks_of_the_alerts_about_it():
    """The panel that a person looks at when this alert wakes him has a link to its page, and each link has a page."""
    found = runbooks(BOARDS)
    address = "http://127.0.0.1:9090/consoles/runbooks/{}.html".format
    assert address("TradingStrategyStalled") in found["trading-overview Last cycle"]
    assert address("TradingVenueDisconnected") in found["trading-venue Venues"]
    assert address("TradingCollectorRefusing") in found["trading-sdk Points that the Collector refused or failed to send"]
    latency, inference = (
        found[f"trading-{board} Burn rate of {name} latency"]
        for board, name in (("orders", "order"), ("inference", "inference"))
    )
    assert address("TradingOrderLatencyBurningFast") in latency
    assert address("TradingInferenceLatencyBurningFast") in inference
    assert address("TradingOrderLatencyBurningFast") not in inference, "of another objective"
    assert address("TradingInferenceLatencyBurningFast") not in latency, "of another objective"
    pages = {address(file.stem) for file in (ROOT / "docs" / "runbooks").glob("Trading*.md")}
    assert {url for urls in found.values() for url in urls} <= pages


def test_the_dashboard_that_an_alert_leads_to_has_a_panel_about_it():
    """A panel that leads to its page; else who was woken would look for what it means on the wrong dashboard."""
    pages = {
        uid: {
            link["url"].rpartition("/")[2].removesuffix(".html") for panel in panels(board) for link in panel.get("links", ())
        }
        for uid, board in BOARDS.items()
    }
    assert [alert.name for alert in alerts() if alert.name not in pages[alert.dashboard]] == [WATCHDOG]  # nothing is wrong


def test_runbooks_are_where_the_settings_say():
    settings = RuleSettings(
        runbook_url="https://pages.example.org/{alert}?who=me", alerts={"TradingStrategyStalled": Change(enabled=False)}
    )
    boards = dashboards(settings)
    text = json.dumps(boards)
    assert "/consoles/runbooks/" not in text
    assert "https://pages.example.org/TradingVenueDisconnected?who=me" in text
    assert "https://pages.example.org/${__data.fields.Alert}?who=me" in text
    assert "TradingStrategyStalled" not in text


def test_runbooks_are_where_the_browser_finds_prometheus():
    boards = dashboards(prometheus_url="https://prometheus.example.org/p/")
    text = json.dumps(boards)
    assert "https://prometheus.example.org/p/consoles/runbooks/TradingVenueDisconnected.html" in text
    assert "https://prometheus.example.org/p/consoles/runbooks/${__data.fields.Alert}.html" in text
    assert "127.0.0.1" not in text
