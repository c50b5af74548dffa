"""Costs of labels: the time that a label takes, by row and by person."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone

from skactive._utils.array_types import Floats
from skactive._utils.compat import HasMethods
from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_INT
from skactive._utils.rows import n_rows

__all__ = ["CostModel"]


class CostModel(BaseEstimator):
    r"""The seconds that a label takes, by row and by person.

    The logarithm of the time is a function of the row plus the effect of the person. Both are
    estimated in turn, each from what the other leaves. The effect of a person is the median of
    theirs, shrunk towards 0, so that someone with few answers counts as typical, and an answer
    during which somebody left the desk counts as any other slow one.

    Parameters
    ----------
    estimator : regressor, default=None
        Predicts the logarithm of the seconds from the rows. None: a linear model of the length of
        texts, or of the features.
    shrinkage : float, default=5
        Answers of a typical person that are added to those of each.
    n_iter : int, default=3
        Number of turns.

    Attributes
    ----------
    annotators_ : ndarray of shape (n_annotators,)
        The persons.
    effects_ : ndarray of shape (n_annotators,)
        Effect of each on the logarithm of the time: ``log(2)`` takes twice as long as is typical.
    estimator_ : regressor
        The model of the rows; None if there are no rows to learn from.
    median_ : float
        Median of the logarithm of the seconds.
    spread_ : float
        Standard deviation of the logarithm of the time around its prediction, from the quartiles.

    Examples
    --------
    Long texts take longer, and Bob twice as long as Ann:

    >>> import numpy as np
    >>> from skactive.costs import CostModel
    >>> rng = np.random.default_rng(0)
    >>> lengths = rng.integers(2, 60, size=300)
    >>> people = rng.choice(["Ann", "Bob"], size=300)
    >>> seconds = lengths * np.where(people == "Bob", 2, 1) * rng.lognormal(sigma=0.3, size=300)
    >>> model = CostModel().fit(["word " * n for n in lengths], seconds, annotator=people)
    >>> short, long = model.predict(["word " * 5, "word " * 50])
    >>> bool(8 < long / short < 12)
    True
    >>> ann, bob = model.predict(["word " * 20] * 2, annotator=["Ann", "Bob"])
    >>> bool(1.7 < bob / ann < 2.3)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "shrinkage": NONNEGATIVE_REAL,
        "n_iter": POSITIVE_INT,
    }

    def __init__(self, estimator: Any = None, *, shrinkage: float = 5.0, n_iter: int = 3) -> None:
        self.estimator = estimator
        self.shrinkage = shrinkage
        self.n_iter = n_iter

    def fit(self, X: Any, seconds: Any, annotator: Any = None) -> Self:
        """Learn from the times of answers.

        Parameters
        ----------
        X : rows in any container, or None
            The row of each answer; None: only the person counts.
        seconds : array-like of shape (n_answers,)
            Time of each answer.
        annotator : array-like of shape (n_answers,), default=None
            Who answered; None: one person.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If a time is not positive and finite, or lengths differ.
        """
        self._validate_params()
        times = _check_seconds(seconds)
        names = np.zeros(len(times)) if annotator is None else np.asarray(annotator)
        for name, n in (("annotator", len(names)), ("X", len(times) if X is None else n_rows(X))):
            if n != len(times):
                raise ValueError(
                    f"{name} must have one entry per answer: got {n}, not {len(times)}."
                )
        logs = np.log(times)
        people, codes = np.unique(names, return_inverse=True)
        fitted, effects = np.full(len(logs), np.median(logs)), np.zeros(len(people))
        model = None if X is None else clone(self.estimator or _make_model(X))
        for _ in range(self.n_iter if model is not None else 1):
            if model is not None:
                rest = logs - effects[codes]
                fitted = model.fit(X, _clip_outliers(rest)).predict(X)
            effects = self._estimate_effects(logs - fitted, codes, len(people))
        self.annotators_, self.effects_, self.estimator_ = people, effects, model
        self.median_ = float(np.median(logs))
        self.spread_ = _spread(logs - fitted - effects[codes])
        return self

    def predict(self, X: Any, annotator: Any = None) -> Floats:
        """Predict the median seconds of answers.

        Parameters
        ----------
        X : rows in any container, or int
            The rows; without rows in `fit`, their number or any rows.
        annotator : array-like of shape (n_rows,) or a single name, default=None
            Who will answer; None, or somebody not known: a typical person.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        n = X if isinstance(X, int) else n_rows(X)
        if self.estimator_ is None:
            logs = np.full(n, self.median_)
        else:
            logs = np.asarray(self.estimator_.predict(X), dtype=np.float64)
        if annotator is not None:
            names = np.full(n, annotator) if np.ndim(annotator) == 0 else np.asarray(annotator)
            places = np.searchsorted(self.annotators_, names)
            places = np.minimum(places, len(self.annotators_) - 1)
            known = self.annotators_[places] == names
            logs = logs + np.where(known, self.effects_[places], 0.0)
        return np.exp(logs)

    def _estimate_effects(self, rest: Floats, codes: NDArray[np.intp], n_people: int) -> Floats:
        """Return the median of the rest of each person, shrunk towards 0."""
        order = np.argsort(codes, kind="stable")
        counts = np.bincount(codes, minlength=n_people)
        parts = np.split(rest[order], counts.cumsum()[:-1])
        medians = np.array([np.median(part) for part in parts])
        return medians * counts / (counts + self.shrinkage)


class _TextSizes(TransformerMixin, BaseEstimator):
    """The logarithm of the number of letters and of words."""

    def fit(self, X: Any, y: Any = None) -> Self:
        return self

    def transform(self, X: Any) -> Floats:
        return np.log1p([[len(text), len(text.split())] for text in X])

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _make_model(X: Any) -> Any:
    """Return a linear model of the length of texts, or of the features of other rows."""
    from sklearn.linear_model import Ridge  # late: a quarter of a second
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    is_text = getattr(X, "ndim", 1) == 1 and all(isinstance(row, str) for row in X)
    steps = [_TextSizes()] if is_text else []
    return make_pipeline(*steps, StandardScaler(), Ridge())


def _check_seconds(seconds: Any) -> Floats:
    times = np.asarray(seconds, dtype=np.float64)
    if times.ndim != 1 or not len(times):
        raise ValueError(f"seconds must have one entry per answer, got shape {times.shape}.")
    bad = np.flatnonzero(~((times > 0) & np.isfinite(times)))
    if len(bad):
        raise ValueError(
            f"seconds must be positive and finite, got {times[bad[0]]} at position {bad[0]}: leave "
            "out answers whose time was not measured."
        )
    return times


def _spread(values: Floats) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    return float((high - low) / 1.349)  # of a normal distribution: its standard deviation


def _clip_outliers(values: Floats) -> Floats:
    middle, width = np.median(values), 3 * _spread(values)
    return np.clip(values, middle - width, middle + width) if width > 0 else values
