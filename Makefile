# The front door. Needs Python 3.11+ with venv, and make; everything else is installed into .venv.
PYTHON ?= python3
VENV ?= .venv
CONFIG ?= configs/dev.yaml
PORT ?=

PY := $(VENV)/bin/python
PIP_INSTALL = $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
RUN = $(PY) manage.py runpqap $(if $(PORT),--port $(PORT))
PYTEST = $(PY) -m pytest -q -n 2 --dist loadfile
LOCK = $(PY) -m uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate \
	--python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help install develop demo run test check bench proof lock

help:
	@echo 'make demo                         the desk on a simulated exchange: no network, no keys'
	@echo 'make run CONFIG=configs/dev.yaml  the desk on Polymarket, on paper (PORT=8081 for another port)'
	@echo 'make install                      only the environment in $(VENV)'
	@echo 'make test                         the tests, core first'
	@echo 'make check                        format, lint, types, import contracts, docs'
	@echo 'make bench                        what each piece costs'
	@echo 'make proof                        the longer proofs'
	@echo 'make lock                         requirements.in -> requirements.txt, both locks'

# A stamp file says that a lock is installed; it is installed again only when the lock changes.
install: $(VENV)/.installed

develop: $(VENV)/.developing

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("PQAP needs Python 3.11 or later, and $(PYTHON) is " + sys.version.split()[0] + ": name another one, such as make PYTHON=python3.12 demo")'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo 'Installing what PQAP runs on into $(VENV) (a few minutes the first time).'
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.developing: requirements-dev.txt $(VENV)/.installed
	@echo 'Installing what developing needs into $(VENV).'
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

demo: install
	@$(RUN) configs/demo.yaml

run: install
	@$(RUN) $(CONFIG)

test: develop
	$(PYTEST) -m 'not slow' tests/core
	$(PYTEST) -m 'not slow' --ignore=tests/core tests

check: develop
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m pytest -q tests/test_docs.py

bench: develop
	$(PY) -m tests.bench

proof: develop
	$(PY) -m pytest -v -s -m slow --timeout 1800 tests

lock: develop
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt
