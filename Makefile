# These commands do everything on a fresh machine with Python 3.11 or newer, git and make:
#   make demo       set up, then walk a practice class from source notebook to points page
#   make test       set up, then run the tests: eight minutes or so on two cores
#   make test-fast  only what starts no jail, nbgrader, browser or class: a minute, for every save
#   make test-all   the tests and what repeats them on every rung and as every user: before a release
#   make matrix     the practice class and test-fast on each Python that is here, and with the oldest packages allowed
#   make campaign   every named place killed, interrupted, out of disk, and the ledger against a model: hours
#   make coverage   the tests of make test once more in one process, and which lines they reach
#   make check      linters and types
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
NOTEBOOKS := $(wildcard demonotebooks solutions assignments)
# A file's tests share what they start, so a file stays in one process; the longest begin first, see tests/conftest.py.
# Many wait for something, so that there is work for more processes than cores.
WORKERS := 3
# nbval, which only `make test-all` needs, would cost each of them a second or two.
PYTEST = $(BIN)/python -m pytest -p no:nbval -n $(WORKERS) --dist loadfile --no-loadscope-reorder
export OPENBLAS_NUM_THREADS = 1
# Where a shell forbids Python to keep what it has compiled, each of the hundreds of processes would compile it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-fast test-all matrix campaign coverage check lock clean
.DEFAULT_GOAL := help

help:
	@sed -n '2,9s/^# *//p' $(MAKEFILE_LIST)

# The environment is made again only when what it is made from has changed.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) .ci/environment.py $(VENV)
	@touch $@

demo: $(READY)
	$(BIN)/autograder demo

test: $(READY)
	$(PYTEST) -m "not release"

test-fast: WORKERS := 2
test-fast: $(READY)
	$(PYTEST) -m "not slow and not release"

test-all: $(READY)
	$(BIN)/python -m pytest -p no:randomly -W default -n 2 --dist loadfile --nbval-lax --nbval-current-env $(NOTEBOOKS)
	$(PYTEST)

matrix: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	UV=$(BIN)/uv .ci/matrix $(VERSIONS)

campaign: $(READY)
	AUTOGRADER_LENGTHY=1 $(BIN)/python -m pytest -q --timeout=0 tests/record/test_ledger_model.py
	$(BIN)/python tests/support/campaign.py

# Counting lines nearly doubles the time of tests that are all Python, so it is not part of `make test`.
coverage: $(READY)
	$(BIN)/python -m coverage run --source=autograder -m pytest -q -p no:nbval -m "not release"
	$(BIN)/python -m coverage report --skip-covered --sort=cover

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests
	$(BIN)/lint-imports
	$(BIN)/codespell README.md docs autograder $(NOTEBOOKS) grading_config.py

# The locked file for the grader and the tests, from the ranges in pyproject.toml.
lock: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --extra test --no-emit-index-url --no-emit-find-links --no-annotate \
	    --no-header --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .matrix demo
