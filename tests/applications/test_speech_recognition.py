import math
import wave
from collections import defaultdict
from dataclasses import replace
from itertools import groupby, product

import numpy as np
import pytest
from application_code import application_code
from numpy.testing import assert_allclose, assert_array_equal

from skactive import ActiveLearner
from skactive.applications import Sizes, explain_batch, play
from skactive.datasets import find_bundled
from skactive.strategies import HypothesisConfidence, SampleDisagreement
from skactive.testing import adapter_checks

torch = pytest.importorskip("torch")

RATE = 8000
NOISE = np.random.default_rng(0).normal(size=2400) * 0.1


@pytest.fixture(scope="module")
def code():
    with application_code("speech_recognition") as load:
        yield load


@pytest.fixture(scope="module")
def task(code):
    return code("data").read(None)


@pytest.fixture(scope="module")
def recognizer(code, task):
    model = code("model").Recognizer(n_steps=70, random_state=0)
    return model.fit(task.X[:50], task.y[:50])


def save(path, samples=NOISE, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())


# Data -------------------------------------------------------------------------------------------


def make_digits(code, n_takes=6):
    """Recordings whose samples are all their own number."""
    rows = [(d, s, t) for d in "01" for s in "abc" for t in range(n_takes)]
    digits, speakers, takes = map(np.array, zip(*rows, strict=True))
    sounds = [np.full(80, i + 1.0) for i in range(len(rows))]
    return code("data").Digits(sounds, digits, speakers, takes, RATE)


def list_parts(sound):
    """Numbers of the recordings in an utterance, without its pauses."""
    loud = sound[sound > 0]
    return (loud[::80] - 1).astype(int).tolist()


def test_no_recording_is_in_pool_and_test_and_speakers_do_not_mix(code):
    digits = make_digits(code)
    pool, test = code("data").make_utterances(digits, n_pool=60)
    used = []
    for part in (pool, test):
        rows = [list_parts(sound) for sound in part.sounds]
        used.append([row for each in rows for row in each])
        for each, text, speaker in zip(rows, part.texts, part.speakers, strict=True):
            assert " ".join(digits.digits[each]) == text
            assert set(digits.speakers[each]) == {speaker}
            assert 1 <= len(each) <= 4
    assert set(digits.takes[used[0]]) == {2, 3, 4, 5}
    assert sorted(used[1]) == np.flatnonzero(digits.takes < 2).tolist()  # each once
    counts = sorted(np.unique(pool.speakers, return_counts=True)[1])
    assert counts[2] > 1.5 * counts[0]  # three times as many are expected


def test_pauses_are_short(code):
    pool, _ = code("data").make_utterances(make_digits(code), n_pool=30)
    for sound in pool.sounds:
        pauses = [len(list(group)) for loud, group in groupby(sound > 0) if not loud]
        assert max(pauses, default=0) < 0.1 * RATE


def test_too_few_takes_are_refused(code):
    with pytest.raises(ValueError, match=r"three takes or more, two of which .*; got 2"):
        code("data").make_utterances(make_digits(code, n_takes=2), n_pool=10)


def test_the_miniature_costs_its_seconds(code, task):
    assert len(task.X) == len(task.costs) == 160
    assert task.unit == "seconds"
    frames = np.array([len(row) for row in task.X])
    assert np.abs(frames * 0.016 - task.costs).max() < 0.05
    n_words = sum(len(text.split()) for text in task.y_test)
    assert n_words == 120  # takes 0 and 1 of 6 speakers and 10 digits
    assert {row.shape[1] for row in task.X} == {24}


def test_archive_holds_the_same_as_the_files(code, task, tmp_path):
    data = code("data")
    found = data.read_digits(find_bundled("fsdd"))
    names, speaker = np.unique(found.speakers, return_inverse=True)
    np.savez(
        tmp_path / "fsdd.npz",
        audio=np.concatenate([np.round(sound * 2**15) for sound in found.sounds]).astype(np.int16),
        offsets=np.cumsum([0, *map(len, found.sounds)]),
        y=found.digits.astype(np.uint8),
        speaker=speaker,
        speakers=names,
        take=found.takes,
        rate=found.rate,
    )
    again = data.read(tmp_path)
    assert again.y_test == task.y_test
    assert_array_equal(np.vstack(again.X_test), np.vstack(task.X_test))
    assert len(again.X) == 800


def test_tables_of_files_and_transcripts_are_read(code, tmp_path):
    save(tmp_path / "clips" / "1.wav")
    save(tmp_path / "clips" / "2.wav", NOISE[:800])
    (tmp_path / "train.tsv").write_text("clips/1.wav\tGood  Day\nclips/2.wav\tyes\n")
    (tmp_path / "test.tsv").write_text("clips/2.wav\tno\n")
    task = code("data").read(tmp_path)
    assert task.y == ["good day", "yes"]
    assert task.y_test == ["no"]
    assert_allclose(task.costs, [0.3, 0.1])
    assert task.details == {}
    words = "".join(f"clips/1.wav\tword{i}\n" for i in range(101))
    (tmp_path / "train.tsv").write_text(words)
    assert code("data").read(tmp_path).details["letters"]


