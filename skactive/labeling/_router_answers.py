"""The answers of a router to the rows of a session: labels, confidences and names."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Floats, Positions
from skactive._utils.fingerprint import describe_rows
from skactive.annotators import Annotations, Annotator, Router
from skactive.exceptions import LabelError, PoolChangedError
from skactive.labeling._names import check_name

__all__ = ["RouterAnswers", "check_covers", "hear_router", "name_annotators"]

_MAX_NAME = 60  # characters; a number may follow


class RouterAnswers(NamedTuple):
    """The answers of a router to its pool.

    Attributes
    ----------
    answers : Annotations
        Its answers to all rows.
    confidences : ndarray of shape (n_rows,)
        How sure the annotator was whose answer was accepted; NaN where that is not known, and where
        there is no such answer.
    """

    answers: Annotations
    confidences: Floats

    def find_accepted(self) -> Positions:
        """Return the rows that annotators label."""
        return np.flatnonzero(~self.answers.abstained & (self.answers.sources >= 0))

    def find_audited(self) -> Positions:
        """Return the rows whose true labels the router was told."""
        return np.flatnonzero(~self.answers.abstained & (self.answers.sources < 0))


def check_covers(router: Router, X: Any) -> None:
    """Check that a router is fitted, and to these rows: before anything is paid."""
    certificate = getattr(router, "certificate_", None)
    if certificate is None:
        raise ValueError(
            "The router is not fitted: call session.fit_router(router), which asks people for its "
            "audit, or router.fit(session.X, oracle=...)."
        )
    if certificate.pool != describe_rows(X):
        raise PoolChangedError(
            f"The router was fitted to other rows ({certificate.n_rows:,}, or their contents "
            "differ), so that its certificate does not cover those of this session. Nothing was "
            "stored. Fit a router to session.X."
        )


def hear_router(router: Router, X: Any) -> RouterAnswers:
    """Ask a router about its pool, and note the confidences of the answers that it accepts."""
    heard = copy(router)
    heard.annotators = [_Heard(annotator) for annotator in router.annotators]
    answers = heard.annotate(X)
    said = getattr(answers, "confidences", None)  # of a router that notes them itself
    if said is None:
        said = _gather_confidences(router, heard.annotators, answers)
    return RouterAnswers(answers, said)


class _Heard(Annotator):
    """An annotator that notes how sure it was."""

    def __init__(self, annotator: Annotator) -> None:
        self.annotator = annotator
        self.noted: Floats | None = None  # of the last rows that it was asked about

    def annotate(self, X: Any) -> Annotations:
        answers = self.annotator.annotate(X)
        self.noted = _list_known(answers)
        return answers

    def estimate_cost(self, X: Any) -> float:
        return self.annotator.estimate_cost(X)

    def _list_prices(self, X: Any) -> Floats:
        return self.annotator._list_prices(X)

    def _answer(self, X: Any) -> Any:
        return self.annotator._answer(X)


def _list_known(answers: Annotations) -> Floats:
    """Return confidences; NaN if the annotator has none, as a rule."""
    if answers.proba is None:
        return np.full(len(answers.abstained), np.nan)
    return answers.list_confidences()


def _gather_confidences(router: Router, heard: Sequence[_Heard], answers: Annotations) -> Floats:
    """Return the confidence of each accepted answer, (n_rows,)."""
    confidences = np.full(len(answers.abstained), np.nan)
    first = getattr(router, "_first", None)  # answers to all rows, which fit has paid for
    if first is not None and len(first.abstained) == len(confidences):
        mine = answers.sources == 0
        confidences[mine] = _list_known(first)[mine]
    for place, annotator in enumerate(heard):
        if annotator.noted is None or (place == 0 and first is not None):
            continue
        asked = _find_asked(answers, place)[: len(annotator.noted)]  # up to the budget
        mine = answers.sources[asked] == place
        confidences[asked[mine]] = annotator.noted[mine]
    return confidences


def _find_asked(answers: Annotations, place: int) -> NDArray[np.intp]:
    """Return the rows that an annotator was asked about: what those before it left."""
    is_audited = ~answers.abstained & (answers.sources < 0)
    taken_before = (answers.sources >= 0) & (answers.sources < place)
    return np.flatnonzero(~is_audited & ~taken_before)


def name_annotators(router: Router, names: Sequence[str] | None) -> list[str]:
    """Return a name for each annotator of a router, under which its answers are stored."""
    if names is None:
        found: list[str] = []
        for annotator in router.annotators:
            name = _describe(annotator)[:_MAX_NAME]
            n_alike = sum(other.startswith(name) for other in found)
            found.append(check_name(f"{name} {n_alike + 1}" if n_alike else name))
        return found
    if isinstance(names, str) or len(names) != len(router.annotators):
        raise LabelError(
            f"names must have one name for each of the {len(router.annotators)} annotators, got "
            f"{names!r}. Nothing was stored."
        )
    checked = [check_name(name) for name in names]
    if len(set(checked)) < len(checked):
        raise LabelError(f"names must differ, got {names!r}. Nothing was stored.")
    return checked


def _describe(annotator: Annotator) -> str:
    """Return the name of a model, or the kind of an annotator."""
    model = getattr(annotator, "model", None)  # of a language model
    if isinstance(model, str):
        return model
    estimator = getattr(annotator, "estimator", None)
    if estimator is not None:
        steps = getattr(estimator, "steps", None)  # a pipeline is called by its last step
        return type(steps[-1][1] if steps else estimator).__name__
    function = getattr(annotator, "function", None)
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else type(annotator).__name__
