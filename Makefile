# make demo    set everything up and compare every technique on embedded data and models
# make test    set everything up, then lint, types, tests
# make test-server    build a model server (some minutes, the first time), then the tests that ask it
# make fuzz    10,000 damaged files, folders and command lines (FUZZ_CASES, FUZZ_SEED): some 40 minutes
# make lint | bench | docs | lock | clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVER := $(VENV)/server
READY := $(VENV)/.ready
export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := true

.PHONY: setup demo test test-server fuzz lint bench docs lock clean

setup: $(READY)

# What pip can check by its hash it checks; torch is the user's choice of a build (CPU, CUDA), and large.
$(READY): pyproject.toml constraints.txt requirements.txt requirements-embedded.txt
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { \
	  apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); }
	$(BIN)/pip install --quiet --no-deps --require-hashes --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --require-hashes --requirement requirements-embedded.txt
	$(BIN)/pip install --quiet --constraint constraints.txt "torch==2.13.0"
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# After a version changes in constraints.txt (or in requirements-embedded.txt): the hashes of all files of it.
LOCK := $(VENV)/lock
HASHED := pip compile - --quiet --no-deps --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
lock:
	@test -x $(LOCK)/bin/uv || { $(PYTHON) -m venv $(LOCK) && $(LOCK)/bin/pip install --quiet uv; }
	{ echo "# constraints.txt with hashes, without torch. Made by \`make lock\`."; \
	  grep '==' constraints.txt | grep -v '^torch==' | $(LOCK)/bin/uv $(HASHED); } > requirements.new
	mv requirements.new requirements.txt
	{ grep '^#' requirements-embedded.txt; \
	  grep -o '^[^# ]*==[^ ]*' requirements-embedded.txt | $(LOCK)/bin/uv $(HASHED); } > requirements.new
	mv requirements.new requirements-embedded.txt

demo: setup
	$(BIN)/stratune demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Tiny models gain nothing from several threads: two processes of one thread each.
# The tests that ask a real server are `make test-server`: it is compiled from source, for minutes.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not server" --durations=15

test-server: setup $(SERVER)/.ready
	OMP_NUM_THREADS=1 STRATUNE_SERVER_PYTHON=$(CURDIR)/$(SERVER)/bin/python $(BIN)/python -m pytest -m server

# In an environment of its own: a server is another program, and what it needs is not stratune's.
$(SERVER)/.ready: requirements-server.txt | $(READY)
	@command -v c++ >/dev/null && command -v cmake >/dev/null || { \
	  apt-get update -qq && apt-get install -y -qq g++ cmake; }
	$(BIN)/python -m venv $(SERVER)
	@echo "compiling a model server, once: some minutes"  # for any processor: virtual ones may lack what they name
	CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF" $(SERVER)/bin/pip install --quiet --no-cache-dir --requirement requirements-server.txt
	@touch $@

FUZZ_CASES ?= 10000
FUZZ_SEED ?= 0
fuzz: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m fuzz --cases $(FUZZ_CASES) --seed $(FUZZ_SEED) --workers 2

bench: setup
	$(BIN)/python benchmarks/bench.py --rows 1200

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
