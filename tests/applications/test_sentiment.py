from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from application_code import application_code
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearner
from skactive.applications import Sizes, explain_batch, make_record, play

ROWS = np.array([[1, 2, 3, 0], [2, 2, 1, 3], [3, 0, 0, 0]])


@pytest.fixture(scope="module")
def code():
    with application_code("sentiment") as load:
        names = ("grammar", "words", "model", "run")
        yield SimpleNamespace(load=load, **{name: load(name) for name in names})


@pytest.fixture(scope="module")
def task(code):
    whole = code.model.read(None)
    return replace(
        whole,
        X=whole.X[:400],
        y=whole.y[:400],
        X_test=whole.X_test[:300],
        y_test=whole.y_test[:300],
    )


def test_grammar_is_seeded_and_denies_with_the_words_of_the_other_mood(code):
    grammar = code.grammar
    texts, labels = grammar.write_reviews(600, 0)
    assert (texts, labels) == grammar.write_reviews(600, 0)
    assert min(Counter(labels).values()) > 250  # both moods are as frequent
    denials = [denial.format("").strip() for denial in grammar.DENIALS]
    denied = [
        (text, label)
        for text, label in zip(texts, labels, strict=True)
        if text.count(" is ") == 1 and any(f" {denial} " in text for denial in denials)
    ]
    agree = [
        any(f" {word}" in text for word in grammar.ADJECTIVES[label] + grammar.NOUNS[label])
        for text, label in denied
    ]
    assert len(denied) > 20
    assert np.mean(agree) < 0.15  # a wrong label here and there


def test_numbers_of_words_skip_rare_words_and_fill_with_0(code):
    numbers = code.words.WordNumbers(length=4)
    rows = numbers.fit_transform(["A good film.", "a GOOD plot .", "film!", "a a a a a film"])
    assert numbers.numbers_ == {"a": 1, "film": 2, "good": 3, ".": 4}
    assert rows.tolist() == [[1, 3, 2, 4], [1, 3, 4, 0], [2, 0, 0, 0], [1, 1, 1, 1]]


def test_neighbors_are_counted_as_plain_loops_count_them(code):
    expected = np.zeros((4, 4))
    for row in ROWS:
        for i, j in np.ndindex(4, 4):
            if 0 < abs(i - j) <= 2 and row[i] and row[j]:
                expected[row[i], row[j]] += 1
    counts = code.words.count_neighbors(ROWS, 3, window=2)
    assert np.array_equal(counts.toarray(), expected)


def test_information_is_that_of_its_definition(code):
    counts = np.array([[0, 0, 0], [0, 4.0, 2], [0, 2, 0]])
    p_words = counts.sum(axis=1) / counts.sum()
    p_context = p_words**0.75 / (p_words**0.75).sum()
    expected = np.zeros((3, 3))
    for i, j in zip(*counts.nonzero(), strict=True):
        ratio = counts[i, j] / counts.sum() / (p_words[i] * p_context[j])
        expected[i, j] = max(0, np.log(ratio))
    found = code.words.measure_information(sparse.csr_array(counts))
    np.testing.assert_allclose(found.toarray(), expected)


def test_words_with_alike_neighbors_have_alike_vectors(code):
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.integers(1, 3, 200), np.full(200, 5)])  # 1 and 2 precede 5
    others = np.column_stack([rng.integers(3, 5, 200), np.full(200, 6)])  # 3 and 4 precede 6
    vectors = code.words.learn_word_vectors(np.concatenate([rows, others]), 6, n_dims=2)
    alike = vectors @ vectors.T
    assert vectors.shape == (7, 2)
    assert not vectors[0].any()
    assert min(alike[1, 2], alike[3, 4]) > 0.9 > 0.2 > max(alike[1, 3], alike[2, 4])


def test_frequent_words_count_little_in_means_of_vectors(code):
    texts = ["the film is good", "the plot is good", "the film is bad", "the plot is thin"] * 3
    means = code.words.MeanWordVectors(n_dims=3, a=0.1).fit(texts)
    counts = Counter(" ".join(texts).split())
    expected = []
    for text in texts[:4]:
        weights = [0.1 / (0.1 + counts[word] / 48) for word in text.split()]
        vectors = means.vectors_[[means.numbers_.numbers_[word] for word in text.split()]]
        expected.append(np.average(vectors, axis=0, weights=weights))
    expected = np.array(expected)
    expected = (expected - expected.mean(axis=0)) / expected.std(axis=0) / np.sqrt(3)
    np.testing.assert_allclose(means.transform(texts[:4]), expected, atol=1e-5)
    assert np.isfinite(means.transform(["unknown words", ""])).all()


@pytest.fixture(scope="module")
def net(code):
    pytest.importorskip("torch")
    return code.load("net")


