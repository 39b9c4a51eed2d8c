# Two commands matter: `make book` builds the book, `make test` proves it. Both set themselves up.

PYTHON ?= python3
# The matrices of this book are small: on them, threads that wait for each other cost more than they bring (measured:
# a page of small linear algebra took 4 s with one thread and 20 s with two, beside another busy process).
export OPENBLAS_NUM_THREADS ?= 1
# TensorFlow greets on standard error; pages stay free of that.
export TF_CPP_MIN_LOG_LEVEL ?= 3
# Containers often forbid Python to keep compiled modules; each of some hundred processes then compiles TensorFlow anew
# (measured: 9 s of its import instead of 4).
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
UV := uv==0.13.9
HELPERS := $(shell find helpers -name '*.py' -o -name '*.json') $(wildcard book/*/*.json)

.PHONY: help book test sturdy lab bench pdf links fresh requirements clean

help:
	@echo "make book          install what the course needs, build the HTML, say where it is"
	@echo "make test          prove the book: style, unit tests, build, second run, exercises, browser"
	@echo "make sturdy        run the book as other processors would, list every claim that moved"
	@echo "make lab           open the pages as notebooks in JupyterLab"
	@echo "make bench         measure against peers, side by side"
	@echo "make pdf           print the whole book as one PDF, through headless Chromium"
	@echo "make links         ask every outside address whether it still answers (needs the network)"
	@echo "make fresh         build the book with the newest versions, say what changed (needs the network)"
	@echo "make requirements  pin every package anew from requirements.in"
	@echo "make clean         remove everything that was built"

# A claim that fails on this machine, or a library's warning, is told and costs nobody the book; `make test` is strict.
book: .venv/installed _build/fresh _build/styled
	$(BIN)/jupyter-book build -n .
	@echo
	@echo "Open this file in a browser: $(CURDIR)/_build/html/index.html"

test: .venv/installed _build/fresh _build/styled
	$(BIN)/python -m tests

sturdy: .venv/installed
	$(BIN)/python book/_ext/sturdy.py

# The settings stay inside .venv: Markdown pages open as notebooks here, and nowhere else on the reader's machine.
lab: export JUPYTER_CONFIG_DIR := $(CURDIR)/.venv/jupyter
lab: .venv/installed
	$(BIN)/jupytext-config set-default-viewer
	$(BIN)/jupyter labextension disable "@jupyterlab/apputils-extension:announcements"
	$(BIN)/jupyter lab --ServerApp.root_dir=book index.md

bench: .venv/installed
	@for question in $(sort $(filter-out __init__,$(basename $(notdir $(wildcard benchmarks/*.py))))); do \
		$(BIN)/python -m benchmarks.$$question || exit 1; done

pdf: book
	$(BIN)/python book/_ext/pdf.py

# Addresses of other hosts come and go: this never stops the proof.
links: .venv/installed
	$(BIN)/jupyter-book build --builder linkcheck .

# The pinned environment stays as it is.
fresh: book
	$(BIN)/python book/_ext/fresh.py

requirements: .venv/installed
	$(BIN)/python -m pip install --quiet $(UV)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --annotation-style line \
		--custom-compile-command "make requirements" requirements.in --output-file requirements.txt

clean:
	rm -rf .venv _build *.egg-info .pytest_cache .hypothesis .ruff_cache

# The environment: made once, made again when the pins change. uv installs with both cores and leaves bytecode to the
# first import (measured: 13 s, where pip takes 93); it does not read pip's settings, so pip stands behind it.
.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" || \
		{ echo "This course needs Python 3.11, 3.12 or 3.13: run make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet $(UV)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements.txt || \
		$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

# Pages are cached by their own code. When the helpers or the stored measurements change, every page has to run again.
_build/fresh: $(HELPERS) .venv/installed
	rm -rf _build/.jupyter_cache _build/.doctrees _build/jupyter_execute _build/html
	mkdir -p _build
	touch $@

# A changed style sheet or setting changes every page's HTML, but no page has to run again.
_build/styled: _config.yml _toc.yml $(wildcard book/_static/* book/_ext/*.py book/_ext/kernel/*.py)
	rm -rf _build/.doctrees _build/html
	mkdir -p _build
	touch $@
