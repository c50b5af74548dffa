"""The protocol of the published numbers, on made-up rows, and the numbers where they are at hand.

SKACTIVE_REFERENCE names a folder that holds ``data/sets/NAME.npz``, and in ``reference`` the files
``rebenchmark_us_c.csv`` and ``README.md`` with the table of means.
"""

import importlib.util
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from skactive import ActiveLearner

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "rebenchmark.py"
SHARED = os.environ.get("SKACTIVE_REFERENCE")
HEADER = "dataset,query_model,task_model,seed,aubc_zhan\n"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("rebenchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with threadpool_limits(limits=1):
        yield module


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    y = np.where(rng.random(60) < 0.4, 1, -1)
    return rng.normal(size=(60, 3)) + 0.7 * y[:, None], y


def plain_loop(X, y, seed, choose):
    """The protocol in plain scikit-learn: ``choose(labeled, pool, X, y)`` is the next row."""
    rows = np.arange(len(X))
    np.random.default_rng(seed).shuffle(rows)
    train, test = rows[: int(len(X) * 0.6)].copy(), rows[int(len(X) * 0.6) :]
    np.random.default_rng(seed).shuffle(train)
    scaler = StandardScaler().fit(X[train])
    Z, t, Z_test = scaler.transform(X[train]), y[train], scaler.transform(X[test])
    labeled, pool, scores = list(range(20)), list(range(20, len(train))), []
    while pool:
        pick = pool[choose(labeled, pool, Z, t)]
        pool.remove(pick)
        labeled = sorted([*labeled, pick])
        model = SVC(gamma="auto").fit(Z[labeled], t[labeled])
        scores.append(model.score(Z_test, y[test]))
    return scores


def nearest(labeled, pool, Z, t):
    decision = SVC(gamma="auto").fit(Z[labeled], t[labeled]).decision_function(Z[pool])
    return int(np.abs(decision).argmin())


def most_entropy(labeled, pool, Z, t):
    p = LogisticRegression(C=0.1).fit(Z[labeled], t[labeled]).predict_proba(Z[pool])
    return int((p * np.log(p)).sum(axis=1).argmin())


def farthest(labeled, pool, Z, t):
    return int(np.linalg.norm(Z[pool][:, None] - Z[labeled], axis=2).min(axis=1).argmax())


CHOICES = {
    "Uniform": lambda labeled, pool, Z, t: 0,
    "US-C": nearest,
    "US-NC": most_entropy,
    "Core-Set": farthest,
}


def test_split_is_that_of_two_fresh_generators(bench):
    train, test = bench.split(10, seed=3)
    rows = np.random.default_rng(3).permutation(10)
    order = np.random.default_rng(3).permutation(6)
    np.testing.assert_array_equal(train, rows[:6][order])
    np.testing.assert_array_equal(test, rows[6:])
    assert [len(part) for part in bench.split(11, seed=0)] == [6, 5]  # rounded down


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CHOICES)
def test_same_curve_as_a_plain_loop(bench, blobs, name, seed):
    expected = plain_loop(*blobs, seed, CHOICES[name])
    assert len(expected) == 16  # 36 training rows, of which 20 are the start
    assert bench.compute_accuracies(*blobs, seed, bench.METHODS[name]) == expected


def test_methods_differ_on_these_rows(bench, blobs):
    curves = [tuple(plain_loop(*blobs, 0, choose)) for choose in CHOICES.values()]
    assert len(set(curves)) == len(curves)


def test_area_is_the_quirky_one(bench, blobs):
    curve = bench.compute_accuracies(*blobs, 0, bench.METHODS["US-C"])
    expected = sum((a + b) / 2 for a, b in pairwise(curve)) / len(curve)
    assert bench.compute_area(*blobs, 0, bench.METHODS["US-C"]) == round(expected, 5)


def test_a_start_of_one_class_is_skipped(bench, blobs):
    X, y = blobs[0], np.full(60, -1)
    train, _ = bench.split(60, seed=0)
    y[train[25]] = 1
    assert bench.compute_area(X, y, 0, bench.METHODS["US-C"]) is None


class Bag(BaseEstimator):
    """Keeps the rows that it is fitted on, in the order of their draw."""

    def fit(self, X, y):
        self.rows_ = X[:, 0]
        return self


