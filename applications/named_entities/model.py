"""Named entities: tweets with a tag for each word, and a tagger that is linear in many features."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from skactive.applications import Task
from skactive.datasets import TaggedSentences, find_bundled, read_conll, read_tagged_json

Array = NDArray[Any]


# Data -------------------------------------------------------------------------------------------


def read(folder: Path | None) -> Task:
    """Read sentences to learn from and to test on; each costs its number of words.

    A row is a sentence as a text, its words apart by blanks, and its label is a list with a tag for
    each word.
    """
    folder = find_bundled("wnut17") if folder is None else folder
    train, test = (_read_part(folder, part) for part in ("train", "test"))
    return Task(
        X=_join_words(train),
        y=train.tags,
        X_test=_join_words(test),
        y_test=test.tags,
        source=f"{len(train.tags)} sentences of {folder.name}, tested on {len(test.tags)} others",
        costs=[len(tags) for tags in train.tags],
        unit="words",
    )


def _read_part(folder: Path, part: str) -> TaggedSentences:
    """Read train or test: CoNLL's columns, or lines of JSON with "tokens" and "tags"."""
    found = [
        path
        for path in sorted(folder.glob("*"))
        if part in re.split(r"[._-]", path.name.lower()) and path.is_file()
    ]
    named = [path for path in found if path.name.startswith("wnut17")]  # beside other sets
    if len(named or found) != 1:
        raise FileNotFoundError(
            f"{folder} must have one file of the part {part!r}, such as {part}.conll or "
            f"{part}.jsonl.gz; found {', '.join(path.name for path in found) or 'none'}."
        )
    (path,) = named or found
    is_json = path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson"))
    return read_tagged_json(path) if is_json else read_conll(path)


def _join_words(part: TaggedSentences) -> list[str]:
    """Join the words of sentences by blanks; a blank inside a word becomes an underscore."""
    return [" ".join(word.replace(" ", "_") for word in words) for words in part.sentences]


# Features ---------------------------------------------------------------------------------------


@lru_cache(maxsize=200_000)  # a campaign looks at the same sentences in every round
def list_features(sentence: str) -> Array:
    """Return the hashed names of each word's features, (n_words, n_features).

    They are the word, its ends, its shape, and those of the words around it.
    """
    words = sentence.split(" ")
    case = _describe_case(words)
    around = ["<s>", "<s>", *words, "</s>", "</s>"]
    lower, shapes = [word.lower() for word in around], [find_shape(word) for word in around]
    rows = []
    for i in range(2, len(words) + 2):
        word, shape, kind = lower[i], shapes[i], find_kind(around[i])
        names = (
            "bias",
            f"word {word}",
            f"shape {shape}",
            f"kind {kind} {case}",
            f"first {kind} {i == 2}",
            f"begins {word[:2]}",
            f"begins {word[:3]}",
            f"ends {word[-2:]}",
            f"ends {word[-3:]}",
            f"before {lower[i - 1]}",
            f"before2 {lower[i - 2]}",
            f"after {lower[i + 1]}",
            f"after2 {lower[i + 2]}",
            f"before {lower[i - 1]} {kind}",
            f"after {lower[i + 1]} {kind}",
            f"before {lower[i - 2]} {lower[i - 1]} {kind}",
            f"after {lower[i + 1]} {lower[i + 2]} {kind}",
            f"shapes {shapes[i - 1]} {shape}",
            f"shapes {shape} {shapes[i + 1]} after",
            f"shapes {shapes[i - 1]} {shape} {shapes[i + 1]}",
        )
        rows.append([crc32(name.encode()) for name in names])
    return np.array(rows, dtype=np.int64)


def find_shape(word: str) -> str:
    """Return the shape of a word: "McDonald's" is "XxXx'x"."""
    shape = re.sub(r"\d", "0", re.sub("[a-z]", "x", re.sub("[A-Z]", "X", word)))
    return re.sub(r"(.)\1+", r"\1", shape)


def find_kind(word: str) -> str:
    """Return the kind of a word in a tweet."""
    tests = (
        ("user", len(word) > 1 and word[0] == "@"),
        ("hashtag", len(word) > 1 and word[0] == "#"),
        ("address", "://" in word or "www." in word or ".com" in word.lower()),
        ("number", any(sign.isdigit() for sign in word)),
        ("sign", not any(sign.isalnum() for sign in word)),
        ("capitals", word.isupper() and len(word) > 1),
        ("title", word[0].isupper()),
    )
    return next((name for name, holds in tests if holds), "lower")


