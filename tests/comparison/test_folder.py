"""The folder: nothing is played twice, and what does not belong there is refused."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.comparison import compare_strategies
from skactive.exceptions import SkactiveWarning
from skactive.strategies import KMeans, Margin, Random, Subsample

X, Y = load_iris(return_X_y=True)
MODEL = GaussianNB(var_smoothing=0.1)  # smooth: no probabilities of 0 and 1, so no ties
SMALL = {"budget": 20, "batch_size": 5, "n_initial": 5, "n_repeats": 3, "random_state": 0}

equal = np.testing.assert_array_equal


def test_a_folder_gives_the_same_and_plays_nothing_twice(tmp_path, compared, scores_of, counted):
    folder = tmp_path / "new" / "folder"
    first = compared([counted(), Margin()], folder=folder)
    played = counted.calls
    assert played == 3 * 3
    again = compared([counted(), Margin()], folder=folder)
    assert counted.calls == played
    assert scores_of(again) == scores_of(first) == scores_of(compared([counted(), Margin()]))
    for one, other in zip(first.runs, again.runs, strict=True):
        equal(one.fit_seconds, other.fit_seconds)
        assert other.scores.dtype == np.float64
    assert len(list((folder / "runs").iterdir())) == 6  # and no temporary files


def test_an_interrupted_comparison_goes_on_where_it_was(tmp_path, compared, scores_of, counted):
    counted.error, counted.raises_at = KeyboardInterrupt, 5  # in the second campaign of three
    with pytest.raises(KeyboardInterrupt):
        compared([counted(), Margin()], folder=tmp_path)
    assert len(list((tmp_path / "runs").iterdir())) == 2  # the first repeat
    counted.calls, counted.raises_at = 0, None
    resumed = compared([counted(), Margin()], folder=tmp_path)
    assert counted.calls == 2 * 3
    assert scores_of(resumed) == scores_of(compared([counted(), Margin()]))


def test_repeats_strategies_and_models_may_be_added(tmp_path, compared, scores_of, counted):
    first = compared([counted()], folder=tmp_path)
    calls = counted.calls
    more = compared([Margin(), counted()], folder=tmp_path, n_repeats=5)
    assert counted.calls == calls + 2 * 3
    assert scores_of(first).items() <= scores_of(more).items()
    models = {"GaussianNB": MODEL, "smoother": GaussianNB(var_smoothing=0.5)}
    both = compared([Margin(), counted()], folder=tmp_path, learner=models)
    assert counted.calls == calls + 2 * 3 + 3 * 3
    assert scores_of(first).items() <= scores_of(both).items()
    assert len(both.runs) == 12


def test_campaigns_are_known_by_their_parameters_not_by_their_names(tmp_path, compared, counted):
    first = compared({"a": counted()}, folder=tmp_path)
    calls = counted.calls
    renamed = compared({"b": counted()}, {"other": MODEL}, folder=tmp_path)
    assert counted.calls == calls
    assert [run[:4] for run in renamed.runs] == [("data", "other", "b", r) for r in range(3)]
    for one, other in zip(first.runs, renamed.runs, strict=True):
        equal(one.scores, other.scores)
    compared({"a": counted()}, ActiveLearner(MODEL, Margin()), folder=tmp_path)
    assert counted.calls == calls  # the strategy of the learner is replaced: it does not count
    mixed = compared({n: Subsample(Margin(), n_candidates=n) for n in (50, 60)}, folder=tmp_path)
    assert len(list((tmp_path / "runs").iterdir())) == 9
    assert len(mixed.runs) == 6


def test_failures_are_tried_again(tmp_path, compared, scores_of, counted):
    counted.raises_at = 2
    with pytest.warns(SkactiveWarning, match="1 of 6"):
        compared([counted(), Margin()], folder=tmp_path)
    counted.raises_at = None
    again = compared([counted(), Margin()], folder=tmp_path)
    assert not again.failures
    assert scores_of(again) == scores_of(compared([counted(), Margin()]))


def test_without_a_seed_a_folder_goes_on_with_its_own(tmp_path, compared, scores_of, counted):
    first = compared([counted()], folder=tmp_path, random_state=None)
    more = compared([counted()], folder=tmp_path, random_state=None, n_repeats=4)
    assert scores_of(first).items() < scores_of(more).items()
    assert counted.calls == 4 * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"budget": 25}, r"What differs: budget \(20 there, 25 here\)\."),
        ({"batch_size": 4, "n_initial": 6}, r"batch_size \(5 there, 4 here\); n_initial \(5 th"),
        ({"random_state": 1}, r"random_state \(0 there, 1 here\)"),
        ({"scoring": "f1_macro"}, r'scoring \(null there, "f1_macro" here\)'),
        ({"test_size": 0.5}, "test_size"),
        ({"cv": 3}, "cv"),
        ({"groups": np.arange(150) // 3}, "groups"),
        ({"initial_strategy": KMeans()}, "initial_strategy"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_folder_of_other_settings_is_refused_and_left_as_it_is(
    tmp_path, change, message, compared, counted
):
    compared([Random()], folder=tmp_path, n_repeats=1)
    before = sorted(path.read_bytes() for path in tmp_path.rglob("*.json"))
    with pytest.raises(ValueError, match=message):
        compared([counted()], folder=tmp_path, **change)
    assert counted.calls == 0
    assert sorted(path.read_bytes() for path in tmp_path.rglob("*.json")) == before


def test_a_folder_of_other_data_is_refused(tmp_path, compared):
    compared([Random()], folder=tmp_path, n_repeats=1)
    changed = X.copy()
    changed[3, 2] += 1e-9
    with pytest.raises(ValueError, match=r"What differs: X \("):
        compare_strategies(GaussianNB(), [Random()], changed, Y, **SMALL, folder=tmp_path)
    with pytest.raises(ValueError, match=r"What differs: y \("):
        compare_strategies(GaussianNB(), [Random()], X, 1 - Y, **SMALL, folder=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not a manifest"),
        ("[]", "is not a manifest"),
        ('{"format": 1}', "is not a manifest"),
        ('{"format": 1, "settings": {}}', "its random_state is not an integer"),
        ('{"format": 1, "settings": {"random_state": 1.5}}', "its random_state is not an integer"),
        ('{"format": 1, "settings": {"random_state": 0}, "digest": "0"}', "agree with its digest"),
        ('{"format": 2, "settings": {"random_state": 0}}', "settings or digest are missing"),
        ('{"format": 3, "settings": {}}', "has format 3, this version of skactive reads 1 and 2"),
        ("[" * 100_000, "is not a manifest"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path, content, message, compared):
    (tmp_path / "manifest.json").write_text(content)
    for seed in (0, None):
        with pytest.raises(ValueError, match=message) as caught:
            compared(folder=tmp_path, random_state=seed)
        assert "manifest.json" in str(caught.value)
    assert (tmp_path / "manifest.json").read_text() == content


def test_a_manifest_that_is_lost_is_made_again(tmp_path, compared, scores_of, counted):
    first = compared([counted()], folder=tmp_path)
    calls = counted.calls
    (tmp_path / "manifest.json").unlink()
    assert scores_of(compared([counted()], folder=tmp_path)) == scores_of(first)
    assert counted.calls == calls
    (tmp_path / "manifest.json").unlink()  # of other settings, the runs do not count
    with pytest.warns(SkactiveWarning, match=r"3 files .*it is the file of another campaign"):
        other = compared([counted()], folder=tmp_path, budget=25)
    assert scores_of(other) == scores_of(compared([counted()], budget=25))
