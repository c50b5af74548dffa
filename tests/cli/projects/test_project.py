"""Labeling projects: from options to a session, and from its store alone back to it."""

import csv
import inspect
import io
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from skactive import ActiveLearner
from skactive.cli import main
from skactive.cli._errors import CommandError
from skactive.cli.projects._project import read_project
from skactive.labeling import LabelingSession, SQLiteLabelStore
from skactive.strategies import Random

STORES = Path(__file__).parents[1] / "stores"  # with the rows that were next
TEXTS_AWAITED = ["16", "17", "23"]
NUMBERS_AWAITED = [1, 21, 20]
SOUNDS_AWAITED = ["3.wav", "0.wav", "2.wav"]
GOOD, BAD = ["good", "fine", "warm", "kind"], ["bad", "poor", "cold", "rude"]


def open_project(options, **session_options):
    return read_project(options).open(**session_options)


def texts(n=60):
    random = np.random.RandomState(0)
    return [" ".join(random.choice(BAD if i % 3 else GOOD, 6)) + f" n{i}" for i in range(n)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"r{i:02},{text}" for i, text in enumerate(texts())]
    (tmp_path / "data.csv").write_text("\n".join(["id,body", *lines, ""]))
    return tmp_path


def options(**changes):
    given = {"file": "data.csv", "text": "body", "classes": ("good", "bad"), "store": "labels.db"}
    given |= changes
    return {name: value for name, value in given.items() if value is not None}


def answer(session, n):
    for _ in range(n):
        batch = session.next_batch(1, annotator="ann")
        text = batch.rows[0] if isinstance(batch.rows, list) else ""
        label = "good" if text.split()[:1] and text.split()[0] in GOOD else "bad"
        session.submit({batch.ids[0]: label}, ticket=batch.ticket, annotator="ann")
    session.wait()


# Text -------------------------------------------------------------------------------------------


def test_a_campaign_of_texts_learns(folder):
    with open_project(options(id="id", audit=0.0), background=False) as session:
        answer(session, 30)
        assert session.progress().n_learned == 30
        assert session.progress().problem == ""
        assert session.predict(["good fine warm kind zzz", "cold rude"]).tolist() == ["good", "bad"]
        assert session.ids[:2] == ["r00", "r01"]


def test_the_usual_audit_is_a_tenth(folder):
    with open_project(options(), background=False) as session:
        answer(session, 40)
        assert session.progress().accuracy is not None
    with open_project(options(store="other.db", audit=0.0), background=False) as session:
        answer(session, 40)
        assert session.progress().accuracy is None


# Tables, images, sounds -------------------------------------------------------------------------


def test_a_table_of_numbers(folder):
    pd = pytest.importorskip("pandas")
    X = np.random.RandomState(0).randn(60, 2)
    X[0, 0] = np.nan
    pd.DataFrame(X, columns=["a", "b"]).assign(k=range(100, 160)).to_csv("n.csv", index=False)
    with open_project(
        options(file="n.csv", text=None, id="k", audit=0.0), background=False
    ) as session:
        assert session.ids[0] == "100"  # as it is written
        assert list(session.X.columns) == ["a", "b"]
        for _ in range(30):
            batch = session.next_batch(1)
            label = "good" if batch.rows["b"].iloc[0] > 0 else "bad"
            session.submit({batch.ids[0]: label})
        right = np.where(X[:, 1] > 0, "good", "bad") == session.predict(session.X)
        assert right.mean() > 0.9


def sound(path, frequency, n_samples=8000):
    samples = np.sin(2 * np.pi * frequency * np.arange(n_samples) / 8000) * 20000
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


def check_learns_from_files(session):
    """Label files by the first letter of their names, which their contents go with."""
    for _ in range(20):
        batch = session.next_batch(1)
        session.submit({batch.ids[0]: "good" if batch.rows[0][0] == "g" else "bad"})
    plain = [name for name in session.ids if name[0] in "gb" and name[1].isdigit()]
    truth = ["good" if name[0] == "g" else "bad" for name in plain]
    assert session.predict(plain).tolist() == truth