def bag(bench, y, seed=0, member=0):
    """Which of the rows are in a bag."""
    rows = np.arange(len(y))[:, None]
    return bench.BaggedClassifier(Bag(), member, seed).fit(rows, y).model_.rows_


def test_a_bag_is_drawn_with_replacement(bench):
    rows = bag(bench, np.arange(400) % 2)
    assert len(rows) == 400
    assert 230 < len(np.unique(rows)) < 275  # 1 - 1/e of 400 is 253, deviation 6


def test_bags_are_drawn_apart_by_member_seed_and_number_of_rows(bench):
    y = np.arange(401) % 2
    first = bag(bench, y)
    others = [bag(bench, y, member=1), bag(bench, y, seed=1), bag(bench, y[:-1])]
    for other in others:
        assert abs(np.corrcoef(first[:400], other[:400])[0, 1]) < 0.25
    np.testing.assert_array_equal(first, bag(bench, y))


def test_a_bag_holds_every_class(bench):
    y = np.where(np.arange(20) == 7, 1, -1)  # a third of plain bags lacks row 7
    assert all(7 in bag(bench, y, seed) for seed in range(30))


def query_by_committee(bench, blobs, seed):
    X, y = blobs
    method = bench.METHODS["QBC"]
    learner = ActiveLearner(method.query_model(), method.strategy(), random_state=seed)
    return learner.fit(X[:20], y[:20])


def test_committee_is_of_four_models_with_a_bag_each(bench, blobs):
    members = query_by_committee(bench, blobs, 0).estimator_.estimators_
    models = [member.model_ for member in members]
    kinds = [LogisticRegression, SVC, SVC, LinearDiscriminantAnalysis]
    assert [type(model) for model in models] == kinds
    assert [model.kernel for model in models[1:3]] == ["linear", "rbf"]
    again = [member.model.fit(*(part[:20] for part in blobs)) for member in members]
    for fitted, plain in zip(models, again, strict=True):  # a bag, not the rows themselves
        assert (
            np.abs(fitted.decision_function(blobs[0]) - plain.decision_function(blobs[0])).max() > 0
        )


@pytest.mark.parametrize("seed", range(5))
def test_committee_asks_where_its_votes_are_most_divided(bench, blobs, seed):
    learner, pool = query_by_committee(bench, blobs, seed), blobs[0][20:]
    votes = [member.model_.predict(pool) for member in learner.estimator_.estimators_]
    minority = 2 - np.abs(np.sum(votes, axis=0) - 2)  # of 0 and 1: how many of four disagree
    assert len(set(minority)) > 1  # else there would be nothing to see
    (row,) = learner.query(pool)
    assert minority[row] == minority.max()


def test_committee_gives_the_same_numbers_again(bench, blobs):
    first, again = (bench.compute_accuracies(*blobs, 3, bench.METHODS["QBC"]) for _ in range(2))
    assert first == again
    assert len(first) == 16


def test_standard_errors(bench):
    areas = [0.8, 0.9, 1.0, 1.1]  # mean 0.95, variance 0.05 / 3
    expected = 0.15 / np.sqrt((0.05 / 3 + 0.3**2) / 4)
    assert bench.count_standard_errors(0.8, 0.3, areas) == pytest.approx(expected)


@pytest.fixture
def folder(tmp_path, bench, blobs):
    X, y = blobs
    np.savez(tmp_path / "made.npz", X=X, y=(y + 1) // 2)  # 0 and 1, as some files have it
    area = bench.compute_area(X, y, 1, bench.METHODS["US-C"])
    lines = ["made,LR,LR,0,0.1\n", f"made,RBFSVM,RBFSVM,1,{area}\n", "other,RBFSVM,RBFSVM,0,0.2\n"]
    (tmp_path / "areas.csv").write_text(HEADER + "".join(lines))
    table = "| data set | Uniform | US-C |\n|---|---|---|\n| made | 0.5±0.1 | 0.8454±0.0333 |\n"
    (tmp_path / "table.md").write_text(table, encoding="utf-8")
    return tmp_path


def run(bench, folder, *more):
    arguments = ["--data", str(folder), "--reference", str(folder / "areas.csv"), "--sets", "made"]
    return bench.main([*arguments, *more])


def test_table_says_what_is_equal(bench, folder, capsys):
    assert run(bench, folder, "--seeds", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[1:4]] == ["-", "yes", "-"]
    assert lines[-1].startswith("0 unequal")


def test_table_says_what_is_not(bench, folder, capsys):
    text = (folder / "areas.csv").read_text().replace("RBFSVM,RBFSVM,1,0.", "RBFSVM,RBFSVM,1,1.")
    (folder / "areas.csv").write_text(text)
    assert run(bench, folder, "--seeds", "1", "--first-seed", "1") == 1
    out = capsys.readouterr().out
    assert out.splitlines()[1].split()[-1] == "NO"
    assert "1 unequal" in out


def test_published_means(bench, folder):
    assert bench.read_mean(folder / "table.md", "made", "US-C") == (0.8454, 0.0333)
    assert bench.read_mean(folder / "table.md", "made", "QBC") is None
    assert bench.read_mean(folder / "table.md", "absent", "US-C") is None


@pytest.mark.parametrize(("shift", "n_wrong"), [(1.9, 0), (-2.1, 1)])
def test_mean_of_a_committee_by_its_standard_errors(
    bench, tmp_path, folder, capsys, monkeypatch, shift, n_wrong
):
    monkeypatch.setitem(bench.N_PUBLISHED, "made", 3)
    areas = [0.84, 0.86, 0.79]
    monkeypatch.setattr(bench, "compute_area", lambda X, y, seed, method: areas[seed])
    deviation = 0.0321
    error = np.sqrt((np.var(areas, ddof=1) + deviation**2) / 3)
    cell = f"{np.mean(areas) - shift * error:.6f}±{deviation}"
    (tmp_path / "qbc.md").write_text(f"| data set | QBC |\n| made | {cell} |\n", encoding="utf-8")
    more = ["--method", "QBC", "--seeds", "3", "--means", str(tmp_path / "qbc.md")]
    assert run(bench, folder, *more) == n_wrong
    lines = capsys.readouterr().out.splitlines()
    assert lines[4].split()[-1] == ("NO" if n_wrong else "yes")
    assert f"{shift:+.2f} standard errors" in lines[5]


def test_mean_is_compared_for_all_published_seeds_only(bench, folder, capsys):
    assert run(bench, folder, "--seeds", "1", "--means", str(folder / "table.md")) == 0
    assert capsys.readouterr().out.splitlines()[2].split()[-1] == "-"


@pytest.mark.parametrize(
    ("published", "ours", "equal"),
    [(0.84541, 0.84541, True), (0.84541, 0.84542, False), (0.3, 0.1 + 0.2, True)],
)
def test_equal_to_five_decimals(bench, published, ours, equal):
    assert bench.are_equal(published, ours, 5) is equal


@pytest.mark.skipif(SHARED is None, reason="SKACTIVE_REFERENCE is not set")
@pytest.mark.parametrize("name", ["appendicitis", "sonar"])
def test_published_numbers(bench, name):
    X, y = bench.load(Path(SHARED, "data", "sets"), name)
    published = bench.read_areas(Path(SHARED, "reference", "rebenchmark_us_c.csv"), name)
    for seed in (0, 1, 2, 5):  # 5: on sonar half-way between two roundings
        assert bench.compute_area(X, y, seed, bench.METHODS["US-C"]) == published[seed]


@pytest.mark.skipif(SHARED is None, reason="SKACTIVE_REFERENCE is not set")
def test_published_mean_of_the_committee(bench):
    """On few seeds only the difference from US-C on the same splits says something."""
    X, y = bench.load(Path(SHARED, "data", "sets"), "appendicitis")
    known = bench.read_areas(Path(SHARED, "reference", "rebenchmark_us_c.csv"), "appendicitis")
    means = Path(SHARED, "reference", "README.md")
    gap = np.subtract(
        *(bench.read_mean(means, "appendicitis", name)[0] for name in ("QBC", "US-C"))
    )
    committee = bench.METHODS["QBC"]
    gaps = [bench.compute_area(X, y, seed, committee) - known[seed] for seed in range(6)]
    error = np.std(gaps, ddof=1) / np.sqrt(len(gaps))
    assert abs(np.mean(gaps) - gap) < 3 * error < 0.02
