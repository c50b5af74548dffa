"""Expectation and maximization, which the models of annotators share."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skactive._utils.array_types import Floats
from skactive._utils.compat import StrOptions
from skactive._utils.constraints import POSITIVE_INT, POSITIVE_REAL
from skactive.crowds._base import Codes, Consensus, CrowdModel, fix_known
from skactive.crowds._votes import Votes

__all__ = ["EMModel", "expect"]


class EMModel(CrowdModel):
    """Base of models fitted by expectation and maximization.

    Each iteration estimates the parameters from the probabilities of the classes, and the latter
    from the parameters, until the likelihood of the votes stops to grow.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "class_prior": [StrOptions({"estimate", "uniform"})],
        "smoothing": POSITIVE_REAL,
        "max_iter": POSITIVE_INT,
        "tol": POSITIVE_REAL,
    }

    class_prior: str
    smoothing: float
    max_iter: int
    tol: float

    @abstractmethod
    def _maximize(self, votes: Votes, shared: Any, proba: Floats) -> dict[str, Floats]:
        """Return the parameters that fit the probabilities best."""

    @abstractmethod
    def _log_joint(self, votes: Votes, shared: Any, parameters: dict[str, Floats]) -> Floats:
        """Return log p(votes of an item, its class), (n_items, n_classes)."""

    def _start(self, votes: Votes) -> Any:
        """Return what iterations share: sums that are computed once, the last parameters, ..."""
        return None

    def _estimate(self, votes: Votes, start: Floats, known: Codes) -> Consensus:
        consensus = self._climb(votes, self._start(votes), start, known)
        if not consensus.has_converged:
            warnings.warn(
                f"{type(self).__name__} has not converged in max_iter={self.max_iter} iterations: "
                "raise max_iter.",
                ConvergenceWarning,
                stacklevel=5,
            )
        return consensus

    def _climb(self, votes: Votes, shared: Any, proba: Floats, known: Codes) -> Consensus:
        """Iterate until the likelihood stops to grow."""
        last, n_iter, has_converged = -np.inf, 0, False
        while not has_converged and n_iter < self.max_iter:
            n_iter += 1
            parameters = self._maximize(votes, shared, proba)
            joint = self._log_joint(votes, shared, parameters)
            proba, likelihood = expect(joint, known)
            has_converged = likelihood - last <= self.tol * len(votes.items)
            last = likelihood
        return Consensus(proba, last, n_iter, has_converged, self._describe(parameters))

    def _weigh_classes(self, proba: Floats) -> Floats:
        """Return the log of the prior probability of each class, (n_classes,)."""
        if self.class_prior == "uniform":
            return np.full(proba.shape[1], -np.log(proba.shape[1]))
        totals = proba.sum(axis=0) + 0.5 / proba.shape[1]  # half an item is added
        return np.log(totals / totals.sum())

    def _describe(self, parameters: dict[str, Floats]) -> dict[str, Any]:
        """Return the attributes that the parameters become."""
        return {}


def expect(joint: Floats, known: Codes) -> tuple[Floats, float]:
    """Return the probabilities of the classes, and the log-likelihood of the votes."""
    evidence = joint.max(axis=1)
    joint -= evidence[:, None]
    np.exp(joint, out=joint)  # in place: the joint is the largest array there is
    sums = joint.sum(axis=1)
    joint /= sums[:, None]
    evidence += np.log(sums)
    rows = np.flatnonzero(known >= 0)
    if len(rows):
        evidence[rows] += np.log(np.maximum(joint[rows, known[rows]], np.finfo(float).tiny))
    return fix_known(joint, known), float(evidence.sum())
