"""compare_strategies: paired campaigns, with models and pools of any kind."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError
from taggers import ElementModel, element_accuracy, make_images, make_sentences

from skactive import ActiveLearner, SimulatedLearner
from skactive.comparison import compare_strategies
from skactive.simulation import Elements
from skactive.strategies import (
    Aggregate,
    Entropy,
    KCenterGreedy,
    KMeans,
    Margin,
    PerCost,
    Random,
)

X, Y = load_iris(return_X_y=True)
MODEL = GaussianNB(var_smoothing=0.1)  # smooth: no probabilities of 0 and 1, so no ties
SMALL = {"budget": 20, "batch_size": 5, "n_initial": 5, "n_repeats": 3, "random_state": 0}

equal = np.testing.assert_array_equal
close = np.testing.assert_allclose


# Pairing ----------------------------------------------------------------------------------------


def test_all_strategies_meet_the_same_split_start_and_seeds(compared):
    comparison = compared([Random(), Margin(), KCenterGreedy()], n_repeats=5)
    first = {}
    for run in comparison.runs:
        first.setdefault(run.repeat, set()).add((run.n_labels[0], run.scores[0]))
    assert all(len(starts) == 1 for starts in first.values())
    assert len({start for starts in first.values() for start in starts}) > 1  # repeats differ
    assert len({tuple(run.scores) for run in comparison.runs}) > 10  # and strategies do


def test_the_rows_of_start_and_test_are_the_same_and_apart(compared, noted):
    compared(learner=noted(var_smoothing=0.1), n_repeats=1)
    fits = [rows for verb, rows in noted.notes if verb == "fit"]
    tests = [rows for verb, rows in noted.notes if verb == "score"]
    starts = [rows for rows in fits if len(rows) == 5]
    assert len(starts) == 2
    equal(starts[0], starts[1])
    assert all(np.array_equal(rows, tests[0]) for rows in tests)
    assert len(tests[0]) == 38  # a quarter of 150
    last = [rows for rows in fits if len(rows) == 20]
    assert not np.array_equal(last[0], last[1])


class Seeded(GaussianNB):
    """Scores by its seed: as a model does that draws random numbers."""

    def __init__(self, random_state=None):
        super().__init__(var_smoothing=0.1)
        self.random_state = random_state

    def score(self, X, y):
        return float(self.random_state % 1000)


def test_the_seed_of_the_model_is_one_for_all_strategies_and_another_in_each_repeat(compared):
    comparison = compared(learner=Seeded(), n_repeats=4)
    seeds = {}
    for run in comparison.runs:
        assert len(set(run.scores)) == 1
        seeds.setdefault(run.repeat, set()).add(run.scores[0])
    assert all(len(of_repeat) == 1 for of_repeat in seeds.values())
    assert len({seed for of_repeat in seeds.values() for seed in of_repeat}) == 4


def test_a_repeat_is_the_same_however_many_repeats_and_strategies_there_are(compared, scores_of):
    few, many = compared(n_repeats=2), compared([Margin(), Entropy(), Random()], n_repeats=4)
    assert scores_of(few).items() <= scores_of(many).items()


def test_the_seed_matters_and_global_state_does_not(compared, scores_of):
    np.random.seed(0)  # global on purpose: it must neither matter nor move
    state = np.random.get_state()[1].copy()
    first = scores_of(compared())
    equal(np.random.get_state()[1], state)
    np.random.seed(1)  # the same
    assert scores_of(compared()) == first
    assert scores_of(compared(random_state=1)) != first


def test_a_campaign_is_that_of_a_simulated_learner(compared):
    comparison = compared(cv=[(np.arange(0, 150, 2), np.arange(1, 150, 2))])
    seed = np.random.SeedSequence([0, 0]).generate_state(2)[1]
    learner = ActiveLearner(MODEL, Margin())
    simulation = SimulatedLearner(
        learner, budget=20, batch_size=5, n_initial=5, random_state=int(seed)
    )
    simulation.fit(X[::2], Y[::2])
    run = next(run for run in comparison.runs if run.strategy == "Margin()")
    equal(run.scores, list(simulation.staged_score(X[1::2], Y[1::2])))
    equal(run.n_labels, simulation.n_labels_)


def test_the_start_may_be_chosen(compared):
    drawn, chosen = compared(n_repeats=1), compared(n_repeats=1, initial_strategy=KMeans())
    assert drawn.runs[0].scores[0] != chosen.runs[0].scores[0]
    assert chosen.runs[0].scores[0] == chosen.runs[1].scores[0]


# Models and pools of any kind -------------------------------------------------------------------


def test_several_models(compared):
    models = {
        "bayes": MODEL,
        "smoother": ActiveLearner(GaussianNB(var_smoothing=0.5), KMeans()),
    }
    comparison = compared(learner=models)
    assert comparison.models == ("bayes", "smoother")
    assert len(comparison.runs) == 2 * 2 * 3
    assert repr(comparison) == (
        "StrategyComparison(2 models x 2 strategies x 3 repeats, 6 to 20 labels, accuracy)"
    )
    both = comparison.areas()
    each = [comparison.select(model=model).areas()["Margin()"] for model in models]
    close(both["Margin()"], np.mean(each, axis=0))
    assert [line.split(":")[0] for line in comparison.summary().splitlines()] == [
        "bayes",
        "smoother",
    ]
    with pytest.raises(ValueError, match=r"\['bayes', 'smoother'\].*select\(model='bayes'\)"):
        comparison.curves()
    with pytest.raises(ValueError, match="unknown model 'svm'"):
        comparison.select(model="svm")
    alone = compared(learner=MODEL)
    equal(alone.areas()["Margin()"], each[0])
    assert models["smoother"].strategy.get_params() == KMeans().get_params()  # left as it was


def test_texts_with_a_pipeline():
    rng = np.random.default_rng(0)
    words = np.array(["ham", "spam", "egg", "milk"])
    labels = ["no", "yes"] * 40
    texts = [
        " ".join(
            rng.choice(words, 5, p=[0.4, 0.1, 0.3, 0.2] if y == "no" else [0.1, 0.4, 0.3, 0.2])
        )
        for y in labels
    ]
    model = make_pipeline(CountVectorizer(), MultinomialNB())
    comparison = compare_strategies(model, [Random(), Margin()], texts, labels, **SMALL)
    assert comparison.models == ("MultinomialNB",)
    assert len(comparison.runs) == 6
    assert not comparison.failures


def test_frames_give_what_arrays_give(compared, scores_of):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(150)[::-1])
    labels = pd.Series(Y, index=frame.index)
    comparison = compare_strategies(MODEL, [Random(), Margin()], frame, labels, **SMALL)
    assert scores_of(comparison) == scores_of(compared())


def test_regressors():
    target = X @ [1.0, -2.0, 0.5, 3.0]
    comparison = compare_strategies(
        Ridge(alpha=0.1), [Random(), KCenterGreedy()], X, target, **SMALL
    )
    assert comparison.scoring == "r2"
    assert all(run.scores[-1] > 0.5 for run in comparison.runs)
    assert "r2" in comparison.summary()


def test_a_prefit_learner_goes_on_from_what_it_knows(compared):
    fitted = GaussianNB(var_smoothing=0.1).fit(X, Y)
    learner = ActiveLearner(fitted, prefit=True, incremental=True)
    run = compared(learner=learner, n_repeats=1).runs[0]
    assert run.scores[0] > 0.9
    assert run.scores[0] > compared(n_repeats=1).runs[0].scores[0]


# What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_repeats": 0}, ValueError, "n_repeats must be an integer >= 1, got 0"),
        ({"n_repeats": 2.5}, ValueError, "n_repeats"),
        ({"budget": 4}, ValueError, "budget=4 does not cover n_initial=5"),
        ({"batch_size": 0}, InvalidParameterError, "batch_size"),
        ({"test_size": 1.5}, ValueError, "test_size"),
        ({"scoring": "no such"}, ValueError, "scoring"),
        ({"initial_strategy": KMeans}, TypeError, r"write KMeans\(\)"),
        ({"random_state": "a"}, ValueError, "random_state"),
        ({"cv": []}, ValueError, "has no folds"),
        ({"strategies": []}, ValueError, "strategies is empty"),
        ({"strategies": Margin()}, TypeError, "a list or a mapping"),
        ({"strategies": [Margin]}, TypeError, r"write Margin\(\)"),
        ({"strategies": ["Margin"]}, TypeError, "must be a skactive Strategy"),
        ({"strategies": [Margin(), Margin()]}, ValueError, "are the same strategy"),
        ({"strategies": {"a": Margin(), "b": Margin()}}, ValueError, "'b' and 'a' are the same"),
        ({"learner": {}}, ValueError, "learner is empty"),
        ({"learner": GaussianNB}, TypeError, "learner must be"),
        ({"learner": SimulatedLearner(ActiveLearner(GaussianNB()))}, TypeError, "learner in it"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_settings_that_cannot_be_are_refused(params, error, message, compared, counted):
    with pytest.raises(error, match=message):
        compared(**{"strategies": [counted(), Margin()], **params})
    assert counted.calls == 0


def test_labels_are_needed():
    with pytest.raises(ValueError, match="needs y"):
        compare_strategies(GaussianNB(), [Random()], X, None)


# What it takes along ----------------------------------------------------------------------------


def test_import_is_light():
    code = (
        "import sys, sklearn.base, sklearn.utils.validation, sklearn.utils.metadata_routing\n"
        "before = set(sys.modules)\n"
        "import skactive.comparison\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    taken = set(done.stdout.split())
    heavy = ("cluster", "neighbors", "metrics", "ensemble", "model_selection")
    assert not {f"sklearn.{name}" for name in heavy} & taken
    assert not {"scipy.stats", "scipy.optimize", "joblib", "matplotlib", "tqdm"} & taken


def test_no_warning_where_all_goes_well(compared):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compared().summary()


# Costs and elements -----------------------------------------------------------------------------

COSTS = np.random.RandomState(1).uniform(1, 5, size=150)


def test_costs_go_with_their_rows_and_curves_are_over_either(compared, tmp_path):
    strategies = [Random(), PerCost(Margin())]
    comparison = compared(strategies, budget=60.0, costs=COSTS, folder=tmp_path)
    for run in comparison.runs:
        assert run.costs[-1] <= 60
        assert (np.diff(run.costs) >= np.diff(run.n_labels)).all()  # none costs less than 1
    by_cost = comparison.by_cost()
    counts, _ = by_cost.curves()["Random()"]
    assert set(counts) <= {cost for run in comparison.runs for cost in run.costs}
    assert "cost 22 to 60" in repr(by_cost)
    assert repr(by_cost.select(model="GaussianNB")) == repr(by_cost)
    assert " labels" not in by_cost.summary()
    kept = compared(strategies, budget=60.0, costs=COSTS.tolist(), folder=tmp_path)
    for one, other in zip(kept.runs, comparison.runs, strict=True):
        equal(one.costs, other.costs)
    with pytest.raises(ValueError, match=r"What differs: costs"):
        compared(strategies, budget=60.0, costs=COSTS + 1, folder=tmp_path)


def test_tables_have_the_costs_of_rounds(compared):
    comparison = compared(budget=60.0, costs=COSTS, n_repeats=1)
    frame = comparison.to_frame()
    close(frame["cost"], np.concatenate([run.costs for run in comparison.runs]))
    assert "n_labels" not in comparison.by_cost().to_frame()
    with pytest.raises(ValueError, match="pass costs="):
        compared(n_repeats=1).by_cost()
    with pytest.raises(ValueError, match="one entry for each of the 150 rows"):
        compared(costs=COSTS[:9])


def test_a_report_over_cost_names_it(compared):
    page = compared(budget=60.0, costs=COSTS).by_cost().to_html()
    assert "on test rows against cost" in page
    assert "Cost saved against Random()" in page


@pytest.mark.parametrize("oracle", [None, Elements()], ids=["rows", "elements"])
@pytest.mark.parametrize(
    ("make_rows", "element", "n_elements"),
    [(make_sentences, "token", 60), (make_images, "pixel", 120)],
)
def test_structured_labels_are_compared(make_rows, element, n_elements, oracle):
    rows, labels = make_rows(40, np.random.RandomState(0))
    budget = 12 if oracle is None else n_elements
    comparison = compare_strategies(
        ElementModel(element),
        [Random(), Aggregate(Margin())],
        rows,
        labels,
        budget=budget,
        n_initial=4,
        batch_size=budget // 4,
        n_repeats=2,
        scoring=element_accuracy,
        oracle=oracle,
        random_state=0,
    )
    for run in comparison.runs:
        assert run.n_labels[-1] == budget
        assert run.scores[-1] > 0.75
    starts = {(run.repeat, run.scores[0]) for run in comparison.runs}
    assert len(starts) == 2
