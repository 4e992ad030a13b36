"""Whether the clocks agree: this machine's with Prometheus', the bot's with Prometheus', and with the venue's."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

from otel_trading.semconv import metrics as m
from otel_trading.stack.doctor.asking import Prometheus
from otel_trading.stack.doctor.finding import Finding, ok, warning, wrong
from otel_trading.stack.doctor.seen import Sighting
from otel_trading.stack.promql import VENUE, of

CHECK = "clock"

TOLERATED: Final = 1.0
"""Seconds between two machines' clocks; alerts on ages of minutes do not notice more either."""

_EVENTS: Final = (m.STRATEGY_LAST_CYCLE_TIME, m.HEARTBEAT_LAST_BEAT_TIME, m.MARKET_DATA_LAST_UPDATE_TIME)
_SYNCHRONISE: Final = "synchronise both with NTP: `timedatectl` says if one is, `systemctl restart chrony` or systemd-timesyncd"


def check(prometheus: Prometheus, seen: list[Sighting], venue_offset: float) -> list[Finding]:
    """Compare the clocks; `venue_offset` is the distance in seconds from a venue's clock that an alert fires at.

    Raises `UnansweredError`.
    """
    ahead, uncertain = prometheus.time()
    found: list[Finding] = []
    if abs(ahead) - uncertain > TOLERATED:
        way = "ahead of" if ahead > 0 else "behind"
        found.append(wrong(CHECK, f"Prometheus' clock is {abs(ahead):.1f} s {way} this machine's", _SYNCHRONISE))
    places = {(each.job, each.instance): each for each in seen}
    # Its own alerts compare these times with Prometheus' clock: one that is still to come cannot be stale.
    future = prometheus.query(f'max by (job, instance) ({{__name__=~"{"|".join(map(of, _EVENTS))}"}}) - time() > {TOLERATED}')
    for each in future:
        bot = places.get((each.labels.get("job", ""), each.labels.get("instance", "")))
        if bot is not None:
            says = f"the clock of {bot.service} is at least {each.value:.1f} s ahead of Prometheus'"
            found.append(wrong(CHECK, says, _SYNCHRONISE))
    jobs = {each.job for each in seen}
    for each in prometheus.query(f"abs(last_over_time({of(m.VENUE_CLOCK_OFFSET)}[5m])) > {venue_offset}"):
        if each.labels.get("job") in jobs:
            says = (
                f"the clock of {each.labels['job']} is {each.value:.2f} s away from that of {each.labels.get(VENUE, 'a venue')}"
            )
            found.append(wrong(CHECK, says, "docs/runbooks/TradingClockOffset.md"))
    return found or [ok(CHECK, f"within {abs(ahead) + uncertain:.2f} s of Prometheus'")]


def kernel() -> list[Finding]:
    """Whether NTP keeps this machine's clock, as the kernel tells; nothing where there is no Linux to ask."""
    error = _adjtimex() if sys.platform == "linux" else None
    return [] if error is None else [synchronised(error)]


def synchronised(maxerror: int) -> Finding:
    """Read the largest error, in microseconds, that the kernel takes its clock to have."""
    error = maxerror / 1e6
    if error < _UNKNOWN:
        return ok(CHECK, f"NTP keeps this machine's clock within {error:.3f} s")
    mend = (
        "install chrony, or `timedatectl set-ntp true`; where a virtual machine's host sets the clock, this is as it should be"
    )
    return warning(CHECK, "NTP does not keep this machine's clock, or the kernel is not told", mend)


_UNKNOWN: Final = 16.0
"""Seconds of possible error at which the kernel counts a clock as unsynchronised: `NTP_PHASE_LIMIT`, as systemd reads it."""


class _Timex(ctypes.Structure):
    """The beginning of `struct timex` (adjtimex(2)), and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_byte * 512),
    )


def _adjtimex() -> int | None:
    """The largest error that the clock may have, in microseconds; None where the kernel does not say."""
    timex = _Timex()  # modes 0: nothing is set
    try:
        answer = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return timex.maxerror if answer >= 0 else None
