# Everything that needs installing is installed by these targets, from the locks in requirements/.
PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"
ARGS ?=

# Tests start hundreds of processes, each of which would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-here test-matrix bench bench-gateway lint format generate collector programs dashboards docs dist lock clean

demo: .venv/installed
	$(BIN)/otel-trading demo $(ARGS)

test: test-here test-matrix

# The whole suite on the Python of .venv, against the real Collector, Prometheus, Alertmanager and Pushgateway.
test-here: .venv/installed programs
	@# Without Go the tests that need the Collector are skipped with that reason; in CI it is a failure.
	scripts/build_collector || test -z "$$CI"
	@# Without a network the test that needs Grafana's types is skipped, likewise.
	scripts/install_packages tests/typing/dashboard-types || test -z "$$CI"
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

# The unit tests on every supported Python that is installed, on the oldest of them with the oldest allowed versions.
test-matrix: .venv/installed
	@# What pyenv has installed counts as installed, whether or not it is the version in use.
	if command -v pyenv >/dev/null; then export PYENV_VERSION="$$(pyenv versions --bare | tr '\n' ':')"; fi; \
	UV_PYTHON_DOWNLOADS=never $(BIN)/nox --reuse-venv=yes

# Measures and writes docs/benchmarks.md; ARGS=--quick takes a minute.
bench: .venv/installed
	$(BIN)/python -m benchmarks $(ARGS)

# Measures what an agent and a gateway take, within a minute, and writes it to docs/scaling.md.
bench-gateway: .venv/installed programs collector
	$(BIN)/python -m benchmarks.gateway $(ARGS)

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/yamllint --strict .
	$(BIN)/python -m otel_trading.semconv.generate --check
	$(BIN)/python -m otel_trading.pipeline.reference --check
	$(BIN)/python -m otel_trading.stack.prometheus.reference --check

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Writes what derives from the registry, from the settings and from the rules.
generate docs: .venv/installed
	$(BIN)/python -m otel_trading.semconv.generate
	$(BIN)/python -m otel_trading.pipeline.reference
	$(BIN)/python -m otel_trading.stack.prometheus.reference

# Builds the Collector once for each content of collector-config/builder.yaml and points .cache/otelcol-trading to it.
collector:
	scripts/build_collector

programs:
	scripts/install_programs

# Runs the demo for a quarter of an hour and takes a picture of each dashboard; ARGS=--again takes them of the data that is there.
dashboards: .venv/installed
	scripts/install_programs chromium pngquant
	scripts/build_collector
	scripts/install_packages scripts/dashboard-pictures build
	PYTHONPATH=. $(BIN)/python scripts/dashboard-pictures/take.py $(ARGS)

dist: .venv/installed
	$(BIN)/python -m build --no-isolation --outdir dist .

lock:
	$(COMPILE) pyproject.toml --all-extras --group dev -o requirements/dev.lock
	$(COMPILE) pyproject.toml --extra otlp --extra cli --extra dashboards --extra demo --extra notify --group oldest --resolution lowest-direct -o requirements/oldest.lock
	$(COMPILE) --group oracles -o requirements/oracles.lock
	$(COMPILE) --group install --constraints requirements/dev.lock -o requirements/install.lock

.venv/installed: requirements/dev.lock requirements/install.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/install.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf .venv .cache .nox dist
