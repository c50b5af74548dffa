import gzip
import json
import math
from collections import Counter
from dataclasses import replace
from itertools import chain, pairwise, product

import numpy as np
import pytest
from application_code import application_code
from numpy.testing import assert_allclose
from sklearn.dummy import DummyClassifier

from skactive import ActiveLearner
from skactive.applications import Sizes, play
from skactive.strategies import HypothesisConfidence, HypothesisEntropy, SampleDisagreement

torch = pytest.importorskip("torch")
pytest.importorskip("sacrebleu")

PAIRS = [
    ("Ein Hund schläft .", "A dog is sleeping ."),
    ("Eine Katze läuft .", "A cat is running ."),
]


@pytest.fixture(scope="module")
def code():
    with application_code("translation") as import_module:
        yield import_module


@pytest.fixture(scope="module")
def task(code):
    return code("model").read(None)


@pytest.fixture(scope="module")
def translator(code, task):
    model = code("model").Translator(**task.details, random_state=0)
    return model.fit(task.X[:100], task.y[:100])


def test_the_miniature_costs_its_german_words(task):
    assert (len(task.X), len(task.X_test)) == (2000, 300)
    assert not set(task.X) & set(task.X_test)
    assert task.costs[0] == len(task.X[0].split()) == 7
    assert task.unit == "words"


def test_tables_parallel_files_and_json_give_the_same_task(code, tmp_path):
    found = []
    for name, lines in {
        "table": {"{}.tsv": ["\t".join(pair) for pair in PAIRS]},
        "parallel": {"{}.de": [pair[0] for pair in PAIRS], "{}.en": [pair[1] for pair in PAIRS]},
        "json": {
            "set.{}.jsonl.gz": [json.dumps({"en": en, "fr": "", "de": de}) for de, en in PAIRS]
        },
    }.items():
        (tmp_path / name).mkdir()
        for (file, texts), part in product(lines.items(), ("train", "test")):
            text = "\n".join(texts).encode()
            path = tmp_path / name / file.format(part)
            path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
        found.append(code("model").read(tmp_path / name))
    for task in found:
        assert list(zip(task.X, task.y, strict=True)) == PAIRS
        assert list(zip(task.X_test, task.y_test, strict=True)) == PAIRS
        assert task.costs == [4, 4]


def test_parallel_files_of_different_lengths_and_missing_parts_are_refused(code, tmp_path):
    (tmp_path / "train.de").write_text("Ein Hund .\nEine Katze .\n")
    (tmp_path / "train.en").write_text("A dog .\n")
    with pytest.raises(ValueError, match=r"train.de has 2 lines and .*train.en has 1"):
        code("model").read(tmp_path)
    (tmp_path / "train.en").unlink()
    (tmp_path / "train.tsv").write_text("Ein Hund .\tA dog .\n")
    with pytest.raises(FileNotFoundError, match=r"one file of the part 'train'.*found train.de"):
        code("model").read(tmp_path)


@pytest.fixture(scope="module")
def tiny_net(code):
    """A net of three words, whose translations can all be listed."""
    torch.manual_seed(0)
    net = code("net").Seq2Seq(7, 7, n_dims=8, dropout=0.5).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3.0)  # far from uniform
    return net


SOURCES = [[4, 5, 6, 2], [6, 2], [5, 5, 4, 4, 2]]
MAX_LENGTH = 4


def score_by_the_net(net, source, target):
    """Log-likelihood of a target, by one pass of the net over all of it."""
    scores = net(torch.tensor([source]), torch.tensor([[1, *target]]))[0]
    scores[:, [0, 1]] = -math.inf  # padding and the start are never written
    steps = scores.log_softmax(dim=-1)
    return float(sum(step[token] for step, token in zip(steps, target, strict=True)))


def list_targets():
    words = [token for token in range(7) if token not in (0, 1, 2)]
    for n_words in range(MAX_LENGTH):
        yield from ((*row, 2) for row in product(words, repeat=n_words))
    yield from product(words, repeat=MAX_LENGTH)  # cut off before an end


