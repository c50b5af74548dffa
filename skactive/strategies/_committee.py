"""Query by committee: choose the rows on which the members of a committee disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skactive import scores
from skactive.strategies._base import SampledScoreStrategy, score_draws

if TYPE_CHECKING:
    from skactive.pool import PoolView

__all__ = ["ConsensusEntropy", "KLDivergence", "VoteEntropy"]


class VoteEntropy(SampledScoreStrategy):
    r"""Choose rows on which the votes of the members are most divided.

    .. math:: u(x) = -\sum_y \frac{V(y)}{M} \log \frac{V(y)}{M}

    in nats, where :math:`V(y)` of the M members predict class y.

    **When:** the members' probabilities cannot be trusted, or the members only vote. A small
    committee gives few distinct scores, hence many ties. Needs posterior samples: a committee is a
    ``VotingClassifier``, a ``BaggingClassifier``, a forest or a net with dropout.

    Parameters
    ----------
    n_samples : int, default=None
        Number of members; None takes all members of an ensemble.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Dagan and Engelson, "Committee-based sampling for training probabilistic classifiers", ICML
    1995, :doi:`10.1016/B978-1-55860-377-6.50027-X`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import VoteEntropy
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), VoteEntropy())
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    score_name = "disagreement"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the entropy of the votes in nats, shape (n_rows,)."""
        return score_draws(scores.vote_entropy, pool, self.n_samples)


class ConsensusEntropy(SampledScoreStrategy):
    r"""Choose rows about which the committee as a whole is most uncertain.

    .. math:: u(x) = H\big[\bar p(y \mid x)\big], \qquad \bar p = \frac{1}{M} \sum_m p_m

    in nats.

    **When:** the mean of the committee is a better probability than that of any one model. It does
    not distinguish disagreement from noise; :class:`KLDivergence` does. Needs posterior samples.

    Parameters
    ----------
    n_samples : int, default=None
        Number of members; None takes all members of an ensemble.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Settles, "Active Learning", Morgan and Claypool 2012, :doi:`10.1007/978-3-031-01560-1`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import ConsensusEntropy
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), ConsensusEntropy())
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    score_name = "uncertainty"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the entropy of the mean probabilities in nats, shape (n_rows,)."""
        return score_draws(scores.consensus_entropy, pool, self.n_samples)


class KLDivergence(SampledScoreStrategy):
    r"""Choose rows on which the members differ most from their consensus.

    .. math:: u(x) = \frac{1}{M} \sum_m
        \mathrm{KL}\big(p_m(y \mid x) \,\Vert\, \bar p(y \mid x)\big)

    in nats: the mean over the members (some libraries take the sum or the maximum). It equals the
    score of :class:`BALD`.

    **When:** a committee whose members give probabilities. Needs posterior samples.

    Parameters
    ----------
    n_samples : int, default=None
        Number of members; None takes all members of an ensemble.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    McCallum and Nigam, "Employing EM and pool-based active learning for text classification",
    ICML 1998.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearner
    >>> from skactive.strategies import KLDivergence
    >>> X, y = load_iris(return_X_y=True)
    >>> learner = ActiveLearner(RandomForestClassifier(random_state=0), KLDivergence())
    >>> learner.fit(X[::10], y[::10]).query(X, batch_size=3).shape
    (3,)
    """

    score_name = "disagreement"

    def score(self, pool: PoolView) -> NDArray[np.float64]:
        """Score the rows by the mean divergence from the consensus in nats, shape (n_rows,)."""
        return score_draws(scores.kl_to_consensus, pool, self.n_samples)
