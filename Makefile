# One folder, .venv, holds everything that is installed; remove it to start afresh.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

.PHONY: help discover test fuzz docs notebooks check format install espresso clean bench bench-%

.DEFAULT_GOAL := help

# Tests start a thousand processes: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

help:  ## Print this list
	@sed -n 's/^\([a-z%-]*\):[^#]*##\(.*\)/make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{printf "%-16s%s\n", $$1, $$2}'

discover: $(READY)  ## Run the ready campaign: the stiffest stable ordering of Ni-Fe-Cr
	$(BIN)/alloop launch nifecr-bulk-modulus

test: $(READY)  ## Run the tests, two files at a time
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

fuzz: $(READY)  ## Feed every reader a hundred thousand mutated files: a quarter of an hour
	$(BIN)/python -m benchmarks.trust.malformed.fuzz

docs: $(READY) notebooks  ## Build the documentation as a site, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

notebooks: $(patsubst docs/notebooks/%.md,build/notebooks/%.ipynb,$(wildcard docs/notebooks/*.md))  ## Execute the notebooks that changed: minutes

build/notebooks/%.ipynb: docs/notebooks/%.md $(READY)
	$(BIN)/python -m docs._site.notebooks $*

check: $(READY)  ## Run what CI runs before the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## Put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: bench-loop bench-lammps bench-dft bench-dvae bench-pcdvae bench-ftcp bench-execution bench-two_fidelity bench-house bench-search bench-trust bench-page bench-doors bench-crystals  ## Run them all: hours

bench-%: $(READY)  ## Run one measured comparison and refresh its table
	$(BIN)/python -m benchmarks.$*
	$(BIN)/python -m benchmarks.tables

espresso:  ## Install Quantum ESPRESSO (Debian, Ubuntu), for engine: espresso
	apt-get install --yes --no-install-recommends quantum-espresso quantum-espresso-data openmpi-bin

install: $(READY)  ## Install Alloop and what it needs into .venv

# torch goes first and by its exact version: left to choose, the installer takes a
# build with several GB of CUDA libraries. Modules are compiled on all cores at the end, where
# pip would use one; templates among them do not compile, which is no fault.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --no-compile --constraint constraints.txt torch==2.13.0
	$(BIN)/pip install --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[dev,remote]'
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true
	touch $@

clean:  ## Remove .venv and whatever was built
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
