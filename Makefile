# `make help` says what there is. Everything happens in .venv; nothing is installed elsewhere.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
WORKERS ?= 2

.PHONY: verify-html help install demo test test-long lint format bench messages lock package clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP)  ## make .venv with the locked dependencies and .venv/bin/casemgmt

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "casemgmt needs Python 3.11 or later: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

demo: install  ## run the whole system with the demonstration cast; Ctrl-C stops it
	CASEMGMT_TIME_ZONE=$${CASEMGMT_TIME_ZONE:-Asia/Bishkek} $(BIN)/casemgmt up --demo --data data/demo

test: install  ## run the tests (WORKERS=2 processes)
	$(BIN)/pytest -q -n $(WORKERS)

test-long: install  ## run only the tests that take minutes
	$(BIN)/pytest -q -m long

lint: install  ## ruff, strict mypy and the import floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## let ruff format and sort imports
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: install  ## measure against plain loops and pgbench; alone on the machine, several minutes
	tools/get-lighthouse.sh
	$(BIN)/python -m bench

messages: install  ## collect the texts for translation into casemgmt/locale
	$(BIN)/python -m casemgmt.core.i18n_tool update

verify-html: install  ## build verify.html anew from casemgmt/trust/kit/page
	tools/get-esbuild.sh
	$(BIN)/python tools/verify_html.py

lock: install  ## resolve the dependencies anew into the two lock files
	$(BIN)/uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url -o requirements-dev.lock

package: install  ## build the wheel into dist/
	$(BIN)/uv build --wheel

clean:  ## remove what can be made again; never data/
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find casemgmt tests -name __pycache__ -type d -prune -exec rm -rf {} +
