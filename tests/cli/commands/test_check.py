"""``skactive check``: what is wrong is found, said in sentences, and shown in a page of its own."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from skactive.cli import main
from skactive.cli.checking import _findings

pd = pytest.importorskip("pandas")

WORDS = {
    "farm": "cow barn hay tractor field milk wheat plough goat fence stable harvest",
    "sea": "ship sail wave harbor anchor storm tide mast deck captain reef island",
    "city": "tram street tower square subway market traffic office bridge crowd shop lamp",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder: the default report goes there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_texts(seed=0, n=240):
    """Return texts of three topics; rows 0 to 8 have the wrong label, and 20 repeats row 21."""
    rng = np.random.default_rng(seed)
    topics = np.array(list(WORDS))[np.arange(n) % 3]
    texts = [" ".join(rng.choice(WORDS[topic].split(), 7)) for topic in topics]
    given = topics.copy()
    given[:9] = np.roll(topics[:9], 1)
    texts[21], given[21] = texts[20].upper() + "!", given[20]
    texts[24], given[24] = texts[30], "sea"  # 30 is of a farm
    texts[50] = "<script>alert('x')</script> qwertz 12345"
    who = np.where(np.arange(n) < 18, "<b>Bob</b>", np.where(np.arange(n) % 2, "Ann", "Cy"))
    return pd.DataFrame({"text": texts, "topic": given, "who": who, "truth": topics})


def make_table(seed=0):
    X, y = make_blobs(n_samples=150, centers=3, n_features=3, random_state=seed)
    names = np.array(["u & v", "w", "<x>"])
    frame = pd.DataFrame(X.round(3), columns=["a", "b", "c"]).assign(kind=names[y])
    frame.loc[:4, "kind"] = names[(y[:5] + 1) % 3]
    frame.loc[7, "a"] = 80.0
    return frame


def check(capsys, frame, *arguments, name="data.csv"):
    """Run the command; return the lines that it prints, and the page."""
    frame.to_csv(name, index=False)
    assert main(["check", name, *arguments]) == 0
    out = capsys.readouterr().out.splitlines()
    path = Path(out[-1].removeprefix("Report: "))
    return out, path.read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


def read_rows(page, heading):
    """Return the cells of the table in a section."""
    section = re.search(rf"<h2>{heading}</h2>(.*?)</section>", page, re.DOTALL)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)[1:]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]


# What is found ----------------------------------------------------------------------------------


def test_wrong_labels_of_texts_are_listed_with_place_and_reason(capsys):
    out, page = check(capsys, make_texts(), "--target", "topic", "--text", "text")
    suspects = {row[0]: row for row in read_rows(page, "Suspects")}
    found = [i for i in range(9) if f"line {i + 2}" in suspects]
    assert len(found) >= 8
    for i in found:
        _, reason, label, rather, text = suspects[f"line {i + 2}"]
        assert reason == "wrong label"
        assert label.split(" (")[0] == make_texts().topic[i]
        assert rather.split(" (")[0] == make_texts().truth[i]
        assert text == make_texts().text[i]
    assert re.match(r"240 rows of 3 classes; \d+ labels of them suspect: \d+ likely wrong", out[0])
    assert "according to the model alone" in out[1]


def test_rows_that_contradict_each_other_come_first(capsys):
    _, page = check(capsys, make_texts(), "--target", "topic", "--text", "text")
    first, second = read_rows(page, "Rows that repeat others")[:2]
    assert first[:3] == ["line 26, line 32", "farm 1, sea 1", "equal"]
    assert second[:3] == ["line 22, line 23", "city", "nearly equal"]


def test_of_very_many_texts_only_equal_ones_are_found(capsys, monkeypatch):
    monkeypatch.setattr(_findings, "_MAX_COMPARED", 200)
    _, page = check(capsys, make_texts(), "--target", "topic", "--text", "text")
    assert [row[0] for row in read_rows(page, "Rows that repeat others")] == ["line 26, line 32"]
    assert "neither those that are nearly equal nor" in page
    assert "They were not searched" in page.split("Rows far from all others")[1]


def test_outliers_confusions_and_table_rows(capsys):
    _, page = check(capsys, make_table(), "--target", "kind")
    assert read_rows(page, "Rows far from all others")[0][0] == "line 9"
    suspects = {row[0]: row for row in read_rows(page, "Suspects")}
    assert {f"line {i}" for i in range(2, 7)} <= set(suspects)
    assert suspects["line 2"][4].startswith("a=")
    assert "kind=" not in suspects["line 2"][4]
    confused = read_rows(page, "Classes that are confused")
    assert sum(int(row[2]) for row in confused) == len(suspects)


def test_models_without_wrong_labels_are_better(capsys):
    frame = make_table()
    names = sorted(set(frame.kind))
    flipped = np.random.default_rng(0).choice(150, 38, replace=False)
    frame.loc[flipped, "kind"] = [names[i % 3] for i in range(38)]
    out, page = check(capsys, frame, "--target", "kind", "--model", "forest", "--folds", "3")
    rows = read_rows(page, "What wrong labels cost in accuracy")
    assert [row[0] for row in rows] == [
        "all labels",
        "likely wrong labels left out",
        "likely wrong labels replaced",
    ]
    shares = [float(row[1].removesuffix(" %")) for row in rows]
    assert max(shares[1:]) > shares[0]
    assert any(line.startswith("The model predicts") for line in out)


def test_people_who_gave_each_label_are_compared(capsys):
    out, page = check(capsys, make_texts(), "--target", "topic", "--text", "text",
                      "--annotators", "who")  # fmt: skip
    rows = read_rows(page, "Annotators")
    assert rows[0][:2] == ["&lt;b&gt;Bob&lt;/b&gt;", "18"]
    assert float(rows[0][2].removesuffix(" %")) < 70 < float(rows[-1][2].removesuffix(" %"))
    assert "3 annotators; the least accurate is <b>Bob</b>" in out[-2]


def test_a_column_of_labels_for_each_person(capsys):
    frame = make_table()
    frame["Ann"] = frame.kind
    frame["Bob"] = np.where(np.arange(150) % 3 == 0, "w", frame.kind)
    frame.loc[10:60, "Bob"] = None
    _, page = check(capsys, frame, "--target", "kind", "--annotators", "Ann,Bob")
    bob, ann = read_rows(page, "Annotators")
    both = frame.dropna()
    share = f"{100 * (both.Ann == both.Bob).mean():.1f} %"
    assert (bob[:2], ann[:2]) == (["Bob", "99"], ["Ann", "150"])
    assert bob[3] == ann[3] == share
    assert "Krippendorff" in page


def test_checked_rows_give_an_interval(capsys):
    frame = make_texts()
    frame["checked"] = None
    _, page = check(capsys, frame.drop(columns="checked"), "--target", "topic", "--text", "text",
                    "--annotators", "who")  # fmt: skip
    listed = page.split("<h3>Rows to check")[1].split("</pre>")[0]
    drawn = [int(line) - 2 for line in re.findall(r"line (\d+)", listed)]
    assert len(drawn) == 100
    frame.loc[drawn, "checked"] = frame.truth[drawn]
    out, page = check(capsys, frame, "--target", "topic", "--text", "text", "--audited", "checked",
                      "--annotators", "who")  # fmt: skip
    said = (
        r"([\d.]+) % of the labels are wrong \(95 % interval ([\d.]+) % to ([\d.]+) %\), from 100"
    )
    value, low, high = map(float, re.search(said, out[1]).groups())
    rate = 100 * (frame.topic != frame.truth).mean()
    assert low <= rate <= high
    assert abs(value - rate) < 5


# The page ---------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """The names of all elements, and their sources."""

    def __init__(self, page):
        super().__init__()
        self.names, self.sources = set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.sources += [value for name, value in attrs if name in {"src", "href"}]


def test_the_page_stands_by_itself_and_quotes_safely(capsys):
    _, page = check(capsys, make_texts(), "--target", "topic", "--text", "text",
                    "--annotators", "who")  # fmt: skip
    elements = Elements(page)
    assert "script" not in elements.names
    assert "b" not in elements.names
    assert elements.sources == []
    assert "&lt;script&gt;" in page
    assert "prefers-color-scheme: dark" in page


def test_the_same_command_gives_the_same_page(capsys):
    arguments = ["--target", "kind", "--model", "forest", "--folds", "2", "--html", "a.html"]
    pages = [check(capsys, make_table()[:60], *arguments)[1] for _ in range(2)]
    assert pages[0] == pages[1]
    _, run = pages[0].split("How it was run")
    assert "skactive check data.csv --target kind --model forest --folds 2" in run


# Mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, ["--target", "kid"], "data.csv has no column 'kid'; it has a, b, c, kind"),
        ({"kind": "u"}, ["--target", "kind"], "only one class, 'u': a check needs two"),
        ({"kind": None}, ["--target", "kind"], "holds no label"),
        ({"kind": range(150)}, ["--target", "kind"], "150 different values, more than 50"),
        ({}, ["--target", "kind", "--folds", "1"], "leaves nothing to learn from"),
        ({}, ["--target", "kind", "--annotators", "kind"], "both name the column 'kind'"),
        ({}, ["--target", "kind", "--text", "a", "--columns", "b"], "cannot be combined"),
        ({}, ["--target", "kind", "--annotators", "a,b"], "none of the classes of 'kind'"),
        ({"ok": ["w"] * 3 + [None] * 147}, ["--target", "kind", "--audited", "ok"],
         "No row that is not suspect was checked"),
        ({"ok": [None] * 150}, ["--target", "kind", "--audited", "ok"], "the column is empty"),
        ({}, ["--target", "kind", "--html", "out.pdf"], "written as .html"),
        ({}, ["--target", "kind", "--html", "no/out.html"], "folder not found"),
    ],
    ids=["column", "one", "none", "numbers", "folds", "twice", "both", "names", "audit",
         "unchecked", "suffix", "folder"],
)  # fmt: skip
def test_mistakes_are_named_in_one_line(capsys, folder, change, arguments, message):
    make_table().assign(**change).to_csv("data.csv", index=False)
    assert main(["check", "data.csv", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["data.csv"]


def test_rare_classes_are_named_with_their_lines(capsys):
    frame = make_table()
    frame.loc[[10, 20, 30], "kind"] = "rare"
    frame.to_csv("data.csv", index=False)
    assert main(["check", "data.csv", "--target", "kind"]) == 2
    err = capsys.readouterr().err
    assert "'rare' with 3 (lines 12, 22, 32)" in err
    assert "or pass --folds 3" in err
    assert main(["check", "data.csv", "--target", "kind", "--folds", "3"]) == 0


def test_rows_without_label_or_content_are_left_out_with_a_note(capsys):
    frame = make_texts()
    frame.loc[100, "topic"], frame.loc[101, "text"] = None, " "
    out, page = check(capsys, frame, "--target", "topic", "--text", "text")
    assert out[0].startswith("238 rows")
    assert "1 row without text left out (line 103)" in page
    assert "left out (line 102)" in page


def test_a_model_that_knows_nothing_is_named(capsys):
    frame = pd.DataFrame({"a": np.arange(60) % 7, "kind": np.array(["u", "v"])[np.arange(60) % 2]})
    out, _ = check(capsys, frame, "--target", "kind")
    assert "hardly more than the most frequent class has (50.0 %)" in out[1]
    out, _ = check(capsys, make_table(), "--target", "kind")
    assert "hardly more" not in "".join(out)


def test_numbers_with_gaps_are_the_same_classes(capsys):
    frame = make_table()
    frame["kind"] = frame.kind.map({"u & v": 0, "w": 1, "<x>": 2})
    frame["checked"] = np.where(np.arange(150) % 2, frame.kind, np.nan)  # 0.0, 1.0, 2.0
    out, _ = check(capsys, frame, "--target", "kind", "--audited", "checked")
    assert out[1].startswith("0.0 % of the labels are wrong")
