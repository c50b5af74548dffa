"""Problems of labeled rows, found by a model that is cross-validated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from skactive._utils.array_types import Floats, Positions
from skactive._utils.rows import take_rows
from skactive._utils.seeding import seeded_clone
from skactive.cli._errors import CommandError
from skactive.cli.checking._rows import CheckedRows, CheckSettings
from skactive.cli.learners._learners import make_learner
from skactive.cli.sources._data_source import DataSource
from skactive.cli.sources._duplicates import find_copies
from skactive.estimation import Estimate
from skactive.quality import LabelQuality, find_duplicates

__all__ = [
    "SURE_ODDS",
    "Findings",
    "Fold",
    "Repeats",
    "find_problems",
    "make_folds",
    "predict_folds",
]

_NEAR = 0.05  # cosine distance of texts that nearly repeat each other
_MAX_COMPARED = 20_000  # texts that are compared in pairs
_NOT_COMPARED = (
    f"With more than {_MAX_COMPARED:,} texts neither those that are nearly equal nor those that "
    "are far from all others are searched"
)
SURE_ODDS = 9.0  # of another class against a label, which is then suspect
_N_AUDIT = 100  # rows that are drawn for people to check


class Fold(NamedTuple):
    """Rows to learn from, and rows to predict."""

    train: Positions
    test: Positions


class Repeats(NamedTuple):
    """Rows that repeat each other.

    Attributes
    ----------
    rows : ndarray of shape (n,)
        Their positions.
    are_equal : bool
        Whether they are equal, and not only alike.
    labels_differ : bool
        Whether they have different labels: one of them is wrong.
    """

    rows: Positions
    are_equal: bool
    labels_differ: bool


@dataclass(frozen=True, eq=False)
class Findings:
    """Problems that were found, and the model that found them.

    Parameters
    ----------
    features : ndarray or sparse matrix of shape (n_rows, n_features)
        What the model learned from.
    model : classifier
        The model, not fitted.
    folds : list of Fold
        The folds of the cross-validation.
    groups : ndarray of shape (n_rows,)
        Rows of one group are in one fold.
    quality : LabelQuality
        Quality of the labels.
    kinds : ndarray of str of shape (n_rows,)
        Kind of each row: "wrong label", "ambiguous", "outlier" or "".
    repeats : list of Repeats
        Rows that repeat others, those with contradictory labels first.
    audit : ndarray of shape (n_drawn,)
        Positions that were drawn for people to check, sorted.
    error_rate : Estimate or None
        The share of wrong labels, from rows that people checked.
    notes : list of str
        What could not be done, and why.
    """

    features: Any
    model: Any
    folds: list[Fold]
    groups: Positions
    quality: LabelQuality
    kinds: NDArray[np.str_]
    repeats: list[Repeats]
    audit: Positions
    error_rate: Estimate | None
    notes: list[str]

    def compare_with_chance(self, labels: NDArray[np.str_]) -> tuple[float, float]:
        """Return the share of labels that the model predicts, and that of the largest class."""
        _, counts = np.unique(labels, return_counts=True)
        accuracy = (self.quality.suggested_labels_ == labels).mean()
        return float(accuracy), float(counts.max() / len(labels))

    @property
    def modeled_error_rate(self) -> float:
        """Share of wrong labels by confident learning: from the model alone."""
        joint = self.quality.joint_
        return float(1 - np.trace(joint) / joint.sum())

    def compare_classes(self, labels: NDArray[np.str_]) -> tuple[Positions, Positions]:
        """Return each label, and the most probable other class, as positions among the classes."""
        codes = np.searchsorted(self.quality.classes_, labels)
        others = self.quality.proba_.copy()
        others[np.arange(len(codes)), codes] = -np.inf
        return codes, others.argmax(axis=1)

    def list_suspects(self) -> Positions:
        """Return the suspects, likely wrong labels first, then by quality."""
        suspects = self.quality.suspects_
        order = {"wrong label": 0, "ambiguous": 1, "outlier": 2}
        ranks = [order[kind] for kind in self.kinds[suspects]]
        return suspects[np.argsort(ranks, kind="stable")]


def find_problems(rows: CheckedRows, settings: CheckSettings) -> Findings:
    """Find labels that are likely wrong, rows that repeat others, and rows far from all.

    Parameters
    ----------
    rows : CheckedRows
        The rows.
    settings : CheckSettings
        Model, folds and seed.

    Returns
    -------
    Findings

    Raises
    ------
    CommandError
        If the model cannot learn from the rows, or the audited rows do not tell the error rate.
    """
    source = DataSource(rows.contents.kind, rows.rows, None, kinds=rows.contents.kinds)
    classes = np.unique(rows.labels).tolist()
    learner = make_learner(source, settings.file, settings.model, "Random", classes, False)
    *steps, (_, model) = learner.estimator.steps
    features = rows.rows
    for _, step in steps:
        features = step.fit(features, rows.labels).transform(features)
    has_many_texts = source.kind == "text" and len(rows) > _MAX_COMPARED
    repeats = _find_repeats(rows, has_many_texts)
    groups = _assign_groups(rows, repeats, settings)
    model = seeded_clone(model, settings.seed)
    folds = make_folds(rows.labels, groups, settings.folds, settings.seed)
    proba = predict_folds(model, features, rows.labels, folds)
    quality = LabelQuality(sure_odds=SURE_ODDS).fit(None, rows.labels, proba=proba)
    metric = "cosine" if source.kind == "text" else "euclidean"
    return Findings(
        features,
        model,
        folds,
        groups,
        quality,
        quality.diagnose(None if has_many_texts else features, metric=metric),
        repeats,
        np.sort(quality.draw_audit(min(_N_AUDIT, len(rows)), random_state=settings.seed)),
        _estimate_error_rate(rows, quality, settings.audited),
        [_NOT_COMPARED] if has_many_texts else [],
    )


# Cross-validation -------------------------------------------------------------------------------


def make_folds(labels: Any, groups: Positions, n_folds: int, seed: int) -> list[Fold]:
    """Divide rows into folds, those of one group into the same, each class in all training parts.

    Groups give way if they would keep a class out of a training part.
    """
    n = len(labels)
    if n_folds <= len(np.unique(groups)) < n:
        grouped = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        folds = [Fold(*pair) for pair in grouped.split(np.zeros(n), labels, groups)]
        n_classes = len(np.unique(labels))
        if all(len(fold.test) for fold in folds) and all(
            len(np.unique(labels[fold.train])) == n_classes for fold in folds
        ):
            return folds
    stratified = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    return [Fold(*pair) for pair in stratified.split(np.zeros(n), labels)]


def predict_folds(model: Any, features: Any, labels: Any, folds: Sequence[Fold]) -> Floats:
    """Return probabilities of each row by a model that learned from the other folds."""
    proba = np.zeros((len(labels), len(np.unique(labels))))
    for train, test in folds:
        fitted = seeded_clone(model, None).fit(take_rows(features, train), labels[train])
        proba[test] = fitted.predict_proba(take_rows(features, test))
    return proba


def _assign_groups(
    rows: CheckedRows, repeats: Sequence[Repeats], settings: CheckSettings
) -> Positions:
    """Return the group of each row: texts that repeat each other, and answers to one item.

    Equal rows of a table may well be different things.
    """
    if settings.annotators and settings.id is not None:
        return np.array(rows.number_items(settings.id))
    groups = np.arange(len(rows))
    if rows.contents.kind == "text" or settings.annotators:
        for repeat in repeats:
            groups[repeat.rows] = repeat.rows[0]
    return groups


# Rows that repeat others ------------------------------------------------------------------------


def _find_repeats(rows: CheckedRows, only_equal: bool) -> list[Repeats]:
    """Return groups of texts that are alike, or of equal rows; contradictory ones come first."""
    if rows.contents.kind == "text" and not only_equal:
        groups = find_duplicates(rows.rows, _NEAR).groups
    else:
        groups = _group_equal(rows.keys)
    repeats = [
        Repeats(
            group,
            len({rows.keys[row] for row in group}) == 1,
            len(set(rows.labels[group])) > 1,
        )
        for group in groups
    ]
    return sorted(repeats, key=lambda repeat: not repeat.labels_differ)


def _group_equal(keys: Sequence[Any]) -> list[Positions]:
    """Return the positions of rows of equal content, the largest group first."""
    members: dict[int, list[int]] = {}
    for copy, original in find_copies(dict(enumerate(keys))).items():
        members.setdefault(original, [original]).append(copy)
    return [np.array(group) for group in sorted(members.values(), key=lambda g: (-len(g), g[0]))]


# The error rate ---------------------------------------------------------------------------------


def _estimate_error_rate(
    rows: CheckedRows, quality: LabelQuality, column: str | None
) -> Estimate | None:
    """Return the share of wrong labels from a column of checked labels, if there is one."""
    if column is None:
        return None
    checked = np.array(rows.name_cells(column))
    positions = np.flatnonzero(checked != "")
    if not len(positions):
        raise CommandError(
            f"--audited {column}: the column is empty; it holds the true classes of the rows that "
            "people checked, and the report without --audited lists rows to check"
        )
    try:
        return quality.estimate_error_rate(positions, checked[positions] != rows.labels[positions])
    except ValueError as error:
        raise CommandError(
            f"--audited {column}: {error} The report without --audited lists rows to check."
        ) from error
