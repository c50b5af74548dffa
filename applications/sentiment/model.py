"""Reviews to learn from, and a net over vectors of words that need no labels."""

from __future__ import annotations

from pathlib import Path

from grammar import write_reviews
from net import WordNet, make_net
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from words import WordNumbers, learn_word_vectors

from skactive import ActiveLearner
from skactive.applications import Task
from skactive.datasets import read_split_texts

TEXT, LABEL = "text", "label"  # the columns of your table


def read(path: Path | None) -> Task:
    """Read labeled texts, or write those of the miniature.

    Parameters
    ----------
    path : Path or None
        A table (.csv, .tsv, .jsonl, also with .gz); ``FOLDER/films`` for ``films.train.csv`` and
        ``films.test.csv``; None for the miniature.

    Returns
    -------
    Task
        With texts as rows.
    """
    if path is None:
        pool, test = write_reviews(2000, 0), write_reviews(800, 1)
        return Task(*pool, *test, "2,000 film reviews that a grammar wrote")
    train, test_part = read_split_texts(path, text=TEXT, target=LABEL)
    return Task(*train, *test_part, f"{path.name}, {len(train.texts):,} texts")


def make_model(task: Task) -> ActiveLearner:
    """Make the model: a net over vectors of words.

    The vectors are learned from all texts, which are free without a label; the net from the labels.

    Parameters
    ----------
    task : Task
        The texts.

    Returns
    -------
    ActiveLearner
        A net has a fixed number of outputs, so the classes are declared.
    """
    numbers = WordNumbers().fit(task.X)
    vectors = learn_word_vectors(numbers.transform(task.X), len(numbers.numbers_))
    classes = sorted(set(task.y))
    net = make_net(WordNet, module__vectors=vectors, module__n_classes=len(classes))
    return ActiveLearner(make_pipeline(FrozenEstimator(numbers), net), classes=classes)


def make_linear_model(task: Task) -> Pipeline:
    """Make TF-IDF of words and pairs of words with logistic regression, which needs no torch.

    Parameters
    ----------
    task : Task
        The texts.

    Returns
    -------
    Pipeline
    """
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2).fit(task.X)
    return make_pipeline(FrozenEstimator(words), LogisticRegression(C=10, max_iter=1000))
