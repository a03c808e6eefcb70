# The daily verbs. Each makes what it needs first; none touches the system.
#
#   make up            start the platform (make down, or ctrl-C, stops it);
#                      with COMPACT=1, all services in one process
#   make reload        the same, and a saved file is live within two seconds
#   make test          every test; make test T=tests/local for some
#   make chaos         every disaster at length; its pages in bench/results/chaos
#   make growth        the plans of every question among a million rows
#   make web           build the web app, if its sources changed; make up does
#   make fuzz          look for input that breaks a promise; SECONDS=60 for longer
#   make lint          ruff, mypy, import-linter
#   make proto         generate from the contracts; make check-proto: is it done?
#   make bench         measure the platform beside its references; bench-quick: briefly
#   make bench-peers   measure it beside Synapse and Prosody (apt installs that, as root)
#   make soak          use it until memory stands still, then ten minutes (MINUTES=): does anything grow?
#   make bench-page    measure the web app in a browser; needs a Chromium (TRACES=folder)
#   make screenshots   look at every screen: docs/screenshots
#   make lock          resolve the dependencies of pyproject.toml anew
#
# CREAVIO_HOME (~/.creavio) is where data lives, CREAVIO_PORT (8080) where it
# opens; PYTHON names the interpreter to make .venv with.
.PHONY: up reload down web test chaos growth fuzz lint proto check-proto bench bench-quick bench-peers bench-page soak screenshots lock venv venv-dev
.DEFAULT_GOAL := up
T := tests
SECONDS := 10
MINUTES := 10
BIN := .venv/bin
export PYTHON

up: venv web
	@exec $(BIN)/creavio up $(if $(filter-out 0,$(COMPACT)),--compact)

reload: venv-dev web
	@exec $(BIN)/creavio up --reload

down: venv
	@$(BIN)/creavio down

web: venv
	@$(BIN)/python -m tools.web

test: venv-dev
	@$(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder $(T)

chaos: venv-dev
	@$(BIN)/pytest tests/chaos --chaos long --chaos-results bench/results/chaos

fuzz: venv-dev
	@local/bootstrap.sh fuzz
	@$(BIN)/python -m tests.fuzz --seconds $(SECONDS)
	@CREAVIO_FUZZ_TIMES=5 $(BIN)/pytest -q -n 0 --timeout 1800 tests/fuzz/test_walks.py tests/fuzz/test_life.py

growth: venv-dev
	@CREAVIO_GROWTH_ROWS=1000000 $(BIN)/pytest -n 0 tests/growth

lint: venv-dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYTHONPATH=sdk/python $(BIN)/lint-imports

proto: venv-dev
	@$(BIN)/python -m tools.proto

check-proto: venv-dev
	@$(BIN)/python -m tools.proto --check

bench: venv-dev
	@$(BIN)/python -m bench

bench-quick: venv-dev
	@$(BIN)/python -m bench --quick

bench-peers: venv-dev
	@$(BIN)/python -m bench.peers

bench-page: venv-dev
	@$(BIN)/python -m bench.page $(if $(TRACES),--traces $(TRACES))

soak: venv-dev
	@$(BIN)/python -m bench.soak --minutes $(MINUTES)

screenshots: venv-dev
	@$(BIN)/python -m tests.web.screens $(SCREENS)

lock: venv-dev
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links -o requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links -o requirements-dev.lock \
		--constraint requirements.lock --extra dev pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links -o requirements-fuzz.lock \
		--group fuzz
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links -o bench/peers/requirements.lock \
		bench/peers/requirements.in

venv:
	@local/bootstrap.sh

venv-dev:
	@local/bootstrap.sh dev
