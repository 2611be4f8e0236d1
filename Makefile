# Every verb of the project. Newcomers: `make demo`. Before a change goes in: `make check`.
# Variables: PYTHON (default python3), TORCH_INDEX (where PyTorch comes from; by default what suits this machine).

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt

.PHONY: help setup demo up test unit e2e bench check format lint types imports docs screenshots clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## prepare .venv with everything pinned

$(READY): pyproject.toml constraints.txt scripts/install_torch.py
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Needs Python 3.11 or newer with venv: apt install python3-venv, or make PYTHON=/path/to/python3'; exit 1; }
	@echo 'Preparing .venv (some minutes the first time) …'
	@$(PYTHON) -m venv .venv
	@$(PIP) pip
	@$(BIN)/python scripts/install_torch.py
	@$(PIP) -e '.[discord,telegram,web,train,dropbox,embedded,dev]'
	@touch $@

demo: setup ## train a first LoRA through a played chat; results in ./demo
	@$(BIN)/loraguild demo

up: setup ## run database, worker and every configured front end
	@$(BIN)/loraguild up

test: setup ## run all tests but e2e
	@$(BIN)/pytest -q -n 2 --dist loadfile --ignore tests/e2e

unit: setup ## run the tests of the pure domain, in seconds
	@$(BIN)/pytest -q tests/unit

e2e: setup ## run the tests of whole processes, kill -9 included
	@$(BIN)/pytest -q -n 2 --dist loadfile tests/e2e

bench: setup ## run every benchmark
	@set -e; for script in benchmarks/*.py; do $(BIN)/python -m benchmarks.$$(basename $$script .py); done

check: lint types imports test ## all that a change must pass

format: setup ## format the code and fix what can be fixed
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

lint: setup ## find bad habits
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

types: setup ## prove the types
	@$(BIN)/mypy --no-error-summary

imports: setup ## prove that the layers hold
	@$(BIN)/lint-imports --no-cache

docs: setup ## regenerate docs/commands.md
	@$(BIN)/loraguild docs > docs/commands.md

screenshots: setup ## take the pictures of the pages anew; needs Chromium
	@PYTHONPATH=. $(BIN)/python scripts/screenshots.py

clean: ## remove .venv and every cache; data stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
