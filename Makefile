# Everything runs in .venv, made from the lock. No Docker, no root.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
export PYTHONPATH := $(CURDIR)
unexport PYTHONDONTWRITEBYTECODE  # .venv is ours: without its bytecode every start would compile all it imports, which is most of its time

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test lint docs bench lock clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/uv: 
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": install it and say make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv .venv || { echo "python has no venv module (Debian: apt-get install python3-venv)"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@touch $@

.venv/runtime: .venv/uv requirements.lock requirements-demo.lock pyproject.toml
	@echo "installing what churnwatch needs"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock -r requirements-demo.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

.venv/kernel: .venv/runtime $(shell find features online_models stream -name "*.py")
	@echo "compiling the kernel"
	@find features online_models stream -name "*.nb[ic]" -delete  # numba looks at a function's own file only, not at what it calls
	@$(BIN)/python -m online_models.warm & beside=$$!; $(BIN)/python -m stream.processes.warm && wait $$beside
	@$(BIN)/python -c "from stream.demo.local_redis import redis_binary; print('redis-server:', redis_binary())" 2>&1 | tail -n 1  # or what is missing, and how to get it
	@touch $@

.venv/files: .venv/kernel $(shell find insights/analyses -name "*.py")  # what an engine does without: files and analyses
	@find insights -name "*.nb[ic]" -delete
	@$(BIN)/python -m features.files.warm & beside=$$!; $(BIN)/python -m insights.analyses.warm && wait $$beside
	@touch $@

.venv/dev: .venv/files requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

churnwatch.key: | .venv/runtime
	@$(BIN)/churnwatch config key

setup: .venv/files churnwatch.key ## make .venv from the lock, compile the kernel, make a key of your own

setup-dev: .venv/dev ## the same with the tools for tests

demo: .venv/files churnwatch.key ## a made-up product, its page and its history: ninety days in about a minute, then live until Ctrl-C
	@$(BIN)/churnwatch demo

lint: setup-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## lint, doctests and all tests, three files at a time, since servers that are killed and start leave the cores idle (a tenth of the kills; `pytest -m real_kafka --full` for all)
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

docs: setup-dev ## the pages of docs/ as a site in build/site; a warning, such as a broken link, is an error
	$(BIN)/python -m sphinx -q -E -W --keep-going -d build/doctrees -c docs/site . build/site
	@echo "$(CURDIR)/build/site/index.html"

bench: setup-dev ## engine against stock Faust and the naive job, on real Kafka and Redis
	$(BIN)/python -m benchmarks.engine

LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
EXTRA := import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")

lock: .venv/uv ## resolve the lock files anew: production, what the demo needs besides, and all of it with the tools
	$(BIN)/$(LOCK) -o requirements.lock pyproject.toml
	$(BIN)/python -c '$(EXTRA)' demo | $(BIN)/$(LOCK) -c requirements.lock -o requirements-demo.lock -
	$(BIN)/$(LOCK) --extra demo --extra dev -o requirements-dev.lock pyproject.toml

clean: ## remove what make made
	rm -rf .venv .cache build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
