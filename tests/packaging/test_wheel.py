"""What a stranger installs works: the wheel, in an empty environment, with the README's example as it stands."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


def run(*command, cwd, **variables):
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", ""), "UV_PYTHON_DOWNLOADS": "never", **variables}
    passed_on = ("SSL_CERT_FILE", "UV_CACHE_DIR", "UV_INDEX_URL", "PIP_CERT", "HTTPS_PROXY")
    environment |= {name: os.environ[name] for name in passed_on if name in os.environ}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Both distributions, built as `make dist` builds them."""
    directory = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", directory, ".", cwd=ROOT)
    (wheel,) = directory.glob("*.whl")
    (sdist,) = directory.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def python(built, tmp_path_factory):
    """The interpreter of an environment that has the wheel and what it depends on, and nothing else."""
    directory = tmp_path_factory.mktemp("environment")
    run(UV, "venv", "--quiet", "--python", sys.executable, directory / "venv", cwd=directory)
    interpreter = directory / "venv" / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", interpreter, built[0], cwd=directory)
    return interpreter


def readme_example():
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    return example


@pytest.mark.timeout(300)
def test_the_readmes_example_runs_from_the_wheel_alone(python, tmp_path):
    """It prints the endpoint's address and an equity that follows from the fill: 0.5 bought at 101, 0.05 paid."""
    (tmp_path / "example.py").write_text(readme_example())
    printed = run(python, "-W", "error", "example.py", cwd=tmp_path, OTEL_EXPORTER_PROMETHEUS_PORT="0")
    assert re.match(r"http://127\.0\.0\.1:\d+/metrics 99999\.95 ", printed)


@pytest.mark.timeout(300)
def test_a_missing_extra_says_how_to_install_it(python, tmp_path):
    """The wheel alone has no OTLP exporter; asking for it names the extra."""
    program = "import otel_trading as ot\ntry: ot.configure(exporters='otlp')\nexcept ot.ConfigurationError as e: print(e)"
    assert "pip install 'otel-trading[otlp]'" in run(python, "-c", program, cwd=tmp_path)
    refused = subprocess.run([python.with_name("otel-trading"), "demo"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "pip install 'otel-trading[cli]'" in refused.stderr


def test_the_wheel_holds_the_package_its_types_and_the_registry(built):
    names = zipfile.ZipFile(built[0]).namelist()
    assert "otel_trading/py.typed" in names
    assert any(name.startswith("otel_trading/semconv/registry/") and name.endswith(".yaml") for name in names)
    outside = [name for name in names if not name.startswith(("otel_trading/", "otel_trading-"))]
    assert outside == []


def test_the_wheel_holds_what_a_stack_is_written_from(built):
    """Some of it lies elsewhere in a checkout, behind symbolic links; the wheel is built from the sdist."""
    stack = ROOT / "otel_trading" / "stack"
    wanted = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for folder in (stack / "files", stack / "runbooks")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert {f"otel_trading/stack/{path}" for path in ("runbooks/README.md", "files/collector/agent.yaml")} <= wanted.keys()
    with zipfile.ZipFile(built[0]) as wheel:
        assert {name: wheel.read(name) for name in wanted} == wanted
        assert len(wheel.namelist()) == len(set(wheel.namelist()))


def test_the_sdist_can_be_built_again(built, tmp_path):
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path / "again", ".", cwd=unpacked)
    assert list((tmp_path / "again").glob("*.whl"))
