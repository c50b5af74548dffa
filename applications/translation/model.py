"""Translation: pairs of sentences, and a net that is trained on them from scratch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from net import END, N_SPECIAL, START, UNKNOWN, Hypotheses, Seq2Seq, search, train
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from words import count_words, encode, split_words

from skactive.adapters import StructuredAdapter, register
from skactive.applications import Task
from skactive.datasets import TextPairs, find_bundled, read_pairs

SOURCE, TARGET = "de", "en"  # names of columns, and suffixes of parallel files


# Data -------------------------------------------------------------------------------------------


def read(folder: Path | None) -> Task:
    """Read pairs to learn from and to test on; each costs the number of words to translate."""
    small = folder is None
    folder = find_bundled("captions") if folder is None else folder
    train_pairs, test_pairs = (_read_part(folder, part) for part in ("train", "test"))
    return Task(
        X=train_pairs.sources,
        y=train_pairs.targets,
        X_test=test_pairs.sources,
        y_test=test_pairs.targets,
        source=f"{len(train_pairs.sources)} pairs of {folder.name}, tested on "
        f"{len(test_pairs.sources)} others",
        costs=[len(split_words(text)) for text in train_pairs.sources],
        unit="words",
        details={"n_dims": 64, "n_steps": 150, "rate": 0.02} if small else {},
    )


def _read_part(folder: Path, part: str) -> TextPairs:
    """Read train or test: a table, lines of JSON, or one file per language."""
    files = {
        path.name.lower(): path
        for path in sorted(folder.glob("*"))
        if re.search(rf"(^|[._-]){part}([._-]|$)", path.name.lower()) and path.is_file()
    }
    parallel = [
        path
        for suffix in (SOURCE, TARGET)
        for name, path in files.items()
        if name.removesuffix(".gz").endswith(f".{suffix}")
    ]
    if len(parallel) == 2:
        return read_pairs(*parallel)
    if len(files) != 1:
        raise FileNotFoundError(
            f"{folder} must have one file of the part {part!r}, such as {part}.tsv or "
            f"{part}.jsonl.gz, or two, {part}.{SOURCE} and {part}.{TARGET}; found "
            f"{', '.join(files) or 'none'}."
        )
    (path,) = files.values()
    is_json = ".jsonl" in path.suffixes
    return read_pairs(path, columns=(SOURCE, TARGET) if is_json else None)


# Model ------------------------------------------------------------------------------------------


class Translator(BaseEstimator):
    """A small net that translates, trained from scratch on the pairs that are known.

    Parameters
    ----------
    n_dims : int, default=128
        Size of its embeddings and states.
    n_steps : int, default=350
        Steps of training, with 24 pairs each; one more for each six pairs.
    rate : float, default=0.005
        Highest rate of learning.
    n_hypotheses : int, default=1
        Width of the beam: how many translations are found of each sentence.
    random_state : int, default=None
        Seed of the net.
    """

    def __init__(
        self,
        n_dims: int = 128,
        n_steps: int = 350,
        rate: float = 0.005,
        n_hypotheses: int = 1,
        random_state: Any = None,
    ) -> None:
        self.n_dims = n_dims
        self.n_steps = n_steps
        self.rate = rate
        self.n_hypotheses = n_hypotheses
        self.random_state = random_state

    def fit(self, X: Sequence[str], y: Sequence[str]) -> Translator:
        """Fit to sentences and their translations."""
        sources, targets = ([split_words(text) for text in texts] for texts in (X, y))
        self.source_words_, self.target_words_ = count_words(sources), count_words(targets)
        self.memory_: dict[str, Hypotheses] = {}
        pairs = (
            [self._encode(words) for words in sources],
            [[START, *encode(words, self.target_words_), END] for words in targets],
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(check_random_state(self.random_state).randint(2**31 - 1))
            sizes = (N_SPECIAL + len(words) for words in (self.source_words_, self.target_words_))
            self.net_ = Seq2Seq(*sizes, n_dims=self.n_dims, dropout=0.3)
            train(self.net_, *pairs, self.n_steps + len(sources) // 6, 24, self.rate)
        return self

    def _encode(self, words: Sequence[str]) -> list[int]:
        return [*encode(words, self.source_words_), END]  # never without a token

    def search(self, X: Iterable[str]) -> list[Hypotheses]:
        """Return the hypotheses of each sentence; each is searched for once."""
        texts = list(X)
        if new := [text for text in dict.fromkeys(texts) if text not in self.memory_]:
            tokens = [self._encode(split_words(text)) for text in new]
            found = search(self.net_, tokens, self.n_hypotheses)
            self.memory_.update(zip(new, found, strict=True))
        return [self.memory_[text] for text in texts]

    def list_texts(self, X: Iterable[str]) -> list[list[str]]:
        """Return the hypotheses of each sentence as texts, the best first."""
        texts = list(X)
        pairs = zip(texts, self.search(texts), strict=True)
        return [self._write(split_words(text), hypotheses) for text, hypotheses in pairs]

    def _write(self, source: list[str], found: Hypotheses) -> list[str]:
        """Write tokens as words; an unknown one is the word of the source that it attends to."""
        names = {number: word for word, number in self.target_words_.items()}
        source = [*source, ""]
        return [
            " ".join(
                source[place] if token == UNKNOWN else names[token]
                for token, place in zip(tokens, origins, strict=True)
            )
            for tokens, origins in zip(found.tokens, found.origins, strict=True)
        ]

    def predict(self, X: Iterable[str]) -> list[str]:
        """Return the best translation of each sentence."""
        return [texts[0] for texts in self.list_texts(X)]


@register(Translator)
class TranslatorAdapter(StructuredAdapter):
    """How skactive reads a translator: each row has hypotheses."""

    element = "hypothesis"

    def log_likelihood(self, Z: Any) -> Any:
        """Return the logarithm of each hypothesis' probability."""
        return (np.array(row.log_likelihood) for row in self.model.search(Z))

    def lengths(self, Z: Any) -> Any:
        """Return the number of each hypothesis' tokens."""
        return (np.array(row.lengths) for row in self.model.search(Z))

    def prediction(self, Z: Any) -> Any:
        """Return the hypotheses as texts."""
        return (np.array(texts, dtype=object) for texts in self.model.list_texts(Z))


def make_model(task: Task) -> Translator:
    """Return the translator, smaller for the miniature."""
    return Translator(**task.details)


def bleu(model: Any, X: Sequence[str], y: Sequence[str]) -> float:
    """Return the BLEU of a model's translations, in lower case, from 0 to 100."""
    from sacrebleu import corpus_bleu

    return float(corpus_bleu(model.predict(X), [list(y)], lowercase=True, force=True).score)
