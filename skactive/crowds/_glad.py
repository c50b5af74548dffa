"""GLAD: a skill per annotator, and a difficulty per item."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from skactive._utils.array_types import Floats
from skactive.crowds._em import EMModel
from skactive.crowds._votes import Votes

__all__ = ["GLAD"]

_LIMIT = 5.0  # of the log of the easiness: answers to easier items are certain in double precision


class GLAD(EMModel):
    r"""A skill per annotator and a difficulty per item.

    Annotator a answers item i correctly with probability :math:`\sigma(\alpha_a \beta_i)`, where
    :math:`\alpha_a` is the skill (negative for one who is wrong on purpose) and
    :math:`\beta_i > 0` the easiness; errors fall on all other classes alike [1]_. Skills have a
    normal prior, the logarithms of the easiness too, both of mean 1 and variance 1.

    Parameters
    ----------
    class_prior : {"estimate", "uniform"}, default="uniform"
        Whether classes are as frequent as the answers make them, or all alike before the first
        answer. All alike serves better if classes are balanced, or some are answered too often.
    max_iter : int, default=100
        Largest number of iterations.
    tol : float, default=1e-5
        Gain of the log-likelihood, per vote, below which to stop.

    Attributes
    ----------
    skill_ : ndarray of shape (n_annotators,)
        Skill of each annotator; a model that was passed is the last one.
    easiness_ : ndarray of shape (n_items,)
        Easiness of each item.

    References
    ----------
    .. [1] J. Whitehill, P. Ruvolo, T. Wu, J. Bergsma and J. Movellan (2009). "Whose vote should
       count more: optimal integration of labels from labelers of unknown expertise." Advances in
       Neural Information Processing Systems 22.

    Examples
    --------
    >>> from skactive.crowds import GLAD, Answers
    >>> rows = [["a", "a", "b"], ["b", "b", "a"], ["a", "a", "a"], ["b", "b", "b"]] * 3
    >>> model = GLAD().fit(Answers.from_matrix(rows))
    >>> model.labels_[:4].tolist()
    ['a', 'b', 'a', 'b']
    >>> bool(model.skill_[0] > model.skill_[2])
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        name: kinds for name, kinds in EMModel._parameter_constraints.items() if name != "smoothing"
    }

    def __init__(
        self, class_prior: str = "uniform", max_iter: int = 100, tol: float = 1e-5
    ) -> None:
        self.class_prior = class_prior
        self.max_iter = max_iter
        self.tol = tol

    def _start(self, votes: Votes) -> Any:
        """Return the parameters of the last iteration, from which the next one starts."""
        return np.ones(votes.n_annotators + votes.n_items)

    def _maximize(self, votes: Votes, shared: Any, proba: Floats) -> dict[str, Floats]:
        right = proba[votes.items, votes.labels]
        best = minimize(
            _compute_loss, shared, (votes, right), "L-BFGS-B", jac=True, options={"maxiter": 25}
        )
        shared[:] = best.x
        skill, log_easiness = np.split(best.x, [votes.n_annotators])
        easiness = np.exp(np.clip(log_easiness, -_LIMIT, _LIMIT))
        classes = self._weigh_classes(proba)
        return {"skill": skill, "easiness": easiness, "log_classes": classes}

    def _log_joint(self, votes: Votes, shared: Any, parameters: dict[str, Floats]) -> Floats:
        logits = parameters["skill"][votes.annotators] * parameters["easiness"][votes.items]
        wrong = log_expit(-logits) - np.log(votes.n_classes - 1)
        joint = votes.sum_by_label(log_expit(logits) - wrong)
        joint += np.bincount(votes.items, wrong, minlength=votes.n_items)[:, None]
        joint += parameters["log_classes"]
        return joint

    def _describe(self, parameters: dict[str, Floats]) -> dict[str, Any]:
        return {"skill_": parameters["skill"], "easiness_": parameters["easiness"]}


def _compute_loss(x: Floats, votes: Votes, right: Floats) -> tuple[float, Floats]:
    """Return minus the expected log density of skills and log easiness, and its gradient.

    ``right`` (n_votes,) is the probability that each vote is right.
    """
    skill, log_easiness = np.split(x, [votes.n_annotators])
    clipped = np.clip(log_easiness, -_LIMIT, _LIMIT)
    easiness, skills = np.exp(clipped)[votes.items], skill[votes.annotators]
    logits = skills * easiness
    likelihood = (right * log_expit(logits) + (1 - right) * log_expit(-logits)).sum()
    prior = -0.5 * ((skill - 1) ** 2).sum() - 0.5 * ((log_easiness - 1) ** 2).sum()
    slope = right - expit(logits)  # of the likelihood with respect to the logits
    by_skill = votes.sum_by_annotator(slope * easiness) - (skill - 1)
    by_item: Any = np.bincount(votes.items, slope * logits, minlength=votes.n_items)
    by_item = np.where(clipped == log_easiness, by_item, 0.0) - (log_easiness - 1)
    return float(-likelihood - prior), -np.concatenate([by_skill, by_item])
