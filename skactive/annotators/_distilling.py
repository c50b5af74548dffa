"""Distilling: a small model learns from the answers of annotators, as far as they are reliable."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import has_fit_parameter

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_number
from skactive._utils.labels import join_labels, read_labels
from skactive._utils.rows import join_rows, n_rows, take_rows
from skactive.annotators._annotations import Annotations
from skactive.annotators._paths import Calibration

__all__ = ["distill", "weigh_answers"]

_TRUSTS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)  # factors of the answers that are tried
_N_FOLDS = 5
_LEAST_PROBA = 1e-6


def distill(
    estimator: Any,
    X: Any,
    answers: Annotations,
    *,
    X_labeled: Any = None,
    y_labeled: Any = None,
    labeled_answers: Annotations | None = None,
    trust: float | None = None,
    random_state: Any = None,
) -> Any:
    r"""Fit a small model to answers of annotators, weighted by their reliability.

    An answer that is right with probability p weighs

    .. math:: w = \Bigl[ \frac{p - 1/K}{1 - 1/K} \Bigr]_+

    with K the number of classes: 1 if it is certain, 0 if it is no better than a guess. p is the
    confidence of the annotator; with `labeled_answers`, what that confidence was worth where the
    true labels are known. Labels of people weigh 1.

    Wrong answers of a model are alike, so that many of them drown the labels of people even at
    their due weights. So all answers are multiplied by one factor, `trust`, which is chosen by the
    loss on labels of people that are held out; at 0 the model learns from people alone.

    Parameters
    ----------
    estimator : classifier
        The model; a clone of it is fitted. It, or the last step of a Pipeline, must take
        ``sample_weight``.
    X : rows in any container
        The rows that were annotated.
    answers : Annotations
        Answers to them, of ``annotate`` of a model, a router or another annotator. Rows that it
        left to people are not used.
    X_labeled : rows in the container of X, default=None
        Further rows, which people labeled.
    y_labeled : array-like of shape (n_labeled,), default=None
        Their labels.
    labeled_answers : Annotations, default=None
        What the annotator says of the rows in `X_labeled`.
    trust : float, default=None
        Factor of the weights of all answers, from 0 to 1. None chooses one of 0, .01, .03, .1, .3
        and 1 by five-fold cross-validation on the labels of people, of at least two rows per class;
        without them it is 1. That is 30 fits.
    random_state : int, RandomState or None, default=None
        Draws the folds.

    Returns
    -------
    estimator
        The fitted clone, with the factor as its attribute ``trust_``.

    Raises
    ------
    ValueError
        If sizes do not agree, nothing is left to learn from, or the model takes no weights.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015,
    :doi:`10.48550/arXiv.1503.02531`, learn from probabilities; here labels and weights serve, which
    every classifier takes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive.annotators import ModelAnnotator, distill
    >>> X, y = load_iris(return_X_y=True)
    >>> small = LogisticRegression(max_iter=500)
    >>> teacher = ModelAnnotator(small.fit(X[::10], y[::10]))
    >>> few, rest = X[1::15], X[2::3]
    >>> model = distill(
    ...     small, rest, teacher.annotate(rest),
    ...     X_labeled=few, y_labeled=y[1::15], labeled_answers=teacher.annotate(few),
    ...     random_state=0,
    ... )
    >>> round(model.score(X[::3], y[::3]), 2)
    0.96
    """
    _check_sizes(X, answers, X_labeled, y_labeled, labeled_answers)
    known = None if y_labeled is None else read_labels(y_labeled)
    weights = weigh_answers(answers, known, labeled_answers)
    kept = np.flatnonzero(weights > 0.0)
    answered = _Rows(take_rows(X, kept), read_labels(list(answers.labels[kept])), weights[kept])
    people = None if known is None else _Rows(X_labeled, known, np.ones(len(known)))
    name = _name_weights(estimator)
    if trust is None:
        trust = _choose_trust(estimator, name, answered, people, random_state)
    else:
        trust = check_number("trust", trust, low=0.0, high=1.0)
    fitted = _fit(estimator, name, answered.weigh(trust), people)
    fitted.trust_ = trust
    return fitted


class _Rows(NamedTuple):
    """Rows, their labels and their weights, (n_rows,)."""

    X: Any
    labels: NDArray[Any]
    weights: Floats

    def weigh(self, factor: float) -> _Rows:
        """Return the rows of positive weight, after a factor."""
        kept = np.flatnonzero(self.weights * factor > 0.0)
        return self.take(kept)._replace(weights=self.weights[kept] * factor)

    def take(self, rows: Positions) -> _Rows:
        """Return some of the rows."""
        return _Rows(take_rows(self.X, rows), self.labels[rows], self.weights[rows])


def _fit(estimator: Any, name: str, answered: _Rows, people: _Rows | None) -> Any:
    """Fit a clone of the model to the answers and to the labels of people."""
    parts = [part for part in (answered, people) if part is not None and len(part.labels)]
    if not parts:
        raise ValueError(
            "There is nothing to learn from: no answer is trusted or above a guess, and there "
            "are no labeled rows. Pass X_labeled and y_labeled, or other answers."
        )
    rows, labels, weights = parts[0]
    for part in parts[1:]:
        rows, labels = join_rows(rows, part.X), join_labels(labels, part.labels)
        weights = np.concatenate([weights, part.weights])
    return clone(estimator).fit(rows, labels, **{name: weights})


def _choose_trust(
    estimator: Any, name: str, answered: _Rows, people: _Rows | None, random_state: Any
) -> float:
    """Return the factor of the answers with the least loss on labels of people, held out."""
    if people is None or not len(answered.labels):
        return 1.0
    n_least = int(np.unique(people.labels, return_counts=True)[1].min(initial=len(people.labels)))
    if len(np.unique(people.labels)) < 2 or n_least < 2:
        return 1.0
    folds = StratifiedKFold(min(_N_FOLDS, n_least), shuffle=True, random_state=random_state)
    losses = np.zeros(len(_TRUSTS))
    for train, test in folds.split(np.zeros(len(people.labels)), people.labels):
        held_out = people.take(test)
        for place, trust in enumerate(_TRUSTS):
            model = _fit(estimator, name, answered.weigh(trust), people.take(train))
            losses[place] += _measure_loss(model, held_out)
    return _TRUSTS[int(losses.argmin())]  # the first, and so the least, of those that tie


def _measure_loss(model: Any, rows: _Rows) -> float:
    """Return the sum of the log-losses, or the number of errors of a model without probabilities.

    A class that the model does not know has the least probability.
    """
    if not hasattr(model, "predict_proba"):
        return float(np.count_nonzero(model.predict(rows.X) != rows.labels))
    hits = np.asarray(model.classes_) == rows.labels[:, np.newaxis]  # (n_rows, n_classes)
    proba = np.where(hits, model.predict_proba(rows.X), 0.0).sum(axis=1)
    return float(-np.log(np.maximum(proba, _LEAST_PROBA)).sum())


def weigh_answers(
    answers: Annotations, known: NDArray[Any] | None, labeled_answers: Annotations | None
) -> Floats:
    """Return the weight of each answer in a fit, (n_rows,), 0 where there is none."""
    confidences = answers.list_confidences()
    labels = [answers.labels[~answers.abstained], *([] if known is None else [known])]
    n_classes = len({label for part in labels for label in part.tolist()})
    if answers.proba is not None:
        n_classes = max(n_classes, answers.proba.shape[1])
    if labeled_answers is not None and known is not None:
        right = np.asarray(labeled_answers.labels == known, dtype=bool)
        confidences = Calibration.fit(labeled_answers.list_confidences(), right).apply(confidences)
    is_of_people = ~answers.abstained & (answers.sources < 0)
    reliability = np.where(is_of_people, 1.0, np.maximum(confidences, 0.0))  # -inf where abstained
    guess = 1.0 / max(n_classes, 2)
    return np.maximum((reliability - guess) / (1.0 - guess), 0.0)


def _check_sizes(
    X: Any, answers: Annotations, X_labeled: Any, y_labeled: Any, labeled_answers: Any
) -> None:
    if n_rows(X) != len(answers.labels):
        raise ValueError(
            f"answers has {len(answers.labels)} entries for the {n_rows(X)} rows of X."
        )
    if (X_labeled is None) != (y_labeled is None):
        raise ValueError("X_labeled and y_labeled go together: pass both, or neither.")
    if X_labeled is None and labeled_answers is not None:
        raise ValueError("labeled_answers is about labeled rows: pass X_labeled and y_labeled too.")
    if X_labeled is None:
        return
    sizes = [n_rows(X_labeled), n_rows(y_labeled)]
    sizes += [] if labeled_answers is None else [len(labeled_answers.labels)]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"X_labeled, y_labeled and labeled_answers must have as many entries, got {sizes}."
        )


def _name_weights(estimator: Any) -> str:
    """Return the name of the fit parameter that weighs rows."""
    steps = getattr(estimator, "steps", None)
    model = estimator if steps is None else steps[-1][1]
    if not has_fit_parameter(model, "sample_weight"):
        raise ValueError(
            f"{type(model).__name__} takes no sample_weight, so that unreliable answers would "
            "count as much as labels of people: use a model that does, such as LogisticRegression."
        )
    return "sample_weight" if steps is None else f"{steps[-1][0]}__sample_weight"
