import gzip
import json
from itertools import pairwise, product

import numpy as np
import pytest
from application_code import application_code
from numpy.testing import assert_allclose

from skactive import ActiveLearner
from skactive.applications import Sizes, play
from skactive.datasets import find_bundled, read_conll

SENTENCES = [("Ada sleeps", ["B-person", "O"]), ("in Rome", ["O", "B-location"])]
COLUMNS = "Ada\tB-person\nsleeps\tO\n\nin\tO\nRome\tB-location\n"


@pytest.fixture(scope="module")
def code():
    with application_code("named_entities") as import_module:
        yield import_module


@pytest.fixture(scope="module")
def model(code):
    return code("model")


@pytest.fixture(scope="module")
def task(model):
    return model.read(None)


@pytest.fixture(scope="module")
def tagger(model, task):
    return model.LinearTagger().fit(task.X[:300], task.y[:300])


def test_the_miniature_has_a_tag_and_a_cost_for_each_word(task):
    assert (len(task.X), len(task.X_test)) == (1500, 640)
    n_words = [text.count(" ") + 1 for text in task.X]
    assert n_words == [len(tags) for tags in task.y] == list(task.costs)
    kinds = {tag[2:] for tags in task.y for tag in tags if tag != "O"}
    assert kinds == {"corporation", "creative-work", "group", "location", "person", "product"}
    sentences, tags = read_conll(find_bundled("wnut17") / "train.conll")
    assert [text.split(" ") for text in task.X] == sentences
    assert task.y == tags


def test_folders_of_columns_and_of_json_give_the_same_task(model, tmp_path):
    rows = [json.dumps({"tokens": text.split(), "tags": tags}) for text, tags in SENTENCES]
    for part in ("train", "test"):
        (tmp_path / f"{part}.conll").write_text(COLUMNS)
    columns = model.read(tmp_path)
    for part in ("train", "test"):
        (tmp_path / f"{part}.conll").unlink()
        (tmp_path / f"wnut17.{part}.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
        (tmp_path / f"other.{part}.jsonl.gz").write_bytes(b"")  # a set that is not meant
    lines = model.read(tmp_path)
    assert columns.X == lines.X == [text for text, _ in SENTENCES]
    assert columns.y == lines.y == [tags for _, tags in SENTENCES]
    assert columns.costs == [2, 2]


def test_damaged_and_missing_parts_are_refused(model, tmp_path):
    (tmp_path / "train.conll").write_text(COLUMNS + "or\n")
    with pytest.raises(ValueError, match=r"line 6 of .*train.conll must have 2 columns"):
        model.read(tmp_path)
    (tmp_path / "train.conll").write_text(COLUMNS)
    with pytest.raises(FileNotFoundError, match=r"one file of the part 'test', .* found none"):
        model.read(tmp_path)


# (tags, entities), worked out by hand from the rules of CoNLL's scorer
@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("O O", []),
        ("B-a I-a O B-b", [("a", 0, 2), ("b", 3, 4)]),
        ("B-a B-a", [("a", 0, 1), ("a", 1, 2)]),
        ("I-a I-a B-a", [("a", 0, 2), ("a", 2, 3)]),
        ("B-a I-b", [("a", 0, 1), ("b", 1, 2)]),
        ("B-a I-a E-a S-a", [("a", 0, 3), ("a", 3, 4)]),
        ("E-a I-a", [("a", 0, 1), ("a", 1, 2)]),
    ],
)
def test_entities_are_those_of_the_rules(code, tags, spans):
    assert code("scores").list_spans(tags.split()) == spans


def test_other_tags_are_refused(code):
    with pytest.raises(ValueError, match=r"tags must be 'O', or B-, .* got 'NOUN'"):
        code("scores").list_spans(["NOUN"])


def count_by_loops(y, predicted):
    """F1 over BIO tags by a loop over all spans that there might be."""

    def is_entity(tags, first, stop):
        begins, kind = tags[first][0] == "B", tags[first][2:]
        inside = all(tag == f"I-{kind}" for tag in tags[first + 1 : stop])
        return begins and inside and (stop == len(tags) or tags[stop] != f"I-{kind}")

    right = known = found = 0
    for true, guess in zip(y, predicted, strict=True):
        for first in range(len(true)):
            for stop in range(first + 1, len(true) + 1):
                a, b = is_entity(true, first, stop), is_entity(guess, first, stop)
                right += a and b and true[first] == guess[first]
                known += a
                found += b
    return 2 * right / (known + found)


