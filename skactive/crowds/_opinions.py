"""Scores of new rows and second opinions, in one ranking."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from skactive._utils.array_types import Floats
from skactive.crowds._answers import Answers
from skactive.crowds._crowd_lab import CrowdLab

__all__ = ["OpinionScores", "score_opinions"]

_LOG_TEMPERATURES = (np.log(0.05), np.log(20.0))
_TINY = 1e-30


class OpinionScores(NamedTuple):
    """How much a further answer is worth.

    Attributes
    ----------
    answered : ndarray of shape (n_items,)
        Scores of the items that have answers: of second opinions.
    new : ndarray of shape (n_new,)
        Scores of rows without an answer, on the same scale; empty if there are none.
    """

    answered: Floats
    new: Floats


def score_opinions(answers: Answers, proba: Any, proba_new: Any = None) -> OpinionScores:
    r"""Score how much a further answer is worth, to rows with answers and without.

    The score is 1 minus the probability of the consensus (:class:`CrowdLab`) as it would be after
    one more answer that tells nothing: a weighted mean of the probability of the consensus, with
    the weight of the model and of those who answered, and of :math:`1 / n\_classes`, with that of
    an average annotator. So the doubt of a row with many good answers counts little [1]_.

    Parameters
    ----------
    answers : Answers
        The answers so far.
    proba : array-like of shape (n_items, n_classes)
        Probabilities of a model that has not learned from the answers to the same items, in the
        order of ``answers.items`` and ``answers.classes``.
    proba_new : array-like of shape (n_new, n_classes), default=None
        Probabilities of rows without an answer.

    Returns
    -------
    OpinionScores
        From 0 to 1, higher is worth more. Divide by the price of an answer, if these differ.

    Notes
    -----
    The probabilities are sharpened or softened first, so that they fit the answers, if some items
    have several. (cleanlab 2.9 does so with answers that its count has put under other classes, so
    that its temperatures are different; the rest is equal.)

    References
    ----------
    .. [1] H. W. Goh and J. Mueller (2023). "ActiveLab: active learning with re-labeling by multiple
       annotators." :doi:`10.48550/arXiv.2301.11856`

    Examples
    --------
    Two annotators disagree on the second item, and nobody has seen the new row:

    >>> import numpy as np
    >>> from skactive.crowds import Answers, score_opinions
    >>> answers = Answers.from_matrix([[0, 0], [0, 1], [1, 1], [0, 0]])
    >>> proba = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.8, 0.2]])
    >>> scores = score_opinions(answers, proba, proba_new=[[0.6, 0.4]])
    >>> int(scores.answered.argmax()), bool(scores.new[0] > scores.answered[0])
    (1, True)
    """
    table = np.asarray(proba, dtype=np.float64)
    n_classes = len(answers.classes)
    if table.shape != (len(answers.items), n_classes):
        raise ValueError(
            f"proba must have shape {(len(answers.items), n_classes)}, a row for each of "
            f"answers.items and a column for each of answers.classes, got {table.shape}."
        )
    new = np.empty((0, n_classes)) if proba_new is None else np.asarray(proba_new, dtype=np.float64)
    if new.ndim != 2 or new.shape[1] != n_classes:
        raise ValueError(f"proba_new must have {n_classes} columns, got shape {new.shape}.")
    counts = answers.count_votes()
    temperature = 1.0
    if (counts.sum(axis=1) > 1).any():
        temperature = _find_temperature(counts, table)
        model = CrowdLab().fit(answers, proba=_soften(table, temperature))
        quality, weights = model.proba_.max(axis=1), model.annotator_weight_
        model_weight = model.model_weight_
    else:  # nothing is known of the annotators, so that all count alike
        quality = (table * counts).sum(axis=1)
        weights, model_weight = np.ones(len(answers.annotators)), 1.0
    given = np.bincount(
        answers.item_codes, weights[answers.annotator_codes], minlength=len(answers.items)
    )
    best = _soften(new, temperature).max(axis=1, initial=0.0)
    return OpinionScores(
        1 - _add_answer(quality, given + model_weight, weights.mean(), n_classes),
        1 - _add_answer(best, np.full(len(new), model_weight), weights.mean(), n_classes),
    )


def _add_answer(quality: Floats, weights: Floats, added: float, n_classes: int) -> Floats:
    """Return the quality after an answer of weight `added` that tells nothing."""
    return (quality * weights + added / n_classes) / (weights + added)


def _find_temperature(counts: Floats, proba: Floats) -> float:
    """Return the temperature at which probabilities fit the answers best."""
    answered = counts.sum(axis=1) > 0
    shares = counts[answered] / counts[answered].sum(axis=1, keepdims=True)
    logs = np.log(np.maximum(proba[answered], _TINY))

    def compute_loss(log_temperature: float) -> float:
        return float(-(shares * _log_softmax(logs / np.exp(log_temperature))).sum())

    best = minimize_scalar(compute_loss, bounds=_LOG_TEMPERATURES, method="bounded")
    return float(np.exp(best.x))


def _soften(proba: Floats, temperature: float) -> Floats:
    return np.exp(_log_softmax(np.log(np.maximum(proba, _TINY)) / temperature))


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
