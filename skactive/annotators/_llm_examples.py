"""Labeled rows for a language model: their labels, and which of them are shown as examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skactive._utils.labels import find_missing, read_labels
from skactive._utils.row_texts import list_texts
from skactive._utils.rows import n_rows, take_rows
from skactive.annotators._llm_prompts import ClassNames, Example

__all__ = ["Examples", "choose_examples", "find_positions", "read_pairs"]


class Examples:
    """Labeled texts to show, the same in all prompts, or those that a selector chooses for a row.

    Parameters
    ----------
    pairs : sequence of (text, name)
        Texts and the names of their labels.
    selector : object or None
        Its ``choose(X)`` returns positions of pairs for each row, (n_rows, n_shown).
    """

    def __init__(self, pairs: Sequence[Example] = (), selector: Any = None) -> None:
        self.pairs, self._selector = list(pairs), selector

    def list_for(self, X: Any) -> Iterable[Sequence[Example]]:
        """List the examples to show with each row."""
        if self._selector is None or not n_rows(X):
            return repeat(self.pairs, n_rows(X))
        return ([self.pairs[place] for place in places] for places in self._selector.choose(X))


def choose_examples(
    X: Any, labels: NDArray[np.intp], names: ClassNames, examples: Any, seed: int
) -> tuple[NDArray[np.intp], Examples]:
    """Choose examples among labeled rows.

    Parameters
    ----------
    X : rows in any container
        Rows, not all of which are labeled.
    labels : ndarray of shape (n_rows,)
        Positions of classes; -1 where they are missing.
    names : ClassNames
        The classes.
    examples : int, selector or sequence of (text, label)
        How many are drawn; or an object with `fit` and `choose`, of which a clone is fitted; or
        the examples themselves.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n_examples,), Examples
        Positions of the rows that are examples, and the examples.
    """
    if isinstance(examples, list | tuple):
        return np.empty(0, dtype=np.intp), Examples(read_pairs(examples, names))
    selector = None
    if isinstance(examples, int | np.integer):
        chosen = _draw(labels, int(examples), seed)
    else:
        known = np.flatnonzero(labels >= 0)
        _check_enough(1, len(known))
        selector = clone(examples).fit(take_rows(X, known), names.classes[labels[known]])
        chosen = known[np.asarray(selector.positions_)]
    texts = list_texts(take_rows(X, chosen)) if len(chosen) else []
    shown = [names.names[label] for label in labels[chosen]]
    return chosen, Examples(list(zip(texts, shown, strict=True)), selector)


def read_pairs(pairs: Sequence[Any], names: ClassNames) -> list[Example]:
    """Return given examples as texts and the names of their labels.

    Raises
    ------
    ValueError, TypeError
        If one is no pair, its label is not among the classes, or its text is none.
    """
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(
                "examples must be a number, a selector or pairs such as [('a fine film', "
                f"'positive')], got {pair!r} among them."
            )
    labels = [label for _, label in pairs]
    positions = find_positions(labels if pairs else None, names.classes, len(pairs))
    if (positions < 0).any():
        raise ValueError(f"Examples need labels, got {pairs[int(positions.argmin())]!r}.")
    texts = list_texts([text for text, _ in pairs])
    return [(text, names.names[k]) for text, k in zip(texts, positions, strict=True)]


def find_positions(y: Any, classes: NDArray[Any], n_rows: int) -> NDArray[np.intp]:
    """Return the positions of labels among the classes, (n_rows,); -1 where they are missing.

    Raises
    ------
    ValueError
        If there are more or fewer, or one is not among the classes.
    """
    if y is None:
        return np.full(n_rows, -1, dtype=np.intp)
    labels = read_labels(y)
    if labels.shape != (n_rows,):
        raise ValueError(f"y must have a label for each of the {n_rows} rows, got {labels.shape}.")
    position = {label: k for k, label in enumerate(classes.tolist())}
    values = [None if m else v for v, m in zip(labels.tolist(), find_missing(labels), strict=True)]
    unknown = sorted({str(v) for v in values if v is not None and v not in position})
    if unknown:
        raise ValueError(
            f"y has labels {unknown[:5]} that are not among the classes {list(position)}: add "
            "them to classes, or leave these rows out."
        )
    return np.array([position.get(value, -1) for value in values], dtype=np.intp)


def _draw(labels: NDArray[np.intp], n_examples: int, seed: int) -> NDArray[np.intp]:
    """Draw labeled rows, as many of each class as there are, in random order."""
    known = np.flatnonzero(labels >= 0)
    _check_enough(n_examples, len(known))
    rng = np.random.RandomState(seed)
    order = rng.permutation(known)
    rank = np.empty(len(order), dtype=np.intp)  # among the rows of its class
    for label in np.unique(labels[order]):
        is_member = labels[order] == label
        rank[is_member] = np.arange(is_member.sum())
    return rng.permutation(order[np.argsort(rank, kind="stable")[:n_examples]])


def _check_enough(n_examples: int, n_known: int) -> None:
    if n_examples > n_known:
        raise ValueError(
            f"{n_examples} or more examples need as many labeled rows, got {n_known}: pass more "
            "rows with their labels to fit."
        )
