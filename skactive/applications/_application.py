"""An application: its data, its model, and the strategies that compete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.rows import join_rows, n_rows

__all__ = ["Application", "Sizes", "Task", "Variant"]

Split = tuple[Positions, Positions]


@dataclass(frozen=True, eq=False)
class Task:
    """Labeled rows to play with: a pool whose labels are bought, and test rows.

    Parameters
    ----------
    X, y : rows in any container, labels of any kind
        The pool, and the answers of the oracle.
    X_test, y_test : rows and labels, in the containers of `X` and `y`
        Rows to score the models on.
    source : str
        The data and their origin, in words.
    costs : array-like of shape (n_rows,), default=None
        Cost of the label of each row of the pool; None: 1 each.
    unit : str, default="labels"
        Unit of the costs, in the plural: "boxes", "seconds", ...
    element_costs : list with an array per row, default=None
        Costs of the elements (or groups) of the rows, for variants that buy these; None: 1 each.
    details : object, default=None
        Anything else that the model needs: the size of a vocabulary, the names of the classes, ...

    Raises
    ------
    ValueError
        If rows, labels and costs differ in their number.
    """

    X: Any
    y: Any
    X_test: Any
    y_test: Any
    source: str
    costs: Any = None
    unit: str = "labels"
    element_costs: Any = None
    details: Any = None

    def __post_init__(self) -> None:
        for name, rows in (
            ("y", "X"),
            ("y_test", "X_test"),
            ("costs", "X"),
            ("element_costs", "X"),
        ):
            values, n_expected = getattr(self, name), n_rows(getattr(self, rows))
            if values is not None and n_rows(values) != n_expected:
                raise ValueError(
                    f"{name} must have one entry for each of the {n_expected} rows of {rows}, got "
                    f"{n_rows(values)}."
                )

    def join(self) -> tuple[Any, Any]:
        """Return the rows and labels of pool and test, one after the other."""
        return join_rows(self.X, self.X_test), join_rows(self.y, self.y_test)

    def draw_splits(self, n_repeats: int, n_pool: int | None, random_state: int) -> list[Split]:
        """Draw the pool of each repeat; the test rows are the same in all.

        Parameters
        ----------
        n_repeats : int
            Number of repeats.
        n_pool : int or None
            Rows to draw from the pool in each repeat; None, or more than there are: all.
        random_state : int
            Seed. The first repeats do not depend on how many follow.

        Returns
        -------
        list of (ndarray, ndarray)
            Positions of training and test rows among the joined ones.
        """
        n, n_test = n_rows(self.X), n_rows(self.X_test)
        size = n if n_pool is None else min(n_pool, n)
        test = np.arange(n, n + n_test)
        generators = (np.random.default_rng([random_state, repeat]) for repeat in range(n_repeats))
        return [
            (np.sort(generator.choice(n, size, replace=False)), test) for generator in generators
        ]


@dataclass(frozen=True)
class Sizes:
    """Sizes of a campaign.

    Parameters
    ----------
    n_initial : int
        Rows that are labeled at the start.
    batch_size : int
        Rows per round.
    budget : float
        What all labels may cost; their number, if they have no costs.
    n_pool : int, default=None
        Rows of the pool in each repeat; None: all.
    """

    n_initial: int
    batch_size: int
    budget: float
    n_pool: int | None = None


@dataclass(frozen=True)
class Variant:
    """A strategy that buys something else than whole rows, or in other batches.

    Parameters
    ----------
    strategy : Strategy
        The strategy.
    oracle : Oracle, default=None
        What is bought; None: whole rows.
    batch_size : int, default=None
        What is bought per round; None: that of :class:`Sizes`.
    per_row : int, default=1
        How much is bought where :class:`Sizes` says one row, such as the regions of an image.
    """

    strategy: Any
    oracle: Any = None
    batch_size: int | None = None
    per_row: int = 1

    def find_batch_size(self, sizes: Sizes) -> int:
        """Return what is bought per round."""
        return sizes.batch_size * self.per_row if self.batch_size is None else self.batch_size


@dataclass(frozen=True, eq=False)
class Application:
    """Everything that differs from one application of active learning to another.

    Parameters
    ----------
    title : str
        What is learned, in a few words.
    read : callable
        ``read(folder)`` returns the :class:`Task`; of the miniature, if `folder` is None.
    model : callable
        ``model(task)`` returns the estimator, or an ActiveLearner.
    strategies : mapping of str to Strategy or Variant
        The strategies by name, ``"Random"`` among them, which the others are compared with.
    chosen : str
        The strategy that this application recommends, and whose choice is explained.
    scoring : str or callable
        The score of a model: a name of scikit-learn's, or ``scoring(model, X, y)``.
    score_name : str
        Its name.
    sizes, full_sizes : Sizes
        Sizes of the campaigns on the miniature, and on the full data.
    model_name : str, default=""
        The model, in a few words.

    Raises
    ------
    ValueError
        If `chosen` or "Random" is not among the strategies.
    """

    title: str
    read: Callable[[Path | None], Task]
    model: Callable[[Task], Any]
    strategies: Mapping[str, Any]
    chosen: str
    scoring: Any
    score_name: str
    sizes: Sizes
    full_sizes: Sizes
    model_name: str = ""

    def __post_init__(self) -> None:
        missing = [name for name in ("Random", self.chosen) if name not in self.strategies]
        if missing:
            raise ValueError(
                f"strategies must contain {', '.join(map(repr, missing))}, got "
                f"{list(self.strategies)}."
            )
