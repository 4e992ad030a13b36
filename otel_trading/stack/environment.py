"""What of this shell's environment a program of the stack is handed: not the keys to a venue that happen to be in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_ALWAYS: Final = frozenset({
    "HOME", "LANG", "LANGUAGE", "PATH", "TMPDIR", "TZ",
    # Go's runtime, in which all of them are written.
    "GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK",
    # How what they send gets out.
    "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE", "https_proxy", "http_proxy", "no_proxy",
    # Without these nothing runs on Windows.
    "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE",
})  # fmt: skip

_NAMED: Final = re.compile(r"\$\{?(?:env:)?([A-Za-z_]\w*)")
"""`${env:NAME}`, with or without a default, as the Collector has it; `${NAME}` and `$NAME`, as Prometheus has it in labels."""


def handed_over(configuration: Iterable[Path], given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what any program needs, and what its configuration names; in a comment is enough, for what it reads by itself."""
    named = {name for file in configuration for name in _NAMED.findall(file.read_text(encoding="utf-8", errors="replace"))}
    return {name: value for name, value in given.items() if name in _ALWAYS | named or name.startswith("LC_")}
