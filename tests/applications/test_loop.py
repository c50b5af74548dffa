import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skactive.adapters import StructuredAdapter, register
from skactive.applications import Application, Sizes, Task, Variant, explain_batch, main, play
from skactive.simulation import Elements
from skactive.strategies import Aggregate, Margin, PerCost, Random

X, Y = load_iris(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
POOL, TEST = ORDER[:100], ORDER[100:]


def read_flowers(folder=None):
    return Task(X[POOL], Y[POOL], X[TEST], Y[TEST], f"iris of {folder}")


COSTS = 1 + np.arange(100) % 3


def read_priced_flowers(folder=None):
    task = read_flowers(folder)
    return Task(task.X, task.y, task.X_test, task.y_test, "iris", costs=COSTS, unit="cents")


def make_application(read=read_flowers, **settings):
    return Application(
        title="Flowers",
        read=read,
        score_name="accuracy",
        **{
            "model": lambda task: GaussianNB(),
            "scoring": "accuracy",
            "strategies": {"Margin": Margin(), "Random": Random()},
            "chosen": "Margin",
            "sizes": Sizes(10, 5, 30),
            "full_sizes": Sizes(10, 10, 50),
        }
        | settings,
    )


def test_splits_hold_the_test_rows_and_a_pool_per_repeat():
    task = read_flowers()
    splits = task.draw_splits(3, 40, 0)
    assert all(len(pool) == 40 and pool.max() < 100 for pool, _ in splits)
    assert all((test == np.arange(100, 150)).all() for _, test in splits)
    assert (splits[0][0] != splits[1][0]).any()
    assert all(
        (a[0] == b[0]).all() for a, b in zip(splits, task.draw_splits(2, 40, 0), strict=False)
    )


def test_a_task_whose_lengths_differ_is_refused():
    with pytest.raises(ValueError, match="costs must have one entry for each of the 100 rows"):
        Task(X[POOL], Y[POOL], X[TEST], Y[TEST], "iris", costs=np.ones(99))


def test_strategies_must_contain_random_and_the_chosen_one():
    with pytest.raises(ValueError, match="must contain 'Random', 'BALD'"):
        make_application(strategies={"Margin": Margin()}, chosen="BALD")


def test_variants_are_played_in_batches_of_their_own():
    variant = Variant(Margin(), batch_size=10)
    application = make_application(
        strategies={"Slow": Margin(), "Fast": variant, "Random": Random()}, chosen="Fast"
    )
    comparison = play(application, read_flowers(), application.sizes, n_repeats=2)
    counts = {run.strategy: list(run.n_labels) for run in comparison.runs}
    assert counts["Fast"] == [10, 20, 30]
    assert counts["Slow"] == counts["Random"] == [10, 15, 20, 25, 30]


def test_comparisons_are_over_costs_where_labels_have_them():
    application = make_application(read=read_priced_flowers)
    comparison = play(application, read_priced_flowers(), application.sizes, n_repeats=2)
    assert comparison.unit == "cost"
    assert max(run.n_labels[-1] for run in comparison.runs) <= 30


def test_explained_rows_are_those_of_the_learner():
    application, task = make_application(), read_flowers()
    batch = explain_batch(application, task, application.sizes)
    assert len(batch.positions) == len(batch.explanations) == 5
    assert len(batch.learner.X_labeled_) == 10
    proba = batch.learner.predict_proba(task.X[batch.positions])
    margins = np.diff(np.sort(proba)[:, -2:])[:, 0]
    assert (np.diff(margins) >= 0).all()  # the least certain first


def test_costs_are_known_to_the_learner_that_is_explained():
    task = read_priced_flowers()
    application = make_application(strategies={"Random": Random(), "Margin": PerCost(Margin(), 50)})
    batch = explain_batch(application, task, application.sizes)
    assert set(task.costs[batch.positions]) == {1}


class PixelRates(BaseEstimator):
    """Predicts each pixel by the share of ones among the known labels of its place."""

    element = "pixel"

    def fit(self, X, y):
        known = y != 255
        self.rates_ = (1 + (known & (y == 1)).sum(axis=0)) / (2 + known.sum(axis=0))
        return self

    def predict(self, X):
        return np.broadcast_to(self.rates_ > 0.5, (len(X), *self.rates_.shape))


@register(PixelRates)
class PixelRatesAdapter(StructuredAdapter):
    element = "pixel"

    def proba(self, Z):
        return [np.stack([1 - self.model.rates_, self.model.rates_], axis=-1)] * len(Z)


def cut_into_rows(X):
    return np.broadcast_to([[0, 0, 0], [1, 1, 1]], (len(X), 2, 3))


def read_maps(folder=None):
    X, y = np.zeros((30, 1)), np.random.default_rng(0).integers(0, 2, (30, 2, 3))
    y[:, 0] = 0  # the upper group is certain
    costs = {"costs": np.full(20, 6.0), "element_costs": np.full((20, 2), 3.0)}
    return Task(X[:20], y[:20], X[20:], y[20:], "noise", unit="pixels", **costs)


def test_groups_of_elements_are_bought_at_their_own_costs():
    regions = Elements(unknown=255, groups=cut_into_rows)
    application = make_application(
        read=read_maps,
        model=lambda task: PixelRates(),
        scoring=lambda model, X, y: (model.predict(X) == y).mean(),
        strategies={
            "Random": Random(),
            "Random regions": Variant(Random(), oracle=regions, per_row=2),
            "Margin regions": Variant(Aggregate(Margin()), oracle=regions, batch_size=2),
        },
        chosen="Margin regions",
        sizes=Sizes(5, 1, 42),
    )
    comparison = play(application, read_maps(), application.sizes, n_repeats=2)
    assert {tuple(run.n_labels) for run in comparison.runs} == {(30, 36, 42)}
    batch = explain_batch(application, read_maps(), application.sizes)
    assert len(batch.positions) == len(batch.elements) == len(batch.explanations) == 2
    assert set(batch.elements) == {1}


def test_script_prints_and_writes_what_it_found(tmp_path, capsys):
    path, picture = tmp_path / "record.json", tmp_path / "curves.png"
    arguments = ["--seeds", "2", "--json", str(path), "--picture", str(picture), "--budget", "25"]
    record = main(make_application(), arguments)
    printed = capsys.readouterr().out
    assert "Flowers: iris of None" in printed
    assert record["summary"] in printed
    assert "Margin asks for:" in printed
    assert json.loads(path.read_text()) == record
    assert record["budget"] == 25
    assert {row["name"] for row in record["strategies"]} == {"Margin", "Random"}
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_full_data_are_played_with_their_own_sizes(tmp_path):
    record = main(make_application(), ["--data", str(tmp_path), "--seeds", "2", "--no-explain"])
    assert record["source"] == f"iris of {tmp_path}"
    assert (record["batch_size"], record["budget"]) == (10, 50)


def test_script_continues_from_its_folder(tmp_path):
    arguments = ["--seeds", "2", "--no-explain", "--folder", str(tmp_path)]
    first = main(make_application(), arguments)
    again = main(make_application(), arguments)
    assert first["strategies"] == again["strategies"]  # the seconds too: nothing was played
