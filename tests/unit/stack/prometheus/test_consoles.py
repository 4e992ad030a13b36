"""The runbooks as Prometheus serves them."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

import pytest

from otel_trading.stack.prometheus import consoles
from otel_trading.stack.prometheus.rules import alerts

NAMES = {"TradingA.md": "TradingA.html", "README.md": "index.html"}


def body(markdown: str) -> str:
    return consoles._page(markdown, NAMES).partition("</nav>\n")[2].partition("</body>")[0]


def test_there_is_a_page_for_each_alert_and_one_that_lists_them():
    assert consoles.pages().keys() == {f"{alert.name}.html" for alert in alerts()} | {"index.html"}


def test_the_list_leads_to_each_page():
    pages = consoles.pages()
    assert set(re.findall(r'<li><a href="([^"]+)"', pages["index.html"])) == pages.keys() - {"index.html"}


@pytest.mark.parametrize("name", sorted(consoles.pages()))
def test_no_page_begins_what_a_go_template_would_take_for_its_own(name):
    assert "{{" not in consoles.pages()[name]


@pytest.mark.parametrize("name", sorted(consoles.pages()))
def test_no_page_leads_to_what_is_not_served(name):
    pages = consoles.pages()
    for link in re.findall(r'href="([^"]+)"', pages[name]):
        assert link in pages or link.startswith(("https://", "../../graph?", "../../alerts", "../../targets")), link


def test_each_query_can_be_run_with_a_click():
    text = body('```promql\nup{job="a"} > 1\n\nrate(x[5m]) + 1\n```\n')
    assert [unquote_plus(query) for query in re.findall(r"g0\.expr=([^&]*)&amp;g0\.tab=1", text)] == [
        'up{job="a"} > 1',
        "rate(x[5m]) + 1",
    ]
    assert "<code>up{job=&quot;a&quot;} &gt; 1</code>" in text


def test_other_code_is_shown_as_it_is():
    assert body("```sh\ncat < a\n```\n") == "<pre><code>cat &lt; a\n</code></pre>\n"


def test_a_template_in_a_page_is_shown_and_not_run():
    assert body("`{{ $labels.job }}`") == "<p><code>&#123;&#123; $labels.job }}</code></p>\n"


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("[a](TradingA.md#impact)", '<a href="TradingA.html#impact">a</a>'),
        ("[all](README.md)", '<a href="index.html">all</a>'),
        ("[b](https://example.org)", '<a href="https://example.org">b</a>'),
        ("see [the *ledger*](../ledger.md).", "see the <em>ledger</em>."),
    ],
    ids=["page", "list", "elsewhere", "not-served"],
)
def test_a_link_leads_to_what_is_served_or_is_only_its_text(markdown, html):
    assert body(markdown) == f"<p>{html}</p>\n"


def test_a_page_has_the_title_of_its_alert_and_no_remark_of_the_source():
    page = consoles._page("# TradingA\n\n<!-- written by\nsomebody -->\n\nText.\n", NAMES)
    assert "<title>TradingA</title>" in page
    assert "somebody" not in page
