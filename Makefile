# Everything here can also be typed by hand; `make` only saves typing.
PYTHON ?= python3
BIN := .venv/bin

.venv:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -e ".[test,docs]"

.PHONY: test check format docs demo
test: .venv
	$(BIN)/pytest

check: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: .venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

demo: .venv
	$(BIN)/merkwelt demo
