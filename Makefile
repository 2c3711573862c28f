# Every command first makes sure that .venv is there and up to date; when it is, that costs nothing. `make lab` installs
# what lessons need, every other command the rest, too.
# Another Python: make PYTHON=python3.13 lab     A laptop without a GPU: make TORCH=cpu lab

PYTHON ?= python3
BIN := .venv/bin
LAB_READY := .venv/.ready-lab
READY := .venv/.ready
# Which lessons: make lessons LESSONS="02"     More options: make notebooks OPTIONS=--force
LESSONS ?=
OPTIONS ?=
# make refresh REMAKE="04 pages" OPTIONS="--jobs 2", or ACCEPT="04" REASON="only names changed"
REMAKE ?=
ACCEPT ?=
export REASON ?=
# make test TESTS=tests/test_notebooks.py runs a part, slow tests included
TESTS ?=
ALL_TESTS := tests grading notebooks
# Two files or notebooks side by side, each with one thread: that uses two cores best.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile \
	--nbval-lax --nbval-current-env --nbval-cell-timeout=300

.PHONY: help setup lab test test-all lessons notebooks refresh site bench constraints clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

$(LAB_READY): pyproject.toml constraints.txt
	@$(PYTHON) tools/setup_environment.py lab

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) tools/setup_environment.py all

setup: $(READY)  ## make .venv with everything, and nothing else

lab: $(LAB_READY)  ## open JupyterLab on the first lesson
	@$(BIN)/python -m tools.lab $(OPTIONS)

test: $(READY)  ## run the tests and every notebook
	@$(PYTEST) $(OPTIONS) $(or $(TESTS),-m "not slow" $(ALL_TESTS))

test-all: $(READY)  ## run what make test leaves out: browsers, sandboxes under attack, process groups, whole classes
	@$(PYTEST) $(OPTIONS) -m slow $(ALL_TESTS)

lessons: $(READY)  ## execute the lessons and print their times and closing tables
	@$(BIN)/python -m tools.run_lessons $(OPTIONS) $(LESSONS)

notebooks: $(READY)  ## rebuild the notebooks whose lesson changed
	@$(BIN)/python -m tools.build_notebooks $(OPTIONS) $(LESSONS)

refresh: $(READY)  ## say what is stale, why, and what remaking costs; REMAKE="04 pages" remakes
	@$(BIN)/python -m tools.refresh $(OPTIONS) $(if $(REMAKE),--remake $(REMAKE)) $(if $(ACCEPT),--accept $(ACCEPT)) \
		$(if $(REASON),--reason "$$REASON")

site: $(READY)  ## build the course's pages in build/site/html
	@$(BIN)/python -m tools.site $(OPTIONS)

bench: $(READY)  ## measure the models' speed
	@$(BIN)/python -m benchmarks $(OPTIONS)

constraints: $(READY)  ## record today's versions in constraints.txt
	@$(BIN)/python -m tools.record_constraints

clean:  ## remove the environment, caches and runs; sources, notebooks and results stay
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache runs build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +
