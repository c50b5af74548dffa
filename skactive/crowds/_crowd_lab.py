"""CROWDLAB: a weighted mean of a model and the annotators."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from skactive._utils.array_types import Floats
from skactive.crowds._base import Codes, Consensus, CrowdModel, fix_known
from skactive.crowds._votes import Votes

__all__ = ["CrowdLab"]

_MIN_WEIGHT = 1e-6  # of annotators and models that are no better than the most frequent class


class CrowdLab(CrowdModel):
    r"""A weighted mean of the probabilities of a model and those that answers stand for.

    Each has the weight :math:`1 - \epsilon / \epsilon_0`: :math:`\epsilon` is the error of an
    annotator against the others, or of the model against the consensus, and :math:`\epsilon_0`
    that of the most frequent class. The model's weight is multiplied by the square root of the mean
    number of answers per item [1]_. The first consensus are the votes; the second is that of the
    weighted mean, from which the weights are computed again.

    The probabilities of a model are required: ``fit(answers, proba=...)``.

    Attributes
    ----------
    annotator_weight_ : ndarray of shape (n_annotators,)
        Weight of each annotator.
    model_weight_ : float
        Weight of the model.

    Notes
    -----
    It needs no iterations, and a model makes the most of items with few answers. With more than a
    few answers per item :class:`DawidSkene` knows more of who confuses what.

    Votes that are tied go to the class that the model finds more probable, then to the rarer one,
    then to that of the annotators who agree with the other votes most often, then to the first.

    References
    ----------
    .. [1] H. W. Goh, U. Tkachenko and J. Mueller (2022). "CROWDLAB: supervised learning to infer
       consensus labels and quality scores for data with multiple annotators."
       :doi:`10.48550/arXiv.2210.06812`

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.crowds import Answers, CrowdLab
    >>> answers = Answers.from_matrix([[0, 0, 1], [1, 1, 1], [0, 1, None], [1, 1, 0]])
    >>> proba = np.array([[0.8, 0.2], [0.1, 0.9], [0.9, 0.1], [0.3, 0.7]])
    >>> CrowdLab().fit(answers, proba=proba).labels_
    array([0, 1, 0, 1])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    def _estimate(self, votes: Votes, start: Floats, known: Codes) -> Consensus:
        model = votes.model
        if model is None or np.isnan(model).any():
            raise ValueError(
                "CrowdLab needs the probabilities of a model for all items: pass proba=, from "
                "cross_val_predict(model, X, labels, method='predict_proba')."
            )
        people = votes.of_people()
        counts = people.count()
        if (counts.sum(axis=1) < 2).all():
            raise ValueError(
                "CrowdLab measures annotators by their agreement, but no item has two answers: use "
                "another model, or have some items answered twice."
            )
        labels = _keep_known(_vote(people, counts, model), known)
        posterior = _weigh(people, counts, model, labels).average(people, counts, model)
        labels = _keep_known(_choose(posterior, labels), known)
        weights = _weigh(people, counts, model, labels)
        posterior = weights.average(people, counts, model)
        parameters = {"annotator_weight_": weights.people, "model_weight_": weights.model}
        return Consensus(fix_known(posterior, known), parameters=parameters)


class _Weights(NamedTuple):
    """Weights, and how often an answer is that of the consensus."""

    people: Floats  # (n_annotators,)
    model: float
    agreement: float

    def average(self, people: Votes, counts: Floats, model: Floats) -> Floats:
        """Return the weighted mean of model and answers, (n_items, n_classes)."""
        weights = self.people[people.annotators]
        other = (1 - self.agreement) / (people.n_classes - 1)
        total = np.bincount(people.items, weights, minlength=people.n_items)[:, None]
        mean = self.model * model + other * total
        mean += (self.agreement - other) * people.sum_by_label(weights)
        return mean / (self.model + total)


def _weigh(people: Votes, counts: Floats, model: Floats, labels: Codes) -> _Weights:
    """Compute the weights from the consensus, on items with two answers or more."""
    n_answers = counts.sum(axis=1)
    several = n_answers > 1
    agreement = (counts[np.arange(len(counts)), labels] / np.maximum(n_answers, 1))[several].mean()
    frequencies = np.bincount(labels[several], minlength=people.n_classes)
    baseline = max(1 - frequencies.max() / several.sum(), _MIN_WEIGHT)
    annotator_error = 1 - _agree_with_others(people, counts)
    model_error = (model.argmax(axis=1) != labels)[several].mean()
    return _Weights(
        np.maximum(1 - annotator_error / baseline, _MIN_WEIGHT),
        float(max(1 - model_error / baseline, _MIN_WEIGHT) * np.sqrt(n_answers.mean())),
        float(agreement),
    )


def _agree_with_others(people: Votes, counts: Floats) -> Floats:
    """Return the share of the other answers to the same items that are like each annotator's."""
    same = people.sum_by_annotator(counts[people.items, people.labels] - 1)
    others = people.sum_by_annotator(counts.sum(axis=1)[people.items] - 1)
    share = np.divide(same, others, out=np.full(len(same), np.nan), where=others > 0)
    return np.where(np.isnan(share), np.nanmean(share), share)


def _vote(people: Votes, counts: Floats, model: Floats) -> Codes:
    """Return the majority's label of each item, with ties settled by rank."""
    is_best = counts == counts.max(axis=1, keepdims=True)
    rarity = np.broadcast_to(-counts.sum(axis=0), counts.shape)
    skill = _mean_skill(people, counts, is_best)
    for ranks in (model, rarity, skill):
        values = np.where(is_best, ranks, -np.inf)
        is_best = values == values.max(axis=1, keepdims=True)
    return is_best.argmax(axis=1)


def _mean_skill(people: Votes, counts: Floats, is_best: Any) -> Floats:
    """Return the mean share of clear votes that the annotators of each label agree with."""
    clear = is_best.sum(axis=1) == 1
    on_clear = clear[people.items]
    right = is_best[people.items, people.labels] & on_clear
    total = people.sum_by_annotator(on_clear.astype(np.float64))
    hits = people.sum_by_annotator(right.astype(np.float64))
    share = np.divide(hits, total, out=np.full(len(hits), np.nan), where=total > 0)
    known = share[~np.isnan(share)]
    share[np.isnan(share)] = known.mean() if len(known) else 0.0
    sums = people.sum_by_label(share[people.annotators])
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)


def _choose(posterior: Floats, labels: Codes) -> Codes:
    """Return the most probable class; where several are, the label that there was."""
    is_best = posterior == posterior.max(axis=1, keepdims=True)
    return np.where(is_best.sum(axis=1) == 1, is_best.argmax(axis=1), labels)


def _keep_known(labels: Codes, known: Codes) -> Codes:
    return np.where(known >= 0, known, labels)
