"""``skactive compare``: the report holds what the comparison found, and stands by itself."""

import base64
import re
import shlex
import sys
import warnings
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skactive.cli import main
from skactive.cli._errors import CommandError
from skactive.cli.commands import _compare
from skactive.cli.commands._compare import CompareSettings, play_comparison
from skactive.comparison import Failure, Run, StrategyComparison

pytest.importorskip("matplotlib")

# Eighths have few decimals and no rounding: a csv holds them exactly.
X, Y = make_blobs(n_samples=120, centers=3, n_features=2, cluster_std=3.0, random_state=0)
X = np.round(X * 8) / 8
LETTERS = np.array(["<u>", "v & w", "x"])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder: the default report goes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def npz(folder, **arrays):
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def small(path, **settings):
    settings = {
        "strategies": ("Random", "Margin", "KCenterGreedy"),
        "budget": 40,
        "n_initial": 10,
        "n_repeats": 2,
        **settings,
    }
    return CompareSettings(path, **settings)


# Where any campaigns serve, two short ones do.
PAIR = {"strategies": ("Random", "Margin"), "n_repeats": 1}


def run(settings):
    said = []
    comparison = play_comparison(settings, said.append)
    return comparison, said, settings.output.read_text(encoding="utf-8")


def same_scores(one, other):
    assert len(one.runs) == len(other.runs)
    for first, second in zip(one.runs, other.runs, strict=True):
        assert first[:4] == second[:4]
        np.testing.assert_array_equal(first.n_labels, second.n_labels)
        np.testing.assert_array_equal(first.scores, second.scores)


class Page(HTMLParser):
    """Reads a page, and checks that every element is closed in its turn."""

    VOID = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.rows, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    settings = small(
        npz(folder, X=X, y=Y), estimators=("logistic", "svm"), output=folder / "report.html"
    )
    comparison, said, text = run(settings)
    return settings, comparison, said, text, Page(text)


# What it says -----------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_the_sentence_is_said_and_reported(reported):
    settings, comparison, said, _, page = reported
    assert said == [comparison.summary(), f"Report: {settings.output}"]
    for line in comparison.summary().splitlines():
        assert line in page.text
    assert comparison.models == ("logistic", "svm")
    assert comparison.strategies == ("Random", "Margin", "KCenterGreedy")


def test_what_is_said_is_worded_once_and_reported(folder, monkeypatch):
    worded = []

    def summary(self):
        worded.append(f"Telling {len(worded)} <of it>.")
        return worded[-1]

    monkeypatch.setattr(StrategyComparison, "summary", summary)
    _, said, text = run(small(npz(folder, X=X, y=Y), **PAIR))
    assert said[0] == "Telling 0 <of it>."
    assert "Telling 0 <of it>." in Page(text).text
    assert len(worded) == 1


def test_the_areas_are_those_of_the_comparison(reported):
    _, comparison, _, _, page = reported
    for model in comparison.models:
        for name, areas in comparison.select(model=model).areas().items():
            cells = [row for row in page.rows if len(row) == 7 and row[0] == name]
            assert any(row[1].startswith(f"{areas.mean():.3f} (") for row in cells)
    differences = [row[2] for row in page.rows if len(row) == 7 and row[0] == "Random"]
    assert differences == ["", ""]


def test_the_curves_are_there_as_a_table(reported):
    _, comparison, _, _, page = reported
    for model in comparison.models:
        curves = comparison.select(model=model).curves()
        means = [f"{scores.mean(axis=0)[-1]:.3f}" for _, scores in curves.values()]
        assert ["40", *means] in page.rows


def test_all_pictures_are_there_and_told_in_words(reported):
    _, comparison, _, _, page = reported
    images = page.all("img")
    assert len(images) == 5  # curves of two models, labels saved, ranks, penalties
    for image in images:
        kind, content = image["src"].split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        assert b"<svg" in base64.b64decode(content)
        assert float(image["width"]) > 400
        assert "Margin" in image["alt"]
    ranks = comparison.ranks()
    assert any(f"Margin {ranks['Margin']:.2f}" in image["alt"] for image in images)
    curves = comparison.select(model="svm").curves()
    assert f"Margin {curves['Margin'][1].mean(axis=0)[-1]:.3f}" in images[1]["alt"]