def test_bad_folders_are_refused(code, tmp_path):
    read = code("data").read
    with pytest.raises(NotADirectoryError, match="No such folder"):
        read(tmp_path / "none")
    save(tmp_path / "1.wav")
    with pytest.raises(ValueError, match=r"1\.wav.* does not match"):
        read(tmp_path)
    save(tmp_path / "2.wav", rate=16000)
    (tmp_path / "train.tsv").write_text("1.wav\tyes\n")
    (tmp_path / "test.tsv").write_text("2.wav\tno\n")
    with pytest.raises(ValueError, match="train has 8000 Hz, and test 16000 Hz: convert one"):
        read(tmp_path)
    (tmp_path / "test.tsv").write_text("1.wav\tyes\n2.wav\tno\n")
    with pytest.raises(ValueError, match=r"test\.tsv have several rates: \[8000, 16000\]"):
        read(tmp_path)
    (tmp_path / "test.tsv").write_text("3.wav\tyes\n")
    with pytest.raises(FileNotFoundError, match=r"3\.wav"):
        read(tmp_path)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_tones_are_loudest_in_their_band_and_loudness_does_not_matter(code, rate):
    data = code("data")
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    frames = data.make_frames(tone, rate)
    n_bins = 256 * rate // 8000
    weights = data.make_mel_filters(rate, n_bins)[:, round(1000 * n_bins / rate)]
    assert frames[5:-5].mean(axis=0).argmax() == weights.argmax()
    assert abs(len(frames) - 1 / 0.016) < 2
    assert_allclose(data.make_frames(tone / 50, rate), frames, atol=1e-3)


def test_very_short_sounds_and_silence_have_frames(code):
    for sound in (NOISE[:5], np.zeros(900)):
        assert np.isfinite(code("data").make_frames(sound, RATE)).all()


# Search and training ----------------------------------------------------------------------------


def sum_over_paths(log_proba):
    """Probability of each string, by listing all paths."""
    totals = defaultdict(float)
    for path in product(range(log_proba.shape[1]), repeat=len(log_proba)):
        string = tuple(token for token, _ in groupby(path) if token)
        totals[string] += math.exp(sum(log_proba[range(len(path)), path]))
    return totals


def draw_log_proba(n_steps, n_tokens, seed):
    scores = np.random.default_rng(seed).normal(scale=2.0, size=(n_steps, n_tokens))
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("seed", range(3))
def test_wide_beams_sum_over_all_paths(code, seed):
    log_proba = draw_log_proba(6, 3, seed)
    expected = sum_over_paths(log_proba)
    found = code("net").search(log_proba, width=10_000, floor=0.0)
    assert len(found.tokens) == len(expected) == len(set(found.tokens))
    for tokens, value in zip(found.tokens, found.log_likelihood, strict=True):
        assert_allclose(value, math.log(expected[tokens]), rtol=1e-9)
    assert found.log_likelihood == sorted(found.log_likelihood, reverse=True)


def test_narrow_beams_find_the_best_with_at_most_its_likelihood(code):
    n_best = 0
    for seed in range(20):
        log_proba = draw_log_proba(7, 3, seed)
        expected = sum_over_paths(log_proba)
        found = code("net").search(log_proba, width=4)
        assert len(found.tokens) == 4
        for tokens, value in zip(found.tokens, found.log_likelihood, strict=True):
            assert value <= math.log(expected[tokens]) + 1e-9
        n_best += found.tokens[0] == max(expected, key=expected.get)
    assert n_best >= 18


def test_likelihoods_are_those_of_the_loss_and_do_not_underflow(code):
    log_proba = draw_log_proba(2000, 5, 0)
    found = code("net").search(log_proba, width=3, floor=0.0)
    assert -5000 < found.log_likelihood[0] < -745  # the probability itself is 0 as a float
    log_proba = draw_log_proba(12, 4, 1)
    found = code("net").search(log_proba, width=5000, floor=0.0)
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(log_proba)[:, None],
        torch.tensor([found.tokens[0]]),
        torch.tensor([12]),
        torch.tensor([len(found.tokens[0])]),
        reduction="sum",
    )
    assert_allclose(found.log_likelihood[0], -float(loss), rtol=1e-6)


def test_tokens_share_the_loud_steps(code):
    loud, quiet = np.full((6, 24), 1.0), np.full((6, 24), -1.0)
    sound = np.vstack([quiet, loud, quiet, loud, loud, quiet]).astype(np.float32)
    places = code("net").guess_places(sound, [3, 1, 2], 15)
    assert places.tolist() == [0, 0, 3, 3, 0, 0, 1, 1, 2, 2, 0, 0, -100, -100, -100]
    assert code("net").guess_places(sound[:6], [], 3).tolist() == [0, 0, -100]


