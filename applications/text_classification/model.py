"""Texts to learn from, and a linear model of TF-IDF that few labels suffice for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grammar import write_news
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import Normalizer

from skactive.applications import Task
from skactive.datasets import read_split_texts

TEXT, LABEL = "text", "label"  # the columns of your table


def read(path: Path | None) -> Task:
    """Read labeled texts, or write those of the miniature.

    Parameters
    ----------
    path : Path or None
        A table (.csv, .tsv, .jsonl, also with .gz); ``FOLDER/news`` for ``news.train.csv`` and
        ``news.test.csv``; None for the miniature.

    Returns
    -------
    Task
        With texts as rows.
    """
    if path is None:
        pool, test = write_news(2000, 0), write_news(1000, 1)
        return Task(*pool, *test, "2,000 stories that a grammar wrote, 4 topics")
    train, test_part = read_split_texts(path, text=TEXT, target=LABEL)
    n_classes = len(set(train.labels))
    source = f"{path.name}, {len(train.texts):,} texts, {n_classes} classes"
    return Task(*train, *test_part, source)


def learn_features(texts: Sequence[str]) -> FrozenEstimator:
    """Learn what words mean from texts, which need no labels.

    TF-IDF weights, and the 200 directions in which words occur together (latent semantic analysis).
    They are frozen: fitting a pipeline does not learn them again.

    Parameters
    ----------
    texts : sequence of str
        All texts that there are.

    Returns
    -------
    FrozenEstimator
        A transformer of texts.
    """
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=20_000)
    n_words = words.fit_transform(texts).shape[1]
    meanings = TruncatedSVD(min(200, n_words - 1), random_state=0)
    features = make_union("passthrough", make_pipeline(meanings, Normalizer()))
    return FrozenEstimator(make_pipeline(words, features).fit(texts))


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
    return make_pipeline(learn_features(task.X), LogisticRegression(C=10, max_iter=1000))
