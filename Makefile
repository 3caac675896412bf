# Two commands do everything: `make demo` and `make test`. Both set up first, and again only when a pin changes.
# No NVIDIA GPU? `make demo TORCH=cpu` installs the small CPU build of torch (Linux; on macOS it is small anyway).

PYTHON ?= python3
VENV ?= .venv
TORCH ?= default
BIN := $(VENV)/bin
PIP_CPU := $(if $(filter cpu,$(TORCH)),--extra-index-url https://download.pytorch.org/whl/cpu)
export OMP_NUM_THREADS ?= 1

.PHONY: demo test lint damage crash soak interop setup clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $$($(PYTHON) --version) found; wanted Python 3.11 or newer; do: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what swerve needs into $(VENV) (a few minutes the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_CPU) -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup
	@$(BIN)/swerve demo

test: setup lint
	@$(BIN)/python -m pytest

PROVE = PYTHONPATH=.:tests:tests/curate $(BIN)/python

# Every persistence system call of agent and service: killed at it, refused by it, and the power cut around it.
# Needs strace; about an hour, less where TMPDIR is in memory (TMPDIR=/dev/shm).
crash: setup
	@$(PROVE) tests/crash/sweep.py car
	@$(PROVE) tests/crash/sweep.py car --refuse
	@$(PROVE) tests/crash/sweep.py service
	@$(PROVE) tests/crash/sweep.py service --refuse
	@$(PROVE) tests/crash/power.py car
	@$(PROVE) tests/crash/power.py service

# Agent and service killed at random on one growing state, links that lose, 64 devices at once, hostile input; hours.
soak: setup
	@$(PROVE) tests/crash/soak.py
	@$(PROVE) tests/crash/both.py
	@$(PROVE) tests/crash/lossy.py
	@$(PROVE) tests/crash/sockets.py
	@$(PROVE) tests/crash/fleet.py
	@$(PROVE) tests/hostile/hostile.py

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.log 2>&1 || { cat $(VENV)/lint-imports.log; exit 1; }

# Every format cut at every 4 KiB, every block zeroed, many bits flipped; `make test` runs a sample of it.
damage: setup
	@SWERVE_DAMAGE_LONG=1 $(BIN)/python -m pytest tests/damage

# Needs an environment of its own with lerobot >= 0.4: make interop LEROBOT_PYTHON=/path/to/its/python
interop: setup
	@$(BIN)/python tests/interop/check_lerobot.py $(LEROBOT_PYTHON)

clean:
	rm -rf $(VENV) runs .mypy_cache .ruff_cache .pytest_cache .hypothesis