def test_varied_sounds_are_said_faster_or_slower(code):
    row = np.random.default_rng(0).normal(size=(60, 24)).astype(np.float32)
    lengths = [
        len(code("net").vary(row, generator)) for generator in map(np.random.default_rng, range(50))
    ]
    assert 51 <= min(lengths) < 56
    assert 64 < max(lengths) <= 69
    same = code("net").interpolate(row, np.arange(60))
    assert_array_equal(same, row)
    assert_allclose(code("net").interpolate(row, np.array([1.5]))[0], (row[1] + row[2]) / 2)


def test_epochs_hold_each_row_once_in_batches_of_about_one_length(code):
    lengths = np.random.default_rng(0).integers(10, 200, size=100)
    batches = code("net").iter_batches(lengths, 16, np.random.default_rng(0))
    for _ in range(2):
        epoch = [next(batches) for _ in range(6)]
        assert sorted(row for batch in epoch for row in batch) == list(range(100))
        assert np.mean([np.ptp(lengths[batch]) for batch in epoch]) < 0.7 * np.ptp(lengths)


def test_what_is_heard_does_not_depend_on_the_other_rows(code, task, recognizer):
    together = recognizer.listen(task.X[:12])
    for row, expected in zip(task.X[:12], together, strict=True):
        (alone,) = recognizer.listen([row])
        assert alone.log_proba.shape == (-(-len(row) // 3), 11)
        assert_allclose(np.exp(alone.log_proba).sum(axis=1), 1.0, rtol=1e-5)
        assert_allclose(alone.log_proba, expected.log_proba, atol=1e-4)
        assert_allclose(alone.state, expected.state, atol=1e-4)


# Model ------------------------------------------------------------------------------------------


def test_the_net_learns_to_read_digits(code, task, recognizer):
    accuracy = code("model").word_accuracy
    assert accuracy(recognizer, task.X_test, task.y_test) > 0.6
    assert accuracy(recognizer, task.X_test, task.y_test[1:] + task.y_test[:1]) < 0.4


def test_fits_are_a_function_of_the_seed_and_leave_torch_as_it_was(code, task):
    model = code("model").Recognizer(n_steps=4, width=8, random_state=3)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    first = model.fit(task.X[:20], task.y[:20]).listen(task.X[20:22])
    assert torch.rand(1) == expected
    again = model.fit(task.X[:20], task.y[:20]).listen(task.X[20:22])
    for one, other in zip(first, again, strict=True):
        assert_array_equal(one.log_proba, other.log_proba)


def test_letters_are_written_as_words(code, task):
    model = code("model").Recognizer(n_steps=2, width=8, letters=True, random_state=0)
    model.fit(task.X[:3], ["ja", "a b", ""])
    assert model.tokens_ == [" ", "a", "b", "j"]
    assert model.write([4, 2, 1, 3]) == "ja b"
    with pytest.raises(ValueError, match="all transcripts are empty"):
        model.fit(task.X[:2], ["", ""])


def count_edits(words, other):
    """Fewest edits, by the definition."""
    if not words or not other:
        return len(words) + len(other)
    return min(
        count_edits(words[1:], other) + 1,
        count_edits(words, other[1:]) + 1,
        count_edits(words[1:], other[1:]) + (words[0] != other[0]),
    )


def test_word_accuracy_is_that_of_a_plain_loop(code):
    y = ["1 2 3 4", "5", "6 7", "8"]

    class Model:
        def predict(self, X):
            return ["1 3 4 4", "", "6 7", "8 8 8 8 8"]

    n_wrong = sum(
        count_edits(a.split(), b.split()) for a, b in zip(y, Model().predict(y), strict=True)
    )
    assert n_wrong == 7
    assert_allclose(code("model").word_accuracy(Model(), y, y), 1 - n_wrong / 8)


def test_the_adapter_passes_all_checks(task, recognizer):
    for check in adapter_checks(recognizer, task.X[:12]):
        check()


def test_confidence_is_that_of_the_hypotheses(task, recognizer):
    pool = task.X[60:80]
    learner = ActiveLearner(recognizer, HypothesisConfidence(), prefit=True, random_state=0)
    found = recognizer.search(recognizer.listen(pool))
    expected = [
        -max(
            value / max(1, len(tokens))
            for tokens, value in zip(row.tokens, row.log_likelihood, strict=True)
        )
        for row in found
    ]
    assert_allclose(learner.score_pool(pool), expected, rtol=1e-5)
    learner = ActiveLearner(recognizer, SampleDisagreement(), prefit=True, random_state=0)
    assert np.ptp(learner.score_pool(pool)) > 0.1


def test_all_strategies_are_played_over_seconds(code, task):
    application = code("run").APPLICATION
    task = replace(task, details={"n_steps": 4, "width": 8})
    sizes = Sizes(10, 10, 40, n_pool=60)
    comparison = play(application, task, sizes, n_repeats=1)
    assert not comparison.failures
    assert comparison.unit == "cost"
    assert {run.strategy for run in comparison.runs} == set(application.strategies)
    assert all(25 < run.n_labels[-1] <= 40 for run in comparison.runs)
    batch = explain_batch(application, task, sizes)
    assert len(set(batch.positions)) == 10
