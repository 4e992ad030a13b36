"""What the unit tests have, too: a clean process and `configure()` on free ports; here, beside real servers."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.integration.receivers import RECEIVERS
from tests.unit.conftest import clean_process, configured

__all__ = ["clean_process", "configured", "protocol", "receiver"]

# The extra `declarative` is not part of the oldest allowed versions; that it is missing is tested there and here.
collect_ignore = [] if find_spec("opentelemetry.configuration") else ["test_declarative.py"]


@pytest.fixture(params=sorted(RECEIVERS))
def protocol(request):
    return request.param


@pytest.fixture
def receiver(protocol):
    """A receiver of each protocol."""
    with RECEIVERS[protocol]() as receiver:
        yield receiver
