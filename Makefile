# Needs Python >= 3.10, make and a package index; everything else goes into .venv.
PYTHON ?= python3
WORKERS ?= 2
PYTHONS ?= 3.10 3.11 3.12 3.13

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

# One torch thread per test worker: more only fight over the cores.
# loadfile: a file's fixtures (a trained model, a finished study) are made once.
PYTEST := -m pytest -n $(WORKERS) --dist loadfile
# Before 3.12 Python cannot be watched without being slowed to half its speed.
COVERAGE := $(shell $(PYTHON) -c 'import sys; print("--cov" * (sys.version_info >= (3, 12)))')
test test-slow test-openmmlab coverage: export OMP_NUM_THREADS := 1
ifneq ($(COVERAGE),)
test coverage: export COVERAGE_CORE := sysmon
endif

# Reading all files of tests takes longer than these tests. A conftest marks a whole folder.
GPU_TESTS = $(shell grep -rl 'mark\.gpu' tests --include='*.py' | sed 's|/conftest.py$$||')

.DEFAULT_GOAL := help
.PHONY: help venv venv-openmmlab demo test test-slow test-gpu test-openmmlab test-pythons coverage lint format docs notebooks wheel clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1 - /p' $(MAKEFILE_LIST)

venv: .venv/.installed  ## install everything into .venv
venv-openmmlab: .venv-openmmlab/.installed  ## the same with the official MMEngine line

# $(1) the folder, $(2) the line: MMEngine comes as two distributions that overwrite each
# other, so each line has its own folder and its own constraints. onedl-mmcv is built here, but
# in pip's isolated environment, where it finds no torch and so compiles nothing.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "rethink_det needs Python >= 3.10, but '$(PYTHON)' is" \
			"$$($(PYTHON) --version 2>&1 || true). Name another: make PYTHON=python3.11 ..." >&2; \
		exit 1; }
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install -q -e '.[$(2),ray,slurm,export,pretrained,docs,dev]' -c .ci/constraints-$(2).txt
	@# opencv-python links to libGL, which servers lack; the headless build is the same
	@# cv2 without it. Nothing of ours or of mmdet opens a window through cv2.
	$(1)/bin/python -m pip install -q --no-deps --force-reinstall opencv-python-headless \
		-c .ci/constraints-$(2).txt
	@touch $@
endef

.venv/.installed: pyproject.toml .ci/constraints-onedl.txt
	$(call install,.venv,onedl)

# Of test-pythons: one folder a Python, which PYTHON names.
.venv-py%/.installed: pyproject.toml .ci/constraints-onedl.txt
	$(call install,.venv-py$*,onedl)

.venv-openmmlab/.installed: pyproject.toml .ci/constraints-openmmlab.txt
	$(call install,.venv-openmmlab,openmmlab)

demo: venv  ## the smallest whole study, on the CPU, with its report
	.venv/bin/rethink-det study demo --work-dir work_dirs/demo --workers $(WORKERS)

test: lint  ## lint, then every test but the slow ones; from Python 3.12 on what they cover
	.venv/bin/python $(PYTEST) $(COVERAGE)

test-pythons:  ## the quick tests on each of PYTHONS that is installed, in a venv of its own
	@OMP_NUM_THREADS=1 .ci/test-pythons $(PYTHONS)

coverage: venv  ## every test but the slow ones, and what they cover, with any Python
	.venv/bin/python $(PYTEST) --cov

test-slow: venv  ## the slow tests alone
	.venv/bin/python $(PYTEST) -m slow

test-gpu: venv  ## what needs a CUDA device, each against the CPU's result; two minutes
	.venv/bin/python -m pytest -m gpu $(GPU_TESTS)

test-openmmlab: venv-openmmlab  ## the tests on the official MMEngine line
	.venv-openmmlab/bin/python $(PYTEST)

lint: venv  ## what pre-commit and CI check
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: venv  ## repair what lint can repair
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: venv  ## site/, the documentation: without a network, and a warning is an error
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build

notebooks: venv  ## run the notebooks again, and keep what they show
	.venv/bin/python -m docs.generators.notebooks

wheel: venv  ## dist/*.whl and dist/*.tar.gz
	.venv/bin/python -m build --no-isolation

clean:  ## remove what make made, but not the results in work_dirs
	rm -rf .venv .venv-openmmlab .venv-py* build dist site *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find rethink_det configs tools tests -name __pycache__ -type d -prune -exec rm -rf {} +
