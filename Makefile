# ansord. `make` alone prints what there is to make.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV ?= .venv
PREFIX ?= /usr/local
DESTDIR ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.ansord-installed
# Test processes; the tests that time kernels take a lock among themselves.
JOBS ?= 2
# Cases of `make bench` and `make converge` (a regular expression), claims of `make accept`, examples of
# `make pools` and `make ablations` (paper/c2d_3), pools of `make replay` (c2d_3); all by default.
ONLY ?=
# Whom `make bench` times; metaschedule may be added (minutes a case).
PEERS ?= ansord,eager,onednn
# Programs of each of `make pools`.
COUNT ?= 5000
SEARCH = $(BIN)/python -m benchmarks.search
BENCH = $(BIN)/python -m benchmarks.paper --only '$(ONLY)' --peers $(PEERS) --install --json .bench/rows.json --plot .bench/rows.svg

.PHONY: help demo test check bench bench-quick pools prior replay ablations converge reach rates accept install uninstall clean

help: ## this text
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## tune the examples in .demo/ and show what came out (under 4 minutes)
	@PYTHON="$(PYTHON)" sh examples/demo.sh

test: $(STAMP) ## everything: lint, types, all tests (makes .venv; needs Python >= 3.11 and gcc)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: $(STAMP) ## the quick half of test: lint, types, tests that take no time
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow"

bench: $(STAMP) ## the paper's 13 operators, tuned and timed against PyTorch, oneDNN, the peak; goes on where it was (ONLY=, PEERS=)
	@$(BENCH) --tune 180

bench-quick: $(STAMP) ## the same with a tenth of the time for each case
	@$(BENCH) --tune 18 --sample-seconds 0.5

pools: $(STAMP) ## record 5,000 programs of each of 27 tasks in .bench/pools (hours); goes on where it was (ONLY=paper/c2d_3, COUNT=)
	@$(SEARCH) record --count $(COUNT) $(ONLY)

prior: $(STAMP) ## from these pools, the prior that ansord ships; then how good it is on what it was not taught
	@$(SEARCH) prior
	@$(SEARCH) quality

replay: $(STAMP) ## searches on these pools without a compiler: 100 seeds of each strategy (ONLY=c2d_3)
	@$(SEARCH) replay --into .bench/replay $(ONLY)

ablations: $(STAMP) ## the paper's ablations measured, 10 seeds, with plots in .bench/ablations (hours); goes on where it was (ONLY=)
	@$(SEARCH) ablate $(ONLY)
	@$(BIN)/python -m benchmarks.scheduler plot

converge: $(STAMP) ## what 32 and 96 trials give beside 1,000, over the paper's cases (hours); goes on where it was (ONLY=)
	@$(SEARCH) converge --only '$(ONLY)'

reach: $(STAMP) ## seconds to the latencies of TVM's searches; goes on where it was
	@$(SEARCH) reach

rates: $(STAMP) ## candidates a second that are judged
	@$(SEARCH) rates

accept: $(STAMP) ## every promise of the project, checked from outside; goes on where it was interrupted (ONLY=)
	@PYTHON="$(PYTHON)" $(BIN)/python -m benchmarks.accept $(ONLY)

install: ## as root: a venv in PREFIX/lib/ansord, the command, the systemd unit (PREFIX=/usr/local)
	@PYTHON="$(PYTHON)" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" sh systemd/install.sh install

uninstall: ## undo install; the caches and records stay
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" sh systemd/install.sh uninstall

clean: ## remove what make and the tools made here
	rm -rf .venv .demo .accept .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis build client/build
	rm -rf *.egg-info client/*.egg-info
	find ansord client tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml client/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "ansord needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check -e client -e '.[test]'
	@touch $@