def test_a_folder_of_sounds(folder):
    (folder / "wav").mkdir()
    for i in range(15):
        sound(folder / "wav" / f"g{i}.wav", 300 + i)
        sound(folder / "wav" / f"b{i}.WAV", 2000 + i)
    (folder / "wav" / "notes.txt").write_text("not a sound")
    with open_project(options(file="wav", text=None, audit=0.0), background=False) as session:
        assert len(session.ids) == 30
        check_learns_from_files(session)


def test_a_folder_of_images(folder):
    image = pytest.importorskip("PIL.Image")
    (folder / "pics" / "sub").mkdir(parents=True)
    for i in range(15):
        image.new("RGB", (40, 30), (200 + i, 220, 230)).save(folder / "pics" / f"g{i}.png")
        image.new("L", (30, 40), 20 + i).save(folder / "pics" / f"b{i}.jpg")
    (folder / "pics" / "broken.png").write_bytes(b"not a picture")
    image.new("L", (4, 4)).save(folder / "pics" / ".hidden.png")
    image.new("L", (4, 4)).save(folder / "pics" / "sub" / "b.gif")
    with open_project(options(file="pics", text=None, audit=0.0), background=False) as session:
        assert "sub/b.gif" in session.ids
        assert len(session.ids) == 31
        check_learns_from_files(session)


@pytest.mark.filterwarnings("ignore:Label not .* is present")
def test_several_classes_a_row(folder):
    with open_project(
        options(multilabel=True, classes=("good", "long"), audit=0.0), background=False
    ) as session:
        for _ in range(30):
            batch = session.next_batch(1)
            session.submit({batch.ids[0]: ["good"] if batch.rows[0].split()[0] in GOOD else []})
        session.wait()
        assert session.progress().problem == ""
        assert session.predict(["good fine", "cold rude"]).tolist() == [[1, 0], [0, 0]]


# Going on ---------------------------------------------------------------------------------------


def test_the_store_knows_all_that_is_needed(folder, monkeypatch):
    with open_project(options(id="id", batch=7, audit=0.2), background=False) as session:
        answer(session, 12)
        awaited = session.peek(5, "ann")
    monkeypatch.chdir("/")
    again = read_project({"resume": folder / "labels.db"})
    assert again.settings["batch"] == 7
    with again.open(background=False) as session:
        assert session.peek(5, "ann") == awaited
        assert session.progress().n_labeled == 12


def test_the_same_command_again_goes_on(folder):
    with open_project(options(), background=False) as session:
        answer(session, 3)
    with open_project(options(), background=False) as session:
        assert session.progress().n_labeled == 3


def test_data_and_store_may_move_together(folder):
    open_project(options()).close()
    (folder / "moved").mkdir()
    for name in ("data.csv", "labels.db"):
        shutil.move(folder / name, folder / "moved" / name)
    open_project({"resume": "moved/labels.db"}).close()


def test_data_that_moved_may_be_named(folder):
    open_project(options()).close()
    (folder / "data.csv").rename(folder / "moved.csv")
    with pytest.raises(CommandError, match=r"data not found: .*data.csv; if they were moved"):
        open_project({"resume": "labels.db"})
    open_project({"resume": "labels.db", "file": "moved.csv"}).close()


def test_a_file_that_changed_is_refused(folder):
    open_project(options()).close()
    text = (folder / "data.csv").read_text()
    (folder / "data.csv").write_text(text.replace("n7\n", "other\n"))
    with pytest.raises(CommandError, match=r"labels\.db was created for other rows than"):
        open_project({"resume": "labels.db"})
    (folder / "data.csv").write_text(text[: text.rindex("r59")])
    with pytest.raises(CommandError, match="restore rows that were removed or moved"):
        open_project({"resume": "labels.db"})
    (folder / "data.csv").write_text(text)
    open_project({"resume": "labels.db"}).close()


def test_a_sound_that_changed_is_refused(folder):
    (folder / "wav").mkdir()
    for i in range(3):
        sound(folder / "wav" / f"{i}.wav", 400)
    open_project(options(file="wav", text=None)).close()
    with (folder / "wav" / "1.wav").open("ab") as file:
        file.write(b"more")
    with pytest.raises(CommandError, match=r"have changed .*: 1\.wav; .* --accept-changes"):
        open_project({"resume": "labels.db"})


# Rows that are added or corrected ---------------------------------------------------------------

