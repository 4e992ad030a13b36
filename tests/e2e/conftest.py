"""What the Collectors of a fleet have in common here: certificates, a token, short waits."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.harness.certificates import Certificates, certificates


@pytest.fixture(scope="session")
def tls(tmp_path_factory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def token() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def token_file(token, tmp_path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{token} # of the fleet\nretired # until the last sender has the new one\n")
    return path


@pytest.fixture
def settings(tls, token_file) -> dict[str, str]:
    """The environment that a gateway and an agent which forwards to it share."""
    return {
        "OTELCOL_TLS_CERT": str(tls.cert),
        "OTELCOL_TLS_KEY": str(tls.key),
        "OTELCOL_CA": str(tls.ca),
        "OTELCOL_TOKEN_FILE": str(token_file),
        "OTELCOL_BATCH_TIMEOUT": "100ms",
        "OTELCOL_RETRY_INTERVAL": "100ms",
        "OTELCOL_RETRY_MAX_INTERVAL": "200ms",
    }
