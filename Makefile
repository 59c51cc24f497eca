# Two commands do everything on a machine with Python 3.11+, pip and make:
#   make demo   installs, runs the card-fraud study, prints the decision, names the report
#   make test   installs, runs every check that CI runs
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS ?= boosting,ebm,testing
DEMO ?= demo

.PHONY: demo install test check format docs clean

$(VENV)/.installed: pyproject.toml constraints.txt setup.py src/tradespace/features/batch/loops.c
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r requirements-dev.txt
	@touch $@

install: $(VENV)/.installed

demo: $(VENV)/.installed
	@test -e $(DEMO)/study.yaml || $(BIN)/tradespace init --scenario card-fraud --out $(DEMO)
	@$(BIN)/tradespace evaluate $(DEMO)/study.yaml || test $$? -eq 1

test: check

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m pytest -n 2 --dist loadfile -q

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(DEMO) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
