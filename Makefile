# The commands of this checkout. `make help` lists them; every longer one lives in a file of its own.
MAKEFLAGS += --no-print-directory
PYTHON := .venv/bin/python
STAMP := .venv/.made
# Molecule and ansible-lint start their siblings by name; Ansible finds this checkout as homecloud.swarm.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections
# Where an environment forbids it, each of a test's thousand processes would compile the same files anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-full lint units molecule lab lab-down bench clean venv
.DEFAULT_GOAL := help

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(STAMP) ## three bare machines to a home cloud with an app answering over HTTPS
	@$(PYTHON) molecule/lab/demo.py

test: $(STAMP) ## everything: linters, checks, units, all Molecule scenarios
	@$(PYTHON) tests/run.py

test-full: $(STAMP) ## make test, and the long parts beside it
	@$(PYTHON) tests/run.py --full

lint: $(STAMP) ## linters and checks
	@$(PYTHON) tests/run.py --group lint

units: $(STAMP) ## unit tests on every Python that is there
	@$(PYTHON) tests/run.py --group units

molecule: $(STAMP) ## Molecule scenarios (SCENARIOS="default ha" chooses)
	@$(PYTHON) tests/run.py --group molecule

lab: $(STAMP) ## start the lab; LAB_MANAGERS, LAB_WORKERS, LAB_RELEASE, LAB_BARE, LAB_KERNEL choose its shape
	@$(PYTHON) molecule/lab/lab.py up

lab-down: $(STAMP) ## remove the lab
	@$(PYTHON) molecule/lab/lab.py down

bench: $(STAMP) ## measure the promises that have a number
	@$(PYTHON) tests/run.py --group bench

clean: ## remove labs, caches and .venv
	@test ! -x $(PYTHON) || $(PYTHON) molecule/lab/lab.py clean
	@rm -rf .venv .cache .lab .ansible .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/output

venv: $(STAMP) ## the environment in .venv

$(STAMP): tests/requirements.txt tests/venv.sh
	@tests/venv.sh
	@touch $@