@torch.no_grad()
def test_wide_beams_find_all_translations_with_their_likelihoods(code, tiny_net):
    found = code("net").search(tiny_net, SOURCES, width=400, max_length=MAX_LENGTH)
    for source, hypotheses in zip(SOURCES, found, strict=True):
        expected = {target: score_by_the_net(tiny_net, source, target) for target in list_targets()}
        assert len(hypotheses.tokens) == len(expected) == 341
        assert_allclose(np.exp(list(expected.values())).sum(), 1.0, rtol=1e-4)
        for tokens, value, length in zip(
            hypotheses.tokens, hypotheses.log_likelihood, hypotheses.lengths, strict=True
        ):
            target = tuple(tokens) + (2,) * (length > len(tokens))
            assert_allclose(value, expected.pop(target), atol=1e-4)
        per_token = np.divide(hypotheses.log_likelihood, hypotheses.lengths)
        assert (np.diff(per_token) <= 1e-6).all()


@torch.no_grad()
def test_a_beam_of_one_takes_the_likeliest_token_of_each_step(code, tiny_net):
    for source, hypotheses in zip(
        SOURCES, code("net").search(tiny_net, SOURCES, 1, MAX_LENGTH), strict=True
    ):
        target = []
        while len(target) < MAX_LENGTH and target[-1:] != [2]:
            steps = [score_by_the_net(tiny_net, source, [*target, token]) for token in range(2, 7)]
            target.append(2 + int(np.argmax(steps)))
        assert hypotheses.tokens == [[token for token in target if token != 2]]
        assert hypotheses.lengths == [len(target)]


@torch.no_grad()
def test_search_does_not_depend_on_the_other_rows(code, tiny_net):
    search = code("net").search
    together = search(tiny_net, SOURCES, 3)
    for source, expected in zip(SOURCES, together, strict=True):
        (alone,) = search(tiny_net, [source], 3)
        assert alone.tokens == expected.tokens
        assert_allclose(alone.log_likelihood, expected.log_likelihood, atol=1e-5)


def test_epochs_hold_each_row_once_in_batches_of_about_one_length(code):
    lengths = np.random.default_rng(0).integers(3, 30, size=100)
    batches = code("net").iter_batches(lengths.tolist(), 16)
    for _ in range(2):
        epoch = [next(batches) for _ in range(7)]
        assert sorted(chain(*epoch)) == list(range(100))
        assert max(np.ptp(lengths[rows]) for rows in epoch) < 12


def test_words_are_numbered_by_frequency_and_then_by_letters(code):
    numbers = code("words").count_words([["b", "a", "c"], ["c"]])
    assert numbers == {"c": 4, "a": 5, "b": 6}
    assert code("words").encode(["a", "x"], numbers) == [5, 3]
    assert code("words").split_words("Ein Hund, ja!") == ["ein", "hund", ",", "ja", "!"]


def test_unknown_words_are_copied_from_the_source(code, translator):
    found = code("net").Hypotheses([[3, 4]], [[1, 0]], [-1.0], [3])
    (word,) = (word for word, number in translator.target_words_.items() if number == 4)
    assert translator._write(["ein", "fagott"], found) == [f"fagott {word}"]


def test_the_net_learns_to_translate(code, task, translator):
    bleu = code("model").bleu
    assert bleu(translator, task.X_test, task.y_test) > 20
    shuffled = task.y_test[1:] + task.y_test[:1]
    assert bleu(translator, task.X_test, shuffled) < 12


def test_fits_are_a_function_of_the_seed_and_leave_torch_as_it_was(code, task):
    model = code("model").Translator(n_dims=16, n_steps=3, random_state=3)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    first = model.fit(task.X[:20], task.y[:20]).search(task.X[20:25])
    assert torch.rand(1) == expected
    again = model.fit(task.X[:20], task.y[:20]).search(task.X[20:25])
    assert first == again


