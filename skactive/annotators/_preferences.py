"""Pairs of answers to compare: which pairs people should be asked about next, if it matters."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import t as student_t
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import StrOptions
from skactive._utils.constraints import POSITIVE_REAL
from skactive._utils.input_kinds import check_count, to_numbers
from skactive._utils.seeding import make_random_state
from skactive.selectors import d_optimal, top

__all__ = ["PairBatch", "PreferencePairs", "PreferenceVerdict"]

_LEVEL = 0.95  # of the interval of a gain
_TEST_SHARE = 0.3


class PairBatch(NamedTuple):
    """Pairs to ask about, and as many at random.

    Attributes
    ----------
    chosen : ndarray of shape (batch_size,)
        Positions of the pairs that the acquisition chooses, best first.
    random : ndarray of shape (batch_size,)
        Positions of pairs drawn uniformly, to ask about instead, or to compare with.
    """

    chosen: Positions
    random: Positions


class PreferenceVerdict(NamedTuple):
    """Whether a choice of pairs is worth it.

    Attributes
    ----------
    n_labels : ndarray of shape (n_rounds,)
        Number of comparisons known in each round.
    chosen : ndarray of shape (n_repeats, n_rounds)
        Accuracy on pairs held out, of the model that learned from chosen pairs.
    random : ndarray of shape (n_repeats, n_rounds)
        The same with as many random pairs.
    gain : float
        Mean accuracy over all rounds but the first, which both share: chosen minus random.
    low, high : float
        Interval of 95 % of the gain.
    acquisition : str
        The acquisition.
    """

    n_labels: NDArray[np.intp]
    chosen: Floats
    random: Floats
    gain: float
    low: float
    high: float
    acquisition: str

    def __str__(self) -> str:
        name = self.acquisition
        if self.low > 0.0:
            verdict = f'acquisition="{name}" is better than random pairs'
        elif self.high < 0.0:
            verdict = f'acquisition="{name}" is worse than random pairs: use "random"'
        else:
            verdict = f'acquisition="{name}" cannot be told from random pairs: use "random"'
        return (
            f"{verdict}. Accuracy {self.gain:+.3f} ({self.low:+.3f} to {self.high:+.3f}) from "
            f"{self.n_labels[0]} to {self.n_labels[-1]} comparisons, {len(self.chosen)} repeats."
        )


class PreferencePairs(BaseEstimator):
    r"""Choose pairs of answers to compare, and learn a linear reward from the comparisons.

    .. math:: P(\text{first is better}) = \sigma\bigl(w^\top (z_1 - z_2)\bigr)

    with z the features of the answers (Bradley and Terry's model, with a Gaussian prior on w).

    **When not:** random pairs are hard to beat. :meth:`query` gives them beside the chosen ones,
    and :meth:`simulate` tells on comparisons that are known already whether the choice pays.

    Parameters
    ----------
    acquisition : {"d_optimal", "uncertainty", "random"}, default="d_optimal"
        Pairs that together raise the determinant of the information about w most; those of
        probabilities nearest to 1/2; or random ones.
    C : float, default=1.0
        Variance of the prior, as of scikit-learn's ``LogisticRegression``.
    random_state : int, RandomState or None, default=None
        Draws random pairs and splits, and breaks ties.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        The weights w of the reward.

    References
    ----------
    Bradley and Terry, "Rank analysis of incomplete block designs", Biometrika 1952,
    :doi:`10.2307/2334029`; Das, Chakraborty, Pacchiano and Chowdhury, "Active preference
    optimization for sample efficient RLHF", 2024, :doi:`10.48550/arXiv.2402.10500`, choose pairs by
    information; Nadeau and Bengio, "Inference for the generalization error", Machine Learning 2003,
    :doi:`10.1023/A:1024068626366`, for the interval of the gain.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.annotators import PreferencePairs
    >>> rng = np.random.default_rng(0)
    >>> first, second = rng.normal(size=(2, 300, 4))  # features of two answers to 300 questions
    >>> preferred = (first - second) @ [2.0, -1.0, 0.0, 0.0] + rng.logistic(size=300) > 0
    >>> pairs = PreferencePairs(random_state=0).fit(first[:50], second[:50], preferred[:50])
    >>> batch = pairs.query(first[50:], second[50:], batch_size=5)
    >>> batch.chosen.shape, batch.random.shape
    ((5,), (5,))
    >>> verdict = pairs.simulate(first, second, preferred, budget=60, batch_size=10, n_repeats=10)
    >>> print(str(verdict).split(". ")[0])
    acquisition="d_optimal" cannot be told from random pairs: use "random"
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "acquisition": [StrOptions({"d_optimal", "uncertainty", "random"})],
        "C": POSITIVE_REAL,
        "random_state": ["random_state"],
    }

    def __init__(
        self, acquisition: str = "d_optimal", *, C: float = 1.0, random_state: Any = None
    ) -> None:
        self.acquisition = acquisition
        self.C = C
        self.random_state = random_state

    def fit(self, first: Any, second: Any, preferred: Any) -> Self:
        """Learn the reward from comparisons.

        Parameters
        ----------
        first, second : array-like of shape (n_pairs, n_features)
            Features of both answers of each pair.
        preferred : array-like of shape (n_pairs,)
            Whether the first is better: True or 1, else False or 0.

        Returns
        -------
        Self
        """
        self._validate_params()
        differences = _subtract(first, second)
        self._learn(differences, _read_preferred(preferred, len(differences)))
        return self

    def query(self, first: Any, second: Any, batch_size: int) -> PairBatch:
        """Choose pairs to compare next; before :meth:`fit`, all preferences are even.

        Parameters
        ----------
        first, second : array-like of shape (n_pairs, n_features)
            Features of both answers of each pair.
        batch_size : int
            Number of pairs, at most `n_pairs`.

        Returns
        -------
        PairBatch
            The chosen pairs, and as many at random.
        """
        self._validate_params()
        differences = _subtract(first, second)
        batch_size = check_count("batch_size", batch_size, low=0)
        if batch_size > len(differences):
            raise ValueError(f"batch_size={batch_size} is more than the {len(differences)} pairs.")
        rng = make_random_state(self.random_state)
        random = rng.permutation(len(differences))[:batch_size]
        return PairBatch(self._choose(differences, batch_size, rng), random)

    def predict_proba(self, first: Any, second: Any) -> Floats:
        """Return the probability that the first answer of each pair is better, (n_pairs,).

        Parameters
        ----------
        first, second : array-like of shape (n_pairs, n_features)
            Features of both answers of each pair.

        Returns
        -------
        ndarray of shape (n_pairs,)
        """
        check_is_fitted(self)
        return self._predict(_subtract(first, second))

    def simulate(
        self,
        first: Any,
        second: Any,
        preferred: Any,
        *,
        budget: int,
        batch_size: int = 10,
        n_repeats: int = 20,
    ) -> PreferenceVerdict:
        """Play the acquisition and random pairs on comparisons that are known.

        Each repeat holds out 30 % of the pairs; both then start with the same random batch, and buy
        the others in batches.

        Parameters
        ----------
        first, second : array-like of shape (n_pairs, n_features)
            Features of both answers of each pair.
        preferred : array-like of shape (n_pairs,)
            Whether the first is better.
        budget : int
            Number of comparisons that each buys in the end, less than 70 % of the pairs.
        batch_size : int, default=10
            Number of comparisons per round.
        n_repeats : int, default=20
            Number of repeats, at least 2.

        Returns
        -------
        PreferenceVerdict
            ``str(verdict)`` is a sentence to quote.
        """
        self._validate_params()
        if self.acquisition == "random":
            raise ValueError(
                'There is nothing to compare: set acquisition to another than "random".'
            )
        differences = _subtract(first, second)
        y = _read_preferred(preferred, len(differences))
        n_test = round(_TEST_SHARE * len(y))
        n_train = len(y) - n_test
        batch_size = check_count("batch_size", batch_size)
        n_repeats = check_count("n_repeats", n_repeats, low=2)
        budget = check_count("budget", budget, low=batch_size + 1)
        if budget >= n_train or not n_test:
            raise ValueError(
                f"budget={budget} must be less than the {n_train} pairs that are not held out: all "
                "of them would be bought in the end, whatever the choice."
            )
        rng = make_random_state(self.random_state)
        n_labels = np.append(np.arange(batch_size, budget, batch_size), budget)
        arms: list[list[Floats]] = [[], []]
        for _ in range(n_repeats):
            order, seed = rng.permutation(len(y)), rng.randint(2**31 - 1)
            for curves, acquisition in zip(arms, (self.acquisition, "random"), strict=True):
                arm = PreferencePairs(acquisition, C=self.C, random_state=RandomState(seed))
                curves.append(arm._play(differences, y, order[:n_train], order[n_train:], n_labels))
        chosen, random = np.array(arms[0]), np.array(arms[1])  # (n_repeats, n_rounds)
        gains = (chosen - random)[:, 1:].mean(axis=1)  # (n_repeats,)
        # Repeats share pairs, so that their variance is too small by itself.
        error = np.sqrt((1.0 / n_repeats + n_test / n_train) * gains.var(ddof=1))
        half = float(student_t.ppf(0.5 + _LEVEL / 2, n_repeats - 1) * error)
        gain = float(gains.mean())
        return PreferenceVerdict(
            n_labels, chosen, random, gain, gain - half, gain + half, self.acquisition
        )

    def _play(
        self, differences: Floats, y: Floats, train: Positions, test: Positions, n_labels: Positions
    ) -> Floats:
        """Return the accuracy on the test pairs in each round, (n_rounds,); `train` is shuffled."""
        bought, rest, scores = train[: n_labels[0]], train[n_labels[0] :], []
        for n_next in [*n_labels[1:], n_labels[-1]]:
            self._learn(differences[bought], y[bought])
            guesses = self._predict(differences[test])
            scores.append(np.where(guesses == 0.5, 0.5, (guesses > 0.5) == y[test]).mean())
            picks = self._choose(differences[rest], n_next - len(bought), self.random_state)
            bought, rest = np.append(bought, rest[picks]), np.delete(rest, picks)
        return np.array(scores)

    def _learn(self, differences: Floats, y: Floats) -> None:
        self._learned = differences
        if not len(differences):
            self.coef_ = np.zeros(differences.shape[1])
            return
        # Each pair counts from both sides, by halves: the same model, and there are two classes.
        rows, labels = np.vstack([differences, -differences]), np.append(y, 1.0 - y)
        model = LogisticRegression(C=self.C, fit_intercept=False, max_iter=1000)
        self.coef_ = model.fit(rows, labels, np.full(len(rows), 0.5)).coef_[0]

    def _predict(self, differences: Floats) -> Floats:
        coef = getattr(self, "coef_", np.zeros(differences.shape[1]))
        if len(coef) != differences.shape[1]:
            raise ValueError(
                f"Answers have {differences.shape[1]} features, but fit got {len(coef)}: pass the "
                "same features."
            )
        proba: Floats = expit(differences @ coef)
        return proba

    def _choose(self, differences: Floats, n: int, rng: RandomState) -> Positions:
        if self.acquisition == "random" or not n:
            return rng.permutation(len(differences))[:n]
        proba = self._predict(differences)
        if self.acquisition == "uncertainty":
            return top(-np.abs(proba - 0.5), n, rng)
        learned = getattr(self, "_learned", differences[:0])
        labeled = (_weigh(self._predict(learned)), learned) if len(learned) else None
        return d_optimal(
            (_weigh(proba), differences), n, ridge=1.0 / self.C, labeled=labeled, random_state=rng
        )


def _weigh(proba: Floats) -> Floats:
    """Return the root of the information of each pair about its logit, (n_pairs, 1)."""
    return np.sqrt(proba * (1.0 - proba))[:, np.newaxis]


def _subtract(first: Any, second: Any) -> Floats:
    """Return the differences of the features, (n_pairs, n_features)."""
    left, right = to_numbers("first", first), to_numbers("second", second)
    if left.ndim != 2 or left.shape != right.shape or not left.shape[1]:
        raise ValueError(
            f"first and second must be of one shape (n_pairs, n_features), got {left.shape} and "
            f"{right.shape}."
        )
    differences = np.subtract(left, right, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise ValueError("first and second must hold finite numbers, got NaN or infinity.")
    return differences


def _read_preferred(preferred: Any, n: int) -> Floats:
    """Return 1 where the first answer is better, else 0, (n_pairs,)."""
    values = np.asarray(preferred)
    if values.shape != (n,) or (n and not np.isin(values, (0, 1)).all()):
        raise ValueError(
            f"preferred must be True or False (or 1 or 0) for each of the {n} pairs, whether the "
            f"first answer is better; got shape {values.shape} and {np.unique(values)[:5]!r}."
        )
    return values.astype(np.float64)
