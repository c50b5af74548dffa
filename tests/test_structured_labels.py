"""Learners, campaigns, comparisons and audits with labels of every kind."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import FunctionTransformer

from skactive import ActiveLearner, SimulatedLearner
from skactive.comparison import compare_strategies
from skactive.estimation import Estimate, audit, audit_error, clopper_pearson, estimate_savings
from skactive.exceptions import CapabilityError, TeachValueError
from skactive.labeling import LabelingSession
from skactive.simulation._audit_sample import row_scores
from skactive.stopping import StabilizingPredictions
from skactive.strategies import IGS, Aggregate, KCenterGreedy, Margin, Random

RNG = np.random.RandomState(0)
SENTENCES = [RNG.randint(0, 20, RNG.randint(0, 6)).tolist() for _ in range(60)]
TAGS = [["N" if word % 3 else "V" for word in words] for words in SENTENCES]
X = RNG.normal(size=(60, 2))
MAPS = [(row[0] > np.arange(2 + 2 * (i % 3)).reshape(-1, 2)).astype(int) for i, row in enumerate(X)]
BOXES = [{"boxes": [[0, 1, 2, 3 + i % 4]] * (i % 3), "names": ["cat"] * (i % 3)} for i in range(60)]
TEXTS = [f"a translation of {number} words " * (number % 30) for number in range(60)]
BITS = np.column_stack([X[:, 0] > 0, X[:, 1] > 0, X.sum(axis=1) > 0]).astype(int)


class Tagger(BaseEstimator):
    """Predicts the last tag of each word; "?" for those that it has not seen."""

    def fit(self, X, y):
        assert {type(y), *map(type, y)} == {list}
        pairs = [pair for row in zip(X, y, strict=True) for pair in zip(*row, strict=True)]
        self.tags_ = dict(pairs)
        self.n_rows_ = len(y)
        return self

    def partial_fit(self, X, y):
        known = getattr(self, "tags_", {})
        self.fit(X, y)
        self.tags_ = known | self.tags_
        return self

    def predict(self, X):
        return [[self.tags_.get(word, "?") for word in row] for row in X]


class ClassifierTagger(ClassifierMixin, Tagger):
    """The same, as a classifier."""


class Nearest(BaseEstimator):
    """Predicts the label of the nearest row, whatever it is."""

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return self

    def predict(self, X):
        distances = np.square(X[:, None] - self.X_[None]).sum(axis=2)
        return [self.y_[nearest] for nearest in distances.argmin(axis=1)]


class Mapper(Nearest):
    """The same, of maps."""

    def fit(self, X, y):
        assert all(row.ndim == 2 for row in y)
        return super().fit(X, y)


class MapRegressor(RegressorMixin, Mapper):
    """The same, of numbers."""


def share_right(model, X, y):
    return float(np.mean([np.array_equal(a, b) for a, b in zip(y, model.predict(X), strict=True)]))


def count_words(X):
    return np.array([[len(row), sum(row)] for row in X], dtype=float)


def make_tagging_learner(strategy=None, model=None, **params):
    strategy, embedder = strategy or KCenterGreedy(), FunctionTransformer(count_words)
    return ActiveLearner(model or Tagger(), strategy, embedder=embedder, random_state=0, **params)


KINDS = {  # learner, rows, labels
    "tags": (make_tagging_learner(), SENTENCES, TAGS),
    "tags of a classifier": (make_tagging_learner(model=ClassifierTagger()), SENTENCES, TAGS),
    "maps": (ActiveLearner(Mapper(), KCenterGreedy()), X, MAPS),
    "maps of one shape": (ActiveLearner(Mapper(), KCenterGreedy()), X, np.stack(MAPS[::3] * 3)),
    "boxes": (ActiveLearner(Nearest(), KCenterGreedy()), X, BOXES),
    "texts": (ActiveLearner(Nearest(), KCenterGreedy()), X, TEXTS),
    "indicators": (ActiveLearner(KNeighborsClassifier(1), KCenterGreedy()), X, BITS),
    "lists of indicators": (ActiveLearner(MLPClassifier(max_iter=3), Random()), X, BITS.tolist()),
    "sparse indicators": (
        ActiveLearner(OneVsRestClassifier(GaussianNB()), Random()),
        X,
        sp.csr_matrix(BITS),
    ),
    "numbers": (ActiveLearner(LinearRegression(), IGS()), X, X[:, 0] ** 2),
    "several numbers": (ActiveLearner(KNeighborsRegressor(2), IGS()), X, X**2),
}
kinds = pytest.mark.parametrize(("learner", "rows", "y"), KINDS.values(), ids=KINDS)
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Label .* is present in all training examples"),
    pytest.mark.filterwarnings("ignore:Label not .* is present in all training examples"),
]


def take(y, rows):
    return [y[row] for row in rows] if isinstance(y, list) else y[np.asarray(rows)]


# Learners ---------------------------------------------------------------------------------------


@kinds
def test_a_learner_taught_in_parts_is_the_learner_fitted_to_all(learner, rows, y):
    parts, whole = clone(learner), clone(learner)
    parts.set_params(random_state=0).fit(take(rows, range(12)), take(y, range(12)))
    parts.teach(take(rows, range(12, 20)), take(y, range(12, 20)))
    whole.set_params(random_state=0).fit(take(rows, range(20)), take(y, range(20)))
    assert row_scores(parts, take(rows, range(20)), parts.y_labeled_).shape == (20,)
    for one, other in zip(parts.y_labeled_, whole.y_labeled_, strict=True):
        np.testing.assert_array_equal(one, other)
    pool = take(rows, range(20, 60))
    np.testing.assert_array_equal(parts.query(pool, 4), whole.query(pool, 4))


def test_structured_labels_are_held_in_the_form_that_was_passed():
    learner = make_tagging_learner().fit(SENTENCES[:4], TAGS[:4])
    learner.teach(SENTENCES[4:6], TAGS[4:6])
    assert learner.y_labeled_.shape == (6,)
    assert learner.y_labeled_.tolist() == TAGS[:6]
    assert learner.estimator_.n_rows_ == 6
    assert len(learner.waiting_classes_) == 0
    assert clone(learner).fit(SENTENCES[:6], learner.y_labeled_).predict(SENTENCES) == (
        learner.predict(SENTENCES)
    )


def test_tags_of_equal_lengths_are_no_matrix_even_one_per_row():
    one_word, two_words = [[1], [2], [3]], [[1, 2], [3, 4]]
    learner = make_tagging_learner().fit(two_words, [["N", "N"], ["V", "N"]])
    assert learner.y_labeled_.shape == (2,)
    learner.teach(one_word[:1], [["N"]]).teach(one_word, [["N"], ["N"], ["V"]])
    assert learner.y_labeled_.shape == (6,)
    typed = make_tagging_learner(model=ClassifierTagger())
    typed.fit(two_words, [["N", "N"], ["V", "N"]]).teach(one_word, [["N"], ["N"], ["V"]])
    assert typed.y_labeled_.shape == (5,)


def test_an_incremental_learner_is_taught_structured_labels():
    learner = make_tagging_learner(incremental=True).fit(SENTENCES[:20], TAGS[:20])
    learner.teach(SENTENCES[20:], TAGS[20:])
    assert learner.estimator_.n_rows_ == 40
    assert learner.predict(SENTENCES) == TAGS
    assert len(learner.y_labeled_) == 60


def test_missing_rows_are_an_error_whose_advice_works_and_empty_rows_are_none():
    y = [["N"], None, [], ["V"]]
    rows = [[1], [2], [], [3]]
    learner = make_tagging_learner()
    with pytest.raises(ValueError, match=r"1 of 4 labels are missing \(the first: None\)"):
        learner.fit(rows, y)
    with pytest.raises(ValueError, match=r"The label of row 1 is missing"):
        SimulatedLearner(learner, budget=4, n_initial=4).fit(rows, y)
    known = [i for i in range(len(y)) if y[i] is not None]
    learner.fit([rows[i] for i in known], [y[i] for i in known])
    assert learner.y_labeled_.tolist() == [["N"], [], ["V"]]
    maps = np.ones((4, 2, 2))
    maps[2] = np.nan
    with pytest.raises(ValueError, match=r"1 of 4 labels are missing \(the first: nan\)"):
        ActiveLearner(Mapper(), Random()).fit(X[:4], maps)


def test_labels_of_another_kind_are_refused_and_change_nothing():
    learner = make_tagging_learner().fit(SENTENCES[:4], TAGS[:4])
    for y in (["N", "V"], [{"N": 1}, {}], np.zeros((2, 3))):
        with pytest.raises(TeachValueError, match=r"pass (labels of|all in) one kind"):
            learner.teach(SENTENCES[4:6], y)
        assert len(learner.y_labeled_) == 4
    learner = ActiveLearner(KNeighborsRegressor(1), Random()).fit(X, X)
    with pytest.raises(TeachValueError, match=r"shape \(2,\), the new ones of shape \(1,\)"):
        learner.teach(X[:2], np.ones((2, 1)))


def test_names_in_structured_labels_must_be_declared_and_numbers_need_not():
    learner = make_tagging_learner(classes=["N", "V"]).fit(SENTENCES[:20], TAGS[:20])
    with pytest.raises(TeachValueError, match=r"\['Q'\]; declared are \['N', 'V'\]"):
        learner.teach([[1, 2]], [["N", "Q"]])
    assert learner.query(SENTENCES[20:], 2).shape == (2,)
    ignored = [np.where(row == 0, 255, row) for row in MAPS]
    ActiveLearner(Mapper(), Random(), classes=[0, 1]).fit(X, ignored).query(X, 2)


def test_readings_of_one_label_per_row_are_refused_for_structured_labels():
    class Probable(ClassifierTagger):
        def predict_proba(self, X):
            raise AssertionError

    with pytest.raises(CapabilityError, match="y has a list, array, set or dict per row"):
        make_tagging_learner(Margin(), Probable()).fit(SENTENCES, TAGS)


def test_the_error_of_a_model_that_refuses_structured_labels_is_its_own():
    class Picky(Tagger):
        n_fits = 0

        def fit(self, X, y):
            Picky.n_fits += 1
            raise RuntimeError("too few sentences")

    with pytest.raises(RuntimeError, match=r"^too few sentences$"):
        make_tagging_learner(model=Picky()).fit(SENTENCES, TAGS)
    assert Picky.n_fits == 1


def test_lists_of_several_labels_are_those_of_the_array():
    for model in (KNeighborsClassifier(3), RandomForestClassifier(5, random_state=0)):
        of_lists, of_array = (
            ActiveLearner(model, Random(), random_state=0).fit(X, y) for y in (BITS.tolist(), BITS)
        )
        np.testing.assert_array_equal(of_lists.y_labeled_, BITS)
        np.testing.assert_array_equal(of_lists.predict(X), of_array.predict(X))


def test_sessions_refuse_learners_of_structured_labels():
    with pytest.raises(ValueError, match="one label per row"):
        LabelingSession(make_tagging_learner().fit(SENTENCES, TAGS), SENTENCES)


# Campaigns --------------------------------------------------------------------------------------


@kinds
def test_a_campaign_reveals_labels_by_positions(learner, rows, y):
    simulation = SimulatedLearner(
        learner, budget=30, batch_size=5, n_initial=10, audit_share=0.2, random_state=0
    ).fit(rows, y)
    np.testing.assert_array_equal(simulation.n_labels_, [10, 15, 20, 24])
    assert len(set(simulation.queried_) | set(simulation.audited_)) == 30
    order = np.sort(simulation.queried_)
    revealed = sp.csr_matrix(y)[order].toarray() if sp.issparse(y) else take(y, order)
    for label, expected in zip(simulation.learner_.y_labeled_, revealed, strict=True):
        np.testing.assert_array_equal(label, expected)
    X_audit, y_audit = take(rows, simulation.audited_), take(y, simulation.audited_)
    scores = row_scores(simulation.learner_, X_audit, y_audit)
    assert simulation.history_[-1]["audit_score"] == pytest.approx(scores.mean())


def test_campaigns_do_not_depend_on_the_container_of_labels():
    def run(learner, rows, y):
        return SimulatedLearner(learner, budget=25, audit_share=0.2, random_state=0).fit(rows, y)

    learner = ActiveLearner(KNeighborsClassifier(1), KCenterGreedy())
    runs = [run(learner, X, y) for y in (BITS, BITS.tolist(), sp.csr_matrix(BITS))]
    objects = np.empty(len(TAGS), dtype=object)
    objects[:] = TAGS
    mapping = ActiveLearner(Mapper(), KCenterGreedy())
    maps = np.stack([row[0] for row in MAPS])[:, np.newaxis]
    more = [run(mapping, X, y) for y in (maps, list(maps))]
    for several in (runs, more):
        for other in several[1:]:
            np.testing.assert_array_equal(several[0].queried_, other.queried_)
            assert [r["audit_score"] for r in several[0].history_[1:]] == [
                r["audit_score"] for r in other.history_[1:]
            ]


def test_staged_scores_take_any_score_of_estimator_rows_and_labels():
    simulation = SimulatedLearner(make_tagging_learner(), budget=60, random_state=0)
    simulation.fit(SENTENCES, TAGS)
    scores = list(simulation.staged_score(SENTENCES, TAGS, share_right))
    assert scores == [share_right(model, SENTENCES, TAGS) for model in simulation.estimators_]
    assert scores[-1] == 1.0 > scores[0]


def test_criteria_that_compare_one_label_per_row_say_so():
    class AsClassifier(ClassifierTagger):
        classes_ = np.array(["N", "V"])

    learner = make_tagging_learner(model=AsClassifier())
    simulation = SimulatedLearner(learner, budget=30, stopping=StabilizingPredictions())
    with pytest.raises(CapabilityError, match="got predictions that are structured"):
        simulation.fit(SENTENCES, TAGS)


def test_searches_over_models_of_structured_labels_are_tuned():
    class Choosing(Tagger):
        def __init__(self, default="?"):
            self.default = default

        def predict(self, X):
            return [[self.tags_.get(word, self.default) for word in row] for row in X]

    search = GridSearchCV(Choosing(), {"default": ["?", "N"]}, scoring=share_right, cv=3)
    learner = make_tagging_learner(model=search)
    simulation = SimulatedLearner(learner, budget=30, retune_every=10, random_state=0)
    simulation.fit(SENTENCES, TAGS)
    assert [record["tuned"] for record in simulation.history_] == [True, True, True]
    assert simulation.history_[0]["best_params"] == {"default": "N"}


# Comparisons ------------------------------------------------------------------------------------


@kinds
def test_comparisons_score_on_rows_held_out(learner, rows, y, tmp_path):
    scoring = share_right if isinstance(learner.estimator, Tagger | Nearest) else None

    def compare(y, n_repeats):
        return compare_strategies(
            learner,
            [Random(), KCenterGreedy()],
            rows,
            y,
            budget=20,
            n_repeats=n_repeats,
            scoring=scoring,
            random_state=0,
            folder=tmp_path,
        )

    assert len(compare(y, 1).runs) == 2
    comparison = compare(take(y, np.arange(60)), 2)
    assert not comparison.failures
    assert len(comparison.runs) == 4
    with pytest.raises(ValueError, match="What differs: y"):
        compare(take(y, np.arange(60)[::-1]), 2)


def test_folds_of_structured_labels_are_not_stratified():
    comparison = compare_strategies(
        make_tagging_learner(model=ClassifierTagger()),
        [Random()],
        SENTENCES,
        TAGS,
        cv=3,
        budget=20,
        scoring=share_right,
        random_state=0,
    )
    assert len(comparison.runs) == 3


# Audits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scoring", [None, share_right])
def test_an_audit_counts_the_rows_that_are_all_right(scoring):
    for model, rows, y in ((Tagger(), SENTENCES, TAGS), (Mapper(), X, MAPS)):
        model.fit(take(rows, range(5)), take(y, range(5)))
        rows, y = take(rows, range(5, 60)), take(y, range(5, 60))
        n_right = sum(map(np.array_equal, model.predict(rows), y))
        assert 0 < n_right < 55
        estimate = audit(model, rows, y, scoring=scoring)
        assert estimate.value == pytest.approx(n_right / 55)
        assert (estimate.low, estimate.high) == clopper_pearson(n_right, 55)


def test_labels_saved_are_estimated_from_structured_labels():
    now = Estimate(0.9, 0.8, 0.95, 60, "clopper-pearson", 0.95)
    savings = estimate_savings(
        Tagger(), SENTENCES, TAGS, n_labels=20, score=now, scoring=share_right, random_state=0
    )
    assert 0 < savings.low <= savings.n_random <= savings.high


def test_a_score_of_tokens_is_no_mean_over_rows():
    def share_of_tokens(model, X, y):
        pairs = [
            pair for row in zip(y, model.predict(X), strict=True) for pair in zip(*row, strict=True)
        ]
        return float(np.mean([a == b for a, b in pairs])) if pairs else 0.0

    with pytest.raises(ValueError, match="is not a mean over rows"):
        audit(Tagger().fit(SENTENCES[:2], TAGS[:2]), SENTENCES, TAGS, scoring=share_of_tokens)


def test_maps_of_numbers_score_their_errors():
    maps = [row * 1.5 + i for i, row in enumerate(MAPS)]
    shifted = [row + 1 for row in maps]
    for model in (MapRegressor(), Mapper()):
        model.fit(X, maps)
        np.testing.assert_allclose(row_scores(model, X, shifted), -np.ones(60))
    estimate = audit_error(model, X, [row + i for i, row in enumerate(maps)], error="absolute")
    assert estimate.value == pytest.approx(29.5)
    assert row_scores(Mapper().fit(X, MAPS), X, MAPS).tolist() == [1.0] * 60  # whole numbers


def test_labels_that_the_caller_changes_later_stay_what_was_taught():
    scratch = np.zeros((2, 2))  # one map, filled anew for each row
    learner = ActiveLearner(Mapper(), KCenterGreedy()).fit(X[:1], [scratch])
    for value in (1, 2):
        scratch[:] = value
        learner.teach(X[[value]], [scratch])
    scratch[:] = 9
    assert [row[0, 0] for row in learner.y_labeled_] == [0, 1, 2]
    assert [row[0, 0] for row in learner.predict(X[:3])] == [0, 1, 2]


@pytest.mark.parametrize(
    "first", [np.zeros((2, 4, 4)), [np.zeros((4, 4))] * 2], ids=["array", "list"]
)
@pytest.mark.parametrize("second", [np.ones((1, 4, 4)), [np.ones((4, 4))]], ids=["array", "list"])
def test_maps_in_an_array_join_maps_in_a_list(first, second):
    learner = ActiveLearner(Mapper(), KCenterGreedy()).fit(X[:2], first).teach(X[2:3], second)
    assert [row.shape for row in learner.y_labeled_] == [(4, 4)] * 3
    assert [row.sum() for row in learner.y_labeled_] == [0, 0, 16]


EXPLAINED = {name: KINDS[name] for name in ("tags", "maps", "maps of one shape", "boxes", "texts")}


@pytest.mark.parametrize(("learner", "rows", "y"), EXPLAINED.values(), ids=EXPLAINED)
def test_predictions_of_any_kind_are_explained(learner, rows, y):
    learner = clone(learner).fit(take(rows, range(20)), take(y, range(20)))
    (row,) = learner.explain(take(rows, range(20, 60)), [3])
    np.testing.assert_equal(row.prediction, learner.predict(take(rows, [23]))[0])
    assert "no model" not in str(row)


def test_missing_labels_of_other_values_than_none_are_left_out_by_the_advice():
    y = [["N"], np.nan, ["N", "V"], None]
    with pytest.raises(ValueError, match=r"if hasattr\(y\[i\], '__len__'\)\], then"):
        ActiveLearner(Nearest(), Random()).fit(X[:4], y)
    known = [i for i in range(len(y)) if hasattr(y[i], "__len__")]
    assert known == [0, 2]


UNORDERED = [iter, lambda y: dict(enumerate(y)).values(), enumerate]


@pytest.mark.parametrize("contain", UNORDERED, ids=["iterator", "values", "enumerate"])
def test_labels_without_positions_are_refused_with_advice(contain):
    for fit in (
        lambda y: make_tagging_learner().fit(SENTENCES[:6], y),
        lambda y: SimulatedLearner(make_tagging_learner(), budget=4).fit(SENTENCES[:6], y),
        lambda y: compare_strategies(make_tagging_learner(), [Random()], SENTENCES[:6], y),
    ):
        with pytest.raises(ValueError, match=r"which has no positions: pass list\(y\)"):
            fit(contain(TAGS[:6]))


def test_a_set_or_dict_of_labels_is_refused():
    for y in ({1, 2}, {0: "a", 1: "b"}):
        with pytest.raises(ValueError, match="pass a list of labels, in the order of the rows"):
            ActiveLearner(Nearest(), Random()).fit(X[:2], y)


def test_sentences_of_one_tag_stay_sentences_for_a_tagger_that_is_a_classifier():
    learner = make_tagging_learner(model=ClassifierTagger()).fit([[1], [2]], [["N"], ["V"]])
    learner.teach([[1, 2]], [["N", "V"]])
    assert learner.y_labeled_.tolist() == [["N"], ["V"], ["N", "V"]]
    assert learner.predict([[2, 1]]) == [["V", "N"]]


class HomeMade(ClassifierMixin, BaseEstimator):
    """A classifier that is not of scikit-learn."""

    def fit(self, X, y):
        self.model_ = GaussianNB().fit(X, np.ravel(y))
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def test_a_column_in_a_list_for_a_home_made_classifier_is_an_error_whose_advice_works():
    y = BITS[:20, :1].tolist()
    with pytest.raises(CapabilityError, match=r"if these are classes, pass numpy.ravel\(y\)"):
        ActiveLearner(HomeMade(), Margin()).fit(X[:20], y)
    learner = ActiveLearner(HomeMade(), Margin()).fit(X[:20], np.ravel(y))
    assert len(learner.query(X[20:], 3)) == 3


@pytest.mark.parametrize(
    "model", [MLPClassifier((5,)), MultiOutputClassifier(GaussianNB())], ids=["net", "per label"]
)
def test_several_labels_are_taught_incrementally(model):
    learner = ActiveLearner(model, Aggregate(Margin()), incremental=True, random_state=0)
    learner.fit(X[:20], BITS[:20]).teach(X[20:40], BITS[20:40])
    assert len(set(learner.query(X[40:], 3))) == 3
    assert learner.predict(X[40:]).shape == (20, 3)
