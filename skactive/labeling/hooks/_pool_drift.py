"""PoolDrift: alarms when new rows are unlike those of the pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive._utils.input_kinds import check_count, check_numbers
from skactive._utils.seeding import Seed, draw_seed
from skactive.labeling.hooks._martingales import Jumper, Ranks
from skactive.selectors import k_center_greedy

__all__ = ["LabelingPlan", "PoolDrift", "PoolShift"]

_N_REFERENCE = 40


@dataclass(frozen=True)
class PoolShift:
    """New rows that are unlike those of the pool; ``str()`` of it is a sentence.

    Parameters
    ----------
    n_rows : int
        Number of new rows up to the alarm, since the beginning or the last alarm.
    wealth : float
        Gain of the bets; under no drift it reaches this with a chance of at most 1 / `wealth`.
    reading : str
        The reading that changed most: "novelty" (the distance from the pool), "value" or
        "component 1", "component 2" ...
    message : str
        The sentence.
    """

    n_rows: int
    wealth: float
    reading: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class LabelingPlan:
    """Rows to label after an alarm; ``str()`` of it is a sentence.

    Parameters
    ----------
    audit : ndarray of shape (n_audit,)
        Positions of rows drawn at random: their labels say how good the model is on the new rows.
        They serve this measurement only, or the model is tested on what it learned.
    label : ndarray of shape (n_labels,)
        Positions of rows to learn from, best first: far from the pool and from each other.
    """

    audit: NDArray[np.intp]
    label: NDArray[np.intp]

    def __str__(self) -> str:
        return (
            f"Label {len(self.audit)} of the new rows, drawn at random, to see whether the model "
            f"still serves, and {len(self.label)} others, unlike the pool, for it to learn from."
        )


class PoolDrift:
    r"""Watch whether new rows are like those of the pool, batch after batch, without an end.

    The chance of a false alarm is at most `alpha`, for a stream of any length, looked at as often
    as one likes, and for any distribution of the rows.

    Parameters
    ----------
    reference : array-like of shape (n_reference, n_dims) or (n_reference,), or rows
        Embeddings of rows of the pool, at least 40, drawn at random; or one score per row, such as
        the confidence of a model. With an `embedder`, the rows.
    embedder : callable or transformer, default=None
        Makes embeddings or scores of rows: ``embedder(X)`` or ``embedder.transform(X)``.
    alpha : float, default=0.05
        Bound on the chance of a false alarm.
    n_components : int, default=5
        Number of principal components that are watched, beside the distance.
    callback : callable, default=None
        Called with each :class:`PoolShift`.
    random_state : int, RandomState or None, default=None
        Seed: which half of the reference is the measure, and how ties are ranked.

    Attributes
    ----------
    alarms : list of PoolShift
        All alarms so far.
    wealth : float
        Present gain of the bets; the alarm comes at 1 / `alpha`.

    Raises
    ------
    ValueError
        If there are too few rows, or they are not finite numbers.

    Notes
    -----
    One half of the reference gives the principal components and the neighbors. The other half and
    all new rows are read by these: their coordinates, and their distance from the nearest neighbor
    (of scores: the score, and its distance from the median). Without drift each new reading is
    exchangeable with those before, so the rank that it takes among them is an independent uniform
    p-value, and a gambler who bets against that gains with a chance of at most alpha ever the
    factor 1 / alpha (a conformal test martingale). The mean of the gains of all readings is tested.
    Small drift takes long: what is seen after n rows is a change of some :math:`3 / \sqrt n`
    standard deviations.

    After an alarm the bets begin anew, against the same reference. If the new rows are here to
    stay, make another ``PoolDrift`` with them.

    References
    ----------
    Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and Gammerman, "Retrain or not retrain: conformal
    test martingales for change-point detection", COPA 2021, :doi:`10.48550/arXiv.2102.10439`.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.labeling.hooks import PoolDrift
    >>> rng = np.random.RandomState(0)
    >>> drift = PoolDrift(rng.normal(size=(400, 8)), random_state=0)
    >>> drift.update(rng.normal(size=(100, 8))) is None  # more of the same
    True
    >>> shift = drift.update(rng.normal(size=(100, 8)) + [2, 0, 0, 0, 0, 0, 0, 0])
    >>> shift.n_rows <= 200
    True
    >>> plan = drift.plan_labels(rng.normal(size=(200, 8)) + 2, n_audit=60, n_labels=20)
    >>> str(plan)[:40]
    'Label 60 of the new rows, drawn at rando'
    """

    def __init__(
        self,
        reference: Any,
        embedder: Any = None,
        *,
        alpha: float = 0.05,
        n_components: int = 5,
        callback: Callable[[PoolShift], Any] | None = None,
        random_state: Seed = None,
    ) -> None:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1, got {alpha!r}: 0.05 means 5 %.")
        check_count("n_components", n_components, 0)
        self.embedder, self.alpha, self.n_components = embedder, alpha, n_components
        self.callback, self.alarms = callback, list[PoolShift]()
        self._rng = RandomState(draw_seed(random_state))
        values = self._embed("reference", reference)
        if len(values) < _N_REFERENCE:
            raise ValueError(
                f"reference must have at least {_N_REFERENCE} rows, got {len(values)}: half of "
                "them are the measure, and the others what new rows are compared with."
            )
        order = self._rng.permutation(len(values))
        half = len(values) // 2
        self._reference, self._n_dims = values, values.shape[1]
        self._measure = _Measure(values[order[:half]], n_components)
        self._first = self._measure.read(values[order[half:]])  # (n_rest, n_readings)
        self._restart()

    @property
    def wealth(self) -> float:
        return float(np.mean([jumper.wealth for jumper in self._jumpers]))

    def update(self, X: Any) -> PoolShift | None:
        """Take a batch of new rows, of any size.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_dims) or (n_rows,), or rows
            New rows, like the reference, in the order in which they came.

        Returns
        -------
        PoolShift or None
            The first alarm that these rows raise; what follows it is part of the next test, which
            may raise another.

        Raises
        ------
        ValueError
            If rows have another form than the reference; none of them has been taken then.
        """
        values = self._read_new(X)
        found = [self._take(readings) for readings in self._measure.read(values)]
        shifts = [shift for shift in found if shift is not None]
        if self.callback is not None:
            for shift in shifts:
                self.callback(shift)
        return shifts[0] if shifts else None

    def plan_labels(self, X: Any, *, n_audit: int = 50, n_labels: int = 50) -> LabelingPlan:
        """Plan which of the new rows to label after an alarm.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_dims) or (n_rows,), or rows
            New rows, like the reference.
        n_audit : int, default=50
            Rows that measure the model.
        n_labels : int, default=50
            Rows that it is to learn from: they cover what the reference does not (k-center greedy,
            the reference being covered already).

        Returns
        -------
        LabelingPlan

        Raises
        ------
        ValueError
            If there are too few rows for both.
        """
        values = self._read_new(X)
        check_count("n_audit", n_audit)
        check_count("n_labels", n_labels)
        if len(values) < n_audit + n_labels:
            raise ValueError(
                f"X has {len(values)} rows, too few for an audit of {n_audit} and {n_labels} "
                "others: pass more rows, or smaller numbers."
            )
        order = self._rng.permutation(len(values))
        audit, rest = np.sort(order[:n_audit]), np.sort(order[n_audit:])
        picked = k_center_greedy(
            values[rest], n_labels, labeled=self._reference, random_state=self._rng
        )
        return LabelingPlan(audit, rest[picked])

    def _read_new(self, X: Any) -> Floats:
        """Return the embedding of new rows, of the form of the reference."""
        values = self._embed("X", X)
        if values.shape[1] != self._n_dims:
            raise ValueError(
                f"X must have {self._n_dims} columns, as the reference has, got {values.shape[1]}."
            )
        return values

    def _embed(self, name: str, X: Any) -> Floats:
        """Return the embedding of rows, (n_rows, n_dims)."""
        if self.embedder is not None:
            embed = getattr(self.embedder, "transform", self.embedder)
            X = embed(X)
        values = np.asarray(check_numbers(name, X), dtype=np.float64)
        return values[:, None] if values.ndim == 1 else values

    def _restart(self) -> None:
        self._n_rows = 0
        self._ranks = [Ranks(column) for column in self._first.T.tolist()]
        self._jumpers = [Jumper() for _ in self._ranks]

    def _take(self, readings: Floats) -> PoolShift | None:
        """Take the readings of one row; return the alarm that it raises."""
        self._n_rows += 1
        draws = self._rng.rand(len(readings)).tolist()
        for ranks, jumper, value, u in zip(
            self._ranks, self._jumpers, readings.tolist(), draws, strict=True
        ):
            jumper.bet(ranks.add(value, u))
        if self.wealth < 1.0 / self.alpha:
            return None
        place = int(np.argmax([jumper.wealth for jumper in self._jumpers]))
        reading = self._measure.names[place]
        message = (
            f"The newest rows are unlike the pool, by their {reading}: after {self._n_rows} rows, "
            f"a chance of at most {1 / self.wealth:.2g} if they were alike. plan_labels says which "
            "of them to label."
        )
        shift = PoolShift(self._n_rows, self.wealth, reading, message)
        self.alarms.append(shift)
        self._restart()
        return shift


class _Measure:
    """Readings of rows, in which those of another distribution may differ.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_dims)
        Rows that give the center, the components and the neighbors.
    n_components : int
        Number of components.
    """

    def __init__(self, values: Floats, n_components: int) -> None:
        self._center = np.median(values, axis=0)
        self.names = ["novelty"]
        if values.shape[1] == 1:
            self._axes, self._neighbors = np.ones((1, 1)), None
            self.names.append("value")
            return
        from sklearn.neighbors import NearestNeighbors  # late: it takes a tenth of a second

        self._neighbors = NearestNeighbors(n_neighbors=1).fit(values)
        axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[2]
        self._axes = axes[:n_components].T  # (n_dims, n_components)
        self.names += [f"component {i + 1}" for i in range(self._axes.shape[1])]

    def read(self, values: Floats) -> Floats:
        """Return the readings of rows, (n_rows, n_readings)."""
        if len(values) == 0:
            return np.empty((0, len(self.names)))
        moved = values - self._center
        if self._neighbors is None:
            novelty = np.abs(moved)
        else:
            novelty = self._neighbors.kneighbors(values)[0]
        return np.column_stack([novelty, moved @ self._axes])
