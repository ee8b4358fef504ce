# SPDX-License-Identifier: Apache-2.0
# make build   .venv with the package compiled and installed
# make dev     .venv with the package in place: Python files are used as they stand, C++ files compiled when they have changed
# make demo    registers a real MR to a second modality, writes demo-output/
# make quick   the tests that are done in seconds
# make test    every test
# make coverage  every test, and how much of the package they run
# make test-cpp   the C++ library alone, once more with the address and undefined-behaviour sanitizers, and that of threads
# make test-neon  the C++ library for aarch64, by g++-aarch64-linux-gnu and qemu-user
# make test-example   examples/cpp against the C++ library as it is installed and the itk wheel's ITK
# make test-sanitizers   some of the Python tests with the sanitizers in the extension; some ten minutes, not in .ci/run
# make fuzz    damaged files of every kind that is read, for MINUTES=10; says how many were refused, and what went wrong
# make test-viz  layers of napari, by napari without a window
# make tidy       clang-tidy over the C++ library and its tests
# make docs    the documentation, in build/site
# make test-oldest   the wheel with the oldest versions that pyproject.toml allows, a pair through each door; a minute
# make wheel-test   source archive and wheel, and the wheel in an environment without a compiler; builds ITK the first time
# make release   the files of a release, in build/release: source archive, wheel, SBOM, changes, SHA256SUMS; the same
# make lint    style, types and which package imports which: the hooks of .pre-commit-config.yaml
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# The fastest ONNX Runtime that there is for this machine.
RUNTIME ?= $(shell $(PYTHON) -c 'import platform, sys; print("openvino" if platform.machine() in ("x86_64", "AMD64") and sys.platform != "darwin" and sys.version_info < (3, 14) else "cpu")')
JOBS := $(shell nproc 2>/dev/null || echo 2)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(JOBS)
# Warnings are errors in CI alone; users' compilers may have others.
COMPILED := --no-build-isolation $(if $(CI),-C cmake.define.CMAKE_COMPILE_WARNING_AS_ERROR=ON)
PIP_BUILD := $(COMPILED)
# In place: pip then only links to python/disa, where CMake puts what it compiles. What make dev began, other targets keep.
IN_PLACE := --no-build-isolation -C editable.mode=inplace -C wheel.cmake=false -C wheel.packages=python/disa -e
ifneq ($(wildcard $(VENV)/.dev),)
PIP_BUILD := $(IN_PLACE)
endif
SOURCES := $(shell find cpp cmake python models -type f -not -name '*.pyc') CMakeLists.txt pyproject.toml

.PHONY: build dev demo fuzz quick test coverage test-oldest test-training test-cpp test-neon test-example test-sanitizers test-viz tidy docs wheel-test release lint clean

build: $(if $(wildcard $(VENV)/.dev),dev,$(VENV)/.built)

# The shims of python/itk are linked into the itk package, which looks for them on the disk. The folder is found as any other, so
# that PYTHONPATH goes before it; pip's finder would go before both.
dev: $(VENV)/.dev build/dev/build.ninja
	@$(BIN)/cmake --build --preset dev
	@ln -sfn ../../models python/disa/models
	@ln -sf ../../build/dev/vtables.json python/disa/
	@site=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))'); \
	sed -i '/^import /d' "$$site"/*itk_disa*.pth; rm -f "$$site"/*itk_disa*.start; \
	cd python/itk && find . -name '*.py' -exec ln -sf '$(CURDIR)/python/itk/{}' "$$site/itk/{}" ';'

$(VENV)/.environment: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "make build needs Python 3.10 or newer: make PYTHON=python3.11 build"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make virtual environments: apt-get install python3-venv python3-dev"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group build
	$(BIN)/python -m pip install --quiet $$($(BIN)/python -c "import tomli; print(*tomli.load(open('pyproject.toml', 'rb'))['build-system']['requires'])")
	@touch $@

$(VENV)/.built: $(VENV)/.environment $(SOURCES)
	$(BIN)/python -m pip install --quiet $(PIP_BUILD) '.[$(RUNTIME),demo,test]'
	@$(BIN)/python -c "from disa import _core, _itk; print('itk-disa', _core.__version__, 'for itk', _itk.itk_version, 'with kernel', _core.kernel())"
	@touch $@

$(VENV)/.dev: $(VENV)/.environment
	$(BIN)/python -m pip install --quiet $(IN_PLACE) '.[$(RUNTIME),demo,test]'
	@rm -f $(VENV)/.built
	@touch $@

build/dev/build.ninja: $(VENV)/.environment
	$(BIN)/cmake --preset dev -G Ninja -U pybind11_DIR -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) -DPython_EXECUTABLE=$(abspath $(BIN)/python)

demo: build
	$(BIN)/python examples/demo.py --output demo-output

MINUTES ?= 10
fuzz: build
	PYTHONPATH=tests $(BIN)/python tests/fuzz.py --minutes $(MINUTES)

quick: build
	$(BIN)/python -m pytest -m quick -n 2

ALL_TESTS := tests -n auto --maxprocesses 8 --dist worksteal
test: build
	$(BIN)/python -m pytest $(ALL_TESTS)

coverage: build
	$(BIN)/python -m pytest $(ALL_TESTS) --cov

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
	$(BIN)/python -m pip install --quiet --group tidy
	cd cpp && $(CURDIR)/$(BIN)/cmake --preset release
	find cpp/src cpp/tests -name '*.cxx' -not -path '*/engine/*' -not -name '*NEON*' -print0 | xargs -0 -n 4 -P $(JOBS) $(BIN)/clang-tidy --quiet -p build/cpp-release

test-viz: build
	$(BIN)/python -m pip install --quiet --group viz
	$(BIN)/python -m pytest tests/report/test_layers.py

docs: build
	$(BIN)/python -m pip install --quiet $(PIP_BUILD) '.[docs]'
	$(BIN)/python -m mkdocs build --strict
	$(BIN)/python -m pytest tests/docs

test-oldest: build
	$(BIN)/python -m pip install --quiet --group environments
	@rm -rf build/oldest
	$(BIN)/python -m pip wheel --quiet --no-deps $(COMPILED) --wheel-dir build/oldest .
	$(BIN)/python benchmarks/environments.py build/oldest/*.whl --only oldest

wheel-test: $(VENV)/.environment
	.ci/wheel $(BIN)/python

release: $(VENV)/.environment
	.ci/release $(BIN)/python

lint: build
	$(BIN)/python -m pip install --quiet --group lint
	VENV=$(VENV) $(BIN)/pre-commit run --all-files $(if $(CI),--show-diff-on-failure)

clean:
	rm -rf $(VENV) build demo-output python/disa/_*.so python/disa/vtables.json python/disa/models
