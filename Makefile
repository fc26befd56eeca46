# Each target installs what it needs first, if that is missing or the pins have changed.
VENV     := .venv
PY       := $(VENV)/bin/python
APP      := $(VENV)/.app
LAB      := $(VENV)/.lab
SITE     := $(VENV)/.site
ALL      := $(VENV)/.all
EXTRAS_app  := app
EXTRAS_lab  := app,lab
EXTRAS_site := app,site
EXTRAS_all  := app,lab,cohort,dicom,hub,page,test

# The first Python of 3.11 or newer on the path; `make PYTHON=/path/to/python` overrides.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# Errors only; `make env PIP_FLAGS=` shows all that pip says.
PIP_FLAGS ?= -qq

.DEFAULT_GOAL := help
.PHONY: help explorer classroom lab lessons cheatsheet test bench lint page site release env clean

help: ## this list
	@echo "srheart-demo: watch a stack of slices become a heart. Targets:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r target text; do printf '%-16s %s\n' "$$target" "$$text"; done

# For a room to read: larger text in JupyterLab, by settings of its own that leave yours alone, and in
# the pictures.
ifdef PROJECTOR
LARGE := SRHEART_PROJECTOR=1 JUPYTERLAB_SETTINGS_DIR="$(CURDIR)/$(VENV)/projector"
endif

explorer: $(APP) ## open the dashboard in the browser, on the shipped sample
ifdef PROJECTOR
	@echo "Enlarge the page in the browser with Ctrl and +, at 1920 x 1080 to 125 %; F11 fills the screen."
endif
	@$(PY) -m srheart_demo.cli explore $(VOILA_ARGS)

# Empty: the command's own default.
CLASS_ARGS := $(if $(LEARNERS),--learners=$(LEARNERS)) $(if $(WAITING),--waiting=$(WAITING)) \
	$(if $(PORT),--port=$(PORT)) $(if $(ADDRESS),--address=$(ADDRESS))
classroom: $(APP) ## the explorer for a room: LEARNERS=20 WAITING=20 PORT=8866 ADDRESS=0.0.0.0
	@$(PY) -m apps.classroom $(CLASS_ARGS) $(VOILA_ARGS)

lab: $(LAB) ## open the course in JupyterLab; with PROJECTOR=1 in large type
	@echo "Starting JupyterLab; your browser opens by itself. Stop it here with Ctrl-C."
ifdef PROJECTOR
	@rm -rf $(VENV)/projector && cp -R share/projector $(VENV)/projector
endif
# No question about news: it needs the network, and no learner came for it.
	@mkdir -p $(VENV)/share/jupyter/lab/settings
	@cp share/lab/overrides.json $(VENV)/share/jupyter/lab/settings
	@OMP_NUM_THREADS=1 $(LARGE) $(PY) -m jupyterlab --ServerApp.root_dir="$(CURDIR)" $(LAB_ARGS) \
		notebooks/00_start_here.ipynb

lessons: $(ALL) ## make the notebooks of their sources, and run them
	@$(PY) -m notebooks.build $(LESSONS)

cheatsheet: $(LAB) ## docs/cheatsheet.md on one page of paper: build/cheatsheet.pdf
	@$(PY) -m notebooks.cheatsheet

test: $(ALL) ## run everything: unit tests, notebooks, the dashboard in a browser
	@echo "Running the tests, the notebooks and the dashboard."
	@$(PY) -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile $(PYTEST_ARGS)

bench: $(ALL) ## time one iteration against the reference method, side by side
	@$(PY) -m benchmarks.iteration $(BENCH_ARGS)

lint: $(ALL) ## check style, types and the direction of imports, JavaScript's style and types too
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m tests.javascript
	@$(VENV)/bin/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(VENV)/bin/check-jsonschema -q --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	@$(VENV)/bin/check-jsonschema -q --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(VENV)/bin/check-jsonschema -q --builtin-schema vendor.citation-file-format CITATION.cff

page: $(ALL) ## the explorer as static files that solve in any browser, in build/explorer
	@$(PY) -m page.build build/explorer

site: $(SITE) page ## README, docs, lessons, API and the page that solves, without a network, in build/site
	@$(PY) -m sphinx -b html -c docs/site -d build/doctrees -E -W --keep-going -q . build/site
	@rm -rf build/site/explorer && cp -R build/explorer build/site/explorer
	@$(PY) docs/site/check.py build/site
	@echo "Open build/site/index.html"

release: $(ALL) ## archives and notes in dist/, and what is left for an owner to do
	@$(PY) .ci/release.py

env: $(ALL) ## make or update the environment in .venv, with all that the tests need

clean: ## remove the environment, caches and what runs have written
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist tests/javascript/node_modules page/node_modules
	find . -type d \( -name __pycache__ -o -name .ipynb_checkpoints -o -name '*.egg-info' \) \
		-prune -exec rm -rf {} +

# The template of the dashboard's page is copied when the package is installed.
$(APP) $(LAB) $(SITE) $(ALL): $(VENV)/.%: pyproject.toml constraints.txt $(wildcard share/jupyter/voila/templates/*/*)
	@if [ -z "$(PYTHON)" ]; then \
		echo "srheart-demo needs Python 3.11 or newer, and none is on the path." >&2; \
		echo "Install one (python.org, apt, brew, conda) or say: make PYTHON=/path/to/python" >&2; \
		exit 1; fi
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON). Say make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "srheart-demo needs " \
		"Python 3.11 or newer; $(PYTHON) is %d.%d. Try: make PYTHON=/path/to/python" \
		% sys.version_info[:2])'
	@$(PY) -m pip --version >/dev/null 2>&1 || { \
		echo "Making a Python environment in $(VENV)"; \
		"$(PYTHON)" -m venv --clear $(VENV) || { \
			echo "That failed. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }; }
	@echo "Installing the pinned packages into $(VENV): minutes the first time, seconds later"
	@if [ "$$(uname -s)" = Linux ] && ! $(PY) -c 'import torch' 2>/dev/null; then \
		echo "On Linux PyTorch comes with CUDA, several GB; docs/install.md tells how to get the small CPU build."; fi
	@$(PY) -m pip install $(PIP_FLAGS) --disable-pip-version-check -e ".[$(EXTRAS_$*)]" -c constraints.txt \
		2>$(VENV)/pip.log || { cat $(VENV)/pip.log >&2; \
		if grep -q "No space left" $(VENV)/pip.log; then echo "The disk is full: about 2 GB are needed" \
			"(on Linux docs/install.md tells how to spare several more), then say make again."; \
		elif grep -qiE "connection|resol|proxy|timed out|versions: none" $(VENV)/pip.log; then echo "pip does" \
			"not reach its packages: is there a network? Behind a proxy set HTTPS_PROXY, then say make" \
			"again. docs/teaching.md tells how to install without a network."; \
		else echo "pip could not install the packages, for the reason above. For a fresh start: make clean," \
			"then the same again; all that pip says: make env PIP_FLAGS="; fi >&2; exit 1; }
	@touch $@
# Who has all has its parts.
	@if [ $@ = $(ALL) ]; then touch $(APP) $(LAB); fi
