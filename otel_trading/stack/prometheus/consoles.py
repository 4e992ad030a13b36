"""The runbooks as pages that Prometheus itself serves, so that the link in an alert works wherever the alert does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token

RUNBOOKS: Final = Path(__file__).parents[1] / "runbooks"

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ overflow-x: auto; padding: .6rem .8rem; border: 1px solid #8886; border-radius: 4px; }}
code {{ font-family: ui-monospace, monospace; font-size: .9em; }}
h2 {{ margin-top: 2rem; }}
table {{ border-collapse: collapse; }}
td, th {{ border: 1px solid #8886; padding: .2rem .6rem; text-align: left; }}
</style>
</head>
<body>
<nav><a href="index.html">All runbooks</a> · <a href="../../alerts">Alerts</a> · <a href="../../targets">Targets</a></nav>
{body}</body>
</html>
"""


def pages() -> dict[str, str]:
    """Return the text of each page by the name of its file; the README is `index.html`."""
    names = {path.name: _file(path.stem) for path in sorted(RUNBOOKS.glob("*.md"))}
    return {name: _page((RUNBOOKS / source).read_text(encoding="utf-8"), names) for source, name in names.items()}


def _file(stem: str) -> str:
    return "index.html" if stem == "README" else f"{stem}.html"


def _page(text: str, names: Mapping[str, str]) -> str:
    parser = MarkdownIt("js-default")
    parser.add_render_rule("fence", _fence)  # pyright: ignore[reportUnknownMemberType] - its type says only Callable
    tokens = parser.parse(re.sub(r"<!--.*?-->\n*", "", text, flags=re.DOTALL))
    for token in tokens:
        token.children = token.children and _relinked(token.children, names)
    title = next((token.content for token in tokens if token.type == "inline"), "")
    body = parser.renderer.render(tokens, parser.options, {})
    # Prometheus reads the page as a Go template, to which two braces are the beginning of something.
    return _PAGE.format(title=escape(title), body=body).replace("{{", "&#123;&#123;")


def _relinked(tokens: Sequence[Token], names: Mapping[str, str]) -> list[Token]:
    """Lead links between runbooks to their pages; of links to what is not served here only the text stays."""
    kept: list[Token] = []
    open_links: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrGet("href"))
            file, _, anchor = href.partition("#")
            if file in names:
                token.attrSet("href", f"{names[file]}#{anchor}" if anchor else names[file])
            open_links.append(file in names or not file or "://" in href)
        if token.type not in {"link_open", "link_close"} or open_links[-1]:
            kept.append(token)
        if token.type == "link_close":
            open_links.pop()
    return kept


def _fence(_: object, tokens: Sequence[Token], index: int, __: object, ___: Mapping[str, Any]) -> str:
    """Show code; below each query a link that runs it in Prometheus."""
    token = tokens[index]
    if token.info.strip() != "promql":
        return f"<pre><code>{escape(token.content)}</code></pre>\n"
    queries = [query.strip() for query in re.split(r"\n\s*\n", token.content) if query.strip()]
    return "".join(
        f"<pre><code>{escape(query)}</code></pre>\n"
        f'<p><a href="../../graph?g0.expr={quote(query, safe="")}&amp;g0.tab=1">Run it</a></p>\n'
        for query in queries
    )
