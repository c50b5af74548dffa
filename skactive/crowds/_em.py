"""Expectation and maximization, which the models of annotators share."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skactive._utils.array_types import Floats
from skactive._utils.constraints import POSITIVE_INT, POSITIVE_REAL
from skactive.crowds._base import Codes, Consensus, CrowdModel, fix_known
from skactive.crowds._votes import Votes

__all__ = ["EMModel"]


class EMModel(CrowdModel):
    """Base of models fitted by expectation and maximization.

    Each iteration estimates the parameters from the probabilities of the classes, and the latter
    from the parameters, until the likelihood of the votes stops to grow.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "smoothing": POSITIVE_REAL,
        "max_iter": POSITIVE_INT,
        "tol": POSITIVE_REAL,
    }

    smoothing: float
    max_iter: int
    tol: float

    @abstractmethod
    def _maximize(self, votes: Votes, table: Any, proba: Floats) -> dict[str, Floats]:
        """Return the parameters that fit the probabilities best."""

    @abstractmethod
    def _log_joint(self, votes: Votes, table: Any, parameters: dict[str, Floats]) -> Floats:
        """Return log p(votes of an item, its class), (n_items, n_classes)."""

    def _make_table(self, votes: Votes) -> Any:
        """Return what is computed once, before the first iteration."""
        return None

    def _estimate(self, votes: Votes, start: Floats, known: Codes) -> Consensus:
        table, proba, last, n_iter = self._make_table(votes), start, -np.inf, 0
        for n_iter in range(1, self.max_iter + 1):  # noqa: B007
            parameters = self._maximize(votes, table, proba)
            joint = self._log_joint(votes, table, parameters)
            proba, log_likelihood = _expect(joint, known)
            if log_likelihood - last <= self.tol * len(votes.items):
                break
            last = log_likelihood
        else:
            warnings.warn(
                f"{type(self).__name__} has not converged in max_iter={self.max_iter} iterations: "
                "raise max_iter.",
                ConvergenceWarning,
                stacklevel=5,
            )
        return Consensus(proba, log_likelihood, n_iter, self._describe(parameters))

    def _describe(self, parameters: dict[str, Floats]) -> dict[str, Any]:
        """Return the attributes that the parameters become."""
        return {}


def estimate_class_weights(proba: Floats) -> Floats:
    """Return the log of the share of each class, (n_classes,); half an item each is added."""
    totals = proba.sum(axis=0) + 0.5 / len(proba.T)
    return np.log(totals / totals.sum())


def _expect(joint: Floats, known: Codes) -> tuple[Floats, float]:
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
