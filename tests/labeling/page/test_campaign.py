"""CampaignReport: what the campaign page is told, and that telling it does not take long."""

import json

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB

from skactive.annotators import ModelAnnotator, Router
from skactive.estimation import clopper_pearson
from skactive.labeling import Spending
from skactive.labeling.hooks import DriftAlert, PoolDrift, Trigger
from skactive.labeling.page import PageBackend
from skactive.labeling.page._campaign import CampaignReport, describe_curve
from skactive.labeling.page._campaign_people import count_by_time, describe_agreement

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def read(session, **options):
    """Return the report after it has been through JSON, as a browser's has."""
    return json.loads(json.dumps(CampaignReport(session, **options).read(), allow_nan=False))


def answer(session, n, name, seconds=None):
    batch = session.next_batch(n, name)
    labels = {ident: str(NAMES[Y[ident]]) for ident in batch.ids}
    session.submit(labels, ticket=batch.ticket, annotator=name, seconds=seconds)


def test_an_empty_session_has_a_report(open_session):
    report = read(open_session(), title="Flowers")
    assert report["title"] == "Flowers"
    assert report["progress"]["n_left"] == 150
    assert (report["people"], report["agreement"], report["curve"]) == ([], None, [])
    assert report["routing"] == {"certificate": "", "n_asked": 0, "annotators": []}
    assert report["costs"]["money"] is None


def test_progress_people_and_costs(open_session):
    session = open_session(spending=Spending(price=0.5, price_per_hour=36.0, money=50))
    answer(session, 6, "ann", 10.0)
    answer(session, 3, "bob", 20.0)
    session.skip(session.next_batch(2, "bob").ids, annotator="bob")
    session.mark_unknown(session.next_batch(1, "bob").ids, annotator="bob")
    report = read(session)
    assert report["progress"]["n_by_people"] == report["progress"]["n_labeled"] == 9
    assert report["progress"]["n_left"] == 150 - 9 - 1
    assert sum(n for _, n in report["classes"]) == 9
    ann, bob = (next(p for p in report["people"] if p["name"] == n) for n in ("ann", "bob"))
    assert (ann["n_labels"], ann["n_answers"], ann["seconds"]) == (6, 6, 10.0)
    assert (bob["n_labels"], bob["n_answers"], bob["hours"]) == (3, 6, pytest.approx(60 / 3600))
    costs = report["costs"]
    assert costs["money"] == pytest.approx(9 * 0.5 + 120 / 100)
    assert (costs["money_limit"], costs["n_timed"], costs["n_untimed"]) == (50, 9, 3)
    assert costs["hours_left"] == pytest.approx(140 * 120 / 9 / 3600)


def test_the_curve_has_an_interval_around_each_audit(open_session):
    session = open_session(audit_share=0.4, refit_every=10)
    for _ in range(12):
        answer(session, 10, "ann")
    session.wait()
    report = read(session)
    rounds = [r for r in session.rounds if r["n_audited"] >= 20]
    assert len(report["curve"]) == len(rounds) > 1
    for point, record in zip(report["curve"], rounds, strict=True):
        n_right, n = record["audit"]
        interval = clopper_pearson(n_right, n)
        assert point == pytest.approx([record["n_labels"], n_right / n, *interval, n])
    assert report["audit"]["estimate"] == pytest.approx(report["curve"][-1][1:4])
    assert report["audit"]["text"].startswith("Accuracy ")


def test_a_long_curve_is_thinned_and_ends_with_the_last_round():
    rounds = [{"n_labels": n, "audit": [n % 30, 30], "n_audited": 30} for n in range(1001)]
    curve = describe_curve(rounds, 20)
    assert len(curve) <= 200
    assert curve[-1][0] == 1000


def test_numbers_have_an_error_and_several_classes_a_report(open_session):
    session = open_session(model=LinearRegression(), audit_share=0.5, refit_every=5)
    for _ in range(8):
        ids = session.next_batch(10, "ann").ids
        session.submit({i: float(X[i, 3]) for i in ids}, annotator="ann")
    session.wait()
    report = read(session)
    assert (report["audit"]["measure"], report["classes"]) == ("mean error", [])
    assert report["audit"]["estimate"] == report["curve"][-1][1:4]
    model = OneVsRestClassifier(LogisticRegression())
    several = open_session(model=model, multilabel=True, classes=["a", "b"], store=None)
    several.submit({0: ["a", "b"], 1: []}, annotator="ann")
    several.submit({0: ["b"], 1: []}, annotator="bob")
    assert read(several)["agreement"]["n_differ"] == 1


def make_records(*answers):
    return [
        {"id": item, "annotator": who, "label": label, "kind": "label", "time": 0.0}
        for item, who, label in answers
    ]


