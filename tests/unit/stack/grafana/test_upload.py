"""`otel-trading dashboards --import` puts the dashboards into a Grafana, and says what is wrong when it cannot.

Grafana itself cannot be had from a package index, so what answers is a server that keeps its documented HTTP API as far as
it is used: https://grafana.com/docs/grafana/latest/developer-resources/api-reference/http-api/ (folders, dashboards).
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from otel_trading.cli.commands import group
from otel_trading.stack.grafana.documents import UIDS, dashboards
from tests.harness import free_port

TOKEN = "glsa_of_the_test"  # noqa: S105 - of no real Grafana


class Grafana(ThreadingHTTPServer):
    """Folders and dashboards behind a token, under a path as behind a reverse proxy."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.folders: dict[str, str] = {}
        self.dashboards: dict[str, dict] = {}
        self.provisioned: set[str] = set()
        self.role = "Editor"
        self.url = f"http://127.0.0.1:{self.server_port}/grafana"


class Api(BaseHTTPRequestHandler):
    server: Grafana

    def do_GET(self) -> None:
        if not self.refused():
            uid = self.path.removeprefix("/grafana/api/folders/")
            title = self.server.folders.get(uid)
            self.answer(200, {"uid": uid, "title": title}) if title else self.answer(404, {"message": "folder not found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refused():
            return
        if self.server.role == "Viewer":
            self.answer(403, {"message": "You'll need additional permissions"})
        elif self.path == "/grafana/api/folders":
            self.server.folders[body["uid"]] = body["title"]
            self.answer(200, {"uid": body["uid"]})
        elif self.path == "/grafana/api/dashboards/db":
            self.save(body)
        else:
            self.answer(404, {"message": "Not found"})

    def save(self, body: dict) -> None:
        uid = body["dashboard"]["uid"]
        if uid in self.server.provisioned:
            self.answer(412, {"message": "Cannot save provisioned dashboard"})
        elif uid in self.server.dashboards and not body["overwrite"]:
            self.answer(412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"})
        elif body["folderUid"] not in self.server.folders:
            self.answer(400, {"message": "folder not found"})
        elif body["dashboard"]["id"] is not None:
            self.answer(404, {"message": "Dashboard not found"})
        else:
            self.server.dashboards[uid] = body["dashboard"]
            self.answer(200, {"uid": uid, "url": f"/grafana/d/{uid}/title", "status": "success"})

    def refused(self) -> bool:
        wrong = self.headers["Authorization"] != f"Bearer {TOKEN}"
        if wrong:
            self.answer(401, {"message": "Invalid API key"})
        return wrong

    def answer(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def grafana():
    with Grafana() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def token(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


def run(*arguments, status=0) -> str:
    result = CliRunner().invoke(group, ["dashboards", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    assert TOKEN not in result.output
    return result.output


def test_all_dashboards_arrive_in_a_folder_of_their_own(grafana, token):
    said = run("--import", grafana.url, "--token-file", token)
    assert grafana.folders == {"otel-trading": "Trading"}
    assert grafana.dashboards == {uid: {**document, "id": None} for uid, document in dashboards().items()}
    assert said.splitlines() == [f"{grafana.url}/d/{uid}/title" for uid in UIDS]


def test_again_it_replaces_them_in_the_folder_that_is_there(grafana, token):
    """Also one that the user has given another title."""
    grafana.folders["otel-trading"] = "My bots"
    for _ in range(2):
        run("--import", f"{grafana.url}/", "--token-file", token, "--prometheus", "https://prometheus.example.org")
    assert grafana.folders == {"otel-trading": "My bots"}
    assert grafana.dashboards.keys() == set(UIDS)
    assert "https://prometheus.example.org/consoles/runbooks/" in json.dumps(grafana.dashboards)


def test_a_wrong_token_a_weak_one_and_a_provisioned_dashboard_are_told_apart(grafana, token, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("glsa_wrong")
    assert "is the token still valid?" in run("--import", grafana.url, "--token-file", wrong, status=1)
    grafana.provisioned = {"trading-risk"}
    assert "provisioned from a file" in run("--import", grafana.url, "--token-file", token, status=1)
    grafana.role = "Viewer"
    grafana.folders.clear()
    assert "needs the role Editor" in run("--import", grafana.url, "--token-file", token, status=1)


def test_what_is_no_grafana_is_said_so(token):
    assert "there is no Grafana" in run("--import", f"http://127.0.0.1:{free_port()}", "--token-file", token, status=1)
    for address in ("grafana.example.org", "ftp://grafana", "http://admin:pass@grafana/"):
        said = run("--import", address, "--token-file", token, status=1)
        assert "is no address of a Grafana" in said


def test_a_token_is_wanted_and_comes_from_a_file(grafana, tmp_path):
    assert "belong together" in run("--import", grafana.url, status=2)
    empty = tmp_path / "empty"
    empty.write_text("\n")
    assert "there is no token in it" in run("--import", grafana.url, "--token-file", empty, status=1)
