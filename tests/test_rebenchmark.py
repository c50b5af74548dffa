"""The protocol of the published numbers, on made-up rows, and the numbers where they are at hand.

SKACTIVE_REFERENCE names a folder that holds ``data/sets/NAME.npz`` and
``reference/rebenchmark_us_c.csv``.
"""

import importlib.util
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

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
    """The protocol in plain scikit-learn: ``choose(labelled, pool, X, y)`` is the next row."""
    rows = np.arange(len(X))
    np.random.default_rng(seed).shuffle(rows)
    train, test = rows[: int(len(X) * 0.6)].copy(), rows[int(len(X) * 0.6) :]
    np.random.default_rng(seed).shuffle(train)
    scaler = StandardScaler().fit(X[train])
    Z, t, Z_test = scaler.transform(X[train]), y[train], scaler.transform(X[test])
    labelled, pool, scores = list(range(20)), list(range(20, len(train))), []
    while pool:
        pick = pool[choose(labelled, pool, Z, t)]
        pool.remove(pick)
        labelled = sorted([*labelled, pick])
        model = SVC(gamma="auto").fit(Z[labelled], t[labelled])
        scores.append(model.score(Z_test, y[test]))
    return scores


def nearest(labelled, pool, Z, t):
    decision = SVC(gamma="auto").fit(Z[labelled], t[labelled]).decision_function(Z[pool])
    return int(np.abs(decision).argmin())


def most_entropy(labelled, pool, Z, t):
    p = LogisticRegression(C=0.1).fit(Z[labelled], t[labelled]).predict_proba(Z[pool])
    return int((p * np.log(p)).sum(axis=1).argmin())


def farthest(labelled, pool, Z, t):
    return int(np.linalg.norm(Z[pool][:, None] - Z[labelled], axis=2).min(axis=1).argmax())


CHOICES = {
    "Uniform": lambda labelled, pool, Z, t: 0,
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


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CHOICES)
def test_same_curve_as_a_plain_loop(bench, blobs, name, seed):
    expected = plain_loop(*blobs, seed, CHOICES[name])
    assert len(expected) == 16  # 36 training rows, of which 20 are the start
    assert bench.accuracies(*blobs, seed, bench.METHODS[name]) == expected


def test_methods_differ_on_these_rows(bench, blobs):
    curves = [tuple(plain_loop(*blobs, 0, choose)) for choose in CHOICES.values()]
    assert len(set(curves)) == len(curves)


def test_area_is_the_quirky_one(bench, blobs):
    curve = bench.accuracies(*blobs, 0, bench.METHODS["US-C"])
    expected = sum((a + b) / 2 for a, b in pairwise(curve)) / len(curve)
    assert bench.published_area(*blobs, 0, bench.METHODS["US-C"]) == round(expected, 5)


def test_a_start_of_one_class_is_skipped(bench, blobs):
    X, y = blobs[0], np.full(60, -1)
    train, _ = bench.split(60, seed=0)
    y[train[25]] = 1
    assert bench.published_area(X, y, 0, bench.METHODS["US-C"]) is None


@pytest.fixture
def folder(tmp_path, bench, blobs):
    X, y = blobs
    np.savez(tmp_path / "made.npz", X=X, y=(y + 1) // 2)  # 0 and 1, as some files have it
    area = bench.published_area(X, y, 1, bench.METHODS["US-C"])
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
    assert bench.read_mean(folder / "table.md", "made", "US-C") == 0.8454
    assert bench.read_mean(folder / "table.md", "made", "QBC") is None
    assert bench.read_mean(folder / "table.md", "absent", "US-C") is None


@pytest.mark.parametrize(
    ("published", "ours", "equal"),
    [(0.84541, 0.84541, True), (0.84541, 0.84542, False), (0.3, 0.1 + 0.2, True)],
)
def test_equal_to_five_decimals(bench, published, ours, equal):
    assert bench.same(published, ours, 5) is equal


@pytest.mark.skipif(SHARED is None, reason="SKACTIVE_REFERENCE is not set")
@pytest.mark.parametrize("name", ["appendicitis", "sonar"])
def test_published_numbers(bench, name):
    X, y = bench.load(Path(SHARED, "data", "sets"), name)
    published = bench.read_areas(Path(SHARED, "reference", "rebenchmark_us_c.csv"), name)
    for seed in (0, 1, 2, 5):  # 5: on sonar half-way between two roundings
        assert bench.published_area(X, y, seed, bench.METHODS["US-C"]) == published[seed]
