PYTHON ?= python3
PY := .venv/bin/python
# Notebooks that `make book` executes at a time. The full profile needs the whole machine for one.
JOBS ?= $(if $(filter full,$(BOOK_PROFILE)),1,2)
# NEWEST=1 installs the newest versions that requirements.txt admits, in place of those of constraints.txt.
NEWEST ?=
BOOK := .venv/bin/jupyter-book build -W -n --keep-going

.DEFAULT_GOAL := help
.PHONY: help book html pdf refresh test test-quick devices bench lint links address wheel clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.venv/.installed: requirements.txt constraints.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer, or call make with PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) --version 2>&1): call make with PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv (the first time it downloads PyTorch, several gigabytes) ..."
	@test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install -r requirements.txt $(if $(NEWEST),--upgrade,-c constraints.txt)
	$(PY) -m pip install --no-build-isolation --no-deps -e .
	@touch $@

book: .venv/.installed ## Execute a copy of all notebooks (quick profile) and build the pages from it.
	BOOK_PROFILE=$${BOOK_PROFILE:-quick} $(PY) -m helpers.book.execute --into _build/executed --jobs $(JOBS)
	$(PY) -m helpers.book.ledger _build/executed
	$(BOOK) _build/executed
	@echo "The book: file://$(CURDIR)/_build/executed/_build/html/index.html"

html: .venv/.installed ## Build the pages from the committed outputs; runs nothing.
	$(BOOK) .
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

pdf: html ## Print the whole book into one PDF, by a Chromium (BOOK_CHROMIUM names another one).
	$(PY) -m helpers.book.pdf _build/html _build/pdf/transfer-gan-book.pdf

refresh: .venv/.installed ## Execute the notebooks and write the outputs into them.
	BOOK_PROFILE=quick $(PY) -m helpers.book.execute --in-place
	$(PY) -m helpers.book.ledger

test: .venv/.installed ## Run the unit tests, and every notebook against its committed outputs.
	BOOK_PROFILE=quick OMP_NUM_THREADS=1 $(PY) -m pytest

devices: .venv/.installed ## Run the notebooks, shortened, on a device that is not there: finds what would stop on a GPU.
	BOOK_DEVICES=1 BOOK_PROFILE=quick OMP_NUM_THREADS=1 $(PY) -m pytest tests/test_devices.py --dist load

test-quick: .venv/.installed ## Run the unit tests only, without the slow ones.
	BOOK_PROFILE=quick OMP_NUM_THREADS=1 $(PY) -m pytest tests -m "not slow"

bench: .venv/.installed ## Time steps and metrics beside a tutorial's way; writes results/benchmark.json.
	TQDM_DISABLE=1 $(PY) -m helpers.experiments.benchmark

lint: .venv/.installed ## Check the style of package, tests and notebooks, and the types of the package.
	$(PY) -m ruff check helpers tests book conftest.py
	$(PY) -m ruff format --check helpers tests book conftest.py
	$(PY) -m mypy

links: .venv/.installed ## Ask every address that a page links to; needs a network.
	.venv/bin/jupyter-book build --builder linkcheck --path-output _build/links .

address: .venv/.installed ## Write another repository address everywhere: make address URL=https://github.com/you/fork
	@$(PY) -m helpers.book.address "$(URL)"

wheel: .venv/.installed ## Pack the package into one file under dist.
	rm -f dist/*.whl
	$(PY) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Delete the built pages and caches; keeps .venv.
	rm -rf _build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find helpers tests book -name __pycache__ -prune -exec rm -rf {} +
