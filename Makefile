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
# What `make bench` times; kernels of other sources than these would not count.
FILES ?= examples/*.json examples/paper/*_3.json
SOURCES := $(shell find ansord client/ansord_client -name '*.py' -o -name '*.[ch]')
# Claims of `make accept`, all by default.
ONLY ?=

.PHONY: help demo test check bench accept install uninstall clean

help: ## this text
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

bench: $(STAMP) .bench/fresh ## tune examples and time them against NumPy, PyTorch (where installed), the peak (FILES=)
	$(BIN)/ansord tune $(FILES) --trials 64 --cache .bench
	$(BIN)/ansord bench $(FILES) --cache .bench

.bench/fresh: $(SOURCES)
	rm -rf .bench && mkdir .bench && touch $@

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
