# Everything runs from a virtual environment that is made here on first use.
# Needed beforehand: Python 3.10, make, and a C++ compiler (one dependency of TFX ships source only).

PYTHON ?= python3.10
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.9

PRESET ?= complete_journey
OUTPUT ?= out/$(PRESET)
IMAGE ?= cohortrec:0.1.0
BUILDER ?= $(firstword $(foreach name,docker podman buildah,$(shell command -v $(name) 2>/dev/null)))

.PHONY: help install run test lint compile image report clean

help:  ## Show this list.
	@echo "make run       run the pipeline on a real shop (PRESET=$(PRESET), OUTPUT=$(OUTPUT))"
	@echo "make test      lint, type check and all tests"
	@echo "make lint      ruff and mypy only"
	@echo "make compile   write the Kubeflow pipeline to out/pipeline.yaml"
	@echo "make image     build the container image of the tasks (IMAGE=$(IMAGE)) with docker, podman or buildah"
	@echo "make report    render the report page of OUTPUT again"
	@echo "make install   only make the virtual environment"
	@echo "make clean     remove the virtual environment, caches and out/"

install: $(STAMP)

# uv installs the stack in about a minute; without it pip does the same, only slower.
$(STAMP): requirements.lock requirements.in requirements.overrides setup.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null || \
	  { echo "cohortrec needs Python 3.10; '$(PYTHON)' is not it (set PYTHON=/path/to/python3.10)"; exit 2; }
	@echo "Installing into $(VENV) (once; a few minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); then \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes \
	    --override requirements.overrides -r requirements.lock && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  echo "uv cannot be installed; going on with pip" && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check wheel && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $(STAMP)

run: install  ## The whole pipeline on a real shop.
	@$(BIN)/cohortrec run --preset $(PRESET) --output $(OUTPUT)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Two workers, because most of a test's time is Python building graphs; whole files to a worker, so
# that a file's models are trained once, and in order, so that the long ones do not come last.
test: lint
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

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
