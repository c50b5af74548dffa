"""Language models as annotators: servers that misbehave, money, the cache, and keys."""

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from email.utils import formatdate

import numpy as np
import pytest
from chat_server import ChatServer, judge

from skactive.annotators import LLMAnnotator, _llm_requests, _llm_sending
from skactive.annotators._llm_prices import Account, Tariff
from skactive.exceptions import BridgeError, StoreError, UnansweredRowsWarning

TEXTS = [f"a {'good' if i % 3 else 'bad'} film, number {i}" for i in range(30)]
TRUTH = np.array(["positive" if i % 3 else "negative" for i in range(30)])
KEY = "sk-very-secret-0123456789"

equal = np.testing.assert_array_equal


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(_llm_requests, "_FIRST_WAIT", 0.001)


def make_annotator(server, **params):
    params = {"calibrate": None, "price_in": 1.0, "price_out": 2.0, **params}
    return LLMAnnotator("small", base_url=server.url, classes=["positive", "negative"], **params)


# Faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [(429, "0.01"), 429, 500, 503, "cut", "html", "slow", 504])
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_what_passes_is_tried_again(fault, first):
    with ChatServer(faults=[fault, fault] if first else [None, fault, None, fault]) as server:
        answers = make_annotator(server, timeout=0.3).annotate(TEXTS)
        equal(answers.labels, TRUTH)
        assert len(server.requests) == 32
        if fault in ("cut", "html", "slow", 504):  # the server may charge for these
            assert answers.cost.sum() > server.charged
        else:
            assert answers.cost.sum() == pytest.approx(server.charged)


@pytest.mark.parametrize("as_date", [False, True])
def test_the_server_says_how_long_to_wait(as_date):
    wait = 1.2 if as_date else 0.2  # a date has no fractions: at least 0.2 s are left

    def tell(body):
        if len(server.times) > 1:
            return None
        return 429, formatdate(time.time() + wait, usegmt=True) if as_date else str(wait)

    with ChatServer(faults=tell) as server:
        make_annotator(server).annotate(TEXTS[:3])
        assert server.times[1] - server.times[0] >= 0.19


def test_pauses_double(monkeypatch):
    pauses = []
    monkeypatch.setattr(_llm_requests, "_FIRST_WAIT", 0.5)
    monkeypatch.setattr(_llm_requests, "Event", lambda: event)

    class Event:
        def wait(self, seconds):
            pauses.append(seconds)

        def set(self):
            pauses.append("stop")

        def is_set(self):
            return False

    event = Event()
    with (
        ChatServer(faults=[500] * 8) as server,
        pytest.raises(BridgeError, match="status 500: 'busy'"),
    ):
        make_annotator(server, retries=4).annotate(TEXTS)
    assert pauses == [0.5, 1.0, 2.0, 4.0, "stop"]
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("fault", "message", "n_requests"),
    [
        ((401, f"wrong key {KEY}"), r"status 401: 'wrong key \*\*\*'", 1),
        ((404, "no such model"), "status 404: 'no such model'", 1),
        ((302, "elsewhere"), "status 302", 1),
        ((400, "what?"), "status 400: 'what", 3),  # others may do: three are tried
        ((429, "100000"), "status 429", 1),  # longer than anyone waits
        ("html", "did not reply in the chat-completions protocol, but with '<html>'", 3),
    ],
)
def test_a_server_that_fails_from_the_first_is_an_error(monkeypatch, fault, message, n_requests):
    monkeypatch.setenv("MY_KEY", KEY)
    with ChatServer(faults=lambda body: fault) as server:
        annotator = make_annotator(server, api_key_env="MY_KEY", retries=2)
        with pytest.raises(BridgeError, match=message) as caught:
            annotator.annotate(TEXTS)
        assert len(server.requests) == n_requests
    assert KEY not in str(caught.value)
    assert server.charged <= annotator.spent_


def test_no_server():
    with ChatServer() as server:
        pass
    with pytest.raises(BridgeError, match="is the server running") as caught:
        make_annotator(server, retries=1).annotate(TEXTS)
    assert caught.value.passing


def test_no_log_probabilities_are_an_error_that_names_the_way_out():
    with ChatServer(faults=lambda body: "no logprobs") as server:
        with pytest.raises(
            ValueError, match="no log-probabilities of the labels for 'small': use score=\"votes\""
        ):
            make_annotator(server).annotate(TEXTS)
        assert len(server.requests) == 1
        equal(make_annotator(server, score="votes").annotate(TEXTS).labels, TRUTH)


@pytest.mark.parametrize("fault", ["refusal", "no logprobs"])
def test_a_reply_without_a_label_is_an_abstention(fault):
    with ChatServer(faults=[None, fault]) as server:
        answers = make_annotator(server, max_concurrency=1).annotate(TEXTS)
    assert np.flatnonzero(answers.abstained).tolist() == [1]
    assert answers.cost.sum() == pytest.approx(server.charged)


