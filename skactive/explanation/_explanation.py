"""Explanation: what is known about a row that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from skactive.explanation._card import render_card
from skactive.explanation._sentence import write_sentence

__all__ = ["Explanation", "LabeledNeighbor"]


@dataclass(frozen=True)
class LabeledNeighbor:
    """A labeled row near a row of the pool.

    Attributes
    ----------
    position : int
        Position among the labeled rows, ``learner.X_labeled_``.
    distance : float
        Euclidean distance in the embedding.
    label : object
        Its label.
    """

    position: int
    distance: float
    label: Any


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Why a row was asked for, as :meth:`ActiveLearner.explain` returns it.

    ``str()`` is a sentence, and notebooks show a card. Both only hold what was computed.

    Attributes
    ----------
    position : int
        Position of the row in the pool.
    strategy : str
        Name of the strategy.
    is_scored : bool
        Whether the strategy chooses by the score that the parts make up. Otherwise they only have a
        share in the choice.
    parts : dict of str to float
        What the choice depends on, by name: the score of the strategy, or the parts of which it is
        made and last "score", their sum or product. Empty for strategies that score no rows. The
        values are those for the first row of a batch.
    ranks : dict of str to float
        For each part the share of the pool whose value is lower.
    probabilities : dict of label to float
        Probabilities of the most probable classes, in their order; empty without probabilities.
    prediction : object
        Predicted label or number, or a list of the labels of the row; None without any.
    spread : float or None
        Standard deviation of a regressor's prediction, if it has one.
    nearest : tuple of LabeledNeighbor
        The nearest labeled rows; empty without labeled rows, or without an embedding.
    distance_rank : float or None
        Share of the pool that is nearer to its nearest labeled row than this row is to its own.
    batch_rank : float or None
        Share of the pool that is nearer than this row to a labeled row, or to a row before it
        among those that are explained together; None for the first.
    density : float or None
        Mean similarity to the rows of the pool, :func:`skactive.scores.information_density`.
    density_rank : float or None
        Share of the pool of a lower density.
    elements : dict of str to float, or None
        Scores of the elements (labels, words, boxes ...) that raise the score of the row most, if
        rows have elements.
    has_model : bool
        Whether there is a model; one that predicts several things per row may have no `prediction`.

    Examples
    --------
    >>> from skactive.explanation import Explanation
    >>> explanation = Explanation(
    ...     7,
    ...     "Margin",
    ...     is_scored=True,
    ...     parts={"uncertainty": 0.97},
    ...     ranks={"uncertainty": 0.99},
    ...     probabilities={3: 0.41, 8: 0.38},
    ... )
    >>> print(explanation)
    Asked since the model hesitates between 3 (0.41) and 8 (0.38).
    """

    position: int
    strategy: str
    is_scored: bool = False
    parts: Mapping[str, float] = field(default_factory=dict)
    ranks: Mapping[str, float] = field(default_factory=dict)
    probabilities: Mapping[Any, float] = field(default_factory=dict)
    prediction: Any = None
    spread: float | None = None
    nearest: tuple[LabeledNeighbor, ...] = ()
    distance_rank: float | None = None
    batch_rank: float | None = None
    density: float | None = None
    density_rank: float | None = None
    elements: Mapping[str, float] | None = None
    has_model: bool = False

    def __str__(self) -> str:
        return write_sentence(self)

    def __repr__(self) -> str:
        return f"<Explanation of row {self.position}: {self}>"

    def _repr_html_(self) -> str:
        return render_card(self)