def _describe_case(words: Sequence[str]) -> str:
    """Return how many words of a sentence begin with a capital: that of one then means less."""
    share = np.mean([word[0].isupper() for word in words if word[:1].isalpha()] or [0.0])
    return "many" if share > 0.6 else "few" if share < 0.1 else "some"


# Model ------------------------------------------------------------------------------------------


class LinearTagger(BaseEstimator):
    """Softmax regression over the features of each word, and the best valid sequence of tags.

    Parameters
    ----------
    C : float, default=3.0
        Inverse strength of the penalty.
    outside_weight : float, default=0.03
        Weight of words outside entities: 19 in 20 are, and F1 counts entities only. Predictions are
        those of the weighted words; marginals are corrected to the shares that were seen.
    min_count : int, default=2
        Features that fewer of the labeled words have are left out.
    """

    def __init__(self, C: float = 3.0, outside_weight: float = 0.03, min_count: int = 2) -> None:
        self.C = C
        self.outside_weight = outside_weight
        self.min_count = min_count

    def fit(self, X: Sequence[str], y: Sequence[Sequence[str]]) -> LinearTagger:
        """Fit to sentences and their lists of tags."""
        tags = np.concatenate([np.asarray(row, dtype=str) for row in y])
        names, counts = np.unique(_stack(X), return_counts=True)
        self.features_ = names[counts >= self.min_count]
        self.classes_ = np.unique(tags)
        self.weights_ = np.where(self.classes_ == "O", self.outside_weight, 1.0)
        if len(self.classes_) > 1:
            softmax = LogisticRegression(C=self.C, tol=1e-3, max_iter=100)
            weights = self.weights_[np.searchsorted(self.classes_, tags)]
            self.softmax_ = softmax.fit(self._make_matrix(X), tags, weights)
        return self

    def _make_matrix(self, X: Sequence[str]) -> sp.csr_matrix:
        """Return the features of the words of all sentences, (n_words, n_known_features)."""
        names = _stack(X)
        columns = np.searchsorted(self.features_, names).clip(max=len(self.features_) - 1)
        is_known = self.features_[columns] == names
        starts = np.append(0, is_known.sum(axis=1).cumsum())
        values = np.ones(starts[-1], dtype=np.float32)
        shape = (len(names), len(self.features_))
        return sp.csr_matrix((values, columns[is_known], starts), shape=shape)

    def predict_marginals(self, X: Sequence[str]) -> list[Array]:
        """Return the probabilities of the tags, an array (n_words, n_classes) per sentence."""
        shares = [proba / self.weights_ for proba in self._predict_weighted(X)]
        return [proba / proba.sum(axis=1, keepdims=True) for proba in shares]

    def _predict_weighted(self, X: Sequence[str]) -> list[Array]:
        if not len(X):
            return []
        if len(self.classes_) == 1:
            return [np.ones((len(list_features(sentence)), 1)) for sentence in X]
        ends = np.cumsum([len(list_features(sentence)) for sentence in X])[:-1]
        return np.split(self.softmax_.predict_proba(self._make_matrix(X)), ends)

    def predict(self, X: Sequence[str]) -> list[Array]:
        """Return the best valid tags, an array (n_words,) per sentence."""
        allowed = list_transitions(self.classes_)
        return [self.classes_[find_path(proba, *allowed)] for proba in self._predict_weighted(X)]


def _stack(X: Iterable[str]) -> Array:
    return np.concatenate([list_features(sentence) for sentence in X])


def list_transitions(classes: Sequence[str]) -> tuple[Array, Array]:
    """Return which tags may begin a sentence, (n_classes,), and follow each other, (n, n).

    "I-person" follows "B-person" or itself only.
    """
    tags = [str(tag) for tag in classes]
    starts = np.array([not tag.startswith("I-") for tag in tags])
    follows = np.array([[_may_follow(tag, last) for tag in tags] for last in tags])
    return starts, follows


def _may_follow(tag: str, last: str) -> bool:
    return not tag.startswith("I-") or (last != "O" and last[2:] == tag[2:])


def find_path(proba: Array, starts: Array, follows: Array) -> Array:
    """Return the most probable path of valid tags, (n_words,), by the algorithm of Viterbi."""
    with np.errstate(divide="ignore"):
        scores = np.log(proba)
        total = scores[0] + np.log(starts)
        steps = np.log(follows)  # 0 or minus infinity
    origins = []
    for score in scores[1:]:
        through = total[:, np.newaxis] + steps  # (from, to)
        origins.append(through.argmax(axis=0))
        total = through.max(axis=0) + score
    path = [int(total.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return np.array(path[::-1])


def make_model(task: Task) -> LinearTagger:
    """Return the tagger."""
    return LinearTagger()
