"""TensorBoard and MLflow: a recorded stand-in everywhere, the real packages where installed."""

import importlib.util
import struct
import sys
from types import SimpleNamespace

import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.estimation import clopper_pearson
from skactive.labeling import LabelingSession, SessionEvent
from skactive.labeling.hooks import MLflowHook, TensorBoardHook
from skactive.stopping import Budget

X, Y = load_iris(return_X_y=True)
ROUND = {
    "labels/all", "labels/learned", "round/number", "round/seconds", "seconds/query",
}  # fmt: skip
AUDIT = {"audit/n", "audit/accuracy", "audit/low", "audit/high"}


def campaign(hook, **options):
    options = {"random_state": 0, "audit_share": 0.2, "stopping": Budget(20)} | options
    with LabelingSession(ActiveLearner(GaussianNB()), X, hooks=[hook], **options) as session:
        for _ in range(5):
            batch = session.next_batch(10)
            session.submit({row: int(Y[row]) for row in batch.ids}, ticket=batch.ticket)
            assert session.wait(30)
        return session.progress()


class Recorder:
    """A writer of TensorBoard and a client of MLflow that remember what they were told."""

    def __init__(self, *place):
        self.place, self.scalars, self.texts, self.ended = place, [], {}, []

    def add_scalar(self, tag, value, step):
        self.scalars.append((tag, value, step))

    def log_metric(self, run_id, key, value, step):
        self.run_id = run_id
        self.scalars.append((key, value, step))

    def add_text(self, tag, text, step):
        self.texts[tag] = text

    def set_tag(self, run_id, key, value):
        self.texts[key] = value

    def get_experiment_by_name(self, name):
        return None if name == "new" else SimpleNamespace(experiment_id=f"id of {name}")

    def create_experiment(self, name):
        return f"made {name}"

    def create_run(self, experiment_id):
        return SimpleNamespace(info=SimpleNamespace(run_id=f"run in {experiment_id}"))

    def set_terminated(self, run_id):
        self.ended.append(run_id)

    def close(self):
        self.ended.append("closed")


def check_curves(scalars, progress):
    """Check what was recorded, as tag, value and step, against where the session stands."""
    last = {tag: (value, step) for tag, value, step in scalars}
    assert last.keys() >= ROUND | AUDIT | {"seconds/fit"}
    assert all(step == progress.n_learned for tag, (_, step) in last.items() if "stop" not in tag)
    assert last["labels/all"][0] == progress.n_labeled == 50
    assert last["round/number"][0] == progress.n_rounds
    audit = [last[f"audit/{name}"][0] for name in ("accuracy", "low", "high")]
    assert audit == pytest.approx(progress.accuracy, abs=1e-6)
    steps = [step for tag, _, step in scalars if tag == "labels/learned"]
    assert steps == sorted(set(steps))
    assert len(steps) == progress.n_rounds
    assert any(tag.startswith("stopping/") for tag in last)


def test_tensorboard_draws_each_round():
    recorder = Recorder()
    with TensorBoardHook(writer=recorder) as hook:
        progress = campaign(hook)
    check_curves(recorder.scalars, progress)
    assert progress.stop_reason
    assert "20" in recorder.texts["stopping/reason"]
    assert recorder.ended == []  # it was passed: it stays open


def test_mlflow_logs_each_round():
    recorder = Recorder()
    with MLflowHook(experiment="flowers", client=recorder) as hook:
        progress = campaign(hook)
    check_curves(recorder.scalars, progress)
    assert recorder.run_id == hook.run_id == "run in id of flowers"
    assert "20" in recorder.texts["stop_reason"]
    assert recorder.ended == [hook.run_id]


def test_an_experiment_is_made_and_a_run_that_was_passed_stays_open():
    recorder = Recorder()
    assert MLflowHook(experiment="new", client=recorder).run_id == "run in made new"
    with MLflowHook("mine", client=recorder) as hook:
        assert hook.run_id == "mine"
    assert recorder.ended == []


def test_names_and_numbers_that_trackers_refuse_are_kept_from_them():
    recorder = Recorder()
    metrics = {"n_learned": 10.0, "a & b(c)": 1.0, "endless": float("inf"), "none": float("nan")}
    TensorBoardHook(writer=recorder).on_round_end(
        SessionEvent("on_round_end", 2, 12, metrics=metrics)
    )
    stopping = [(tag, value) for tag, value, _ in recorder.scalars if tag.startswith("stopping")]
    assert stopping == [("stopping/a___b_c_", 1.0)]
    assert {tag for tag, *_ in recorder.scalars} & AUDIT == set()


def test_the_interval_is_that_of_the_audit():
    recorder = Recorder()
    metrics = {"n_learned": 10.0, "audit_n": 29.0, "audit_score": 22 / 29}
    event = SessionEvent("on_round_end", 2, 12, metrics=metrics)
    MLflowHook("run", client=recorder).on_round_end(event)
    found = {tag: value for tag, value, _ in recorder.scalars}
    assert (found["audit/low"], found["audit/high"]) == clopper_pearson(22, 29)


def test_a_folder_or_a_writer():
    for options in ({}, {"log_dir": "runs", "writer": Recorder()}):
        with pytest.raises(ValueError, match="one of the two"):
            TensorBoardHook(**options)


def test_what_is_missing_is_named(monkeypatch):
    for name in ("tensorboardX", "mlflow"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"skactive\[tensorboard\]"):
        TensorBoardHook("runs")
    with pytest.raises(ImportError, match=r"skactive\[mlflow\]"):
        MLflowHook()


def test_the_packages_are_asked_as_their_own(monkeypatch):
    """Without them installed: that their classes are found by name and closed in the end."""
    board, flow = SimpleNamespace(SummaryWriter=Recorder), SimpleNamespace(MlflowClient=Recorder)
    monkeypatch.setitem(sys.modules, "tensorboardX", board)
    monkeypatch.setitem(sys.modules, "mlflow", flow)
    with TensorBoardHook("runs/one") as hook:
        assert hook._writer.place == ("runs/one",)
    assert hook._writer.ended == ["closed"]
    assert MLflowHook(experiment="flowers").run_id == "run in id of flowers"


# -- the real packages -------------------------------------------------------------------------


def scalars_of(folder):
    """Read event files: a length, its checksum, a record, its checksum, over and over."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.glob("events.*")):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = Event.FromString(content[12 : 12 + length])
            content = content[16 + length :]
            found += [
                (v.tag, v.simple_value, event.step)
                for v in event.summary.value
                if v.HasField("simple_value")
            ]
    return found


@pytest.mark.skipif(
    importlib.util.find_spec("tensorboardX") is None, reason="tensorboardX is not installed"
)
def test_tensorboard_in_earnest(tmp_path):
    with TensorBoardHook(tmp_path / "run") as hook:
        progress = campaign(hook)
    check_curves(scalars_of(tmp_path / "run"), progress)


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed")
@pytest.mark.filterwarnings("default")  # its own deprecations are not ours
def test_mlflow_in_earnest(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=(tmp_path / "runs").as_uri())
    with MLflowHook(experiment="flowers", client=client) as hook:
        progress = campaign(hook)
    run = client.get_run(hook.run_id)
    assert run.info.status == "FINISHED"
    assert "20" in run.data.tags["stop_reason"]
    scalars = [
        (key, metric.value, metric.step)
        for key in run.data.metrics
        for metric in client.get_metric_history(hook.run_id, key)
    ]
    check_curves(scalars, progress)
    assert MLflowHook(experiment="flowers", client=client).run_id != hook.run_id
