"""Answers to buy: who can be asked about what, what an answer is worth, and which are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import entr

from skactive._utils.array_types import Floats, Positions
from skactive.crowds._answers import Answers

__all__ = ["Market", "check_positions", "choose_pairs", "measure_information"]


@dataclass(frozen=True, eq=False)
class Market:
    """Who can be asked about a pool, at which prices.

    Attributes
    ----------
    n_rows : int
        Number of rows of the pool.
    people : ndarray of shape (n_annotators,)
        Who can be asked, sorted.
    prices : ndarray of shape (n_annotators,)
        What an answer of each costs.
    """

    n_rows: int
    people: NDArray[Any]
    prices: Floats

    def find_open(self, answers: Answers | None, available: Any) -> NDArray[np.bool_]:
        """Find the answers that can be bought, shape (n_rows, n_annotators)."""
        is_open = np.zeros((self.n_rows, len(self.people)), dtype=bool)
        is_open[:] = self._read_available(available)
        if answers is not None:
            is_open[self._find_pairs(answers)] = False
        return is_open

    def check_new(self, new: Answers, answers: Answers | None) -> None:
        """Check that answers are by people who can be asked, and that none was given before."""
        self.check_people(new.annotators)
        given = np.zeros((self.n_rows, len(self.people)), dtype=bool)
        if answers is not None:
            given[self._find_pairs(answers)] = True
        rows, people = self._find_pairs(new)
        cells = rows * len(self.people) + people
        is_repeated = given[rows, people]
        _, first = np.unique(cells, return_index=True)
        is_repeated[np.setdiff1d(np.arange(len(cells)), first)] = True
        if is_repeated.any():
            at = np.flatnonzero(is_repeated)[0]
            name = self.people.tolist()[people[at]]
            raise ValueError(
                f"{name!r} has answered row {rows[at]} before: pass each answer once. Nothing was "
                "changed."
            )

    def check_people(self, names: NDArray[Any]) -> None:
        """Check that names are of people who can be asked."""
        strange = np.setdiff1d(names, self.people)
        if len(strange):
            raise ValueError(
                f"{strange.tolist()[0]!r} is not among the annotators "
                f"{self.people.tolist()[:5]}: pass annotators= to fit to name all who can be asked."
            )

    def _find_pairs(self, answers: Answers) -> tuple[Positions, Positions]:
        """Return the row and the position of the annotator of each answer."""
        rows = answers.items[answers.item_codes].astype(np.intp)
        return rows, np.searchsorted(self.people, answers.annotators)[answers.annotator_codes]

    def _read_available(self, available: Any) -> Any:
        """Return who can be asked about which row, to be broadcast to all."""
        if available is None:
            return True
        table = available.toarray() if sp.issparse(available) else np.asarray(available)
        if table.ndim == 2:
            shape = (self.n_rows, len(self.people))
            if table.shape != shape or table.dtype != bool:
                raise ValueError(
                    f"available must be a list of annotators, or a matrix of bool of shape {shape},"
                    f" got {table.dtype} of shape {table.shape}."
                )
            return table
        self.check_people(table)
        return np.isin(self.people, table)


def check_positions(items: NDArray[Any], n: int) -> None:
    """Check that items are positions of rows."""
    if items.dtype.kind not in "iu" or items[0] < 0 or items[-1] >= n:
        strange = items[0] if items.dtype.kind not in "iu" or items[0] < 0 else items[-1]
        raise ValueError(
            f"Answers must be about positions of rows, 0 to {n - 1}, got {strange!r}. Nothing was "
            "changed."
        )


def measure_information(proba: Floats, accuracy: float) -> Floats:
    """Return the information of an answer about the class of each row, in nats, (n_rows,).

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Probability of each class.
    accuracy : float
        Probability that the answer is right; errors fall on all other classes alike.
    """
    n_classes = proba.shape[1]
    other = (1 - accuracy) / (n_classes - 1)
    answered = other + (accuracy - other) * proba  # probability of each answer
    noise = entr(accuracy) + (n_classes - 1) * entr(other)
    return np.maximum(entr(answered).sum(axis=1) - noise, 0.0)


def choose_pairs(
    worth: Floats, is_open: NDArray[np.bool_], n: int, rng: np.random.Generator
) -> tuple[Positions, Positions]:
    """Choose up to `n` answers, at most one for each row, best first; ties are broken at random.

    Parameters
    ----------
    worth : ndarray of shape (n_rows, n_annotators)
        Worth of each answer.
    is_open : ndarray of bool of shape (n_rows, n_annotators)
        Which can be chosen.
    n : int
        Number of answers.
    rng : Generator
        Random numbers of ties.

    Returns
    -------
    rows, people : ndarray of int of shape (n_chosen,)
    """
    rows = np.flatnonzero(is_open.any(axis=1))
    values = np.where(is_open[rows], worth[rows], -np.inf)
    best = values.max(axis=1)
    is_best = values == best[:, None]
    people = np.where(is_best, rng.random(values.shape), -1.0).argmax(axis=1)
    order = np.lexsort((rng.random(len(rows)), -best))[:n]
    return rows[order], people[order]
