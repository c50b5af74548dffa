"""Labels that are too few for a model: those of rare classes wait, the others are fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.fit_params import FitParams, is_per_row, take_params
from skactive._utils.labels import is_structured
from skactive._utils.rows import n_rows, take_rows
from skactive.adapters import ModelAdapter, adapt
from skactive.exceptions import InvalidReadingError

__all__ = [
    "PASSED_ON",
    "FittedModel",
    "describe_waiting",
    "fit_to_enough",
    "list_known_classes",
]

# Below this number of labels a fitted model is asked to predict two of its rows.
_FEW = 50
# Rows per class with which a model can be fitted, if too few rows are all that is wrong.
_ENOUGH = 30
PASSED_ON = (MemoryError, Warning)  # a warning is raised where the user has made it an error

Fit = Callable[[Any, Any, FitParams], Any]


class FittedModel(NamedTuple):
    """A model and the labeled rows that it was fitted to.

    Attributes
    ----------
    model : estimator or None
        The fitted model; None if the labels are too few for any.
    is_used : ndarray of bool, shape (n_labeled,)
        The rows that it was fitted to; the others wait for more rows of their classes.
    cause : Exception or None
        The error with which the model refused all rows.
    """

    model: Any
    is_used: NDArray[np.bool_]
    cause: Exception | None = None


def fit_to_enough(
    fit: Fit, X: Any, y: Any, params: FitParams, *, classifies: bool, known: Iterable[Any] = ()
) -> FittedModel:
    """Fit a model to all labeled rows, or to those of the classes that have enough of them.

    Whether too few rows are what a model refuses is found out by trial: it is fitted to the same
    rows, with those of rare classes repeated, or counted among those of the largest class. If it
    refuses all of these, its error is raised. A fit that succeeds is the only one. Of structured
    labels and maps, whose classes only the model knows, none wait.

    Parameters
    ----------
    fit : callable
        ``fit(X, y, params)`` returns a new model fitted to labeled rows.
    X : rows in any container
        Labeled rows.
    y : ndarray or None
        Their labels, as they were read.
    params : dict
        Fit parameters.
    classifies : bool
        Whether labels are classes.
    known : iterable, default=()
        Classes that are known to come, whether they have labels yet or not.

    Returns
    -------
    FittedModel
        The model, and the rows that it was fitted to.
    """
    n = n_rows(X)
    if is_structured(y) or np.ndim(y) > 2:
        return FittedModel(fit(X, y, params), np.ones(n, dtype=bool))
    model, cause = _try_to_fit(fit, X, y, params)
    if cause is None:
        return FittedModel(model, np.ones(n, dtype=bool))
    trial = _Trial(fit, X, y, params, _group_rows(y, classifies), classifies, list(known))
    larger, rows = trial.fit_larger_groups()
    if larger is not None and (trial.can_fit_repeated(_ENOUGH) or trial.can_fit_merged(rows)):
        return FittedModel(larger, np.isin(np.arange(n), rows), cause)
    if trial.can_fit_repeated(n):
        return FittedModel(larger, np.isin(np.arange(n), rows), cause)
    if model is None:
        raise cause
    return FittedModel(model, np.ones(n, dtype=bool))  # it cannot predict for another reason


def list_known_classes(model: Any, declared: NDArray[Any] | None) -> list[Any]:
    """List the classes that are declared, or else those that a model has weights for."""
    if declared is not None:
        return declared.tolist()
    params = model.get_params() if hasattr(model, "get_params") else {}
    weights = (value for name, value in params.items() if name.endswith("class_weight"))
    return list({label: None for each in weights if isinstance(each, dict) for label in each})


def describe_waiting(name: str, fitted: FittedModel, y: Any, *, classifies: bool) -> str:
    """Describe which labels wait, until when, and for which reason."""
    reason = f"{type(fitted.cause).__name__}: {fitted.cause}".strip().rstrip(".")
    if not classifies or y.ndim > 1:
        return (
            f"{name} cannot be fitted to so few labels yet ({reason}). They are kept, and it is "
            "fitted once there are enough."
        )
    listed = ", ".join(repr(label) for label in np.unique(y[~fitted.is_used]).tolist())
    if fitted.model is None:
        return (
            f"{name} cannot be fitted yet: the classes have too few labels ({reason}). The labels "
            f"of {listed} are kept; until it can be fitted, rows are chosen without a model."
        )
    return (
        f"{name} is fitted without the classes that have too few labels: {listed} ({reason}). "
        "These labels are kept, and it is fitted to them once there are enough."
    )


def _try_to_fit(
    fit: Fit, X: Any, y: Any, params: FitParams, *, must_predict: bool = False
) -> tuple[Any, Exception | None]:
    """Return a fitted model, or None, and the error of its fit or of its predictions."""
    model = None
    try:
        model = fit(X, y, params)
        adapter = adapt(model)
        knows_one_class = adapter.classes is not None and len(adapter.classes) == 1
        if must_predict or knows_one_class or n_rows(X) < _FEW:
            _predict_few_rows(adapter, take_rows(X, np.arange(2) % n_rows(X)))
    except PASSED_ON:
        raise
    except Exception as error:
        return model, error
    return model, None


def _predict_few_rows(adapter: ModelAdapter, rows: Any) -> None:
    """Raise an error if a model cannot predict, as one of nearest neighbors with too few rows."""
    with np.errstate(all="ignore"):  # variances of so few rows may be 0
        Z = adapter.prepare(rows)
        if adapter.element == "label" and adapter.provides("elements.proba"):
            adapter.read_elements("proba", Z, None, 0)
        if not adapter.provides("proba"):
            if adapter.provides("prediction"):
                adapter.prediction(Z)
            return
        proba, classes = np.asarray(adapter.proba(Z)), adapter.classes
    if proba.dtype.kind == "f" and np.isnan(proba).any():  # of variances of 0
        raise InvalidReadingError("its probabilities are not numbers")
    if classes is None or len(classes) != 1 or adapter.fixed_columns:
        return
    if proba.ndim == 2 and proba.shape[1] != 1:
        raise InvalidReadingError(
            f"it knows one class only, but gives {proba.shape[1]} columns of probability"
        )


class _Trial(NamedTuple):
    """Labeled rows that a model refused, by groups: the rows of each class."""

    fit: Fit
    X: Any
    y: Any
    params: FitParams
    groups: list[Positions]
    classifies: bool
    known: list[Any]

    def fit_larger_groups(self) -> tuple[Any, Positions]:
        """Return a model fitted to as many groups as it takes, and their rows; None and no row."""
        for rows in _iter_larger_groups(self.groups):
            model, error = _try_to_fit(self.fit, *_take(self.X, self.y, self.params, rows))
            if error is None:
                return model, rows
        return None, np.empty(0, dtype=np.intp)

    def can_fit_repeated(self, most: int) -> bool:
        """Return whether a model can be fitted if rows are repeated until there are enough of each.

        Of large groups `most` rows are tried. A class that is known to come has enough, too.
        """
        if not self.groups:
            return False
        sizes = [max(min(len(rows), most), _ENOUGH) for rows in self.groups]
        chosen = [np.resize(rows, n) for rows, n in zip(self.groups, sizes, strict=True)]
        labels: list[Any] = [self.y[rows[0]] for rows in self.groups]
        if self.classifies and self.y.ndim == 1:
            chosen, labels = self._add_missing(chosen, labels)
        # Groups take turns, so that the folds of a split without shuffling hold all of them.
        turns = np.concatenate([np.arange(len(rows)) / len(rows) for rows in chosen])
        order = np.argsort(turns, kind="stable")
        group = np.repeat(np.arange(len(chosen)), [len(rows) for rows in chosen])[order]
        X, y, params = _take(self.X, self.y, self.params, np.concatenate(chosen)[order])
        if self.classifies:
            y = np.asarray(labels)[group] if y.ndim == 1 else _vary_columns(y)
        # There may be too few groups of rows, too: here each has a row of each class.
        copies = np.arange(len(order)) // len(chosen)
        params = {
            name: copies if "group" in name and is_per_row(name, value, len(order)) else value
            for name, value in params.items()
        }
        tries = (X, _spread_rows(X, group))
        return any(
            _try_to_fit(self.fit, rows, y, params, must_predict=True)[1] is None
            for rows in tries
            if rows is not None
        )

    def _add_missing(
        self, chosen: list[Positions], labels: list[Any]
    ) -> tuple[list[Positions], list[Any]]:
        """Add groups of any rows for the classes without a row; with one class, for another one."""
        missing = [label for label in self.known if label not in set(labels)]
        if len(labels) == 1 and not missing:
            missing = [_invent_other_label(labels[0])]
        if len(labels) == 1 and len(self.y) > 1:  # rows differ, so that their labels may
            rows = np.array_split(np.arange(len(self.y)), 1 + len(missing))
            rows = [part if len(part) else np.arange(1) for part in rows]
            chosen = [np.resize(part, len(chosen[0])) for part in rows]
        else:
            chosen = chosen + [np.resize(np.arange(len(self.y)), _ENOUGH) for _ in missing]
        return chosen, labels + missing

    def can_fit_merged(self, larger: Positions) -> bool:
        """Return whether a model can be fitted if all other rows count to the largest class."""
        classes, counts = np.unique(self.y[larger], return_counts=True)
        merged = np.full_like(self.y, classes[counts.argmax()])
        merged[larger] = self.y[larger]
        return _try_to_fit(self.fit, self.X, merged, self.params, must_predict=True)[1] is None


def _spread_rows(X: Any, group: Positions) -> Any:
    """Spread rows, and move groups apart: equal rows have no covariance; None if X is no matrix."""
    is_frame = hasattr(X, "iloc") and hasattr(X, "columns")
    if not (is_frame or isinstance(X, np.ndarray)) or np.ndim(X) != 2:
        return None
    values = np.asarray(X)
    if values.dtype.kind not in "iuf":
        return None
    scale = values.std(axis=0) + 1.0
    noise = np.random.RandomState(0).normal(size=values.shape)
    moved = X + scale * (0.5 * noise + 3.0 * group[:, np.newaxis])
    return moved.astype(values.dtype) if values.dtype.kind == "f" else moved


def _group_rows(y: Any, classifies: bool) -> list[Positions]:
    """Return the positions of each class; all at once of labels that are not classes."""
    if y is None or not len(y):
        return []
    if not classifies or y.ndim > 1:
        return [np.arange(len(y))]
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) > _ENOUGH and classes.dtype.kind == "f" and (classes % 1 != 0).any():
        return []  # numbers that are no classes
    return [np.flatnonzero(codes == code) for code in range(len(classes))]


def _iter_larger_groups(groups: list[Positions]) -> Iterator[Positions]:
    """Yield the rows that are left without the smallest groups, of two groups or more.

    Groups of as many rows are left out together, so that the order of the labels does not matter.
    """
    for smallest in sorted({len(rows) for rows in groups}):
        larger = [rows for rows in groups if len(rows) > smallest]
        if len(larger) > 1:
            yield np.sort(np.concatenate(larger))


def _invent_other_label(label: Any) -> Any:
    """Return a label other than a given one, of its type."""
    if isinstance(label, bool | np.bool_):
        return not label
    if isinstance(label, str):
        return f"{label}_"
    if isinstance(label, bytes):
        return label + b"_"
    if isinstance(label, date):
        return label + timedelta(days=1)
    return (label.item() if isinstance(label, np.number) else label) + 1  # it may hold no more


def _vary_columns(y: NDArray[Any]) -> NDArray[Any]:
    """Return labels, (n_rows, n_outputs), with a second label in each column that has only one."""
    y = y.copy()
    for column in np.flatnonzero((y == y[0]).all(axis=0)):
        label = y[0, column]
        y[1::2, column] = 1 - label if label in (0, 1) else _invent_other_label(label)
    return y


def _take(X: Any, y: Any, params: FitParams, rows: Positions) -> tuple[Any, Any, FitParams]:
    """Take some labeled rows, with their labels and fit parameters."""
    return take_rows(X, rows), y[rows], take_params(params, n_rows(X), rows)
