"""Simulated annotators, for experiments on labels whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skactive._utils.array_types import Floats
from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_REAL, UNIT_INTERVAL
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.seeding import draw_seed
from skactive.crowds._answers import Answers

__all__ = ["SimulatedAnnotator", "SimulatedAnswers", "simulate_answers"]

Codes = NDArray[np.intp]


class SimulatedAnnotator(BaseEstimator):
    r"""An annotator who is right with some probability, takes time, and tires.

    Parameters
    ----------
    accuracy : float, default=0.8
        Probability of a right answer; errors fall on all other classes alike.
    confusion : array-like of shape (n_classes, n_classes), default=None
        Probability of each answer (column) given the true class (row), in place of `accuracy`.
    skill : callable, default=None
        ``skill(X)`` returns the probability of a right answer to each row, (n_rows,), in place of
        `accuracy`: for annotators who know some kinds of rows better.
    fatigue : float, default=0
        Share of the way to guessing that a hundred answers take: after n answers the annotator
        guesses with probability :math:`1 - (1 - f)^{n / 100}`.
    seconds : float, default=5
        Median time of an answer.
    seconds_spread : float, default=0.5
        Standard deviation of the logarithm of the time.
    price : float, default=1
        Cost of an answer.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.crowds import SimulatedAnnotator
    >>> annotator = SimulatedAnnotator(accuracy=0.9)
    >>> truth = np.zeros(1000, dtype=int)
    >>> answers, seconds = annotator.answer(truth, n_classes=3, random_state=0)
    >>> bool(abs((answers == truth).mean() - 0.9) < 0.03), bool(abs(np.median(seconds) - 5) < 0.5)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "accuracy": UNIT_INTERVAL,
        "confusion": ["array-like", None],
        "skill": [callable, None],
        "fatigue": UNIT_INTERVAL,
        "seconds": POSITIVE_REAL,
        "seconds_spread": NONNEGATIVE_REAL,
        "price": NONNEGATIVE_REAL,
    }

    def __init__(
        self,
        accuracy: float = 0.8,
        *,
        confusion: Any = None,
        skill: Any = None,
        fatigue: float = 0.0,
        seconds: float = 5.0,
        seconds_spread: float = 0.5,
        price: float = 1.0,
    ) -> None:
        self.accuracy = accuracy
        self.confusion = confusion
        self.skill = skill
        self.fatigue = fatigue
        self.seconds = seconds
        self.seconds_spread = seconds_spread
        self.price = price

    def answer(
        self,
        truth: Any,
        n_classes: int,
        *,
        X: Any = None,
        n_before: int = 0,
        random_state: Any = None,
    ) -> tuple[Codes, Floats]:
        """Answer some rows, one after the other.

        Parameters
        ----------
        truth : array-like of int of shape (n_rows,)
            True classes, as codes from 0.
        n_classes : int
            Number of classes.
        X : rows in any container, default=None
            The rows, if `skill` is to see them.
        n_before : int, default=0
            Number of answers that were given before.
        random_state : int, RandomState instance or None, default=None
            Seed.

        Returns
        -------
        answers : ndarray of int of shape (n_rows,)
            Codes of the answers.
        seconds : ndarray of shape (n_rows,)
            Time of each.

        Raises
        ------
        ValueError
            If `confusion` is no matrix of probabilities of that many classes, or `skill` gives no
            probabilities.
        """
        self._validate_params()
        codes = np.asarray(truth, dtype=np.intp)
        rng = np.random.default_rng(draw_seed(random_state))
        proba = self._answer_proba(codes, n_classes, X)
        freshness = (1 - self.fatigue) ** ((n_before + np.arange(len(codes))) / 100)
        proba = freshness[:, None] * proba + (1 - freshness[:, None]) / n_classes
        drawn = rng.random((len(codes), 1)) < proba.cumsum(axis=1)
        drawn[:, -1] = True  # sums of probabilities may be below 1 by rounding
        seconds = self.seconds * np.exp(self.seconds_spread * rng.standard_normal(len(codes)))
        return drawn.argmax(axis=1), seconds

    def _answer_proba(self, truth: Codes, n_classes: int, X: Any) -> Floats:
        """Return the probability of each answer to each row, without fatigue."""
        if self.confusion is not None:
            return _check_confusion(self.confusion, n_classes)[truth]
        right = np.full(len(truth), self.accuracy, dtype=np.float64)
        if self.skill is not None:
            right = np.asarray(self.skill(X), dtype=np.float64)
            if right.shape != truth.shape or not ((right >= 0) & (right <= 1)).all():
                raise ValueError(
                    f"skill must return a probability for each of the {len(truth)} rows, in [0, 1]."
                )
        proba = np.repeat(((1 - right) / max(n_classes - 1, 1))[:, None], n_classes, axis=1)
        proba[np.arange(len(truth)), truth] = right if n_classes > 1 else 1.0
        return proba


