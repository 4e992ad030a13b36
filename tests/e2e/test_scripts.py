"""scripts/build_collector and scripts/install_programs, with a stand-in for what takes minutes or changes the machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.collector import CHECKOUT

# What `go run …/builder --config FILE` leaves: an executable where FILE says, and a note that it was run.
GO = """#!/bin/sh
echo "$*" >>"$GO_LOG"
[ -z "${GO_FAILS:-}" ] || exit 3
while [ "$1" != --config ]; do shift; done
output=$(sed -n 's/^  output_path: //p' "$2")
sleep 0.2
mkdir "$output"
printf '#!/bin/sh\\necho otelcol-trading version 0\\n' >"$output/otelcol-trading"
chmod +x "$output/otelcol-trading"
"""


class Checkout:
    """A checkout with what the script reads, a cache and a log of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = root / "cache" / "otel-trading"
        self.log = root / "go.log"
        self.link = root / ".cache" / "otelcol-trading"
        for folder in ("scripts", "collector-config", "bin"):
            (root / folder).mkdir()
        shutil.copy(CHECKOUT / "scripts" / "build_collector", root / "scripts")
        shutil.copy(CHECKOUT / "collector-config" / "builder.yaml", root / "collector-config")
        self.program("go", GO)

    def program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def start(self, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.root / "scripts" / "build_collector"],
            env={
                "PATH": f"{self.root / 'bin'}:/usr/bin:/bin",
                "HOME": str(self.root),
                "XDG_CACHE_HOME": str(self.root / "cache"),
                "GO_LOG": str(self.log),
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, **env: str) -> tuple[int, str]:
        process = self.start(**env)
        return process.wait(60), "".join(process.communicate())

    def builds(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def left(self) -> list[str]:
        return sorted(path.name for path in self.cache.iterdir()) if self.cache.exists() else []


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    return Checkout(tmp_path)


def test_it_builds_once_for_a_manifest_and_again_for_another(checkout):
    assert checkout.run()[0] == 0
    first = checkout.link.resolve()
    assert (first.parent, checkout.left()) == (checkout.cache, [first.name])
    assert subprocess.run([checkout.link], capture_output=True, check=True).stdout == b"otelcol-trading version 0\n"
    assert "go.opentelemetry.io/collector/cmd/builder@v0.159.0" in checkout.log.read_text()

    assert checkout.run()[0] == 0
    assert checkout.builds() == 1

    with (checkout.root / "collector-config" / "builder.yaml").open("a") as manifest:
        manifest.write("# changed\n")
    assert checkout.run()[0] == 0
    assert checkout.builds() == 2
    assert checkout.link.resolve() != first


def test_builds_at_once_do_not_disturb_each_other(checkout):
    processes = [checkout.start() for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    for process in processes:
        process.communicate()
    assert checkout.left() == [checkout.link.resolve().name]
    assert list(checkout.link.parent.iterdir()) == [checkout.link]


def test_a_build_that_fails_leaves_nothing(checkout):
    assert checkout.run(GO_FAILS="1")[0] == 3
    assert checkout.left() == []
    assert not checkout.link.exists()


def test_another_collector_can_be_used(checkout):
    checkout.program("mine", "#!/bin/sh\n")
    assert checkout.run(OTELCOL=str(checkout.root / "bin" / "mine"))[0] == 0
    assert checkout.link.resolve() == checkout.root / "bin" / "mine"
    assert checkout.builds() == 0


def test_a_collector_that_is_not_there_is_an_error(checkout):
    status, output = checkout.run(OTELCOL="/nowhere/otelcol")
    assert (status, output) == (1, "build_collector: OTELCOL=/nowhere/otelcol is not a program\n")


def test_without_go_it_says_what_to_do(checkout):
    (checkout.root / "bin" / "go").unlink()
    status, output = checkout.run()
    assert status == 1
    assert "go is not installed" in output
    assert "OTELCOL" in output


def install(tmp_path: Path, *, root: bool) -> subprocess.CompletedProcess[str]:
    """Run install_programs where only apt-get (a stand-in that notes what it is asked for) and the shell's own are there."""
    programs = {
        "apt-get": f'#!/bin/sh\necho "$*" >>{tmp_path}/apt.log\ntail -n 1 {tmp_path}/policy-rc.d >>{tmp_path}/apt.log\n',
        "id": f"#!/bin/sh\necho {0 if root else 1000}\n",
        "openssl": "#!/bin/sh\n",
        "prometheus": "#!/bin/sh\n",
        "promtool": "#!/bin/sh\n",
    }
    for name, text in programs.items():
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o755)
    for name in ("rm", "chmod", "tail"):
        found = shutil.which(name)
        assert found
        (tmp_path / name).symlink_to(found)
    script = CHECKOUT / "scripts" / "install_programs"
    return subprocess.run(
        ["/bin/sh", script],
        env={"PATH": str(tmp_path), "POLICY_RC_D": str(tmp_path / "policy-rc.d")},
        capture_output=True,
        text=True,
        check=True,
    )


def test_without_root_it_says_what_to_install(tmp_path):
    """And goes on: the tests that need the programs say so themselves."""
    result = install(tmp_path, root=False)
    assert (
        "apt-get install --no-install-recommends prometheus-alertmanager prometheus-pushgateway victoria-metrics"
        in result.stderr
    )
    assert not (tmp_path / "apt.log").exists()


def test_as_root_it_installs_what_is_missing_and_starts_no_service(tmp_path):
    install(tmp_path, root=True)
    asked, policy = (tmp_path / "apt.log").read_text().splitlines()
    assert asked.endswith(" prometheus-alertmanager prometheus-pushgateway victoria-metrics")
    assert policy == "exit 101"
    assert not (tmp_path / "policy-rc.d").exists()
