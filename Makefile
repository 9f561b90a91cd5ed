# Everything a person runs. Each target does its own set-up; the first takes a few minutes.
#
#   make chat    open the chat page        make test    run the tests
#   make check   format, lint, types       make bench   print the speed table
#   make setup   only install              make clean   remove the environment

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt

# No library counts its users, looks for weights or warns about forks while this project runs.
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1
export RAY_USAGE_STATS_ENABLED := 0
export TOKENIZERS_PARALLELISM := false

.PHONY: chat test check bench setup clean
.DELETE_ON_ERROR:

chat: $(STAMP)
	@$(BIN)/llark chat $(ARGS)

# One thread: the tests are small, and threads that share two cores slow each other down.
test: $(STAMP)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(STAMP)
	@$(BIN)/python tests/speed/bench_decode.py
	@$(BIN)/python tests/speed/bench_first_word.py $(ARGS)
	@$(BIN)/python tests/speed/bench_again.py
	@$(BIN)/python tests/speed/bench_tools.py
	@$(BIN)/python tests/speed/bench_search.py
	@$(BIN)/python tests/speed/bench_caption.py
	@$(BIN)/python tests/speed/bench_memory.py
	@$(BIN)/python tests/speed/bench_ledger.py

setup: $(STAMP)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed (apt-get install python3 python3-venv, or make PYTHON=...)" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
	  $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || \
	  $(PYTHON) -m virtualenv --quiet --clear $(VENV) 2>/dev/null || \
	  { rm -rf $(VENV); echo "no virtual environment can be made: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing into $(VENV) (once; 2.8 GB, about two minutes)" >&2
	@# torch first: an open range of another package would pull in a newer one with CUDA.
	@$(PIP) $(shell grep '^torch==' constraints.txt)
	@$(PIP) --editable '.[train,evaluate,scale,dev]'
	@# Their metadata asks for tensorflow and a sound card; their code does not.
	@$(PIP) --no-deps basic-pitch resampy tinysoundfont
	@touch $(STAMP)