def test_the_page_needs_nothing_else(reported):
    _, _, _, text, page = reported
    for _, attributes in page.elements:
        assert attributes.get("src", "data:").startswith("data:")
        assert "href" not in attributes
    assert not page.all("script")
    assert not page.all("link")
    assert "http" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_is_accessible(reported):
    _, _, _, text, page = reported
    assert text.startswith("<!DOCTYPE html>\n")
    assert page.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in page.all("meta")
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert all(head["scope"] in ("col", "row") for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) == 5
    regions = [each for each in page.all("div") if each.get("role") == "region"]
    assert all(each["tabindex"] == "0" and each["aria-label"] for each in regions)


def test_names_are_escaped(folder):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(**{'kind <b> & "co"': LETTERS[Y]})
    path = folder / "a<i> & b.csv"
    frame.to_csv(path, index=False)
    _, _, text = run(small(path, target='kind <b> & "co"', strategies=("Random", "Margin")))
    page = Page(text)
    assert not page.all("b")
    assert not page.all("i")
    assert not page.all("u")
    assert "Which strategy is best on a<i> & b.csv?" in page.text
    assert any("(<u>, v & w, x)" in cell for row in page.rows for cell in row)


def test_names_of_strategies_and_models_are_escaped(reported):
    settings, comparison = reported[:2]
    runs = [
        run._replace(model=f"<b>{run.model}</b>", strategy=f"<i>{run.strategy}&amp;</i>")
        for run in comparison.runs
    ]
    odd = StrategyComparison(runs, scoring="<u>", baseline="<i>Random&amp;</i>")
    page = Page(odd.to_html(title=title_of(settings)))
    assert not page.all("b") + page.all("i") + page.all("u")
    for line in odd.summary().splitlines():
        assert "<i>Random&amp;</i>" in line
        assert line in page.text


def test_failures_and_warnings_are_reported(reported):
    settings, comparison, _, _, _ = reported
    failure = Failure("data", "logistic", "Margin", 1, "ValueError", "no <good>\nat all", "...")
    failed = StrategyComparison(comparison.runs, failures=[failure], scoring="accuracy")
    page = Page(failed.to_html(title=title_of(settings), notes=["1 & more"]))
    assert "1 & more" in page.text
    assert ["Margin", "logistic", "1", "ValueError: no <good>"] in page.rows
    assert "Warnings" in page.text


def test_no_warnings_no_section(reported):
    assert "Warnings" not in reported[-1].text


def test_a_strategy_that_fails_is_left_out_and_told(folder, monkeypatch, capsys):
    from skactive.strategies import Margin

    def fails(self, pool, batch_size):
        raise RuntimeError("not <today>")

    monkeypatch.setattr(Margin, "select", fails)
    comparison, _, text = run(small(npz(folder, X=X, y=Y)))
    assert comparison.strategies == ("Random", "KCenterGreedy")
    page = Page(text)
    assert ["Margin", "logistic", "0", "RuntimeError: not <today>"] in page.rows
    told = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(told) == 1
    assert told[0].startswith("skactive: warning: 2 of 6 campaigns failed (Margin 2)")
    assert any("2 of 6 campaigns failed" in part for part in page.text)
    assert len(page.all("img")) == 4


def test_where_all_fail_it_is_an_error(folder, monkeypatch):
    from skactive import SimulatedLearner

    def fails(self, X, y, **params):
        raise RuntimeError("not today")

    monkeypatch.setattr(SimulatedLearner, "fit", fails)
    with pytest.raises(CommandError, match=r"All 6 campaigns failed.*not today"):
        play_comparison(small(npz(folder, X=X, y=Y)))
    assert not (folder / "comparison.html").exists()