@pytest.mark.parametrize("fault", [(400, "too long"), 500])
def test_a_row_that_fails_is_left_to_people(fault):
    def fail(body):
        return fault if body["messages"][-1]["content"].startswith("<text>\n" + TEXTS[7]) else None

    with ChatServer(faults=fail) as server:
        message = "1 of 30 requests have no reply (1 failed)"
        with pytest.warns(UnansweredRowsWarning, match=re.escape(message)):
            answers = make_annotator(server).annotate(TEXTS)
        assert np.flatnonzero(answers.abstained).tolist() == [7]
        assert len(server.requests) == (30 if fault != 500 else 33)


@pytest.mark.parametrize(("fault", "n_tries"), [((401, "expired"), 1), (500, 3)])
def test_what_was_paid_is_returned_when_the_server_goes_down(fault, n_tries):
    with ChatServer(faults=lambda body: fault if len(server.requests) > 10 else None) as server:
        with pytest.warns(UnansweredRowsWarning, match="were not sent after failures"):
            answers = make_annotator(server, max_concurrency=1, retries=0).annotate(TEXTS)
        equal(answers.labels[:10], TRUTH[:10])
        assert answers.abstained[10:].all()
        assert len(server.requests) == 10 + n_tries


# Money -------------------------------------------------------------------------------------------


def test_costs_are_estimated_before(tmp_path):
    with ChatServer() as server:
        annotator = make_annotator(server, cache=tmp_path / "replies")
        estimate = annotator.estimate_cost([*TEXTS, *TEXTS])
        assert not server.requests
        assert list(tmp_path.iterdir()) == []
        annotator.annotate(TEXTS)
        assert estimate == pytest.approx(server.charged, rel=0.2)
        assert annotator.estimate_cost(TEXTS) == 0.0
        assert annotator.estimate_cost([*TEXTS, "another"]) == pytest.approx(estimate / 30, rel=0.2)


@pytest.mark.parametrize("max_concurrency", [1, 5])
@pytest.mark.parametrize("fault", [None, "cut", "no usage", 504])
def test_the_budget_is_never_exceeded(max_concurrency, fault):
    seen = set()

    def fail(body):  # at the first attempt for every fourth text
        text = body["messages"][-1]["content"]
        is_first = text not in seen
        seen.add(text)
        return fault if is_first and len(seen) % 4 == 0 else None

    with ChatServer() as server:
        budget = make_annotator(server).annotate(TEXTS).cost.sum() * 0.7
    with ChatServer(faults=fail) as server:
        annotator = make_annotator(server, budget=budget, max_concurrency=max_concurrency)
        with pytest.warns(UnansweredRowsWarning, match="could exceed the budget"):
            answers = annotator.annotate(TEXTS)
        assert server.charged <= annotator.spent_ <= budget
        assert annotator.spent_ == pytest.approx(answers.cost.sum())
        assert 3 < (~answers.abstained).sum() < 22
        with pytest.warns(UnansweredRowsWarning, match="could exceed the budget"):
            annotator.annotate([f"{text}, once more" for text in TEXTS])  # the budget is of all
        assert server.charged <= annotator.spent_ <= budget


def test_which_rows_a_budget_pays_does_not_depend_on_the_number_of_lines():
    labeled = []
    for max_concurrency in (1, 2, 7):
        with ChatServer(seconds=0.002) as server:
            annotator = make_annotator(server, budget=0.0012, max_concurrency=max_concurrency)
            with pytest.warns(UnansweredRowsWarning):
                labeled.append(~annotator.annotate(TEXTS).abstained)
    equal(labeled[0], labeled[1])
    equal(labeled[0], labeled[2])
    assert 0 < labeled[0].sum() < 30


def test_a_prompt_has_no_more_tokens_than_bytes():
    text = "ünïcödé 漢字 🙂"
    body = {"messages": [{"role": "user", "content": text}], "max_tokens": 7}
    tariff = Tariff(1e6, 1e6)
    assert tariff.bound(body) >= len(text.encode()) + 7
    assert tariff.charge({"prompt_tokens": 3, "completion_tokens": 2}, body) == 5
    for usage in (None, {}, {"prompt_tokens": -1, "completion_tokens": 2}, "many"):
        assert tariff.charge(usage, body) == tariff.bound(body)


def test_a_template_that_is_longer_than_thought_is_reckoned_with():
    account = Account(100.0, 0.0)
    amount = account.reserve(10.0)
    account.settle(10.0, amount, 30.0)
    assert account.reserve(10.0) == 30.0
    assert account.reserve(20.0) is None


# The cache ---------------------------------------------------------------------------------------


def test_nothing_is_paid_twice(tmp_path):
    with ChatServer() as server:
        cache = tmp_path / "replies"
        first = make_annotator(server, cache=cache).annotate(TEXTS)
        second = make_annotator(server, cache=cache).annotate([*TEXTS, *TEXTS])
        equal(second.proba, np.vstack([first.proba, first.proba]))
        assert second.cost.sum() == 0.0
        assert len(server.requests) == 30
        for params in ({"instructions": "Other."}, {"parameters": {"seed": 1}}):
            make_annotator(server, cache=cache, **params).annotate(TEXTS)
        assert set(server.paid.values()) == {1}
        assert len(server.paid) == 90
        assert cache.stat().st_mode & 0o77 == 0


