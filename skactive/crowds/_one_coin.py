"""The model of one coin: an accuracy per annotator."""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.array_types import Floats
from skactive.crowds._em import EMModel
from skactive.crowds._votes import Votes

__all__ = ["OneCoin"]


class OneCoin(EMModel):
    r"""An accuracy per annotator, the same for all classes; errors fall on all others alike.

    It has one number per annotator where :class:`DawidSkene` has a matrix, so that it suits few
    answers per annotator, and many classes [1]_.

    Parameters
    ----------
    smoothing : float, default=0.01
        Answers of each class that are added to those of each annotator.
    class_prior : {"estimate", "uniform"}, default="uniform"
        Whether classes are as frequent as the answers make them, or all alike before the first
        answer. All alike serves better if classes are balanced, or some are answered too often.
    max_iter : int, default=200
        Largest number of iterations.
    tol : float, default=1e-5
        Gain of the log-likelihood, per vote, below which to stop.

    References
    ----------
    .. [1] Y. Zhang, X. Chen, D. Zhou and M. I. Jordan (2016). "Spectral methods meet EM: a provably
       optimal algorithm for crowdsourcing." Journal of Machine Learning Research 17(102), 1-44.
       https://jmlr.org/papers/v17/14-511.html

    Examples
    --------
    >>> from skactive.crowds import Answers, OneCoin
    >>> rows = [["a", "a", "b"], ["b", "b", "a"], ["a", "a", "a"], ["b", "b", None]] * 3
    >>> model = OneCoin().fit(Answers.from_matrix(rows))
    >>> model.annotator_accuracy_.round(2)
    array([1.  , 1.  , 0.33])
    """

    def __init__(
        self,
        smoothing: float = 0.01,
        class_prior: str = "uniform",
        max_iter: int = 200,
        tol: float = 1e-5,
    ) -> None:
        self.smoothing = smoothing
        self.class_prior = class_prior
        self.max_iter = max_iter
        self.tol = tol

    def _maximize(self, votes: Votes, shared: Any, proba: Floats) -> dict[str, Floats]:
        n_wrong, added = votes.n_classes - 1, self.smoothing
        right = votes.sum_by_annotator(proba[votes.items, votes.labels]) + added
        total = votes.sum_by_annotator(None) + added * votes.n_classes
        log_right = np.log(right / total)
        log_wrong = np.log((total - right) / total / n_wrong)
        classes = self._weigh_classes(proba)
        return {"right": log_right, "wrong": log_wrong, "log_classes": classes}

    def _log_joint(self, votes: Votes, shared: Any, parameters: dict[str, Floats]) -> Floats:
        right, wrong = parameters["right"], parameters["wrong"]
        joint = votes.sum_by_label((right - wrong)[votes.annotators])
        constant = np.bincount(votes.items, wrong[votes.annotators], minlength=votes.n_items)
        joint += constant[:, None]
        joint += parameters["log_classes"]
        return joint