def test_agreement_is_that_of_people_on_the_rows_of_several():
    rows = [(i, "ann", "a" if i % 2 else "b") for i in range(8)]
    others = [(i, "bob", "a" if i % 2 else "b") for i in range(1, 8)] + [(0, "bob", "a")]
    found = describe_agreement(make_records(*rows, *others, (9, "ann", "a")), are_numbers=False)
    assert (found["n_rows"], found["n_differ"]) == (8, 1)
    assert found["pairs"] == [["ann", "bob", 8, 7 / 8]]
    # Krippendorff's alpha by hand: 9 of "a" and 7 of "b", one row of 8 differs
    assert found["alpha"][0] == pytest.approx(1 - 15 * (2 / 16) / (2 * 9 * 7 / 16))
    assert found["alpha"][1] < found["alpha"][0] < found["alpha"][2]
    same = make_records((0, "ann", "a"), (0, "bob", "a"))
    assert describe_agreement(same, are_numbers=False)["alpha"] is None
    assert describe_agreement(make_records((0, "ann", "a")), are_numbers=False) is None


@pytest.mark.parametrize(
    ("reach", "seconds"), [(7200, 3600), (20 * 86400, 86400), (400 * 86400, 604800)]
)
def test_labels_are_counted_in_spans_that_fit(reach, seconds):
    records = [
        {
            "kind": "label",
            "time": 1e9 + reach * i / 50,
            "source": "annotator" if i > 45 else "people",
        }
        for i in range(51)
    ]
    found = count_by_time(records)
    assert found["seconds"] == seconds
    begins = [begin for begin, *_ in found["spans"]]
    assert len(begins) <= 48
    assert set(np.diff(begins)) == {seconds}
    assert begins[-1] <= records[-1]["time"] < begins[-1] + seconds
    assert sum(n for *_, n in found["spans"]) == 5
    assert sum(n for _, n, _ in found["spans"]) <= 46


def test_the_router_is_shown_beside_people(open_session):
    model = GaussianNB().fit(X[::3], NAMES[Y[::3]])
    router = Router([ModelAnnotator(model, price=0.01)], audit=40, random_state=0)
    session = open_session()
    while session.fit_router(router):
        assert read(session)["routing"]["n_asked"] > 0
        answer(session, 10, "ann", 5.0)
    session.route(router)
    routed = [r for r in session.records() if r["source"] == "annotator"]
    session.relabel({routed[0]["id"]: "setosa"}, annotator="eve")
    report = read(session)
    (shown,) = report["routing"]["annotators"]
    sure = np.mean([r["confidence"] for r in routed])
    assert (shown["name"], shown["n_labels"]) == ("GaussianNB", len(routed))
    assert shown["confidence"] == pytest.approx(sure)
    assert shown["cost"] == pytest.approx(0.01 * len(routed))
    assert report["routing"]["certificate"] == str(router.certificate_)
    assert report["progress"]["n_routed"] == len(routed) - 1  # one was corrected
    assert report["progress"]["n_by_people"] == 41
    assert {person["name"] for person in report["people"]} == {"ann", "eve"}
    assert sum(n for *_, n in report["times"]["spans"]) == len(routed)


def test_drift_of_people_is_found_in_the_answers(open_session):
    session = open_session()
    for i in range(140):
        session.submit({i: "a"}, annotator="ann", seconds=i / 100 + (2 if i < 60 else 9))
    (alarm,) = read(session)["drift"]
    assert alarm["message"].startswith("ann")
    hook = DriftAlert(callback=lambda alarm: None, signals=["classes"])
    assert read(open_session(hooks=[hook]))["drift"] == []  # what the hook watches counts


def test_drift_of_rows_is_that_of_the_watches_in_use(open_session):
    rng = np.random.RandomState(0)
    passed, hooked = (PoolDrift(rng.normal(size=100), random_state=0) for _ in range(2))
    session = open_session(hooks=[Trigger("audit", lambda fired: None, drift=hooked)])
    hooked.update(rng.normal(size=60) + 3)
    one, other = read(session, watches=[passed])["pool_drift"]
    assert (one["alarms"], one["evidence"]) == ([], pytest.approx(passed.alpha))
    assert other["alarms"][0].startswith("The newest rows are unlike the pool")


def test_answers_are_read_anew_only_after_changes_and_a_tenth_of_the_time(
    open_session, monkeypatch
):
    session, now, n_read = open_session(), [0.0], []
    records = session.records

    def read_slowly():
        n_read.append(now[0])
        now[0] += 2.0
        return records()

    monkeypatch.setattr(session, "records", read_slowly)
    report = CampaignReport(session, clock=lambda: now[0])
    report.read()
    report.read()
    assert n_read == [0.0]  # nothing was stored
    answer(session, 3, "ann")
    now[0] = 10.0
    assert report.read()["people"] == []
    assert report.read()["progress"]["n_labeled"] == 3  # what is quick is always new
    now[0] = 30.0
    assert report.read()["people"][0]["n_labels"] == 3
    assert n_read == [0.0, 30.0]


def test_a_report_that_fails_says_why(open_session):
    session = open_session()
    backend = PageBackend(session)
    assert backend.describe_campaign()["ok"]
    session.close()
    reply = backend.describe_campaign()
    assert not reply["ok"]
    assert reply["error"]
