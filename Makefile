.DEFAULT_GOAL := help
BIN := .venv/bin

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1|/' | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## have everything for tests and linters in .venv
	@./surgeline test --version

test: ## the whole suite
	@./surgeline test

fast: ## the tests that start no browser and kill no process
	@./surgeline test -q -m "not pages and not faults"

faults: ## only the stories that freeze and kill real processes (minutes)
	@SURGELINE_FAULTS=1 ./surgeline test -n 2 --dist loadfile tests/faults tests/callbacks/test_burst.py tests/wire/stories/test_flood.py

lint: setup ## formatting, faults, types, and which way the arrows point
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: ## the product at work on this machine
	@./surgeline demo

bench: ## how fast, as ratios
	@./surgeline bench all

# No index is named in what this writes: an installer asks the one it is configured for.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "see CONTRIBUTING.md"

lock: ## resolve requirements/*.in again (UPGRADE=1: to the newest versions)
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements/runtime.in -o requirements/runtime.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) --constraint requirements/runtime.txt requirements/test.in -o requirements/test.txt

.PHONY: help setup test fast faults lint demo bench lock