def draw_valid_tags(rng, length):
    tags = ["O"]
    for _ in range(length):
        options = ["O", "B-a", "B-b"]
        if tags[-1] != "O":
            options.append(f"I-{tags[-1][2:]}")
        tags.append(str(rng.choice(options)))
    return tags[1:]


def test_f1_is_that_of_loops_over_all_spans(code):
    rng = np.random.default_rng(0)
    y = [draw_valid_tags(rng, length) for length in range(1, 15)]
    predicted = [draw_valid_tags(rng, len(tags)) for tags in y]
    assert_allclose(code("scores").count_f1(y, predicted), count_by_loops(y, predicted))
    assert code("scores").count_f1(y, y) == 1.0
    assert code("scores").count_f1([["O"]], [["O"]]) == 0.0


def test_the_path_is_the_best_of_all_valid_ones(model):
    tags = ["B-a", "B-b", "I-a", "I-b", "O"]
    starts, follows = model.list_transitions(tags)
    proba = np.random.default_rng(0).dirichlet(np.ones(5), size=(20, 4))
    for table in proba:
        valid = (
            path
            for path in product(range(5), repeat=4)
            if starts[path[0]] and all(follows[a, b] for a, b in pairwise(path))
        )
        best = max(valid, key=lambda path: np.prod(table[np.arange(4), list(path)]))
        assert tuple(model.find_path(table, starts, follows)) == best


def test_inside_tags_follow_only_their_own_type(model):
    starts, follows = model.list_transitions(["B-a", "I-a", "I-b", "O"])
    assert starts.tolist() == [True, False, False, True]
    assert follows[:, 1].tolist() == [True, True, False, False]


def test_shapes_and_kinds_of_words(model):
    assert model.find_shape("McDonald's-99") == "XxXx'x-0"
    words = ["@ada", "#rome", "http://t.co/x", "4th", "...", "USA", "Ada", "ada", "@"]
    kinds = ["user", "hashtag", "address", "number", "sign", "capitals", "title", "lower", "sign"]
    assert [model.find_kind(word) for word in words] == kinds


def test_odds_of_marginals_are_those_of_words_without_weights(model, task, tagger):
    outside = list(tagger.classes_).index("O")
    marginals = np.concatenate(tagger.predict_marginals(task.X[:50]))
    weighted = tagger.softmax_.predict_proba(tagger._make_matrix(task.X[:50]))
    odds = [
        proba[:, outside] / np.delete(proba, outside, axis=1).sum(axis=1)
        for proba in (marginals, weighted)
    ]
    assert_allclose(odds[0], odds[1] / 0.03, rtol=1e-6)
    assert_allclose(marginals.sum(axis=1), 1.0)


def test_the_tagger_learns(code, task, tagger):
    f1 = code("scores").entity_f1(tagger, task.X_test, task.y_test)
    everything = [["B-person"] * len(tags) for tags in task.y_test]  # each word a person
    assert f1 > 2 * code("scores").count_f1(task.y_test, everything)
    assert f1 > 0.08


def test_a_tagger_that_saw_one_tag_predicts_it(model):
    tagger = model.LinearTagger().fit(["hm"], [["O"]])
    assert [tags.tolist() for tags in tagger.predict(["so so", "hm"])] == [["O", "O"], ["O"]]
    assert tagger.predict_marginals([]) == []


def test_each_strategy_asks_for_other_sentences(code, task, tagger):
    application = code("run").APPLICATION
    pool = task.X[300:600]
    queries = {}
    for name, strategy in application.strategies.items():
        learner = ActiveLearner(tagger, strategy, prefit=True, random_state=0)
        queries[name] = tuple(learner.query(pool, batch_size=20))
    assert len(set(queries.values())) == 3
    entities = {
        name: sum(tag[0] == "B" for i in rows for tag in task.y[300 + i])
        for name, rows in queries.items()
    }
    assert min(entities["MNLP"], entities["TotalDoubt"]) > 1.3 * entities["Random"]


def test_a_campaign_is_over_words(code, task):
    comparison = play(code("run").APPLICATION, task, Sizes(30, 20, 1000, n_pool=200), n_repeats=1)
    assert comparison.unit == "cost"
    assert not comparison.failures
    assert all(500 < run.n_labels[-1] <= 1000 for run in comparison.runs)
