# make run    sets up and opens the workbench
# make test   sets up, checks format, lint and types, and runs every test
# make lint   format, lint and types only
# make setup  the environment alone; quick when nothing changed

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint setup browser

run: setup
	$(BIN)/python app.py

test: lint browser
	$(BIN)/python -m pytest

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

browser: setup
	$(BIN)/python -m tests.browser
