"""A fingerprint of what models answer to an audit: it changes if they learn from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.fingerprint import digest
from skactive._utils.rows import take_rows
from skactive.annotators import ModelAnnotator, Router

__all__ = ["fingerprint_models"]

_DIGITS = 4  # of confidences: far above what the order of a sum changes


def fingerprint_models(router: Router, X: Any, positions: Positions) -> str:
    """Return a digest of what the models of a router answer to rows; empty without models.

    A model that has learned from the audit answers it otherwise than before. Others are not asked,
    since their answers may cost something, or differ from call to call.
    """
    models = [a for a in router.annotators if isinstance(a, ModelAnnotator)]
    rows = take_rows(X, positions)
    answers = [model.annotate(rows) for model in models]
    said = [
        [list(map(str, answer.labels)), np.round(answer.list_confidences(), _DIGITS).tolist()]
        for answer in answers
    ]
    return digest(said) if said else ""
