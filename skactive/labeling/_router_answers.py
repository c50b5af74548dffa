"""The answers of a router to the rows of a session: labels, confidences and names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.fingerprint import describe_rows
from skactive.annotators import Annotations, Annotator, Router
from skactive.exceptions import LabelError, PoolChangedError
from skactive.labeling._names import check_name

__all__ = ["check_covers", "find_accepted", "find_audited", "name_annotators"]

_MAX_NAME = 60  # characters; a number may follow


def find_accepted(answers: Annotations) -> Positions:
    """Return the rows that annotators of a router label."""
    return np.flatnonzero(~answers.abstained & (answers.sources >= 0))


def find_audited(answers: Annotations) -> Positions:
    """Return the rows whose true labels a router was told."""
    return np.flatnonzero(~answers.abstained & (answers.sources < 0))


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
