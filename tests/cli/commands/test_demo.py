"""``skactive demo``: its figures come from the run, and it takes the data that people have."""

import re
import sys
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import make_blobs

from skactive import SimulatedLearner, strategies
from skactive._needs import reads_elements
from skactive.cli import main
from skactive.cli._errors import CommandError
from skactive.cli.commands import _demo
from skactive.cli.commands._demo import DemoSettings, play_demo
from skactive.cli.learners import _models as _choices
from skactive.comparison import _campaigns
from skactive.comparison._splits import draw_repeat_seeds
from skactive.display import LabelCurve

# Eighths have few decimals and no rounding: a csv holds them exactly.
X, Y = make_blobs(n_samples=120, centers=3, n_features=2, cluster_std=2.0, random_state=0)
X = np.round(X * 8) / 8
N_TEST = 36

LETTERS = np.array(["u", "v", "w"])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder: the default picture goes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_picture(monkeypatch):
    hide(monkeypatch, "matplotlib")


def hide(monkeypatch, *names):
    """Let the demo find all libraries but these."""
    found = _demo.find_spec
    for module in (_demo, _choices):
        monkeypatch.setattr(
            module, "find_spec", lambda name: None if name in names else found(name)
        )


def npz(folder, **arrays):
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def small(path, **settings):
    """Return settings of a small run of two strategies."""
    settings = {
        "estimator": "logistic",
        "strategies": ("Random", "Margin"),
        "budget": 40,
        "n_seeds": 1,
        **settings,
    }
    return DemoSettings(data=path, **settings)


def run(settings):
    said = []
    return play_demo(settings, said.append), said


def assert_same_curves(some, others):
    assert list(some) == list(others)
    for name in some:
        assert_array_equal(some[name].n_labels, others[name].n_labels)
        assert_array_equal(some[name].scores, others[name].scores)


def table_of(lines):
    """Read the table of a report: names, and rows of labels and cells."""
    header = next(i for i, line in enumerate(lines) if line.startswith("labels  "))
    rows = []
    for line in lines[header + 1 :]:
        if not line.strip():
            break
        rows.append(line.split())
    return lines[header].split()[1:], rows


def expected_table(curves):
    grid = next(iter(curves.values())).n_labels
    return [
        [f"{n:.0f}", *(f"{100 * curve.mean[i]:.1f}" for curve in curves.values())]
        for i, n in enumerate(grid)
    ]


# The figures ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Play three strategies with two seeds, and keep what was simulated and scored."""
    folder = tmp_path_factory.mktemp("demo")
    simulations, calls = [], defaultdict(list)

    class Recorder(SimulatedLearner):
        def fit(self, X, y, **params):
            super().fit(X, y, **params)
            simulations.append(
                SimpleNamespace(
                    strategy=type(self.learner.strategy).__name__,
                    seed=self.random_state,
                    X=X,
                    y=y,
                    queried=self.queried_,
                    n_labels=self.n_labels_,
                )
            )
            return self

        def staged_score(self, X, y, scoring=None):
            scores = [np.mean(model.predict(X) == y) for model in self.estimators_]
            simulations[-1].X_test, simulations[-1].scores = X, scores
            return super().staged_score(X, y, scoring)

    settings = small(
        npz(folder, X=X, y=Y),
        strategies=("Random", "Margin", "KCenterGreedy"),
        n_seeds=2,
        n_initial=6,
        batch_size=10,
        output=folder / "curves.png",
    )
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(_campaigns, "SimulatedLearner", Recorder)
        curves, said = run(settings)
    for simulation in simulations:
        calls[simulation.strategy].append(simulation)
    return SimpleNamespace(settings=settings, curves=curves, said=said, by_strategy=calls)


@pytest.mark.no_cover
def test_each_strategy_is_played_with_each_seed(recorded):
    assert list(recorded.curves) == ["Random", "Margin", "KCenterGreedy"]
    assert set(recorded.by_strategy) == set(recorded.curves)
    for simulations in recorded.by_strategy.values():
        seeds = [draw_repeat_seeds(0, repeat)[1] for repeat in (0, 1)]
        assert [simulation.seed for simulation in simulations] == seeds