def test_bleu_is_100_for_the_references_in_any_case(code, task):
    class Person:
        def predict(self, X):
            return [text.upper() for text in task.y_test]

    assert_allclose(code("model").bleu(Person(), task.X_test, task.y_test), 100.0)


def test_each_strategy_asks_for_other_sentences(code, task, translator):
    queries = set()
    for strategy in code("run").APPLICATION.strategies.values():
        learner = ActiveLearner(translator, strategy, prefit=True, random_state=0)
        queries.add(tuple(learner.query(task.X[100:300], batch_size=10)))
    assert len(queries) == 3


def list_phrases(words):
    return {*words, *pairwise(words)}


def choose_phrases_by_loops(pool, labeled, costs, n):
    """Greedy choices by the formula, over words and pairs of words; no ties are expected."""
    phrases, known = ([list_phrases(text.split()) for text in texts] for texts in (pool, labeled))
    totals = Counter(phrase for row in phrases + known for phrase in row)

    def measure(rows):
        counts = Counter(phrase for row in [*known, *(phrases[i] for i in rows)] for phrase in row)
        return sum(
            math.sqrt(totals[phrase] * count)
            for phrase, count in counts.items()
            if totals[phrase] > 1
        )

    picks = []
    for _ in range(n):
        rest = [i for i in range(len(pool)) if i not in picks]
        gains = [(measure([*picks, i]) - measure(picks)) / costs[i] for i in rest]
        picks.append(rest[int(np.argmax(gains))])
    return picks


def test_phrases_are_covered_as_by_loops(code):
    rng = np.random.default_rng(0)
    words = np.array(["der", "hund", "die", "katze", "rennt", "im", "park", "heute"])
    texts = [" ".join(rng.choice(words, rng.integers(2, 7))) for _ in range(40)]
    costs = rng.uniform(1, 3, size=30)
    learner = ActiveLearner(
        DummyClassifier(), code("strategy").PhraseCoverage(), random_state=0
    ).fit(texts[30:], [0, 1] * 5)
    picks = learner.query(texts[:30], batch_size=12, costs=costs)
    assert picks.tolist() == choose_phrases_by_loops(texts[:30], texts[30:], costs, 12)


def test_phrases_are_covered_before_anything_is_labeled(code):
    texts = ["ein hund", "ein hund rennt", "eine katze", "ein hund schläft", "eine ente"]
    strategy = code("strategy").PhraseCoverage(max_words=1)
    picks = ActiveLearner(DummyClassifier(), strategy, random_state=0).query(texts, batch_size=5)
    assert picks[0] in (0, 1, 3)  # "ein hund" is in most of them
    assert sorted(picks) == [0, 1, 2, 3, 4]


def test_confidence_is_that_of_the_best_hypothesis_and_beams_serve_the_others(
    code, task, translator
):
    model = code("model").Translator(n_hypotheses=3)
    vars(model).update({name: value for name, value in vars(translator).items() if name[-1] == "_"})
    model.memory_ = {}
    pool = task.X[100:120]
    learner = ActiveLearner(model, HypothesisConfidence(), prefit=True, random_state=0)
    found = model.search(pool)
    assert {len(row.tokens) for row in found} == {3}
    expected = [-max(np.divide(row.log_likelihood, row.lengths)) for row in found]
    assert_allclose(learner.score_pool(pool), expected)
    for strategy in (HypothesisEntropy(), SampleDisagreement()):
        learner = ActiveLearner(model, strategy, prefit=True, random_state=0)
        assert np.ptp(learner.score_pool(pool)) > 0.1


def test_a_campaign_is_over_words(code, task):
    task = replace(task, details={"n_steps": 5})
    comparison = play(code("run").APPLICATION, task, Sizes(20, 20, 300, n_pool=60), n_repeats=1)
    assert comparison.unit == "cost"
    assert not comparison.failures
    assert all(200 < run.n_labels[-1] <= 300 for run in comparison.runs)
