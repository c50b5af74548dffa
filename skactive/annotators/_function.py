"""Answers of a function: a rule, a dictionary, a regular expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from skactive._utils.rows import n_rows, take_rows
from skactive.annotators._base import PRICE, Annotator, Opinion

__all__ = ["FunctionAnnotator"]


class FunctionAnnotator(Annotator):
    """A function of one row that returns a label, or None: then it abstains.

    Parameters
    ----------
    function : callable
        ``function(row)`` returns a label or None. A row of a frame is a Series (pandas) or a frame
        of one row (others); of a sparse matrix, a matrix of one row.
    price : float or callable, default=0
        Price of an answer, or ``price(X)`` that returns those of the rows.

    Examples
    --------
    >>> from skactive.annotators import FunctionAnnotator
    >>> rule = FunctionAnnotator(lambda text: "spam" if "lottery" in text else None)
    >>> answers = rule.annotate(["you won the lottery", "see you on Monday"])
    >>> answers.labels, answers.abstained
    (array(['spam', None], dtype=object), array([False,  True]))
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"function": [callable], "price": PRICE}

    def __init__(self, function: Any, *, price: Any = 0.0) -> None:
        self.function = function
        self.price = price

    def _answer(self, X: Any) -> Opinion:
        labels = np.empty(n_rows(X), dtype=object)
        for i, row in enumerate(_iterate_rows(X)):
            labels[i] = self.function(row)
        return labels, None


def _iterate_rows(X: Any) -> Iterator[Any]:
    if hasattr(X, "iloc"):
        return (X.iloc[i] for i in range(n_rows(X)))
    if isinstance(X, np.ndarray | list | tuple):
        return iter(X)
    return (take_rows(X, [i]) for i in range(n_rows(X)))
