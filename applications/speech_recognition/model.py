"""A recognizer that is trained from scratch, how skactive reads it, and its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from data import N_MELS, Frames
from net import Hypotheses, Output, SoundNet, run_net, search, train
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skactive.adapters import StructuredAdapter, register
from skactive.applications import Task
from skactive.scores import word_error_rate


class Recognizer(BaseEstimator):
    """A small net that writes what it hears, trained from scratch on what is known.

    Parameters
    ----------
    n_steps : int, default=100
        Steps of training, with 16 sounds each: few labels get as much training as many.
    rate : float, default=0.02
        Highest rate of learning.
    width : int, default=64
        Channels of the net.
    letters : bool, default=False
        Whether the net writes letters, or words of the transcripts that it has seen.
    n_hypotheses : int, default=8
        Width of the beam: how many transcripts are found of each sound.
    random_state : int, default=None
        Seed of the net.
    """

    def __init__(
        self,
        n_steps: int = 100,
        rate: float = 0.02,
        width: int = 64,
        letters: bool = False,
        n_hypotheses: int = 8,
        random_state: Any = None,
    ) -> None:
        self.n_steps = n_steps
        self.rate = rate
        self.width = width
        self.letters = letters
        self.n_hypotheses = n_hypotheses
        self.random_state = random_state

    def fit(self, X: Sequence[Frames], y: Sequence[str]) -> Recognizer:
        """Fit to frames, each (n_frames, N_MELS), and transcripts."""
        texts = [self._split(text) for text in y]
        self.tokens_ = sorted({token for tokens in texts for token in tokens})
        if not self.tokens_:
            raise ValueError("all transcripts are empty: there is nothing to learn.")
        numbers = {token: number for number, token in enumerate(self.tokens_, 1)}
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.net_ = SoundNet(N_MELS, 1 + len(self.tokens_), self.width)
            train(
                self.net_,
                list(X),
                [[numbers[token] for token in tokens] for tokens in texts],
                self.n_steps,
                16,
                self.rate,
                np.random.default_rng(seed),
            )
        return self

    def _split(self, text: str) -> list[str]:
        return list(text) if self.letters else text.split()

    def write(self, tokens: Sequence[int]) -> str:
        """Return numbers of tokens as a text."""
        return ("" if self.letters else " ").join(self.tokens_[token - 1] for token in tokens)

    def listen(self, X: Sequence[Frames]) -> list[Output]:
        """Return what the net says of each sound."""
        return run_net(self.net_, X)

    def search(self, outputs: Sequence[Output]) -> list[Hypotheses]:
        """Return the most probable transcripts of what the net has said."""
        return [search(output.log_proba, self.n_hypotheses) for output in outputs]

    def predict(self, X: Sequence[Frames]) -> list[str]:
        """Return the most probable transcript of each sound."""
        return [self.write(found.tokens[0]) for found in self.search(self.listen(X))]


@register(Recognizer)
class RecognizerAdapter(StructuredAdapter):
    """How skactive reads a recognizer: each row has hypotheses, and the mean state of the net."""

    element = "hypothesis"

    def prepare(self, X: Sequence[Frames]) -> list[tuple[Output, Hypotheses]]:
        """Listen and search once, for all readings."""
        outputs = self.model.listen(X)
        return list(zip(outputs, self.model.search(outputs), strict=True))

    def features(self, Z: Any) -> Any:
        """Return the mean state of each sound, (n_rows, width)."""
        return np.stack([output.state for output, _ in Z])

    def log_likelihood(self, Z: Any) -> Any:
        """Return the logarithm of each hypothesis' probability."""
        return [np.array(found.log_likelihood, dtype=np.float32) for _, found in Z]

    def lengths(self, Z: Any) -> Any:
        """Return the number of each hypothesis' tokens; of silence, 1."""
        return [np.array([max(1, len(tokens)) for tokens in found.tokens]) for _, found in Z]

    def prediction(self, Z: Any) -> Any:
        """Return the hypotheses as texts."""
        return [np.array([*map(self.model.write, found.tokens)], dtype=object) for _, found in Z]


def make_model(task: Task) -> Recognizer:
    """Return the recognizer, with less training for the miniature."""
    return Recognizer(**task.details)


def word_accuracy(model: Any, X: Sequence[Frames], y: Sequence[str]) -> float:
    """Return 1 minus the word error rate over all transcripts: below 0 if more is wrong."""
    n_words = np.array([len(text.split()) for text in y])
    rates = [word_error_rate(*pair) for pair in zip(y, model.predict(X), strict=True)]
    return float(1.0 - np.maximum(n_words, 1) @ rates / n_words.sum())
