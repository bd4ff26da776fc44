# The menu of this repository; `make help` shows it. Everything a target needs is set up by it.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

BASE_PYTHON ?= python3
PYTHON := .venv/bin/python
VENV := .venv/.installed
PYTEST := $(PYTHON) -m pytest
CLUSTER := $(PYTHON) -m tests.cluster

.PHONY: help demo test lint unit e2e examples cluster-up cluster-down cluster-status images crds locks bench soak clean

help:  ## Show this menu
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)  ## See it work: a cluster, the operator, a ScheduledJob and its first run
	@$(PYTHON) -m tests.cluster.demo

# The cluster comes first, so that its minutes-long first start shows its progress. Where none can be had,
# the tests that need one are skipped with the reason; with CI=true they fail.
test: $(VENV) lint  ## Everything that CI runs: lint, then all tests, on a real cluster
	-@$(CLUSTER) up
	@$(PYTEST)

lint: $(VENV)  ## Style, types and the direction of imports
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

unit: $(VENV)  ## The tests that need no cluster
	@$(PYTEST) tests/unit tests/runner tests/handlers tests/chart

e2e: $(VENV)  ## The tests on a real cluster
	@$(PYTEST) tests/e2e

examples: $(VENV)  ## The systems of examples/, each job against real servers on a real cluster
	@$(PYTEST) tests/examples

cluster-up: $(VENV)  ## Make the test cluster, or find it healthy; writes .cluster/kubeconfig
	@$(CLUSTER) up

cluster-down: $(VENV)  ## Remove the test cluster and all it left
	@$(CLUSTER) down

cluster-status: $(VENV)  ## Say whether the test cluster can be used
	@$(CLUSTER) status

images: $(VENV)  ## Build the images and give them to the test cluster
	@$(CLUSTER) images

CRD := scheduledjobs.yaml
crds: $(VENV)  ## Write what is generated: the resource definition, the tables in the documentation
	@$(PYTHON) -m scheduledjob_operator.crd crds/$(CRD) charts/scheduledjob-operator/files/$(CRD)
	@$(PYTHON) docs/generate_fields.py
	@$(PYTHON) -m tests.chart.values_table --write

LOCK := UV_CUSTOM_COMPILE_COMMAND="make locks" .venv/bin/uv pip compile --quiet --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --python-version 3.11
locks: $(VENV)  ## Pin the newest allowed versions of all dependencies, with hashes
	@$(LOCK) --upgrade pyproject.toml --output-file requirements/operator.txt
	@$(LOCK) --upgrade job_images/runner/requirements.in --output-file job_images/runner/requirements.txt
	@$(LOCK) --upgrade examples/servers/requirements.in --output-file examples/servers/requirements.txt
	@$(LOCK) --upgrade requirements/dev.in --output-file requirements/dev.txt

bench: $(VENV)  ## Measure writes, throughput and memory on a control plane of its own
	@$(PYTHON) -m tests.bench

soak: $(VENV)  ## Kill the operator 200 times, and its leaders; keep it and Kubernetes away; an hour and a half
	@$(PYTHON) -m tests.soak --kills 200 --away --leaders 10 --partitions 10 --punctual 30 --late

clean: $(VENV)  ## Remove the test cluster and everything that was made here, the virtual environment too
	@$(CLUSTER) down
	@rm -rf .cluster .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV): requirements/dev.txt pyproject.toml job_images/runner/pyproject.toml
	@BASE_PYTHON="$(BASE_PYTHON)" sh tests/cluster/make_venv.sh
	@touch $@
