"""LabelQuality: how well each label fits a model that has not learned from it."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from skactive._utils.array_types import Floats
from skactive._utils.compat import HasMethods, Interval, StrOptions
from skactive._utils.rows import collect_rows, n_rows
from skactive._utils.seeding import draw_seed
from skactive.estimation import Estimate
from skactive.quality._confident_learning import count_confidently
from skactive.quality._error_rate import estimate_share
from skactive.quality._outliers import find_outliers

__all__ = ["LabelQuality"]

Codes = NDArray[np.intp]


class LabelQuality(BaseEstimator):
    r"""How well each label fits a model that has not learned from it, and which are likely wrong.

    The model predicts each row in cross-validation. A label is *suspect* if the model is confident
    of another class (:func:`count_confidently`), or finds it many times as probable (`sure_odds`).
    How many labels are really wrong is not known from a model: look at some rows, and
    :meth:`estimate_error_rate` gives the share with an interval. :meth:`diagnose` tells wrong
    labels from rows that are ambiguous or far from all others.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``, default=None
        The model; may be left out if probabilities are passed to `fit`.
    method : {"self_confidence", "margin", "odds"}, default="self_confidence"
        The quality of a label: its probability; or, in [0, 1], half of 1 plus the difference to the
        most probable other class; or its probability if that other class and it were the only ones,
        which spares rows that the model knows little about.
    sure_odds : float, default=None
        Odds of another class against the label from which it is suspect, too; None: none are. A
        good model is seldom *more* sure of the right class of a wrong label than it is, on average,
        of that class: with odds of 9 up to a fifth more of the errors was found in benchmarks, with
        few other labels.
    cv : int, splitter or iterable, default=5
        Folds of the cross-validation.
    n_jobs : int, default=None
        Number of folds to fit in parallel.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    proba_ : ndarray of shape (n_rows, n_classes)
        Probabilities of each row by a model that has not learned from it.
    quality_ : ndarray of shape (n_rows,)
        Quality of each label, from 0 to 1.
    suspects_ : ndarray of shape (n_suspects,)
        Positions of the suspect rows, of the worst quality first.
    suggested_labels_ : ndarray of shape (n_rows,)
        The most probable class of each row.
    odds_ : ndarray of shape (n_rows,)
        Probability of the most probable other class, divided by that of the label.
    joint_ : ndarray of shape (n_classes, n_classes)
        Estimated number of rows of each given (row) and true label (column).
    noise_matrix_ : ndarray of shape (n_classes, n_classes)
        Estimated probability of each given label (row), given the true one (column).
    error_rate_ : Estimate
        The share of wrong labels, after :meth:`estimate_error_rate`.

    References
    ----------
    .. [1] C. G. Northcutt, L. Jiang and I. L. Chuang (2021). "Confident learning: estimating
       uncertainty in dataset labels." Journal of Artificial Intelligence Research 70, 1373-1411.
       :doi:`10.1613/jair.1.12125`

    Examples
    --------
    Five labels of digits are changed; four of them are among the eight suspects:

    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skactive.quality import LabelQuality
    >>> X, y = load_digits(return_X_y=True)
    >>> changed = [7, 100, 500, 900, 1500]
    >>> y[changed] = (y[changed] + 1) % 10
    >>> quality = LabelQuality(KNeighborsClassifier(10)).fit(X, y)
    >>> len(quality.suspects_), int(np.isin(changed, quality.suspects_).sum())
    (8, 4)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "method": [StrOptions({"self_confidence", "margin", "odds"})],
        "sure_odds": [Interval(Real, 1, None, closed="neither"), None],
        "cv": ["cv_object"],
        "n_jobs": [int, None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        method: str = "self_confidence",
        sure_odds: float | None = None,
        cv: Any = 5,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.sure_odds = sure_odds
        self.cv = cv
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, *, proba: Any = None) -> Self:
        """Predict each row by a model that has not learned from it, and compare with its label.

        Parameters
        ----------
        X : rows in any container
            The rows; not read if `proba` is passed.
        y : array-like of shape (n_rows,)
            Their labels.
        proba : array-like of shape (n_rows, n_classes), default=None
            Probabilities of a model that has not learned from the row, one column per class of
            `y`, sorted.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If there is no model and no `proba`, or if `proba` does not fit.
        """
        self._validate_params()
        labels = np.asarray(y)
        classes, codes = np.unique(labels, return_inverse=True)
        table = self._predict(X, labels) if proba is None else np.asarray(proba, dtype=np.float64)
        _check_proba(table, len(labels), classes)
        counts = count_confidently(codes, table)
        self.classes_, self.proba_ = classes, table
        own, other = _compare_classes(codes, table)
        self.quality_ = _rate_labels(own, other, self.method)
        self.odds_ = np.divide(other, own, out=np.full(len(own), np.inf), where=own > 0)
        is_suspect = (counts.confident >= 0) & (counts.confident != codes)
        if self.sure_odds is not None:
            is_suspect |= self.odds_ >= self.sure_odds
        suspects = np.flatnonzero(is_suspect)
        self.suspects_ = suspects[np.argsort(self.quality_[suspects], kind="stable")]
        self.suggested_labels_ = classes[table.argmax(axis=1)]
        self.joint_ = counts.joint
        self.noise_matrix_ = counts.joint / counts.joint.sum(axis=0)
        self.n_rows_ = len(labels)
        return self

    def diagnose(
        self,
        X: Any = None,
        *,
        max_odds: float = 2.0,
        n_neighbors: int = 10,
        metric: str = "euclidean",
    ) -> NDArray[np.str_]:
        """Separate likely wrong labels from ambiguous rows and outliers, which may be right.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features), default=None
            All rows as features on comparable scales, best an embedding, in which outliers are
            searched (:func:`find_outliers`); None: outliers are not told apart.
        max_odds : float, default=2.0
            Odds of another class against the label up to which a row is ambiguous, and down to
            their inverse.
        n_neighbors : int, default=10
            Number of nearest rows that an outlier is far from.
        metric : {"euclidean", "cosine"}, default="euclidean"
            Distance of rows.

        Returns
        -------
        ndarray of str of shape (n_rows,)
            "outlier" if the row is far from all others, where a model knows little; else
            "ambiguous" if the label is about as probable as another class; else "wrong label" if it
            is among ``suspects_``; else "".

        Raises
        ------
        ValueError
            If `X` has other rows than those that were fitted, or `max_odds` is below 1.

        Notes
        -----
        A suspect whose label is *more* probable than all other classes, because it is held to the
        high mean of its own class, is ambiguous, too.

        Examples
        --------
        >>> import numpy as np
        >>> from skactive.quality import LabelQuality
        >>> proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9]])
        >>> LabelQuality().fit(None, [0, 0, 0, 1, 1], proba=proba).diagnose()
        array(['', 'ambiguous', 'wrong label', '', ''], dtype='<U11')
        """
        if not max_odds >= 1:
            raise ValueError(f"max_odds must be at least 1, got {max_odds!r}.")
        is_suspect = np.zeros(self.n_rows_, dtype=bool)
        is_suspect[self.suspects_] = True
        is_ambiguous = (self.odds_ <= max_odds) & (is_suspect | (self.odds_ >= 1 / max_odds))
        is_outlier = np.zeros(self.n_rows_, dtype=bool)
        if X is not None:
            if n_rows(X) != self.n_rows_:
                raise ValueError(
                    f"X must be the {self.n_rows_} rows that were fitted, got {n_rows(X)}."
                )
            found = find_outliers(X, n_neighbors=n_neighbors, metric=metric)
            is_outlier[found.positions] = True
        kinds = [is_outlier, is_ambiguous, is_suspect]
        return np.select(kinds, ["outlier", "ambiguous", "wrong label"], "")

    def draw_audit(self, n: int, *, random_state: Any = None) -> Codes:
        """Draw rows whose labels people should check, half of them suspects.

        Parameters
        ----------
        n : int
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed.

        Returns
        -------
        ndarray of shape (n,)
            Positions, in random order.

        Raises
        ------
        ValueError
            If there are fewer rows.
        """
        if not 0 < n <= self.n_rows_:
            raise ValueError(f"n must lie between 1 and the {self.n_rows_} rows, got {n}.")
        rng = np.random.default_rng(draw_seed(random_state))
        others = np.setdiff1d(np.arange(self.n_rows_), self.suspects_)
        n_suspects = min(len(self.suspects_), n // 2)
        n_others = min(len(others), n - n_suspects)
        drawn = [
            rng.choice(self.suspects_, n - n_others, replace=False),
            rng.choice(others, n_others, replace=False),
        ]
        return rng.permutation(np.concatenate(drawn))

    def estimate_error_rate(
        self, positions: Any, is_wrong: Any, *, confidence: float = 0.95
    ) -> Estimate:
        """Estimate the share of wrong labels from rows that people checked.

        Parameters
        ----------
        positions : array-like of shape (n_checked,)
            Positions of the checked rows, as :meth:`draw_audit` drew them: at random among the
            suspects, and at random among the others.
        is_wrong : array-like of bool of shape (n_checked,)
            Whether each label turned out to be wrong.
        confidence : float, default=0.95
            Confidence level of the interval.

        Returns
        -------
        Estimate
            Also kept as ``error_rate_``.

        Raises
        ------
        ValueError
            If lengths differ, a position occurs twice or does not exist, or none of the other rows
            was checked.

        Notes
        -----
        Suspects and others are two strata, whose errors are counted apart. Of the rows that were
        not checked the number of wrong ones has a beta-binomial posterior with Jeffreys' prior
        [1]_; the interval is that of the sum.

        References
        ----------
        .. [1] L. D. Brown, T. T. Cai and A. DasGupta (2001). "Interval estimation for a binomial
           proportion." Statistical Science 16(2), 101-133. :doi:`10.1214/ss/1009213286`
        """
        checked, wrong = np.asarray(positions), np.asarray(is_wrong, dtype=bool)
        if checked.shape != wrong.shape or checked.ndim != 1:
            raise ValueError(
                f"positions and is_wrong must have one length, got {checked.shape} and "
                f"{wrong.shape}."
            )
        if len(np.unique(checked)) < len(checked):
            raise ValueError("positions must be distinct: a row counts once.")
        if len(checked) and not 0 <= checked.min() <= checked.max() < self.n_rows_:
            raise ValueError(f"positions must lie between 0 and {self.n_rows_ - 1}.")
        is_suspect = np.zeros(self.n_rows_, dtype=bool)
        is_suspect[self.suspects_] = True
        strata = []
        for stratum in (is_suspect, ~is_suspect):
            of_stratum = stratum[checked]
            strata.append((int(stratum.sum()), int(of_stratum.sum()), int(wrong[of_stratum].sum())))
        if strata[1][0] and not strata[1][1]:
            raise ValueError(
                "No row that is not suspect was checked, so that nothing is known of these: draw "
                "the rows by draw_audit."
            )
        self.error_rate_ = estimate_share(strata, confidence)
        return self.error_rate_

    def _predict(self, X: Any, labels: NDArray[Any]) -> Floats:
        from sklearn.model_selection import (
            cross_val_predict,  # late: it takes a quarter of a second
        )

        if self.estimator is None:
            raise ValueError("LabelQuality needs a model: pass estimator=, or proba= to fit.")
        if n_rows(X) != len(labels):
            raise ValueError(f"X has {n_rows(X)} rows, but y has {len(labels)} labels.")
        model, rows = clone(self.estimator), collect_rows(X)
        return np.asarray(
            cross_val_predict(
                model, rows, labels, cv=self.cv, n_jobs=self.n_jobs, method="predict_proba"
            )
        )


def _compare_classes(codes: Codes, proba: Floats) -> tuple[Floats, Floats]:
    """Return the probability of each label, and of the most probable other class, (n_rows,)."""
    rows = np.arange(len(codes))
    others = proba.copy()
    others[rows, codes] = -np.inf
    return proba[rows, codes], others.max(axis=1)


def _rate_labels(own: Floats, other: Floats, method: str) -> Floats:
    """Return the quality of labels, from 0 to 1; half of it if no probability is above 0."""
    if method == "self_confidence":
        return own
    if method == "margin":
        return (own - other + 1) / 2
    total = own + other
    return np.divide(own, total, out=np.full(len(own), 0.5), where=total > 0)


def _check_proba(proba: Floats, n: int, classes: NDArray[Any]) -> None:
    if proba.shape != (n, len(classes)):
        raise ValueError(
            f"proba must have shape {(n, len(classes))}, a column for each of the classes "
            f"{classes.tolist()[:10]} of y, got {proba.shape}."
        )
    if not np.isfinite(proba).all() or (proba < 0).any():
        raise ValueError("proba must be finite and not negative.")
    if len(classes) < 2:
        raise ValueError(f"All labels are {classes.tolist()[0]!r}: there is nothing to confuse.")
