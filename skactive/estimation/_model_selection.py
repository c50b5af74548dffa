"""Selection of the best of several models with few labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState, SeedSequence
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.input_kinds import check_count, check_number, to_numbers
from skactive._utils.seeding import Seed, draw_seed
from skactive.estimation._intervals import check_confidence
from skactive.estimation._vote_model import VoteModel
from skactive.scores import entropy

__all__ = ["ActiveModelSelection"]

_N_DRAWS, _N_WIDE_DRAWS = 50, 100
# Models err together, which their votes do not show: with the deviations of the posterior itself
# a probability of .95 was right in 6 of 10 cases on some tables, with twice these nearly always.
_WIDENING = 2.0
_N_BEFORE_STOP = 20  # a probability is not believed before: it stands on the prior


class ActiveModelSelection:
    r"""Find the most accurate of several models with few labels.

    The models are fitted and stay as they are; they may come from anywhere. Where they agree, a
    label says nothing about which of them is better. So it asks for rows whose label is most in
    doubt, and learns from the answers how far the vote of each model is to be trusted.

    Parameters
    ----------
    predictions : array-like of shape (n_models, n_rows) or (n_models, n_rows, n_classes)
        The label that each model predicts for each row of a pool that no model was trained on, or
        its probabilities.
    classes : array-like of shape (n_classes,), default=None
        Labels of the classes, in the order of the columns of probabilities; None: 0, 1, 2 ...
    tolerance : float, default=0.01
        How far from the best accuracy a model may be.
    confidence : float, default=0.95
        Probability of that from which on it stops, with 20 labels or more.
    random_state : int, RandomState or None, default=None
        Seed of the draws of the posterior and of ties.

    Attributes
    ----------
    best_ : int
        The model of the highest expected accuracy.
    p_best_ : float
        Probability that the accuracy of `best_` is within `tolerance` of the best.
    accuracies_ : ndarray of shape (n_models,)
        Expected accuracy of each model on the pool.
    n_labels_ : int
        Number of labels so far.
    stop_reason_ : str or None
        "confidence", or "pool" if all rows are labeled; None while it goes on.

    Raises
    ------
    ValueError
        If there are less than two models, or the predictions are not labels or probabilities.

    Notes
    -----
    Labels are modeled given the votes of the models, by a logistic model with one weight per model
    and a normal prior that lets all votes count alike. The expected accuracy of a model is the mean
    probability of its votes, with the known labels in place of probabilities; draws from the
    posterior, with twice its deviations, give `p_best_`. A query takes the rows of the highest
    entropy; rows that all models vote on alike do not come twice in a batch. Since the model is one
    of labels *given* votes, rows may be chosen in any way, and labels of other rows may be taught
    too.

    `p_best_` is as good as the model of the votes: if most models make the same mistakes it may be
    too high, which the doubled deviations allow for, but do not exclude. For an interval that does
    not depend on a model, compare the two best with :class:`ActiveEvaluation` and
    ``metric="difference"``.

    The idea to choose rows by what their label says about which model is best is that of Okanovic
    et al.; their model has one error rate and a single best model.

    References
    ----------
    Okanovic, Kirsch, Kasper, Hoefler, Krause and Gürel, "All models are wrong, some are useful:
    model selection with limited labels", AISTATS 2025, :doi:`10.48550/arXiv.2410.13609`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skactive.estimation import ActiveModelSelection
    >>> X, y = load_digits(return_X_y=True)
    >>> models = [DecisionTreeClassifier(random_state=0), GaussianNB(), KNeighborsClassifier()]
    >>> predictions = [model.fit(X[:300], y[:300]).predict(X[300:]) for model in models]
    >>> selection, truth = ActiveModelSelection(predictions, random_state=0), y[300:]
    >>> while selection.stop_reason_ is None:
    ...     rows = selection.query()
    ...     selection.teach(rows, truth[rows])  # in practice: a person's answers
    >>> models[selection.best_], selection.n_labels_ < 50
    (KNeighborsClassifier(), True)
    """

    def __init__(
        self,
        predictions: Any,
        *,
        classes: Any = None,
        tolerance: float = 0.01,
        confidence: float = 0.95,
        random_state: Seed = None,
    ) -> None:
        self._tolerance = float(check_number("tolerance", tolerance, 0.0, 1.0))
        self._confidence = check_confidence(confidence)
        self._classes, self._votes = _read_votes(predictions, classes)
        self._seed = draw_seed(random_state)
        self._model = VoteModel(self._votes, len(self._classes))
        self._codes = np.full(self._votes.shape[1], -2, dtype=np.intp)  # -1: of no class known
        self._update()

    def query(self, batch_size: int = 1) -> Positions:
        """Return the rows to label next, those whose label is most in doubt.

        Parameters
        ----------
        batch_size : int, default=1
            Number of rows; fewer where the pool has no more. One at a time takes the fewest labels.

        Returns
        -------
        ndarray of shape (n_asked,)
            Distinct positions in the pool. The same call returns the same until ``teach``.

        Raises
        ------
        ValueError
            If all rows are labeled.
        """
        check_count("batch_size", batch_size)
        left = np.flatnonzero(self._codes == -2)
        if len(left) == 0:
            raise ValueError("All rows of the pool are labeled: read best_.")
        order = left[np.lexsort((self._rng(1).permutation(len(left)), -self._doubt[left]))]
        return _put_repeats_last(order, self._votes, batch_size)[:batch_size]

    def teach(self, rows: Any, labels: Any) -> None:
        """Take the labels of some rows.

        Parameters
        ----------
        rows : array-like of shape (n_taught,)
            Distinct rows that are not labeled yet, whether they were asked for or not.
        labels : array-like of shape (n_taught,)
            Their labels. One that no model predicts counts as an error of all.

        Raises
        ------
        ValueError
            If the rows are no such positions or labels do not fit them; nothing has changed then.
        """
        positions, given = np.asarray(rows), np.asarray(labels)
        _check_answers(positions, given, self._classes, self._codes)
        found = np.minimum(np.searchsorted(self._sorted_classes, given), len(self._classes) - 1)
        codes = np.argsort(self._classes)[found]
        self._codes[positions] = np.where(self._classes[codes] == given, codes, -1)
        self._update()

    @property
    def n_labels_(self) -> int:
        return int((self._codes != -2).sum())

    @property
    def stop_reason_(self) -> str | None:
        if self.n_labels_ == self._votes.shape[1]:
            return "pool"
        is_sure = self.n_labels_ >= _N_BEFORE_STOP and self.p_best_ >= self._confidence
        return "confidence" if is_sure else None

    # Implementation -------------------------------------------------------------------------------

    @property
    def _sorted_classes(self) -> NDArray[Any]:
        return np.sort(self._classes)

    def _rng(self, purpose: int) -> RandomState:
        seeds = SeedSequence([self._seed, self.n_labels_, purpose])
        return RandomState(seeds.generate_state(1))

    def _update(self) -> None:
        """Learn from the labels, and set the accuracies and the doubt about each row."""
        known = np.flatnonzero(self._codes >= 0)
        if len(known):
            self._model.fit(known, self._codes[known])
        draws = self._model.draw_weights(_N_DRAWS + _N_WIDE_DRAWS, self._rng(0))
        mode = self._model.weights[:, None]
        draws[:, _N_DRAWS:] = mode + _WIDENING * (draws[:, _N_DRAWS:] - mode)
        self._doubt = np.empty(self._votes.shape[1])
        right = np.zeros((len(self._votes), draws.shape[1]))
        for block, proba in self._model.proba(draws):
            self._doubt[block] = entropy(proba[:, :, :_N_DRAWS].mean(axis=2))
            _fill_known(proba, self._codes[block])
            right += self._model.count_right(block, proba)
        accuracies = right / self._votes.shape[1]  # (n_models, n_draws)
        self.accuracies_: Floats = accuracies[:, :_N_DRAWS].mean(axis=1)
        self.best_ = int(np.argmax(self.accuracies_))
        wide = accuracies[:, _N_DRAWS:]
        gaps = wide.max(axis=0) - wide[self.best_]
        self.p_best_ = float(np.mean(gaps <= self._tolerance + 1e-12))


def _fill_known(proba: Floats, codes: NDArray[np.intp]) -> None:
    """Set the probabilities of labeled rows, of a block, to 1 for their class and 0 for others."""
    labeled = np.flatnonzero(codes != -2)
    proba[labeled] = 0.0
    known = np.flatnonzero(codes >= 0)
    proba[known, codes[known]] = 1.0


def _put_repeats_last(order: Positions, votes: NDArray[np.intp], n_wanted: int) -> Positions:
    """Move rows behind the others whose votes are those of a row before them."""
    if n_wanted == 1:
        return order
    patterns = np.unique(votes[:, order], axis=1, return_inverse=True)[1].reshape(-1)
    is_first = np.zeros(len(order), dtype=bool)
    is_first[np.unique(patterns, return_index=True)[1]] = True
    return np.concatenate([order[is_first], order[~is_first]])


def _read_votes(predictions: Any, classes: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the classes, and the class that each model predicts for each row, as codes."""
    given = np.asarray(predictions)
    if given.ndim not in (2, 3) or len(given) < 2 or 0 in given.shape:
        raise ValueError(
            "predictions must be labels, (n_models, n_rows), or probabilities, (n_models, n_rows, "
            f"n_classes), of at least two models, got shape {given.shape}."
        )
    if given.ndim == 3:
        return _read_proba(to_numbers("predictions", given), classes)
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        raise ValueError("predictions must not be missing: got NaN or infinity.")
    found, votes = np.unique(given, return_inverse=True)
    if classes is not None and not np.isin(found, classes).all():
        raise ValueError(f"predictions must be of the classes {classes!r}, got {found!r}.")
    return found, votes.reshape(given.shape).astype(np.intp)


