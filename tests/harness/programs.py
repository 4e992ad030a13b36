"""What a test does when a program that it needs is not there: it is skipped and says why, or fails where all must run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

DEBIAN_PACKAGES = {
    "amtool": "prometheus-alertmanager",
    "openssl": "openssl",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-pushgateway": "prometheus-pushgateway",
    "promtool": "prometheus",
    "setpriv": "util-linux",
    "victoria-metrics": "victoria-metrics",
}


def require_program(name: str) -> Path:
    """Return the path of `name`, or end the test as `missing_program` says."""
    found = shutil.which(name)
    if found is None:
        missing_program(f"{name} is not installed: apt-get install {DEBIAN_PACKAGES.get(name, name)}")
    return Path(found)


def missing_program(reason: str) -> NoReturn:
    """Skip the test for `reason`; fail it instead where CI=true or OTEL_TRADING_REQUIRE_PROGRAMS=1 asks for all of them."""
    for variable, value in (("CI", "true"), ("OTEL_TRADING_REQUIRE_PROGRAMS", "1")):
        if os.environ.get(variable) == value:
            pytest.fail(f"{reason} ({variable}={value}: a skip counts as a failure)", pytrace=False)
    pytest.skip(reason)
