# `make test` and `make demo` set up everything they need in .venv; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test browser lint clean

$(VENV)/small: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[cpu]'
	touch $@

$(VENV)/ready: pyproject.toml tests/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -c tests/constraints.txt -e '.[test]'
	touch $@

test: $(VENV)/ready
	$(BIN)/python -m pytest

# the tests that look at a report in a browser; without one they are skipped
browser:
	command -v chromium || { apt-get update -qq && apt-get install -y -qq chromium; }

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# mypy knows no package-dir mapping: lay the four folders out as they are installed
	rm -rf build/types && mkdir -p build/types && cp -r engine build/types/alrakis
	cp -r export bench configs build/types/alrakis/
	$(BIN)/mypy

demo: $(VENV)/small
	$(BIN)/alrakis say "Good morning. This voice was made on your own computer." \
		--weights demo --seed 1 -o demo.wav

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