def test_curves_are_the_scores_of_the_simulations(recorded):
    for name, simulations in recorded.by_strategy.items():
        curve = recorded.curves[name]
        assert_array_equal(curve.n_labels, [6, 16, 26, 36, 40])
        assert_array_equal(curve.scores, [simulation.scores for simulation in simulations])
    assert len({curve.scores.tobytes() for curve in recorded.curves.values()}) == 3


def test_every_strategy_starts_from_the_same_rows(recorded):
    for seed in (0, 1):
        starts = [
            simulations[seed].X[simulations[seed].queried[:6]]
            for simulations in recorded.by_strategy.values()
        ]
        assert_array_equal(starts[0], starts[1])
        assert_array_equal(starts[0], starts[2])
    first, second = recorded.by_strategy["Random"]
    assert not np.array_equal(first.X[first.queried[:6]], second.X[second.queried[:6]])
    assert {curve.scores[0, 0] for curve in recorded.curves.values()} == {
        recorded.curves["Random"].scores[0, 0]
    }


def test_test_rows_are_not_for_sale(recorded):
    for simulations in recorded.by_strategy.values():
        for simulation in simulations:
            assert simulation.X.shape == (120 - N_TEST, 2)
            assert simulation.X_test.shape == (N_TEST, 2)
            rows = np.concatenate([simulation.X, simulation.X_test])
            assert_array_equal(np.sort(rows, axis=0), np.sort(X, axis=0))


def test_the_table_holds_the_means_of_the_curves(recorded):
    names, rows = table_of(recorded.said)
    assert names == list(recorded.curves)
    by_hand = [
        [f"{n}"]
        + [
            f"{100 * (runs[0].scores[i] + runs[1].scores[i]) / 2:.1f}"
            for runs in recorded.by_strategy.values()
        ]
        for i, n in enumerate([6, 16, 26, 36, 40])
    ]
    assert rows == by_hand == expected_table(recorded.curves)


def test_the_settings_are_told(recorded):
    assert recorded.said[0] == "data.npz (target y): 120 rows, 2 features, 3 classes"
    assert recorded.said[1] == (
        "model logistic; 6 initial labels, 10 per round up to 40: 5 rounds; mean of 2 seeds"
    )


def by_hand(curves, n_test=N_TEST):
    """Return the percent that Random reaches and who needs how many labels, in whole numbers."""
    means = {
        name: [
            sum(Fraction(round(score * n_test), n_test) for score in scores) / len(scores)
            for scores in curve.scores.T
        ]
        for name, curve in curves.items()
    }
    percent = int(100 * means["Random"][-1])
    needed = {}
    for name, curve in curves.items():
        enough = [n for n, mean in zip(curve.n_labels, means[name], strict=True)
                  if 100 * mean >= percent]  # fmt: skip
        needed[name] = int(enough[0]) if enough else None
    return percent, needed


def check_conclusion(curves, said, n_test=N_TEST):
    percent, needed = by_hand(curves, n_test)
    heading = next(i for i, line in enumerate(said) if line.startswith("labels to reach"))
    assert said[heading].startswith(f"labels to reach {percent}%")
    assert said[heading + 1].split() == [str(n or "-") for n in needed.values()]
    sentence = next(
        line for line in reversed(said) if re.search("reached .* random labeling", line)
    )
    random = needed.pop("Random")
    reached = {name: n for name, n in needed.items() if n is not None and n < random}
    if not reached:
        assert sentence == (
            f"No strategy reached {percent}% with fewer labels than random labeling, which "
            f"needed {random}."
        )
        return
    best = min(reached, key=lambda name: reached[name])
    assert sentence == (
        f"{best} reached {percent}% with {reached[best]} labels; random labeling needed "
        f"{random}: {100 * (1 - reached[best] / random):.0f}% fewer."
    )


def test_the_conclusion_is_that_of_the_curves(recorded):
    check_conclusion(recorded.curves, recorded.said)


