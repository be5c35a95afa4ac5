# gisgrid: `make demo` to see it, `make test` to trust it, `make help` for the rest.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
ONLY ?=
MINUTES ?= 60
VENV := .venv
CORE := .venv-core
BIN := $(VENV)/bin
UV := $(VENV)/bin/uv
WEB := server/web
# Compiled kernels are kept here, so that a second start does not compile them again.
export NUMBA_CACHE_DIR ?= $(CURDIR)/.venv/numba-cache
export UV_LINK_MODE ?= hardlink
# Where a machine forbids Python to keep its bytecode, every start would read the libraries from their sources.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-core test-full check format bench soak notebooks docs lock clean setup setup-dev assets
help:  ## show these lines
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup  ## the synthetic city, every derived layer and the web map  [PORT=8000 HOST=127.0.0.1]
	@$(BIN)/gisgrid demo --layers layers --data demo-data --host $(HOST) --port $(PORT)

test: test-core test-full  ## every test: the core without the server installed, then server, pages, notebooks, docs

test-core: $(CORE)/.ready $(VENV)/.warm
	$(CORE)/bin/python -m pytest -n auto tests --ignore=tests/server --ignore=tests/browser --ignore=tests/notebooks --ignore=tests/docs $(ARGS)

test-full: setup-dev $(VENV)/.warm
	$(BIN)/python -m pytest -n auto --dist loadfile tests/server tests/notebooks tests/docs $(ARGS)
	$(BIN)/python -m pytest tests/browser $(ARGS)

check: setup-dev  ## format, lint, types, import staircase, front-end types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(WEB) && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent check

format: setup-dev  ## let the formatter and the linter mend what they can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup-dev  ## measured against the peers: tables, and their sections of docs/benchmarks.md  [ONLY=name]
	$(BIN)/python benchmarks/run.py $(ONLY)

soak: setup-dev  ## load on a server without a pause, and its memory all the while  [MINUTES=60]
	$(BIN)/python benchmarks/soak.py --minutes $(MINUTES)

notebooks: setup-dev  ## run every notebook from its first cell to its last
	$(BIN)/python -m pytest tests/notebooks $(ARGS)

docs: setup-dev  ## check that everything public is documented and that documented commands work
	$(BIN)/python -m pytest tests/docs $(ARGS)

lock: setup-dev  ## write the lock files anew
	PATH="$(CURDIR)/$(BIN):$$PATH" sh requirements/compile.sh

clean:  ## remove what was built, keep what was written
	rm -rf $(VENV) $(CORE) $(WEB)/node_modules gisgrid/assets server/gisgrid_server/static demo-data build dist

# --- set-up ---------------------------------------------------------------------------------------------------
setup: $(VENV)/.ready assets $(VENV)/.warm
setup-dev: $(VENV)/.dev-ready assets

$(UV): requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"gisgrid needs Python 3.11 or newer but {sys.executable} is {sys.version.split()[0]}; name another one, for example: make demo PYTHON=python3.12")'
	@echo "Setting up .venv"
	@$(PYTHON) -m venv $(VENV) || { echo "gisgrid needs Python's venv module; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@touch $(UV)

$(VENV)/.ready: requirements/run.lock pyproject.toml server/pyproject.toml $(UV)
	@$(UV) pip install --python $(BIN)/python --require-hashes -r requirements/run.lock
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --quiet -e . -e ./server
	@touch $@

# Nobody waits for a compiler at first use, nor do two processes of tests compile the same; what changes later is compiled when it is used.
$(VENV)/.warm: $(VENV)/.ready
	@$(BIN)/gisgrid warm-up
	@touch $@

$(VENV)/.dev-ready: requirements/dev.lock $(VENV)/.ready
	@$(UV) pip install --python $(BIN)/python --require-hashes --quiet -r requirements/dev.lock
	@touch $@

$(CORE)/.ready: requirements/core.lock pyproject.toml $(UV) assets
	@$(PYTHON) -m venv --without-pip $(CORE)
	@$(UV) pip install --python $(CORE)/bin/python --require-hashes --quiet -r requirements/core.lock
	@$(UV) pip install --python $(CORE)/bin/python --no-deps --no-build-isolation --quiet -e .
	@touch $@

# The front end: locked npm packages built into the server's static folder and gisgrid/assets.
assets: server/gisgrid_server/static/index.html

server/gisgrid_server/static/index.html: $(WEB)/package-lock.json $(shell find $(WEB)/src $(WEB)/public $(WEB)/scripts $(wildcard $(WEB)/*.html) $(WEB)/vite.config.js -type f 2>/dev/null) | $(UV)
	@PATH="$(CURDIR)/$(BIN):$$PATH" UV="$(CURDIR)/$(UV)" sh $(WEB)/scripts/build.sh
