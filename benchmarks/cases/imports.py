"""What starting costs: the import, and `configure()`."""

from __future__ import annotations

from benchmarks.processes import fresh
from benchmarks.results import OURS, Outcome
from benchmarks.scale import Scale

_CLOCK = "import time\nstart = time.perf_counter()\n"
_END = "\nprint((time.perf_counter() - start) * 1e3)"

_API = "import opentelemetry.metrics, opentelemetry.trace"
_LIBRARIES = """
import opentelemetry.sdk.metrics.export, opentelemetry.sdk.trace, opentelemetry.sdk.resources
import opentelemetry.exporter.prometheus, pydantic_settings
"""
_CONFIGURE = "otel_trading.configure(service_name='benchmark', prometheus_port=0)"
_SERVED = """
import urllib.request
with urllib.request.urlopen(telemetry.endpoint_url) as answer:
    assert b"service_name=\\"benchmark\\"" in answer.read()
telemetry.shutdown()
"""

API, IMPORT, LIBRARIES, CONFIGURE = (
    "import of the OpenTelemetry API",
    "import of otel_trading",
    "imports of SDK, Prometheus exporter and pydantic-settings",
    "configure() with Prometheus, beyond these imports",
)
MORE = "import of otel_trading, beyond the API"

_CODES = {
    API: f"{_CLOCK}{_API}{_END}",
    IMPORT: f"{_CLOCK}import otel_trading{_END}",
    LIBRARIES: f"{_CLOCK}{_LIBRARIES}{_END}",
    CONFIGURE: f"import otel_trading\n{_LIBRARIES}\n{_CLOCK}telemetry = {_CONFIGURE}{_END}\n{_SERVED}",
}


def run(scale: Scale) -> Outcome:
    """Start fresh interpreters, by turns."""
    outcome = Outcome(
        "imports",
        "Start",
        "Milliseconds of the clock in fresh interpreters, by turns. `configure()` runs with every default; what it starts is "
        "scraped once, outside of the time.",
    )
    found: dict[str, list[float]] = {what: [] for what in _CODES}
    for code in _CODES.values():
        fresh(code)  # compiles what is not compiled yet
    for turn in range(scale.starts):
        for what in _CODES if turn % 2 == 0 else reversed(_CODES):
            found[what].extend(fresh(_CODES[what]))
    found[MORE] = [ours - api for ours, api in zip(found[IMPORT], found[API], strict=True)]
    for what, values in found.items():
        outcome.add(what, OURS if what in {IMPORT, MORE, CONFIGURE} else "OpenTelemetry", values, "ms")
    outcome.reach(MORE, 20, "ms")
    outcome.reach(CONFIGURE, 20, "ms")
    return outcome