def test_the_command_prints_the_same(recorded, folder, capsys):
    arguments = ["--data", str(recorded.settings.data), "--estimator", "logistic"]
    arguments += ["--strategies", "Random, Margin,KCenterGreedy", "--seeds", "2", "--budget", "40"]
    arguments += ["--initial", "6", "--batch-size", "10", "--output", "curves.png"]
    assert main(["demo", *arguments]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[:-1] == recorded.said[:-1]
    assert printed[-1].endswith("curves.png")


def test_the_same_settings_give_the_same_figures(recorded):
    np.random.seed(7)  # the global state has no say
    assert_same_curves(recorded.curves, run(recorded.settings)[0])


def test_the_picture_shows_the_curves(recorded):
    pytest.importorskip("matplotlib")
    from matplotlib.colors import to_rgb
    from matplotlib.image import imread

    path = recorded.settings.output
    assert recorded.said[-1] == f"Learning curves: {path}"
    pixels = imread(path)[..., :3]
    assert pixels.shape[0] > 400
    assert pixels.shape[1] > 600
    assert np.isclose(pixels, 1).all(axis=-1).mean() > 0.5  # much of it is paper
    for color in ("#000000", "#0072B2", "#E69F00"):  # one a strategy
        assert (np.abs(pixels - to_rgb(color)).max(axis=-1) < 0.02).sum() > 200


def test_a_long_table_is_thinned_but_keeps_its_ends(folder, no_picture):
    settings = small(npz(folder, X=X, y=Y), strategies=("Margin",), batch_size=1)
    curves, said = run(settings)
    full = expected_table(curves)
    assert len(full) == 21
    _, rows = table_of(said)
    assert len(rows) == 12
    assert [rows[0], rows[-1]] == [full[0], full[-1]]
    assert [row for row in full if row in rows] == rows


# What was saved: a sentence, from curves made by hand -------------------------------------------


def report(n_labels=(20, 40, 60), **scores):
    """Report on curves of one run each, or of several where scores are lists of lists."""
    curves = {
        name: LabelCurve(np.array(n_labels, dtype=float), np.atleast_2d(many))
        for name, many in scores.items()
    }
    said = []
    _demo._print_report(curves, said.append)
    return curves, said


def test_sentence_on_the_best_strategy():
    curves, said = report(Random=[0.5, 0.7, 0.806], Margin=[0.5, 0.8, 0.9], BADGE=[0.5, 0.79, 0.95])
    assert said[-1] == "Margin reached 80% with 40 labels; random labeling needed 60: 33% fewer."
    assert "labels to reach 80%" in said[-4]
    assert said[-3].split() == ["60", "40", "60"]
    check_conclusion(curves, said, n_test=1000)


def test_sentence_where_no_strategy_is_better():
    _, said = report(Random=[0.5, 0.8, 0.8], Margin=[0.5, 0.8, 0.9], BADGE=[0.5, 0.6, 0.7])
    assert said[-1] == (
        "No strategy reached 80% with fewer labels than random labeling, which needed 40."
    )
    assert said[-3].split() == ["40", "40", "-"]


def test_sentence_where_no_strategy_gets_there():
    _, said = report(Random=[0.5, 0.7, 0.8], Margin=[0.5, 0.6, 0.7])
    assert said[-1].startswith("No strategy reached 80%")
    assert said[-3].split() == ["60", "-"]


def test_the_order_of_strategies_does_not_matter():
    _, said = report(Margin=[0.5, 0.8, 0.9], Random=[0.5, 0.7, 0.8])
    assert said[-1].startswith("Margin reached 80% with 40 labels; random labeling needed 60")


def test_sentence_without_random():
    _, said = report(Margin=[0.5, 0.9, 0.8], BADGE=[0.5, 0.7, 0.85])
    assert said[-1] == "BADGE ends at 85.0%."
    assert not any("random" in line for line in said)


@pytest.mark.parametrize("name", ["Random", "Margin"])
def test_sentence_on_a_single_strategy(name):
    _, said = report(**{name: [0.5, 0.9, 0.8]})
    assert said[-1] == f"{name} ends at 80.0%."


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_whole_percent_is_reached_by_whoever_reached_it(percent):
    """Rounding of floats (0.29 * 100 < 29) must not take a percent away."""
    _, said = report(Random=[0.0, 0.0, percent / 100])
    assert f"labels to reach {percent}%, " in " ".join(said)


@pytest.mark.parametrize("counts", [(6, 66), (3, 33), (15, 57)])
def test_random_reaches_what_random_reaches(counts):
    """Means over seeds may fall just below a whole percent: 6/90 and 66/90 give 0.39999..."""
    scores = [[0.0, 0.0, count / 90] for count in counts]
    curves, said = report(Random=scores, Margin=scores)
    assert curves["Random"].mean[-1] < round(curves["Random"].mean[-1], 10)  # so it is
    assert "inf" not in said[-1]
    assert said[-1].endswith("which needed 60.")
    check_conclusion(curves, said, n_test=90)


# Data -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return the curves of the blobs, to which the same data in other forms must lead."""
    folder = tmp_path_factory.mktemp("plain")
    return run(small(npz(folder, X=X, y=Y), output=folder / "curves.png"))[0]


@pytest.fixture
def frame():
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(X, columns=["a", "b"]).assign(kind=LETTERS[Y])


def store(frame, path):
    if path.suffix.lower() == ".csv":
        frame.to_csv(path, index=False)
    else:
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    return path


TABLES = ["data.csv", "data.parquet", "DATA.CSV", "DATA.PARQUET"]


@pytest.mark.no_cover
@pytest.mark.parametrize("name", TABLES)
def test_tables(folder, frame, plain, no_picture, name):
    path = store(frame, folder / name)
    curves, said = run(small(path, target="kind"))
    assert said[0] == f"{name} (target kind): 120 rows, 2 features, 3 classes"
    assert_same_curves(curves, plain)


@pytest.mark.parametrize("name", TABLES[:2])
def test_tables_with_missing_values(folder, frame, no_picture, name):
    frame.loc[::3, "a"] = np.nan
    frame["nothing"] = np.nan
    curves, said = run(small(store(frame, folder / name), target="kind", budget=84))
    assert "3 features" in said[0]
    assert all(np.isfinite(curve.scores).all() for curve in curves.values())
    assert curves["Margin"].mean[-1] > 0.5  # chance: a third


def test_a_table_of_whole_numbers_and_truth_values(folder, frame, no_picture):
    pd = pytest.importorskip("pandas")
    frame["a"] = pd.array([None, *frame["a"].round().astype(int)[1:]], dtype="Int64")
    frame["flag"] = frame["b"] > 0
    frame["kind"] = frame["kind"].astype("category")
    curves, said = run(small(store(frame, folder / "data.parquet"), target="kind"))
    assert said[0].endswith("120 rows, 3 features, 3 classes")
    assert curves["Margin"].mean[-1] > 0.5


def test_columns_named_by_numbers(folder, frame):
    frame.columns = [0, 1, "kind"]
    path = store(frame.rename(columns={"kind": 2}), folder / "data.parquet")
    with pytest.raises(CommandError, match="0, 1, 2"):
        run(small(path))


@pytest.mark.parametrize("labels", [LETTERS[Y], LETTERS.astype("S1")[Y], Y * 10 - 5, Y + 0.5])
def test_labels_of_any_kind(folder, plain, no_picture, labels):
    assert_same_curves(run(small(npz(folder, X=X, y=labels)))[0], plain)


def test_two_classes(folder, no_picture):
    curves, said = run(small(npz(folder, X=X, y=Y > 0)))
    assert said[0].endswith("2 classes")
    assert curves["Margin"].mean[-1] > 0.6


def test_a_class_of_one_row(folder, no_picture):
    _, said = run(small(npz(folder, X=X, y=np.append(Y[:-1], 9))))
    assert said[0].endswith("4 classes")


def test_images_are_flattened(folder, no_picture):
    images = np.random.RandomState(0).rand(120, 4, 4) + Y[:, None, None] / 4
    flat, _ = run(small(npz(folder, X=images.reshape(120, 16), y=Y)))
    curves, said = run(small(npz(folder, X=images, y=Y)))
    assert "120 rows, 16 features" in said[0]
    assert_same_curves(curves, flat)


def test_bytes_and_missing_values_in_an_npz(folder, no_picture):
    pixels = (X - X.min()).astype(np.uint8)
    assert "2 features" in run(small(npz(folder, X=pixels, y=Y)))[1][0]
    holes = np.where(np.arange(240).reshape(120, 2) % 5, X, np.nan)
    assert run(small(npz(folder, X=holes, y=Y)))[0]["Margin"].mean[-1] > 0.5


def test_arrays_of_an_npz_by_other_names(folder, plain, no_picture):
    path = npz(folder, weights=np.arange(120), rows=X, kind=Y, small=X[:5])
    curves, said = run(small(path, target="kind"))
    assert said[0].startswith("data.npz (target kind)")
    assert_same_curves(curves, plain)


def test_the_array_X_goes_first(folder, plain, no_picture):
    path = npz(folder, aside=np.zeros((120, 7)), X=X, y=Y)
    assert_same_curves(run(small(path))[0], plain)


def test_digits_where_no_data_are_given(no_picture):
    curves, said = run(small(None, strategies=("Random",), budget=60))
    assert "digits" in said[0]
    assert "1797 rows, 64 features, 10 classes" in said[0]
    assert_array_equal(curves["Random"].n_labels, [20, 40, 60])
    assert curves["Random"].mean[-1] > 0.6


# Sizes ------------------------------------------------------------------------------------------


def rounds_told(said):
    return int(re.search(r": (\d+) rounds?;", said[1]).group(1))


def test_a_budget_above_the_rows(folder, no_picture):
    curves, said = run(small(npz(folder, X=X, y=Y), budget=500))
    assert_array_equal(curves["Margin"].n_labels, [20, 40, 60, 80, 84])  # all rows but the test's
    assert {curve.mean[-1] for curve in curves.values()} == {curves["Random"].mean[-1]}
    assert table_of(said)[1][-1][0] == "84"


@pytest.mark.parametrize("budget", [20, 40, 41, 500])
def test_the_rounds_told_are_the_rounds_played(folder, no_picture, budget):
    curves, said = run(small(npz(folder, X=X, y=Y), strategies=("Random",), budget=budget))
    assert rounds_told(said) == len(curves["Random"].n_labels)


def test_a_start_above_the_rows(folder, no_picture):
    curves, _ = run(small(npz(folder, X=X, y=Y), budget=500, n_initial=300))
    assert_array_equal(curves["Margin"].n_labels, [84])


def test_a_start_of_one_row_is_filled_up_to_two_classes(folder, no_picture):
    curves, said = run(small(npz(folder, X=X, y=Y), n_initial=1, n_seeds=2))
    grid = curves["Random"].n_labels
    assert grid[0] >= 2
    assert grid[-1] == 40
    assert table_of(said)[1] == expected_table(curves)


# Models and strategies --------------------------------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        ("logistic", ["Random", "Auto", "Margin", "KCenterGreedy", "BADGE"]),
        ("svm", ["Random", "Auto", "Margin", "KCenterGreedy"]),
        ("forest", ["Random", "Auto", "Margin", "BALD", "VoteEntropy", "KCenterGreedy", "BADGE"]),
    ],
)
def test_default_strategies_are_those_that_the_model_serves(
    folder, no_picture, estimator, expected
):
    path = npz(folder, X=X, y=Y)
    curves, said = run(small(path, strategies=None, estimator=estimator, budget=30))
    assert list(curves) == expected
    assert f"model {estimator};" in said[1]