def title_of(settings):
    return f"Which strategy is best on {settings.data.name}?"


def page_on(runs, settings):
    comparison = StrategyComparison(runs)
    return Page(comparison.to_html(title=title_of(settings)))


def test_strategies_that_share_no_repeat_still_make_a_report(reported):
    settings = reported[0]
    seconds = np.zeros(2)
    runs = [
        Run("data", "logistic", name, repeat, [10, 20], [0.5, 0.6], seconds, seconds)
        for repeat, name in enumerate(["Random", "Margin"])
    ]
    page = page_on(runs, settings)
    assert not page.all("img")
    assert any("no repeat" in part for part in page.text)

    beside = [run._replace(model="svm", repeat=0) for run in runs]  # of another model all is well
    page = page_on([*runs, *beside], settings)
    assert len(page.all("img")) == 1
    assert len([row for row in page.rows if len(row) == 7]) == 3


@pytest.mark.no_cover
@pytest.mark.parametrize("names", [("Margin", "Entropy"), ("Random", "Margin")])
def test_one_repeat_makes_a_report(folder, names):
    settings = small(npz(folder, X=X, y=Y), strategies=names, n_repeats=1)
    comparison, said, text = run(settings)
    assert len(Page(text).all("img")) == 4
    assert said[0] == comparison.summary()
    assert "nan" not in re.sub(r'src="[^"]*"', "", text)


# How to do it again -----------------------------------------------------------------------------


def code_of(page):
    """Return the command and the program that the report shows."""
    programs = []
    for tag, attributes in page.elements:
        if tag == "pre":
            programs.append(attributes["class"])
    assert programs == ["command", "program"]
    texts = [part for part in page.text if part.startswith(("skactive compare", "import numpy"))]
    assert len(texts) == 2
    return texts


@pytest.mark.no_cover
def test_the_python_code_gives_the_same(reported, capsys):
    _, comparison, _, _, page = reported
    names = {}
    exec(code_of(page)[1], names)
    same_scores(names["comparison"], comparison)
    assert capsys.readouterr().out.strip() == comparison.summary()


@pytest.mark.no_cover
def test_the_command_gives_the_same(reported, folder, capsys):
    settings, comparison, _, _, page = reported
    arguments = shlex.split(code_of(page)[0])[1:]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith(comparison.summary())
    assert arguments[arguments.index("--output") + 1] == str(settings.output)


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_python_code_reads_tables(folder, kind):
    pd = pytest.importorskip("pandas")
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(kind=LETTERS[Y])
    frame.loc[::9, "a"] = np.nan
    path = folder / f"data.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    comparison, _, text = run(small(path, target="kind", estimators=("svm",), n_repeats=1))
    names = {}
    exec(code_of(Page(text))[1], names)
    same_scores(names["comparison"], comparison)


def test_the_python_code_finds_the_rows_of_an_npz(folder):
    images = X.reshape(120, 1, 2)
    path = npz(folder, weights=np.arange(120), rows=images, kind=LETTERS[Y])
    comparison, _, text = run(small(path, target="kind", n_repeats=1))
    names = {}
    exec(code_of(Page(text))[1], names)
    same_scores(names["comparison"], comparison)


@pytest.mark.no_cover
def test_the_python_code_of_a_net(folder):
    pytest.importorskip("skorch")
    torch = pytest.importorskip("torch")
    n_threads = torch.get_num_threads()
    try:
        settings = small(npz(folder, X=X, y=Y), estimators=("mlp",), budget=20, **PAIR)
        comparison, _, text = run(settings)
        names = {}
        exec(code_of(Page(text))[1], names)
        same_scores(names["comparison"], comparison)
    finally:
        torch.set_num_threads(n_threads)