def _read_proba(proba: NDArray[Any], classes: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
    n_classes = proba.shape[2]
    names = np.arange(n_classes) if classes is None else np.asarray(classes)
    if names.shape != (n_classes,) or len(np.unique(names)) != n_classes:
        raise ValueError(
            f"classes must be {n_classes} different labels, one per column, got {classes!r}."
        )
    if not np.allclose(proba.sum(axis=2), 1.0, atol=1e-3) or not (proba >= 0).all():
        raise ValueError("predictions of three axes must be probabilities that sum to 1 per row.")
    return names, proba.argmax(axis=2).astype(np.intp)


def _check_answers(
    rows: NDArray[Any], labels: NDArray[Any], classes: NDArray[Any], codes: NDArray[np.intp]
) -> None:
    """Check rows and labels that are taught."""
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or labels.shape != rows.shape:
        raise ValueError(
            "rows must be positions and labels one per row, got shapes "
            f"{rows.shape} and {labels.shape}."
        )
    if len(np.unique(rows)) < len(rows) or not ((rows >= 0) & (rows < len(codes))).all():
        raise ValueError(f"rows must be distinct positions below {len(codes)}, got {rows}.")
    if (codes[rows] != -2).any():
        raise ValueError(f"Rows {rows[codes[rows] != -2]} are labeled already.")
    if (labels.dtype.kind in "US") != (classes.dtype.kind in "US"):
        raise ValueError(
            f"labels must be of the kind of the classes, {classes.dtype}, got {labels.dtype}: "
            "texts never equal numbers."
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError("labels must not be missing: got NaN or infinity.")