def test_a_filter_answers_to_its_words_wherever_they_are(net):
    import torch

    torch.manual_seed(0)
    module = net.WordNet(np.eye(5, 4, k=-1, dtype=np.float32), 2).eval()
    words = module.words(torch.tensor([1, 2, 3])).numpy()
    windows = np.concatenate([np.zeros((2, 4)), words, np.zeros((2, 4))])
    responses = []
    for width, layer in zip(net.WIDTHS, module.filters, strict=True):
        weights, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        found = []
        for i in range(len(windows) - width + 1):
            window = windows[i : i + width].T.ravel()  # by dimension, then by word
            found.append(np.maximum(weights @ window + bias, 0))
        responses.append(np.max(found, axis=0))
    expected = module.output(torch.tensor(np.concatenate(responses), dtype=torch.float32))
    torch.testing.assert_close(module(torch.tensor([[1, 2, 3, 0, 0]]))[0], expected)


def test_padding_changes_no_output(net):
    import torch

    torch.manual_seed(0)
    module = net.WordNet(np.eye(5, 4, k=-1, dtype=np.float32), 2).eval()
    short = torch.tensor([[1, 2, 3, 0], [4, 1, 0, 0]])
    long = torch.nn.functional.pad(short, (0, 6))
    assert torch.equal(module(short), module(long))
    assert torch.isfinite(module(torch.zeros((2, 3), dtype=torch.long))).all()  # no known word


@pytest.mark.parametrize(("n_rows", "n_epochs"), [(5, 10), (32, 10), (33, 5), (320, 1)])
def test_few_rows_get_as_many_steps_as_many(net, n_rows, n_epochs):
    from torch import nn

    model = net.make_net(nn.Linear, module__in_features=1, module__out_features=2, n_steps=10)
    model.fit(np.ones((n_rows, 1), dtype=np.float32), np.arange(n_rows) % 2)
    assert len(model.history) == n_epochs


def test_the_models_learn_and_the_net_knows_that_order_matters(code, net, task):
    linear = code.model.make_model(task).fit(task.X, task.y)
    learner = net.make_net_model(task).set_params(random_state=0).fit(task.X, task.y)
    score, net_score = (model.score(task.X_test, task.y_test) for model in (linear, learner))
    assert 0.7 < score < net_score  # chance is .5
    assert set(learner.predict(task.X_test[:20])) == {"negative", "positive"}


def test_vectors_of_words_help_while_labels_are_few(code, task):
    whole = code.model.read(None)
    model = code.model.make_model(whole).fit(whole.X[:60], whole.y[:60])
    words = model[0].estimator.transformer_list[0][1]
    plain = LogisticRegression(C=3).fit(words.transform(whole.X[:60]), whole.y[:60])
    score = model.score(whole.X_test, whole.y_test)
    assert score > plain.score(words.transform(whole.X_test), whole.y_test)


def ask(learner, task, strategy):
    learner.set_params(strategy=strategy, random_state=0).fit(task.X[:20], task.y[:20])
    return set(learner.query(task.X[20:], batch_size=10).tolist())


@pytest.mark.parametrize("name", ["Random", "Margin", "BADGE", "Auto"])
def test_each_strategy_asks_for_distinct_texts(code, net, task, name):
    strategy = code.run.APPLICATION.strategies[name]
    assert len(ask(ActiveLearner(code.model.make_model(task)), task, strategy)) == 10
    learner = net.make_net_model(task).set_params(estimator__steppednet__n_steps=5)
    assert len(ask(learner, task, strategy)) == 10


def test_the_first_texts_are_chosen_without_labels(code, task):
    learner = ActiveLearner(code.model.make_model(task), random_state=0)
    picked = learner.query(task.X, batch_size=10)
    assert len(set(picked.tolist())) == 10
    taught = learner.teach([task.X[i] for i in picked], [task.y[i] for i in picked])
    assert len(taught.query(task.X, batch_size=3)) == 3


def test_a_small_campaign_is_recorded_and_explained(code, task):
    application, sizes = code.run.APPLICATION, Sizes(20, 20, 60, n_pool=100)
    record = make_record(application, task, sizes, play(application, task, sizes, n_repeats=2))
    assert {row["name"] for row in record["strategies"]} == set(application.strategies)
    batch = explain_batch(application, task, sizes)
    assert "the model hesitates between" in " ".join(map(str, batch.explanations))


def test_a_table_is_read_and_a_damaged_one_refused(code, tmp_path):
    path = tmp_path / "films.tsv"
    path.write_text("text\tlabel\n" + "fine film\t1\nsad film\t0\n" * 4)
    task = code.model.read(path)
    assert (len(task.X), len(task.X_test)) == (6, 2)
    assert set(task.y) == {"0", "1"}
    path.write_text("text\tlabel\nfine film\n")
    with pytest.raises(
        ValueError, match=r"line 2 of .* must have a cell for each of the 2 columns"
    ):
        code.model.read(path)


def test_a_transformer_is_built_without_download_and_serves_each_strategy(code, task):
    pytest.importorskip("transformers")
    learner = code.load("transformer").make_transformer_model(task)
    learner.set_params(random_state=0).fit(list(task.X), task.y)
    assert learner.score(list(task.X_test), task.y_test) > 0.6  # chance is .5
    for strategy in code.run.APPLICATION.strategies.values():
        learner.set_params(strategy=strategy)
        assert len(set(learner.query(list(task.X_test), batch_size=5))) == 5
