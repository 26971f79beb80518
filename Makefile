# Everything runs from a virtual environment that is made here on first use.
# Needed beforehand: Python 3.10 to 3.13 (requirements/README.md), make, and a C++ compiler.

# Found on the PATH when empty.
PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

PRESET ?= complete_journey
OUTPUT ?= out/$(PRESET)
IMAGE ?= cohortrec:0.1.0
BUILDER ?= $(firstword $(foreach name,docker podman buildah,$(shell command -v $(name) 2>/dev/null)))

.PHONY: help install lock run check test lint docs compile image report clean

help:  ## Show this list.
	@echo "make run       run the pipeline on a real shop (PRESET=$(PRESET), OUTPUT=$(OUTPUT))"
	@echo "make check     lint, type check and the quick tests, for every commit"
	@echo "make test      lint, type check and all tests"
	@echo "make lint      ruff, mypy and the layers (import-linter) only"
	@echo "make docs      build the documentation as a site in out/docs"
	@echo "make compile   write the Kubeflow pipeline to out/pipeline.yaml"
	@echo "make image     build the container image of the tasks (IMAGE=$(IMAGE)) with docker, podman or buildah"
	@echo "make report    render the report page of OUTPUT again"
	@echo "make install   only make the virtual environment (VENV=$(VENV), PYTHON=found on the PATH)"
	@echo "make lock      resolve requirements/*.in into the lock files"
	@echo "make clean     remove the virtual environment, caches and out/"

install: $(STAMP)
	@test -z "$(PYTHON)" || test "$$(requirements/choose-stack $(PYTHON))" = "$$(cat $(STAMP))" || \
	  { echo "$(VENV) has another Python than $(PYTHON): make clean first, or add VENV=.venv-other"; exit 2; }

# uv installs the stack in about a minute; without it pip does the same, only slower.
$(STAMP): $(wildcard requirements/*.lock) setup.py pyproject.toml
	@set -eu; chosen=$$(requirements/choose-stack $(PYTHON)); stack=$${chosen%% *}; \
	echo "Installing $$stack into $(VENV) (once; a few minutes)"; \
	"$${chosen#* }" -m venv --clear $(VENV); \
	pip="$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps"; \
	$$pip --require-hashes -r requirements/bootstrap.lock; \
	if $(BIN)/uv --version >/dev/null 2>&1; then \
	  pip="$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps"; \
	fi; \
	$$pip --no-build-isolation --require-hashes -r requirements/$$stack.lock; \
	$$pip --no-build-isolation -e .; \
	echo "$$chosen" >$(STAMP)

# The lock files, made anew from requirements/*.in; pins that still hold stay.
lock: lock-bootstrap lock-tfx-1.16 lock-tfx-1.21

LOCK := --quiet --python-version 3.10 --generate-hashes --no-annotate --no-header \
  --no-emit-index-url --no-emit-find-links --override requirements/overrides.txt
LOCK_bootstrap := --universal
LOCK_tfx-1.16 := --python-platform x86_64-manylinux_2_28
LOCK_tfx-1.21 := --universal
lock-%: $(STAMP)
	$(BIN)/uv pip compile requirements/$*.in $(LOCK) $(LOCK_$*) --output-file requirements/$*.lock

run: install  ## The whole pipeline on a real shop.
	@$(BIN)/cohortrec run --preset $(PRESET) --output $(OUTPUT)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Without what runs a pipeline, trains, exports or starts servers: whole files, by their marks.
check: lint
	$(BIN)/pytest -n 2 --dist loadfile -m "not e2e and not slow"

# Two workers, because most of a test's time is Python building graphs; whole files to a worker, so
# that a file's models are trained once, in the order of tests/conftest.py: long ones first.
test: lint
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# Warnings are errors: a broken link or reference ends it.
docs: install
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs -d out/docs-cache . out/docs
	@echo "out/docs/index.html"

compile: install
	@$(BIN)/cohortrec compile --preset $(PRESET) --output out/pipeline.yaml

image:  ## The container image that every task of the Kubeflow pipeline runs in.
	@test -n "$(BUILDER)" || \
	  { echo "make image needs docker, podman or buildah, and none is on the PATH;" \
	    "name another builder with BUILDER=/path/to/it"; exit 2; }
	$(BUILDER) build --file kubeflow/Dockerfile --tag $(IMAGE) .

report: install
	@$(BIN)/cohortrec report $(OUTPUT)

clean:
	rm -rf $(VENV) out build .pytest_cache .mypy_cache .ruff_cache *.egg-info
