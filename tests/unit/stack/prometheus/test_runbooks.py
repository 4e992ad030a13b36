"""Every alert has a page that says what it means, what it does to trading, how to find out why and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import promql_parser
import pytest

from otel_trading.stack.prometheus.reference import pages
from otel_trading.stack.prometheus.rules import alerts
from tests.unit.stack.prometheus.vocabulary import unknown

RUNBOOKS = Path(__file__).parents[4] / "docs" / "runbooks"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted(RUNBOOKS.glob("*.md")) if page.stem != "README"}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]

every_page = pytest.mark.parametrize(("name", "text"), PAGES.items(), ids=list(PAGES))


def queries(text: str) -> list[str]:
    return [query for block in re.findall(r"```promql\n(.*?)```", text, re.DOTALL) for query in block.strip().split("\n\n")]


def test_alerts_and_pages_match_one_to_one():
    assert sorted(PAGES) == sorted(alert.name for alert in alerts())


def test_the_index_and_the_list_of_alerts_are_as_they_would_be_written():
    for page, text in pages().items():
        assert page.read_text(encoding="utf-8") == text, "run `make generate`"
        for alert in alerts():
            assert f"{alert.name}.md" in text
            assert alert.summary in text


@every_page
def test_a_page_has_its_title_and_its_four_sections(name, text):
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    for section in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]:
        assert len(section.split()) > 5


@every_page
def test_the_queries_of_a_page_parse_and_name_what_exists(name, text):
    """They stand in blocks of the language promql, an empty line between two; a person copies them at three in the morning."""
    diagnosis = text.split("## Diagnosis")[1].split("## Mitigation")[0]
    assert queries(diagnosis), f"{name}: no query"
    for query in queries(text):
        promql_parser.parse(query)
        assert unknown(query) == [], query


def test_names_labels_and_values_that_do_not_exist_are_found():
    """The promise of the test above."""
    assert unknown("trading_order_total") == ["trading_order_total"]
    assert unknown('trading_orders_total{error_type="auth"}') == ["error_type of trading_orders_total"]
    assert unknown('trading_orders_total{trading_order_status=~"rejected|cancelled"}') == ["trading_order_status cancelled"]
    assert unknown("sum by (job, trading_account_name) (rate(trading_orders_total[5m]))") == ["trading_account_name"]
    assert unknown('slo:sli_error:ratio_rate5m{slo="order-errors", trading_strategy_name="sma"}') == []
    assert unknown('slo:sli_error:ratio_rate5m{trading_account_name="main"}') == [
        "trading_account_name of slo:sli_error:ratio_rate5m"
    ]


@every_page
def test_links_of_a_page_lead_somewhere(name, text):
    for link in re.findall(r"\]\(([^)#]+\.md)", text):
        assert (RUNBOOKS / link).is_file(), f"{name}: {link}"
