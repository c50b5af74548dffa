"""The base of all annotators."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skactive._utils.array_types import Floats
from skactive._utils.constraints import NONNEGATIVE_REAL
from skactive._utils.rows import n_rows
from skactive.annotators._annotations import Annotations

__all__ = ["PRICE", "Annotator", "Opinion"]

PRICE: list[Any] = [*NONNEGATIVE_REAL, callable]
Opinion = tuple[NDArray[Any], Floats | None]  # labels (n,), None where it abstains; proba (n, K)


class Annotator(BaseEstimator, ABC):
    """Base of who answers: a model, a function, a server.

    A subclass implements `_answer`, and has a hyper-parameter `price`: the price of an answer, or
    ``price(X)`` that returns those of the rows, (n_rows,).
    """

    price: Any = 0.0

    def annotate(self, X: Any) -> Annotations:
        """Label rows.

        Parameters
        ----------
        X : rows in any container
            The rows.

        Returns
        -------
        Annotations
        """
        self._validate_params()
        n = n_rows(X)
        began = time.perf_counter()
        labels, proba = self._answer(X) if n else (np.empty(0, dtype=object), None)
        seconds = np.full(n, (time.perf_counter() - began) / max(n, 1))
        abstained = np.array([label is None for label in labels], dtype=bool)
        cost = self._list_prices(X)
        return Annotations(labels, proba, cost, seconds, abstained, np.zeros(n, dtype=np.intp))

    def ask_again(self, X: Any) -> Annotations:
        """Label rows without what is kept of earlier answers.

        Parameters
        ----------
        X : rows in any container
            The rows.

        Returns
        -------
        Annotations
        """
        return self.annotate(X)

    def estimate_cost(self, X: Any) -> float:
        """Estimate what :meth:`annotate` would cost, before it is paid.

        Parameters
        ----------
        X : rows in any container
            The rows.

        Returns
        -------
        float
        """
        self._validate_params()
        return float(self._list_prices(X).sum())

    def _list_prices(self, X: Any) -> Floats:
        n = n_rows(X)
        if not callable(self.price):
            return np.full(n, float(self.price))
        prices = np.asarray(self.price(X), dtype=np.float64)
        if prices.shape != (n,) or not np.isfinite(prices).all() or (prices < 0).any():
            raise ValueError(
                f"price(X) must return one finite price >= 0 for each of the {n} rows, got "
                f"{prices!r}."
            )
        return prices

    @abstractmethod
    def _answer(self, X: Any) -> Opinion:
        """Return labels, None where there is none, and probabilities or None; X is not empty."""
