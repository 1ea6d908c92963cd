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

# The bundled scene, from CC0 furniture; needs the extras capture and nerfstudio. See docs/living_room.md.
FURNITURE ?= furniture_cc0.tar.xz
LIVING_ROOM ?= living_room_build
.PHONY: living_room
living_room:
	$(BIN)/merkwelt scene capture $(FURNITURE) --out $(LIVING_ROOM)/capture
	$(BIN)/merkwelt scene train $(LIVING_ROOM)/capture --name living_room \
	    --library $(LIVING_ROOM)/scenes --steps 6000 --rays-per-step 2048 --levels 12 \
	    --max-resolution 1400 --no-appearance-embedding --tables half
	$(BIN)/merkwelt scene export living_room --library $(LIVING_ROOM)/scenes \
	    --out $(LIVING_ROOM)/living_room
