"""Labeling projects: from options to a session, and from its store alone back to it."""

import shutil
import wave

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from skactive import ActiveLearner
from skactive.cli._errors import CommandError
from skactive.cli._project import open_project, read_project
from skactive.labeling import LabelingSession, SQLiteLabelStore
from skactive.strategies import Random

GOOD, BAD = ["good", "fine", "warm", "kind"], ["bad", "poor", "cold", "rude"]


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
        assert session.ids[0] == 100
        assert list(session.X.columns) == ["a", "b"]
        for _ in range(30):
            batch = session.next_batch(1)
            label = "good" if batch.rows["b"].iloc[0] > 0 else "bad"
            session.submit({batch.ids[0]: label})
        right = np.where(X[:, 1] > 0, "good", "bad") == session.predict(session.X)
        assert right.mean() > 0.9


def sound(path, frequency):
    samples = np.sin(2 * np.pi * frequency * np.arange(8000) / 8000) * 20000
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
        assert {"broken.png", "sub/b.gif"} < set(session.ids)
        assert len(session.ids) == 32
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
    with pytest.raises(CommandError, match="ids are the same, but the rows are not"):
        open_project({"resume": "labels.db"})
    (folder / "data.csv").write_text(text + "r99,one more\n")
    with pytest.raises(CommandError, match="it has 60 rows, these are 61"):
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
    with pytest.raises(CommandError, match="some have another name or size"):
        open_project({"resume": "labels.db"})


# Mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file": None}, "name the data to label"),
        ({"file": "none.csv"}, "file not found: none.csv"),
        ({"text": "none"}, "has no column 'none'; it has id, body"),
        ({"id": "none"}, "has no column 'none'"),
        ({"text": None}, "text or dates: id, body; name the column to read by --text"),
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
        ({"file": ".", "text": None}, "holds no .bmp"),
        ({"resume": "labels.db"}, "--text cannot be combined with --resume"),
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
        ("a.txt", b"text", "cannot read a.txt: expected one of .csv, .jsonl, .parquet"),
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