class SimulatedAnswers(NamedTuple):
    """Answers of simulated annotators.

    Attributes
    ----------
    answers : Answers
        Who said what; annotators are named by their position.
    seconds, costs : ndarray of shape (n_answers,)
        Time and price of each answer, in the order of the answers.
    """

    answers: Answers
    seconds: Floats
    costs: Floats


def simulate_answers(
    annotators: Sequence[SimulatedAnnotator],
    y: Any,
    *,
    X: Any = None,
    n_answers: int = 3,
    random_state: Any = None,
) -> SimulatedAnswers:
    """Let simulated annotators answer rows whose labels are known.

    Parameters
    ----------
    annotators : sequence of SimulatedAnnotator
        The annotators.
    y : array-like of shape (n_rows,)
        True labels.
    X : rows in any container, default=None
        The rows, for annotators with a `skill`.
    n_answers : int, default=3
        Number of different annotators who answer each row, drawn at random.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    SimulatedAnswers

    Raises
    ------
    ValueError
        If there are fewer annotators than answers per row.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.crowds import MajorityVote, SimulatedAnnotator, simulate_answers
    >>> y = np.array(["cat", "dog"])[np.random.RandomState(0).randint(2, size=500)]
    >>> crowd = [SimulatedAnnotator(accuracy) for accuracy in (0.9, 0.8, 0.6)]
    >>> simulated = simulate_answers(crowd, y, random_state=0)
    >>> simulated.answers
    Answers(1,500 answers of 3 annotators on 500 items, 2 classes)
    >>> bool((MajorityVote().fit(simulated.answers).labels_ == y).mean() > 0.8)
    True
    """
    if not 1 <= n_answers <= len(annotators):
        raise ValueError(
            f"n_answers must lie between 1 and the {len(annotators)} annotators, got {n_answers}."
        )
    classes, truth = np.unique(np.asarray(y), return_inverse=True)
    if X is not None and n_rows(X) != len(truth):
        raise ValueError(f"X has {n_rows(X)} rows, but y has {len(truth)} labels.")
    rng = np.random.default_rng(draw_seed(random_state))
    ranks = rng.random((len(truth), len(annotators))).argsort(axis=1)
    parts = []
    for name, annotator in enumerate(annotators):
        rows = np.flatnonzero(ranks[:, name] < n_answers)
        given, seconds = annotator.answer(
            truth[rows],
            len(classes),
            X=None if X is None else take_rows(X, rows),
            random_state=int(rng.integers(2**31 - 1)),
        )
        prices = np.full(len(rows), annotator.price, dtype=np.float64)
        parts.append((rows, np.full(len(rows), name), classes[given], seconds, prices))
    items, names, labels, seconds, costs = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    answers = Answers(items, names, labels, classes=classes, all_items=np.arange(len(truth)))
    return SimulatedAnswers(answers, seconds, costs)


def _check_confusion(confusion: Any, n_classes: int) -> Floats:
    matrix = np.asarray(confusion, dtype=np.float64)
    if matrix.shape != (n_classes, n_classes):
        raise ValueError(
            f"confusion must have shape {(n_classes, n_classes)}, a row for each true class, got "
            f"{matrix.shape}."
        )
    if (matrix < 0).any() or not np.allclose(matrix.sum(axis=1), 1.0):
        raise ValueError("The rows of confusion must be probabilities: at least 0, sum of 1.")
    return matrix