COMPOSED = {
    *("AnchorAL", "ClassBalanced", "ColdStart", "EpsilonGreedy"),
    *("FacilityLocationMutualInformation",),
    *("Mixture", "OpenSet", "PerGroup", "Prefilter", "SEALS", "ScoreStrategy", "Strategy"),
    *("Subsample", "WithoutDuplicates"),
}
EVERY = sorted(set(strategies.__all__) - COMPOSED)
EVERY = [name for name in EVERY if not reads_elements(getattr(strategies, name)())]
REFUSED = {
    *("BALD", "BatchBALD", "ConsensusEntropy", "EPIG", "KLDivergence", "MeanStd"),
    *("VariationRatio", "VoteEntropy"),
}


@pytest.mark.parametrize("name", sorted(COMPOSED))
def test_strategies_that_need_parameters_are_no_names_for_the_demo(folder, name):
    with pytest.raises(CommandError, match=f"unknown strategy '{name}'; known: .*BADGE, "):
        run(small(npz(folder, X=X, y=Y), strategies=(name,)))


@pytest.mark.no_cover
@pytest.mark.parametrize("name", EVERY)
def test_every_strategy_listed_runs_or_is_refused(folder, no_picture, name):
    few = np.flatnonzero(np.arange(120) % 3 == 0)  # looking ahead takes long
    settings = small(
        npz(folder, X=X[few], y=Y[few]), strategies=(name,), budget=12, n_initial=8, batch_size=4
    )
    strategy = getattr(strategies, name)()
    if strategy.regressors_only or strategy.needs & {"prediction_samples", "std"}:
        with pytest.raises(CommandError, match="use another strategy, such as Margin"):
            run(settings)
        return
    if name in REFUSED:
        with pytest.raises(CommandError, match="use --estimator forest, or another strategy"):
            run(settings)
        settings = replace(settings, estimator="forest")  # the advice works
    assert_array_equal(run(settings)[0][name].n_labels, [8, 12])


