# make build   .venv with the package compiled and installed
# make demo    registers a real MR to a second modality, writes demo-output/
# make quick   the tests that are done in seconds
# make test    every test, and how much of the package they run
# make test-cpp   the C++ library alone, once more with the address and undefined-behaviour sanitizers, and that of threads
# make test-neon  the C++ library for aarch64, by g++-aarch64-linux-gnu and qemu-user
# make test-example   examples/cpp against the C++ library as it is installed and the itk wheel's ITK
# make test-sanitizers   some of the Python tests with the sanitizers in the extension; some ten minutes, not in .ci/run
# make tidy       clang-tidy over the C++ library and its tests
# make docs    the documentation, in build/site
# make wheel-test   source archive and wheel, and the wheel in an environment without a compiler; some minutes
# make lint    style and types
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# The fastest ONNX Runtime that there is for this machine.
RUNTIME ?= $(shell $(PYTHON) -c 'import platform, sys; print("openvino" if platform.machine() in ("x86_64", "AMD64") and sys.platform != "darwin" and sys.version_info < (3, 14) else "cpu")')
JOBS := $(shell nproc 2>/dev/null || echo 2)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
# Warnings are errors in CI alone; users' compilers may have others.
PIP_BUILD := --no-build-isolation $(if $(CI),-C cmake.define.CMAKE_COMPILE_WARNING_AS_ERROR=ON)
SOURCES := $(shell find cpp cmake python models -type f -not -name '*.pyc') CMakeLists.txt pyproject.toml

.PHONY: build demo quick test test-training test-cpp test-neon test-example test-sanitizers tidy docs wheel-test lint clean

build: $(VENV)/.built

$(VENV)/.environment: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "make build needs Python 3.10 or newer: make PYTHON=python3.11 build"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make virtual environments: apt-get install python3-venv python3-dev"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=24'
	$(BIN)/python -m pip install --quiet tomli cmake ninja
	$(BIN)/python -m pip install --quiet $$($(BIN)/python -c "import tomli; print(*tomli.load(open('pyproject.toml', 'rb'))['build-system']['requires'])")
	@touch $@

$(VENV)/.built: $(VENV)/.environment $(SOURCES)
	$(BIN)/python -m pip install --quiet $(PIP_BUILD) '.[$(RUNTIME),demo,test]'
	@$(BIN)/python -c "import disa.core as c; print('itk-disa', c._core.__version__, 'for itk', c._core.itk_version, 'with kernel', c._core.kernel())"
	@touch $@

demo: build
	$(BIN)/python examples/demo.py --output demo-output

quick: build
	$(BIN)/python -m pytest -m quick -n 2

test: build
	$(BIN)/python -m pytest tests -n auto --maxprocesses 8 --dist worksteal --cov

test-training: build
	$(BIN)/python -m pip install --quiet 'torch==2.13.*' $(PIP_BUILD) '.[bench,train]'
	$(BIN)/python -m pytest tests/training tests/benchmarks/test_mind_descriptors.py tests/benchmarks/test_lc2_registration.py --cov --cov-append

test-cpp: $(VENV)/.environment
	for preset in release asan tsan; do (cd cpp && $(CURDIR)/$(BIN)/cmake --workflow --preset $$preset) || exit 1; done

test-neon: $(VENV)/.environment
	cd cpp && $(CURDIR)/$(BIN)/cmake --workflow --preset aarch64-qemu

test-example: build
	.ci/example $(BIN)/python

test-sanitizers: build
	.ci/sanitizers $(BIN)/python

tidy: $(VENV)/.environment
	$(BIN)/python -m pip install --quiet 'clang-tidy==23.1.*'
	cd cpp && $(CURDIR)/$(BIN)/cmake --preset release
	find cpp/src cpp/tests -name '*.cxx' -not -path '*/engine/*' -not -name '*NEON*' -print0 | xargs -0 -n 4 -P $(JOBS) $(BIN)/clang-tidy --quiet -p build/cpp-release

docs: build
	$(BIN)/python -m pip install --quiet $(PIP_BUILD) '.[docs]'
	$(BIN)/python -m mkdocs build --strict
	$(BIN)/python -m pytest tests/docs

wheel-test: $(VENV)/.environment
	.ci/wheel $(BIN)/python

lint: build
	$(BIN)/python -m pip install --quiet ruff mypy clang-format
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $$(find cpp examples -name '*.h' -o -name '*.hxx' -o -name '*.cxx' -o -name '*.cpp')

clean:
	rm -rf $(VENV) build demo-output
