# make train   train QMIX on MMM in a virtual environment of its own
# make test    run the tests there
# Needs python3 (3.9 to 3.12) with venv, nothing else. Speeds and results: README.md.

PYTHON ?= python3
VENV ?= .venv
CONFIG ?= dizoo_configs/smac_MMM_qmix_config.py
SEED ?= 0
RESUME ?=
ENV_STEP ?= 1000000
PYTEST_ARGS ?=

BIN = $(VENV)/bin
# The command `ding`; ding_qmix first, which keeps the notices of DI-engine's imports off the terminal.
DING = $(BIN)/python -I -c 'import ding_qmix; from ding.entry.cli import cli; cli()'
SOURCES := setup.py pyproject.toml $(shell find ding_qmix dizoo_configs -name '*.py')
CHECKED := $(wildcard setup.py ding_qmix dizoo_configs entry tests)

.PHONY: help train test algotest slowtest check format clean

help:
	@echo 'make train     install into $(VENV) and train $(CONFIG), SEED=$(SEED), for ENV_STEP=$(ENV_STEP)'
	@echo '               RESUME=<exp_name> goes on with a run that stopped, from its newest whole save'
	@echo 'make test      install into $(VENV) and run the tests'
	@echo 'make algotest  run the tests that learn something; takes minutes'
	@echo 'make slowtest  run the tests of StarCraft II on every map and with many faults; takes minutes'
	@echo 'make check     ruff, yapf and mypy, for those who develop'
	@echo 'make format    let ruff and yapf rewrite the sources'
	@echo 'make clean     remove $(VENV) and what was built'

train: $(VENV)/.installed
ifeq ($(RESUME),)
	$(DING) -m serial -c $(CONFIG) -s $(SEED) --env-step $(ENV_STEP)
else
	$(BIN)/python entry/resume.py $(RESUME) -c $(CONFIG) -s $(SEED) --env-step $(ENV_STEP)
endif

test: $(VENV)/.installed-test
	$(BIN)/pytest $(PYTEST_ARGS)

algotest: $(VENV)/.installed-test
	$(BIN)/pytest -m algotest $(PYTEST_ARGS)

slowtest: $(VENV)/.installed-test
	$(BIN)/pytest -m slowtest $(PYTEST_ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/yapf --diff --recursive $(CHECKED)
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/yapf --in-place --recursive $(CHECKED)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/pip $(SOURCES)
	rm -rf build
	$(BIN)/pip install .
	touch $@

$(VENV)/.installed-test: $(VENV)/bin/pip $(SOURCES)
	rm -rf build
	$(BIN)/pip install '.[test]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/bin/pip $(SOURCES)
	rm -rf build
	$(BIN)/pip install '.[test,dev]'
	touch $@