grows = pytest.mark.skipif(
    "accept_changes" not in inspect.signature(LabelingSession).parameters,
    reason="sessions do not accept pools that have grown",
)


def resume(**changes):
    """Resume with the lines that were reported."""
    lines = []
    session = open_project(
        {"resume": "labels.db", **changes}, report=lines.append, background=False
    )
    return session, lines


@grows
@pytest.mark.parametrize("ident", ["id", None])
def test_rows_may_be_appended(folder, ident):
    with open_project(options(id=ident), background=False) as session:
        answer(session, 5)
    with (folder / "data.csv").open("a") as file:
        file.write("".join(f"r{i},one more {i}\n" for i in range(60, 72)))
    for said in (["12 new rows"], []):
        session, lines = resume()
        with session:
            assert [line for line in lines if "new rows" in line] == said
            assert session.progress().n_labeled == 5
            assert len(session.ids) == 72


@grows
def test_rows_without_ids_may_be_added_at_the_end_only(folder):
    open_project(options()).close()
    header, *lines = (folder / "data.csv").read_text().splitlines()
    (folder / "data.csv").write_text("\n".join([header, "new,one more", *lines, ""]))
    with pytest.raises(CommandError, match="created for other rows"):
        open_project({"resume": "labels.db"})


@grows
def test_corrected_rows_are_accepted_on_request(folder):
    with open_project(options(id="id"), background=False) as session:
        answer(session, 5)
    text = (folder / "data.csv").read_text()
    (folder / "data.csv").write_text(text.replace("n7\n", "other\n"))
    with pytest.raises(CommandError, match=r"r07.*skactive label --resume labels.db --accept-ch"):
        open_project({"resume": "labels.db"})
    session, lines = resume(accept_changes=True)
    with session:
        assert session.progress().n_labeled == 5
        assert any(line.startswith("Warning: ") for line in lines)
    open_project({"resume": "labels.db"}).close()


@grows
def test_a_folder_may_grow(folder):
    (folder / "wav").mkdir()
    for name in ("b", "d", "f"):
        sound(folder / "wav" / f"{name}.wav", 400)
    open_project(options(file="wav", text=None)).close()
    sound(folder / "wav" / "c.wav", 500)
    session, lines = resume()
    session.close()
    assert "1 new row" in lines
    (folder / "wav" / "c.wav").unlink()
    with pytest.raises(CommandError, match=r"are gone from .*: c\.wav; restore them"):
        open_project({"resume": "labels.db"})


# Labels of the file -----------------------------------------------------------------------------


@pytest.fixture
def gold(folder):
    """A table in which a third of the rows have a label."""
    lines = [f"r{i},{t},{'' if i % 3 else 'good'}" for i, t in enumerate(texts())]
    (folder / "gold.csv").write_text("\n".join(["id,body,gold", *lines, ""]))
    return {"file": "gold.csv", "id": "id", "label": "gold"}


def test_labels_of_the_file_are_there_at_the_start(gold):
    lines = []
    with open_project(options(**gold), background=False, report=lines.append) as session:
        assert session.progress().n_labeled == 20
        assert {record["id"] for record in session.records()} == {f"r{i}" for i in range(0, 60, 3)}
    assert "20 of 60 rows have a label (column 'gold')" in lines


