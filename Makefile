# make demo    set everything up and compare every technique on embedded data and models
# make test    set everything up, then lint, types, tests
# make test-server    build a model server (some minutes, the first time), then the tests that ask it
# make fuzz    10,000 damaged files, folders and command lines (FUZZ_CASES, FUZZ_SEED): some 40 minutes
# make site    the documentation as a site, in build/site: a broken link or anchor fails
# make lint | bench | docs | lock | clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVER := $(VENV)/server
SITE := $(VENV)/site
READY := $(VENV)/.ready
export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := true

.PHONY: setup demo test test-server fuzz lint bench docs site lock clean

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

# After a version changes in constraints.txt (or in the other two): the hashes of all files of it.
LOCK := $(VENV)/lock
HASHED := pip compile - --quiet --no-deps --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version
lock:
	@test -x $(LOCK)/bin/uv || { $(PYTHON) -m venv $(LOCK) && $(LOCK)/bin/pip install --quiet uv; }
	{ echo "# constraints.txt with hashes, without torch. Made by \`make lock\`."; \
	  grep '==' constraints.txt | grep -v '^torch==' | $(LOCK)/bin/uv $(HASHED) 3.11; } > requirements.new
	mv requirements.new requirements.txt
	for name in embedded:3.11 site:3.11.5; do \
	  file=requirements-$${name%:*}.txt; \
	  { grep '^#' $$file; grep -o '^[^# ]*==[^ ]*' $$file | $(LOCK)/bin/uv $(HASHED) $${name#*:}; } > requirements.new && \
	  mv requirements.new $$file || exit 1; \
	done

demo: setup
	$(BIN)/stratune demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Tiny models gain nothing from several threads: two processes of one thread each.
# The tests that ask a real server are `make test-server`: it is compiled from source, for minutes.
# Where no chromium can be installed (no apt, no root), the tests of the page are skipped, and say so.
test: lint
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || \
	  echo "chromium cannot be installed: the tests of the page are skipped"
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

# In an environment of its own, as the server: what builds pages is no part of what is documented.
site: $(SITE)/.ready
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --quiet --strict

$(SITE)/.ready: requirements-site.txt | $(READY)
	$(BIN)/python -m venv $(SITE)
	$(SITE)/bin/pip install --quiet --no-deps --require-hashes --requirement requirements-site.txt
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
