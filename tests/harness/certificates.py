"""Certificates for loopback servers, made by OpenSSL's own program."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.harness.programs import require_program


class Certificates(NamedTuple):
    """Paths of PEM files: an authority, and a server certificate that it signed for localhost and 127.0.0.1."""

    ca: Path
    cert: Path
    key: Path


def certificates(directory: Path) -> Certificates:
    """Make an authority and a server certificate in `directory`, good for a day."""
    openssl = require_program("openssl")
    directory.mkdir(parents=True, exist_ok=True)
    made = Certificates(*(directory / name for name in ("ca.crt", "server.crt", "server.key")))
    new = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    authority = [*new, "-subj", "/CN=test authority", "-keyout", directory / "ca.key", "-out", made.ca]
    server = [*new, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    server += ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", made.ca, "-CAkey", directory / "ca.key"]
    server += ["-keyout", made.key, "-out", made.cert]
    for command in (authority, server):
        subprocess.run(command, check=True, capture_output=True)
    return made
