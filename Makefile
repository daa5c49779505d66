# make demo | test | lint | check | lock | clean. Needs Python 3.11 or later and make; everything else is installed in .venv
# from the lock files, and a second run starts at once.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOLON := $(BIN)/solon

# The first of these that is new enough and can make a virtual environment; or say which: make demo PYTHON=/path/to/python
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
  $$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$python && break; done)

.PHONY: help demo test lint check format lock clean

help:
	@echo 'make demo    set up, and judge a small ML platform'
	@echo 'make test    set up, and run the tests'
	@echo 'make lint    style, types and import layers'
	@echo 'make check   lint and test: what a change must pass'
	@echo 'make format  let ruff lay out the code'
	@echo 'make lock    resolve the dependencies anew'
	@echo 'make clean   remove .venv and every cache'

demo: $(VENV)/.runtime
	@$(SOLON) demo

test: $(VENV)/.dev
	@$(BIN)/pytest -n auto --dist loadgroup $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint test

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# --universal: one lock for every platform and Python; the hashes are what pip checks on install.
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --custom-compile-command 'make lock' --upgrade
lock: $(VENV)/.dev
	$(COMPILE) pyproject.toml --group build --output-file requirements/runtime.lock
	$(COMPILE) pyproject.toml --group dev --all-extras --constraints requirements/runtime.lock --output-file requirements/dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.runtime: requirements/runtime.lock pyproject.toml | $(BIN)/python
$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(BIN)/python
$(VENV)/.runtime $(VENV)/.dev:
	@echo 'Installing what $< pins ...'
	@$(PIP) install --require-hashes -r $<
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/python:
	@test -n '$(PYTHON)' || { \
	  echo 'Solon needs Python 3.11 or later with the venv module, and found none.' >&2; \
	  echo 'Install one (Debian, Ubuntu: apt install python3 python3-venv) or name it: make demo PYTHON=/path/to/python3.11' >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Solon needs Python 3.11 or later; $(PYTHON) is older.' >&2; exit 1; }
	@echo 'Making $(VENV) with $(PYTHON) ...'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