@pytest.mark.parametrize("missing", [("torch",), ("skorch",), ("torch", "skorch")])
def test_without_torch_the_default_model_is_logistic(folder, monkeypatch, missing):
    hide(monkeypatch, "matplotlib", *missing)
    _, said = run(small(npz(folder, X=X, y=Y), estimator=None, strategies=("Random",)))
    assert said[1].startswith("model logistic;")


@pytest.mark.parametrize("missing", [("torch",), ("skorch",)])
def test_without_torch_the_net_says_what_to_install(folder, monkeypatch, capsys, missing):
    hide(monkeypatch, *missing)
    path = npz(folder, X=X, y=Y)
    assert main(["demo", "--data", str(path), "--estimator", "mlp"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r'skactive: .*mlp.*pip install "skactive\[torch\]"\n', err)


@pytest.fixture
def torch():
    pytest.importorskip("skorch")
    torch = pytest.importorskip("torch")
    n_threads = torch.get_num_threads()
    yield torch
    torch.set_num_threads(n_threads)


@pytest.mark.no_cover
def test_with_torch_the_default_model_is_a_net(folder, no_picture, torch):
    settings = small(npz(folder, X=X, y=Y), estimator=None, strategies=("Random",), budget=20)
    assert run(settings)[1][1].startswith("model mlp;")


@pytest.mark.no_cover
def test_a_net_learns_and_gives_the_same_figures_twice(folder, no_picture, torch):
    path = npz(folder, X=X, y=Y)
    settings = small(path, estimator="mlp", strategies=("Random", "BALD"), budget=30)
    torch.manual_seed(1)  # the global state has no say
    curves, said = run(settings)
    torch.manual_seed(2)
    again, said_again = run(settings)
    assert_array_equal(curves["BALD"].n_labels, [20, 30])
    assert curves["Random"].mean[-1] > 0.5
    assert_same_curves(curves, again)
    assert said == said_again


def test_default_strategies_of_a_net(folder, torch):
    settings = small(None, strategies=None, estimator="mlp")
    model = _choices.make_estimator("mlp", X, Y)
    chosen = _demo._choose_strategies(settings, "mlp", model, X, Y)
    assert list(chosen) == list(_demo._DEMO_STRATEGIES)


# Without matplotlib -----------------------------------------------------------------------------


def test_without_matplotlib_it_says_so(folder, monkeypatch, capsys, plain):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    path = npz(folder, X=X, y=Y)
    arguments = ["--estimator", "logistic", "--strategies", "Random,Margin", "--seeds", "1"]
    assert main(["demo", "--data", str(path), *arguments, "--budget", "40"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == 'No picture: matplotlib is not installed (pip install "skactive[viz]").'
    assert table_of(lines)[1] == expected_table(plain)
    check_conclusion(plain, lines)
    assert list(folder.iterdir()) == [path]


def test_the_picture_is_where_it_is_said_to_be(folder):
    pytest.importorskip("matplotlib")
    _, said = run(small(npz(folder, X=X, y=Y), output=folder / "curves"))
    written = [path for path in folder.iterdir() if path.name.startswith("curves")]
    assert said[-1] == f"Learning curves: {written[0]}"
