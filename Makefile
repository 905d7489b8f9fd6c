# The commands of this project. `make` lists them. All work without any environment variable.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# The first Python that is new enough and can make environments. 3.11 and 3.12 come first: every
# dependency has a wheel there. That of the system comes before others of its version: it is built
# with all optimizations, which pyenv leaves out unless it is told, and a tenth to a third faster.
VERSIONS = python3.11 python3.12 python3 python3.13 python3.14
CANDIDATES = $(foreach version,$(VERSIONS),/usr/bin/$(version) $(version)) python
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	if $$p -c 'import ensurepip; $(NEW_ENOUGH)' >/dev/null 2>&1; then echo $$p; break; fi; done)

# Compiled once, our code starts in less time; the tests start more than a hundred processes.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --quiet

# Settings as production has them, for the checks; nothing is read from a running `make run`.
check: export DEBUG := 0
check: export DATA_DIR := .venv/no-data
check: export PUBLIC_URL := https://hookline.example
check: export ALLOWED_HOSTS := hookline.example
check: export DATABASE_URL := postgresql:///none?host=/nonexistent
check: export SECRET_KEY := for-checks-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ
check: export CREDENTIAL_KEYS := Zm9yLWNoZWNrcy1vbmx5LWtleS1vZi0zMi1ieXRlcy4=

.PHONY: help run demo test check format openapi bench requirements clean

help:  ## List these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

run: .venv/base.stamp  ## Start everything on this machine, with a demo account; Ctrl-C stops it
	@$(BIN)/python manage.py up

demo: .venv/base.stamp  ## Simulate 200 calls, deliver them, and check that none was lost
	@$(BIN)/python manage.py demo

test: check  ## Check the code, then run every test on all cores
	$(BIN)/pytest --numprocesses logical --dist worksteal

check: .venv/dev.stamp  ## Format, lint, templates, types, import contracts, migrations, deployment
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	find templates apps -name '*.html' -exec $(BIN)/djade --check --target-version 5.2 {} +
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --deploy --fail-level WARNING

format: .venv/dev.stamp  ## Format code and templates, and apply the safe fixes of the linter
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	-find templates apps -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} +

openapi: .venv/dev.stamp  ## Write the description of the API anew, after a change of it
	@DEBUG=1 $(BIN)/python manage.py spectacular --validate --fail-on-warn \
		--file static/api/openapi.yaml

bench: .venv/dev.stamp  ## Measure everything on this machine, and keep it in docs/benchmarks.md
	$(BIN)/python -m bench --write docs/benchmarks.md

requirements: .venv/dev.stamp  ## Compile the hashed requirements anew from pyproject.toml
	$(COMPILE) --extra embedded --output-file requirements/base.txt
	$(COMPILE) --constraint requirements/base.txt --output-file requirements/production.txt
	$(COMPILE) --extra embedded --extra dev --constraint requirements/base.txt \
		--output-file requirements/dev.txt

clean:  ## Remove the environment and every cache; the data under var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { \
		echo "Hookline needs Python 3.11 or newer that can make environments, and found none of:"; \
		echo "$(CANDIDATES). On Debian and Ubuntu: apt install python3-venv."; \
		echo "Or name one: make PYTHON=/path/to/python3.11"; exit 1; } >&2
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { \
		echo "$(PYTHON) is older than Python 3.11, which Hookline needs."; exit 1; } >&2
	@echo "Making the environment in .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "$(PYTHON) can not make environments. On Debian and Ubuntu: apt install python3-venv"; \
		exit 1; } >&2

.venv/base.stamp: requirements/base.txt | .venv/bin/python
	@echo "Installing requirements/base.txt"
	@$(PIP) install --require-hashes --requirement requirements/base.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt | .venv/bin/python
	@echo "Installing requirements/dev.txt"
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@
