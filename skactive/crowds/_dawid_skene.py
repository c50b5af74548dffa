"""The model of Dawid and Skene: a confusion matrix per annotator."""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.array_types import Floats
from skactive.crowds._em import EMModel
from skactive.crowds._votes import Votes

__all__ = ["DawidSkene"]


class DawidSkene(EMModel):
    r"""A confusion matrix per annotator, and labels that explain the answers best.

    Answers are independent given the true class: annotator a answers k with probability
    :math:`\pi^a_{tk}` where t is true. Expectation and maximization starts from the votes [1]_.

    Parameters
    ----------
    smoothing : float, default=0.01
        Answers added to each cell of the confusion matrices.
    class_prior : {"estimate", "uniform"}, default="estimate"
        Whether classes are as frequent as the answers make them, or all alike before the first
        answer. All alike serves better if classes are balanced, or some are answered too often.
    max_iter : int, default=200
        Largest number of iterations.
    tol : float, default=1e-5
        Gain of the log-likelihood, per vote, below which to stop.

    Notes
    -----
    Each iteration is two products of a sparse matrix with n_votes entries and a matrix of n_classes
    columns. The confusion matrices take n_annotators x n_classes² numbers: with many of both use
    :class:`OneCoin`.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene (1979). "Maximum likelihood estimation of observer
       error-rates using the EM algorithm." Applied Statistics 28, 20-28. :doi:`10.2307/2346806`

    Examples
    --------
    A careful annotator outvotes two who always answer "b":

    >>> from skactive.crowds import Answers, DawidSkene
    >>> rows = [["a", "b", "b", "a"], ["b", "b", "b", "b"], ["a", "b", "b", "a"]] * 5
    >>> model = DawidSkene().fit(Answers.from_matrix(rows))
    >>> model.labels_[:3].tolist()
    ['a', 'b', 'a']
    >>> model.annotator_accuracy_.round(2)
    array([1.  , 0.33, 0.33, 1.  ])
    """

    def __init__(
        self,
        smoothing: float = 0.01,
        class_prior: str = "estimate",
        max_iter: int = 200,
        tol: float = 1e-5,
    ) -> None:
        self.smoothing = smoothing
        self.class_prior = class_prior
        self.max_iter = max_iter
        self.tol = tol

    def _start(self, votes: Votes) -> Any:
        table = votes.make_table()
        return table, table.T.tocsr()  # (n_items, n_annotators * n_classes), and transposed

    def _maximize(self, votes: Votes, shared: Any, proba: Floats) -> dict[str, Floats]:
        counts = (shared[1] @ proba).reshape(votes.n_annotators, votes.n_classes, -1)
        counts += self.smoothing
        counts /= counts.sum(axis=1, keepdims=True)  # (n_annotators, answered, true)
        log_confusion = np.log(counts, out=counts)
        return {"log_confusion": log_confusion, "log_classes": self._weigh_classes(proba)}

    def _log_joint(self, votes: Votes, shared: Any, parameters: dict[str, Floats]) -> Floats:
        joint = shared[0] @ parameters["log_confusion"].reshape(-1, votes.n_classes)
        joint += parameters["log_classes"]
        return joint
