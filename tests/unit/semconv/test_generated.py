"""What derives from the registry is what the generator makes of it now, and costs little to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from otel_trading.semconv import attributes, generate, metrics, reader

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", generate.OUTPUTS.values())
def test_a_generated_file_is_not_stale(path):
    assert (CHECKOUT / path).read_text(encoding="utf-8") == generate.render()[path], (
        "run: python -m otel_trading.semconv.generate"
    )


def test_check_names_the_stale_files_and_writes_nothing(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(generate, "CHECKOUT", tmp_path)
    with pytest.raises(SystemExit, match=r"docs/reference/metrics\.md"):
        generate.main(["--check"])
    assert list(tmp_path.iterdir()) == [tmp_path / "pyproject.toml"]


def test_without_check_the_files_are_written(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(generate, "CHECKOUT", tmp_path)
    generate.main([])
    for path in generate.OUTPUTS.values():
        assert (tmp_path / path).read_text(encoding="utf-8") == (CHECKOUT / path).read_text(encoding="utf-8")
    generate.main(["--check"])


def test_an_installed_copy_refuses_to_generate(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "CHECKOUT", tmp_path)
    with pytest.raises(SystemExit, match="checkout"):
        generate.main([])


def test_the_command_line_agrees():
    command = [sys.executable, "-m", "otel_trading.semconv.generate", "--check"]
    result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("module", [attributes, metrics])
def test_generated_code_imports_nothing_but_the_metric_type_and_typing(module):
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    imports = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imports <= {"typing", "collections.abc", "otel_trading.semconv.spec"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))


def test_the_constants_carry_what_the_registry_says():
    """A worked example of each kind of constant."""
    assert attributes.VENUE_NAME == "trading.venue.name"
    assert attributes.FILL_LIQUIDITY_VALUES == ("maker", "taker", "unknown")
    duration = metrics.ORDER_DURATION
    assert (duration.name, duration.kind, duration.unit) == ("trading.order.duration", "histogram", "s")
    assert duration.bounds[0] == 0.001
    assert duration.bounds[-1] == 60.0
    assert duration.opt_in == ("trading.instrument.symbol",)
    assert set(duration.opt_in) < set(duration.attributes)
    assert metrics.POSITION_SIZE.ends_at_zero
    assert not metrics.POSITION_ENTRY_PRICE.ends_at_zero
    assert metrics.ALL["trading.order.duration"] is duration


def test_an_attribute_set_by_extension_comes_before_the_metrics_own():
    realized = metrics.PNL_REALIZED.attributes
    assert realized == (
        "trading.account.name",
        "trading.strategy.name",
        "trading.venue.name",
        "trading.currency",
        "trading.instrument.symbol",
    )


def test_a_reference_to_nothing_is_an_error_that_names_it(tmp_path):
    (tmp_path / "orders.yaml").write_text(
        "groups: [{id: metric.x, type: metric, metric_name: x, instrument: gauge, unit: s, brief: X.,"
        " attributes: [{ref: no.such}]}]"
    )
    with pytest.raises(KeyError, match=r"no\.such"):
        reader.load(tmp_path)


def test_the_registry_and_the_templates_are_beside_the_code_that_a_wheel_ships():
    package = Path(reader.__file__).parent
    assert reader.REGISTRY.parent == package
    assert reader.FOREIGN.parent == package
    assert (package / "templates").is_dir()