# What is played ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimators", "expected"),
    [
        (("logistic",), ("Random", "Auto", "Margin", "TypiClust", "BADGE")),
        (("logistic", "svm"), ("Random", "Auto", "Margin", "TypiClust")),  # an SVM has no gradient
    ],
)
def test_default_strategies_are_those_that_all_models_serve(folder, estimators, expected):
    settings = small(npz(folder, X=X, y=Y), strategies=None, estimators=estimators)
    assert tuple(_compare._make_plan(settings).strategies) == expected


def test_without_auto_there_is_margin(folder, monkeypatch):
    monkeypatch.setattr(_compare.strategies, "__all__", ["Margin", "Random", "TypiClust", "BADGE"])
    settings = small(npz(folder, X=X, y=Y), strategies=None)
    assert tuple(_compare._make_plan(settings).strategies)[:2] == ("Random", "Margin")


@pytest.mark.no_cover
@pytest.mark.parametrize("scoring", ["balanced_accuracy", "neg_log_loss", "roc_auc_ovr"])
def test_scorings(folder, scoring):
    comparison, _, text = run(small(npz(folder, X=X, y=Y), scoring=scoring, n_repeats=1))
    assert comparison.scoring == scoring
    assert not comparison.failures
    assert any(row == ["scoring", scoring] for row in Page(text).rows)


@pytest.mark.no_cover
def test_a_budget_above_the_rows(folder):
    comparison, _, _ = run(small(npz(folder, X=X, y=Y), **PAIR, budget=500))
    assert comparison.n_labels[-1] == 90


@pytest.mark.no_cover
def test_the_seed_decides(folder):
    path = npz(folder, X=X, y=Y)
    first = run(small(path, **PAIR))[0]
    same_scores(first, run(small(path, **PAIR))[0])
    other = run(small(path, seed=1, **PAIR))[0]
    assert [run.scores.tolist() for run in first.runs] != [
        run.scores.tolist() for run in other.runs
    ]


def test_warnings_of_the_run_do_not_escape(folder, monkeypatch, capsys):
    played = _compare.compare_strategies

    def noisy(*args, **kwargs):
        for _ in range(3):
            warnings.warn("the model <grumbles>\nat length", UserWarning, stacklevel=1)
        return played(*args, **kwargs)

    monkeypatch.setattr(_compare, "compare_strategies", noisy)
    _, _, text = run(small(npz(folder, X=X, y=Y), **PAIR))
    assert capsys.readouterr().err.count("skactive: warning: the model <grumbles>\n") == 1
    assert "the model <grumbles>" in Page(text).text


def test_no_program_where_pandas_would_read_otherwise(folder):
    pytest.importorskip("pandas")
    rows = [
        f"{a};{b};{'None' if label else 'yes'}" for (a, b), label in zip(X, Y == 0, strict=True)
    ]
    path = folder / "table.csv"
    path.write_text("\n".join(["a;b;y", *rows]))
    settings = small(path, target="y", **PAIR)
    text = "".join(Page(run(settings)[2]).text)
    assert "pandas reads this file otherwise" in text
    assert "pd.read_csv" not in text
    path.write_text("\n".join(["a;b;y", *rows]).replace("None", "no"))
    assert "sep=';'" in "".join(Page(run(settings)[2]).text)


@pytest.mark.no_cover
@pytest.mark.parametrize("output", ["report", "REPORT.HTM"])
def test_output_names(folder, output):
    settings = small(npz(folder, X=X, y=Y), output=folder / output, **PAIR)
    said = []
    play_comparison(settings, said.append)
    written = [path for path in folder.iterdir() if path.name.lower().startswith("report")]
    assert said[-1] == f"Report: {written[0]}"
    assert written[0].suffix.lower() in (".html", ".htm")


@pytest.mark.parametrize("missing", ["matplotlib"])
def test_without_matplotlib_nothing_is_played(folder, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CommandError, match=r'pip install "skactive\[viz\]"'):
        play_comparison(small(npz(folder, X=X, y=Y), folder=folder / "kept"))
    assert [path.name for path in folder.iterdir()] == ["data.npz"]
