"""The audit of a router, drawn before anybody is asked: people answer it when they have time."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone

from skactive._utils.array_types import Positions
from skactive._utils.fingerprint import digest
from skactive._utils.rows import take_rows
from skactive.annotators import FunctionAnnotator, ModelAnnotator, Router

__all__ = ["draw_router_audit", "fingerprint_models"]

_DIGITS = 4  # of confidences: far above what the order of a sum changes


def draw_router_audit(router: Router, n_rows: int) -> Positions:
    """Draw the rows that a router will ask its oracle for, without asking anybody.

    ``router.fit`` asks for true labels at once, and people cannot answer at once. The rows of a
    uniform audit depend on the seed and the number of rows alone, so that they can be known before:
    let people label these, then call ``router.fit(X, oracle=...)`` with their labels.

    The promise of the router needs annotators that did not learn from these labels: keep the ones
    that you have when the audit is drawn.

    Parameters
    ----------
    router : Router
        A router whose `random_state` is an integer, with ``audit_sampling="uniform"``.
    n_rows : int
        Number of rows in the pool.

    Returns
    -------
    ndarray of shape (n_audited,)
        Positions in the pool, in the order in which they are drawn.

    Raises
    ------
    ValueError
        If the rows depend on more than that: `random_state` is no integer, or the audit is aimed.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive.annotators import ModelAnnotator, Router
    >>> from skactive.labeling import draw_router_audit
    >>> X, y = load_digits(return_X_y=True)
    >>> model = LogisticRegression(max_iter=5000).fit(X[:200], y[:200])
    >>> router = Router([ModelAnnotator(model)], audit=100, random_state=0)
    >>> positions = draw_router_audit(router, len(X))
    >>> answers = {position: y[position] for position in positions.tolist()}  # a person's
    >>> router = router.fit(X, oracle=lambda rows: [answers[row] for row in rows.tolist()])
    >>> bool(router.certificate_.n_accepted > 500)
    True
    """
    seed = router.random_state
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise ValueError(
            f"The audit of a router is drawn twice, but with random_state={seed!r} the two would "
            "differ: pass an integer, such as Router(..., random_state=0)."
        )
    if router.audit_sampling != "uniform":
        raise ValueError(
            f"audit_sampling={router.audit_sampling!r} chooses rows by answers that people have "
            'yet to give: use audit_sampling="uniform".'
        )
    # A router like this one, whose annotators cost nothing: the rows are the same.
    free = [FunctionAnnotator(_answer_zero) for _ in router.annotators]
    stand_in = clone(router).set_params(annotators=free, budget=None)
    drawn = stand_in.fit(np.zeros((n_rows, 1)), oracle=np.zeros(n_rows)).audited_
    return np.asarray(drawn, dtype=np.intp)


def _answer_zero(row: Any) -> int:
    return 0


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
