"""MACE: annotators who know the label, or answer without looking."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import digamma

from skactive._utils.array_types import Floats
from skactive._utils.constraints import POSITIVE_INT
from skactive._utils.seeding import draw_seed
from skactive.crowds._base import Codes, Consensus
from skactive.crowds._em import EMModel, expect
from skactive.crowds._votes import Votes

__all__ = ["MACE"]

_ADDED_TRUST = 0.5  # of the Beta prior of trust: most annotators are good, or bad


class MACE(EMModel):
    r"""Annotators who know the label, or answer without looking.

    For each item annotator a knows the label with probability :math:`\theta_a`; else the answer is
    drawn from a distribution :math:`\xi_a` of a's own, whatever the item [1]_. Variational Bayes
    from several random starts; the one of the highest likelihood is kept.

    Parameters
    ----------
    n_restarts : int, default=10
        Number of random starts, beside the one from the votes.
    smoothing : float, default=0.1
        Answers of each class that are added to the blind answers of each annotator.
    max_iter : int, default=50
        Largest number of iterations per start.
    tol : float, default=1e-5
        Gain of the log-likelihood, per vote, below which to stop.
    random_state : int, RandomState instance or None, default=None
        Seed of the starts.

    Attributes
    ----------
    trust_ : ndarray of shape (n_annotators,)
        Probability that each annotator knows the label; a model that was passed is the last one.
    blind_answers_ : ndarray of shape (n_annotators, n_classes)
        Distribution of the answers of one who does not.

    Notes
    -----
    All classes are equally probable before the first answer, as published.

    References
    ----------
    .. [1] D. Hovy, T. Berg-Kirkpatrick, A. Vaswani and E. Hovy (2013). "Learning whom to trust with
       MACE." Proceedings of NAACL-HLT, 1120-1130. https://aclanthology.org/N13-1132

    Examples
    --------
    The third annotator always answers "a":

    >>> from skactive.crowds import MACE, Answers
    >>> rows = [["a", "a", "a"], ["b", "b", "a"], ["c", "c", "a"]] * 4
    >>> model = MACE(random_state=0).fit(Answers.from_matrix(rows))
    >>> model.trust_.round(1)
    array([1., 1., 0.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{
            name: kinds
            for name, kinds in EMModel._parameter_constraints.items()
            if name != "class_prior"
        },
        "n_restarts": POSITIVE_INT,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_restarts: int = 10,
        smoothing: float = 0.1,
        max_iter: int = 50,
        tol: float = 1e-5,
        random_state: Any = None,
    ) -> None:
        self.n_restarts = n_restarts
        self.smoothing = smoothing
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def _start(self, votes: Votes) -> Any:
        """Return the parameters of the last iteration, which the next one needs."""
        counts = np.ones((votes.n_annotators, votes.n_classes))
        np.add.at(counts, (votes.annotators, votes.labels), 1.0)
        blind = counts / counts.sum(axis=1, keepdims=True)
        return {"trust": np.full(votes.n_annotators, 0.5), "blind": blind}

    def _estimate(self, votes: Votes, start: Floats, known: Codes) -> Consensus:
        rng = np.random.default_rng(draw_seed(self.random_state))
        best = self._climb(votes, self._start(votes), start, known)
        for _ in range(self.n_restarts):
            blind = rng.dirichlet(np.ones(votes.n_classes))
            drawn = {  # the same for all annotators, so that their order does not matter
                "trust": np.full(votes.n_annotators, rng.random()),
                "blind": np.tile(blind, (votes.n_annotators, 1)),
            }
            proba, _ = expect(self._log_joint(votes, drawn, drawn), known)
            found = self._climb(votes, drawn, proba, known)
            if found.log_likelihood > best.log_likelihood:
                best = found
        return best

    def _maximize(self, votes: Votes, shared: Any, proba: Floats) -> dict[str, Floats]:
        trust, blind = shared["trust"][votes.annotators], shared["blind"]
        guessed = (1 - trust) * blind[votes.annotators, votes.labels]
        knew = proba[votes.items, votes.labels] * trust / (trust + guessed)  # (n_votes,)
        known, total = votes.sum_by_annotator(knew), votes.sum_by_annotator(None)
        cells = votes.annotators * votes.n_classes + votes.labels
        size = votes.n_annotators * votes.n_classes
        blinds = np.bincount(cells, 1 - knew, minlength=size).reshape(votes.n_annotators, -1)
        shared["trust"] = _mean_of_logs(known + _ADDED_TRUST, total - known + _ADDED_TRUST)
        rest = blinds.sum(axis=1, keepdims=True) - blinds
        smoothed = self.smoothing * (votes.n_classes - 1)
        shared["blind"] = _mean_of_logs(blinds + self.smoothing, rest + smoothed)
        return dict(shared)

    def _log_joint(self, votes: Votes, shared: Any, parameters: dict[str, Floats]) -> Floats:
        trust, blind = parameters["trust"][votes.annotators], parameters["blind"]
        guessed = (1 - trust) * blind[votes.annotators, votes.labels]
        joint = votes.sum_by_label(np.log(trust + guessed) - np.log(guessed))
        joint += np.bincount(votes.items, np.log(guessed), minlength=votes.n_items)[:, None]
        joint -= np.log(votes.n_classes)
        return joint

    def _describe(self, parameters: dict[str, Floats]) -> dict[str, Any]:
        return {"trust_": parameters["trust"], "blind_answers_": parameters["blind"]}


def _mean_of_logs(share: Any, rest: Any) -> Floats:
    """Return exp E[log p] for p of a Beta distribution with these two parameters."""
    logs: Floats = digamma(share) - digamma(share + rest)
    return np.exp(logs)