def test_notes_come_before_the_first_row(gold, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    arguments = ["gold.csv", "--text", "body", "--id", "id", "--label", "gold"]
    assert main(["label", *arguments, "--classes", "good,bad", "--store", "labels.db"]) == 0
    printed = capsys.readouterr().out
    assert 0 <= printed.index("20 of 60 rows have a label") < printed.index("gold.csv · ")


def test_labels_of_the_file_are_added_once(gold):
    with open_project(options(**gold), background=False) as session:
        session.relabel({"r0": "bad"}, annotator="ann")
        session.undo(None)  # the label of r57, which the file has
        session.mark_unknown(["r3"], annotator="ann")
        before = session.records()
    for again in ({"resume": "labels.db"}, options(**gold)):
        with open_project(again, background=False) as session:
            assert session.records() == before


def test_the_classes_may_be_those_of_the_file(folder):
    (folder / "data.csv").write_text("body,kind\n" + "warm,good\ncold,bad\nmild,\n" * 5)
    given = options(classes=None, label="kind")
    for again in (given, given, {"resume": "labels.db"}):
        with open_project(again, background=False) as session:
            assert session.classes == ["bad", "good"]


def test_labels_of_several_classes(folder):
    (folder / "data.csv").write_text("body,kind\n" + "hot,good; long\ncold,\nmild,good\n" * 5)
    given = options(classes=None, label="kind", multilabel=True)
    with open_project(given, background=False) as session:
        assert session.classes == ["good", "long"]
        assert [r["label"] for r in session.records()][:2] == [["good", "long"], ["good"]]


# Mixed tables, copies, classes ------------------------------------------------------------------


@pytest.fixture
def mixed(folder):
    """A table of numbers, categories and dates, in which the category decides."""
    pytest.importorskip("pandas")
    random = np.random.RandomState(0)
    rows = [
        f"c{i},{random.randn():.3f},{'Rome' if i % 2 else random.choice(['Oslo', ''])},"
        f"2024-01-{i % 28 + 1:02}" for i in range(60)
    ]  # fmt: skip
    (folder / "mixed.csv").write_text("\n".join(["code,a,city,when", *rows, ""]))
    return {"file": "mixed.csv", "text": None, "id": "code", "audit": 0.0}


@pytest.mark.parametrize("model", ["logistic", "forest", "svm"])
def test_a_mixed_table_learns(mixed, model):
    with open_project(options(**mixed, model=model), background=False) as session:
        for _ in range(24):
            batch = session.next_batch(1)
            label = "good" if batch.rows["city"].iloc[0] == "Rome" else "bad"
            session.submit({batch.ids[0]: label})
        truth = np.where(session.X["city"] == "Rome", "good", "bad")
        assert (session.predict(session.X) == truth).mean() > 0.9
        awaited = session.peek(3)
    with open_project({"resume": "labels.db"}, background=False) as session:
        assert session.peek(3) == awaited


def test_the_kinds_of_features_stay_as_they_were(mixed, folder):
    open_project(options(**mixed)).close()
    text = (folder / "mixed.csv").read_text()
    (folder / "mixed.csv").write_text(f"{text}c60,unknown,Rome,2024-01-01\n")
    with pytest.raises(
        CommandError, match=r"'a' was read as a number, but 'unknown' in .* is none"
    ):
        open_project({"resume": "labels.db"})


def test_answers_of_copies_are_exported(folder, capsys):
    (folder / "data.csv").write_text("id,body\n" + "".join(f"{i},t{i % 4}\n" for i in range(9)))
    with open_project(options(id="id", group_duplicates=True), background=False) as session:
        assert len(session.ids) == 4
        session.submit({"0": "good", "1": "bad"}, annotator="ann")
    assert main(["export", "labels.db", "out.csv"]) == 0
    with (folder / "out.csv").open() as file:
        answers = {row["id"]: row["label"] for row in csv.DictReader(file)}
    assert answers == dict.fromkeys("048", "good") | dict.fromkeys("15", "bad")


def test_a_class_with_a_comma(folder):
    (folder / "classes.txt").write_text("\ufeffyes, please\n\n no \nNo\n", encoding="utf-8")
    lines = []
    given = options(classes=None, classes_file=folder / "classes.txt")
    with open_project(given, report=lines.append) as session:
        assert session.classes == ["yes, please", "no", "No"]
    assert "Classes that differ only by case: no, No" in lines
    open_project({"resume": "labels.db"}).close()


# Stores of the first version --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "awaited"),
    [
        ("texts_v1", {"id": "id"}, TEXTS_AWAITED),
        ("numbers_v1", {"id": "id", "text": None}, NUMBERS_AWAITED),
        ("sounds_v1", {"text": None}, SOUNDS_AWAITED),
    ],
)
def test_a_store_of_the_first_version_is_resumed(folder, name, changes, awaited):
    """Rows without text and columns of labels were read then."""
    for path in STORES.glob(f"{name}.*"):
        shutil.copy(path, folder)
    if name == "numbers_v1":
        pytest.importorskip("pandas")
    if name == "sounds_v1":
        (folder / name).mkdir()
        for i in range(6):
            sound(folder / name / f"{i}.wav", 300 + 100 * i, 400)
    file = name if name == "sounds_v1" else f"{name}.csv"
    again = options(file=file, store=f"{name}.db", **changes)
    for given in ({"resume": f"{name}.db"}, again):
        with open_project(given, background=False) as session:
            assert session.progress().n_labeled == len(session.records()) > 0
            assert session.peek(3, "ann") == awaited


# Mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file": None}, "name the data to label"),
        ({"file": "none.csv"}, "file not found: none.csv"),
        ({"text": "none"}, "has no column 'none'; it has id, body"),
        ({"id": "none"}, "has no column 'none'"),
        ({"text": None}, "To label texts, pass --text body --id id"),
        ({"columns": ["body"]}, "--text and --columns cannot be combined"),
        ({"classes_file": Path("none.txt"), "classes": None}, "none.txt cannot be read"),
        ({"classes_file": Path("data.csv")}, "--classes and --classes-file cannot be combined"),
        ({"classes": None}, "name the classes: --classes a,b,c"),
        ({"classes": ("one",)}, "one class leaves nothing to learn"),
        ({"store": None}, "name a file for the labels"),
        ({"store": "none/labels.db"}, "folder not found: none"),
        ({"store": "."}, "is a folder"),
        ({"store": "data.csv"}, "data.csv is not a store of labels"),
        ({"strategy": "None"}, "unknown strategy 'None'; known: "),
        ({"strategy": "BALD"}, "BALD cannot be used with --model logistic: .* use --model forest,"),
        ({"strategy": "margin", "multilabel": True}, "Margin cannot be used with --multilabel"),
        ({"images": True}, "--images needs a folder"),
        (
            {"file": ".", "text": None, "images": True, "audio": True},
            "--images and --audio cannot be combined",
        ),
        ({"file": "."}, "it has no column 'body'"),
        ({"file": ".", "text": None}, "holds no image"),
        ({"resume": "labels.db"}, "--text cannot be combined with --resume"),
        (
            {"resume": "labels.db", "text": None, "group_duplicates": True},
            "--(classes|group-duplicates) cannot be combined with --resume",
        ),
    ],
)
def test_a_mistake_is_said_and_nothing_is_made(folder, changes, said):
    before = sorted(folder.iterdir())
    with pytest.raises(CommandError, match=said):
        open_project(options(**changes))
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty: its first line must name the columns"),
        ("a.csv", b"id,body\n", "has no rows"),
        ("a.csv", b"id,body\n1,\xff\xfe\n", "is not in UTF-8"),
        ("a.csv", b"id,body\n1,x\n1,y\n", "'1' occurs more than once"),
        ("a.csv", b"id,body\n1,x\n", "only one row"),
        ("a.jsonl", b'{"id": 1, "body": "x"}\n[1]\n', "line 2 of a.jsonl is not a JSON object"),
        ("a.jsonl", b'{"id": 1, "body"', "line 1 of a.jsonl is not a JSON object"),
        ("a.jsonl", b'{"id": 1.5, "body": "x"}\n' * 2, "strings or integers, got 1.5"),
        ("a.parquet", b"nothing", "cannot be read"),
        ("a.doc", b"text", "cannot read a.doc: expected one of .csv, .tsv, .txt, .json, .jsonl"),
    ],
)
def test_a_file_that_cannot_be(folder, name, content, said):
    (folder / name).write_bytes(content)
    with pytest.raises(CommandError, match=said):
        open_project(options(file=name, id="id"))
    assert not (folder / "labels.db").exists()


def test_a_store_of_other_settings_is_refused(folder):
    open_project(options()).close()
    with pytest.raises(CommandError, match=r"was created with classes \['good', 'bad'\]: continue"):
        open_project(options(classes=("good", "bad", "ugly")))
    with pytest.raises(CommandError, match="was created with batch 10"):
        open_project(options(batch=5))


def test_a_store_of_a_program_is_not_resumed_but_taken(folder):
    rows = read_project(options()).source.rows
    learner = ActiveLearner(DummyClassifier(), Random())
    LabelingSession(learner, rows, store="labels.db").close()
    with pytest.raises(CommandError, match="was not created by skactive label: name its data"):
        open_project({"resume": "labels.db"})
    open_project(options()).close()
    store = SQLiteLabelStore("labels.db")
    assert store.fact("campaign")["classes"] == ["good", "bad"]
    store.close()
