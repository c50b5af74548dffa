"""Reviews to learn from, and a linear model of words and of what words mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grammar import write_reviews
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from words import MeanWordVectors

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
        pool, test = write_reviews(3000, 0), write_reviews(1000, 1)
        return Task(*pool, *test, "3,000 film reviews that a grammar wrote")
    train, test_part = read_split_texts(path, text=TEXT, target=LABEL)
    return Task(*train, *test_part, f"{path.name}, {len(train.texts):,} texts")


def learn_features(texts: Sequence[str]) -> FrozenEstimator:
    """Learn what words mean from texts, which need no labels.

    Weights of words and pairs of words (TF-IDF), and vectors of words, alike for words that occur
    near the same others: so "witty" says something after "funny" was labeled. They are frozen:
    fitting a pipeline does not learn them again.

    Parameters
    ----------
    texts : sequence of str
        All texts that there are.

    Returns
    -------
    FrozenEstimator
        A transformer of texts.
    """
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    return FrozenEstimator(make_union(words, MeanWordVectors()).fit(texts))


def make_model(task: Task) -> Pipeline:
    """Make the model: features of all texts, and logistic regression, which each round fits.

    Parameters
    ----------
    task : Task
        The texts.

    Returns
    -------
    Pipeline
    """
    return make_pipeline(learn_features(task.X), LogisticRegression(C=3, max_iter=1000))
