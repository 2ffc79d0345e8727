# make demo | test | lint | bench: each makes .venv first where it is missing.
# PYTHON picks the interpreter, PIP_OPTIONS go to pip (such as an index of CPU-only torch wheels).

PYTHON ?= python3
PIP_OPTIONS ?=
TEST_OPTIONS ?= -n 2
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test test-slow lint bench clean

demo: $(READY)
	$(BIN)/motifcnn demo

test: $(READY)
	$(BIN)/pytest $(TEST_OPTIONS) -m "not slow"

test-slow: $(READY)
	$(BIN)/pytest $(TEST_OPTIONS) -m slow

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) -c constraints.txt --group bench
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

clean:
	rm -rf .venv build dist *.egg-info

# pip before 25.1 knows no dependency groups.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) -c constraints.txt -e . --group dev
	touch $@
