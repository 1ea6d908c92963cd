# Everything here can also be typed by hand; `make` only saves typing.
PYTHON ?= python3
BIN := .venv/bin

.venv:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -e ".[test,docs]"

.PHONY: test check format docs demo
test: .venv
	$(BIN)/pytest -n 2 --dist loadfile

check: .venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	rm -rf build
	$(BIN)/pip install -q --no-deps --target build/typed .
	$(BIN)/pyright -p pyrightconfig.wheel.json

format: .venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

demo: .venv
	$(BIN)/merkwelt demo

# numba keeps compiled kernels and does not see that a module they call has changed.
.PHONY: clean-kernels
clean-kernels:
	find scenes render -name '*.nb[ic]' -delete

# The bundled scene, from CC0 furniture; needs the extras capture and nerfstudio. See docs/living_room.md.
FURNITURE ?= furniture_cc0.tar.xz
LIVING_ROOM ?= living_room_build
.PHONY: living_room
living_room:
	$(BIN)/merkwelt scene capture $(FURNITURE) --out $(LIVING_ROOM)/capture --workers 2
	$(BIN)/merkwelt scene train $(LIVING_ROOM)/capture --name living_room \
	    --library $(LIVING_ROOM)/scenes --steps 6500 --rays-per-step 2048 --levels 13 \
	    --log2-hashmap-size 18 --max-resolution 2048 --background random \
	    --no-appearance-embedding --tables byte
	$(BIN)/merkwelt scene export living_room --library $(LIVING_ROOM)/scenes \
	    --out $(LIVING_ROOM)/living_room