def test_equal_rows_are_asked_once():
    with ChatServer() as server:
        answers = make_annotator(server).annotate(["good"] * 5 + ["bad"])
        assert answers.labels.tolist() == ["positive"] * 5 + ["negative"]
        assert np.flatnonzero(answers.cost).tolist() == [0, 5]
        assert len(server.requests) == 2


def test_votes_are_cached_too(tmp_path):
    with ChatServer() as server:
        for _ in range(2):
            params = {"score": "votes", "n_votes": 3, "cache": tmp_path / "replies"}
            make_annotator(server, **params).annotate(TEXTS)
        assert len(server.requests) == 90


@pytest.mark.parametrize("content", [b"no database at all, but text" * 50, None])
def test_a_file_that_is_something_else_is_left_alone(tmp_path, content):
    cache = tmp_path / "replies"
    if content is None:
        cache.mkdir()
    else:
        cache.write_bytes(content)
    with ChatServer() as server, pytest.raises(StoreError, match="pass another file as cache"):
        make_annotator(server, cache=cache).annotate(TEXTS)
    assert not server.requests
    assert content is None or cache.read_bytes() == content


def test_an_interruption_loses_no_reply(monkeypatch, tmp_path):
    waits = []

    def interrupt(*args, **params):
        waits.append(1)
        if len(waits) == 10:
            raise KeyboardInterrupt
        return wait(*args, **params)

    wait = _llm_sending.wait
    with ChatServer(seconds=0.002) as server:
        monkeypatch.setattr(_llm_sending, "wait", interrupt)
        annotator = make_annotator(server, cache=tmp_path / "replies")
        with pytest.raises(KeyboardInterrupt):
            annotator.annotate(TEXTS)
        n_paid = len(server.paid)
        assert 0 < n_paid < 30
        assert annotator.spent_ == pytest.approx(server.charged)
        annotator.annotate(TEXTS)
        assert set(server.paid.values()) == {1}


PROGRAM = """
import sys
from skactive.annotators import LLMAnnotator
texts = [f"a {'good' if i % 3 else 'bad'} film, number {i}" for i in range(60)]
LLMAnnotator(
    "small", base_url=sys.argv[1], classes=["positive", "negative"], cache=sys.argv[2],
    calibrate=None, price_in=1.0, price_out=2.0, max_concurrency=3,
).annotate(texts)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_no_reply_is_lost_when_the_process_is_killed(tmp_path):
    texts = [f"a {'good' if i % 3 else 'bad'} film, number {i}" for i in range(60)]
    cache = tmp_path / "replies"
    with ChatServer(seconds=0.02) as server:
        for n_paid in (20,):
            arguments = [sys.executable, "-c", PROGRAM, server.url, str(cache)]
            with subprocess.Popen(arguments) as process:
                while sum(server.paid.values()) < n_paid:
                    assert process.poll() is None
                    time.sleep(0.005)
                os.kill(process.pid, signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL
        server.seconds = 0.0
        answers = make_annotator(server, cache=cache).annotate(texts)
        equal(answers.labels == "positive", np.arange(60) % 3 > 0)
        assert len(server.paid) == 60
        twice = sum(server.paid.values()) - 60
        assert twice <= 2 * 3  # those on their way when it was killed
        assert len(server.requests) <= 60 + 2 * 3


# Keys --------------------------------------------------------------------------------------------


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("MY_KEY", KEY)
    caplog.set_level(0)
    cache = tmp_path / "replies"
    with ChatServer(faults=[(429, None)]) as server:
        annotator = make_annotator(server, api_key_env="MY_KEY", cache=cache)
        annotator.annotate(TEXTS)
        assert {headers["Authorization"] for _, headers, _ in server.requests} == {f"Bearer {KEY}"}
        monkeypatch.setenv("MY_KEY", "another")
        annotator.annotate(TEXTS)  # the key is no part of the request
        assert len(server.requests) == 31
    leaks = [repr(annotator), str(annotator.get_params()), str(vars(annotator)), caplog.text]
    assert not any(KEY in text for text in leaks)
    assert KEY.encode() not in pickle.dumps(annotator) + cache.read_bytes()
    assert b"film" not in cache.read_bytes()


def test_a_reply_may_be_anything():
    strange = [
        {"choices": [{"message": {"content": "positive"}, "logprobs": {"content": "many"}}]},
        {"choices": [{"message": {"content": "positive"}, "logprobs": {"content": [{"a": 1}]}}]},
        {"choices": [{"message": {"content": 5}, "logprobs": []}], "usage": [1]},
        {"choices": [{"message": {}}], "usage": {"prompt_tokens": "x", "completion_tokens": None}},
    ]

    class Strange(ChatServer):
        def complete(self, body, headers):
            reply = super().complete(body, headers)
            n = len(self.requests)
            return reply if n == 1 else strange[n % 4]

    with Strange(judge) as server:
        answers = make_annotator(server, max_concurrency=1).annotate(TEXTS)
    assert (~answers.abstained).tolist() == [True] + [False] * 29
