"""PoolView: rows seen through the fitted model, with lazy and cached readings."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config

from skactive._utils.array_types import Floats, Positions
from skactive._utils.inputs import find_input_list, has_several_inputs
from skactive._utils.labels import is_structured, read_labels
from skactive._utils.matrices import match_rows, stack_matrices, to_matrix
from skactive._utils.rows import (
    are_stored,
    collect_rows,
    iter_blocks,
    join_rows,
    n_rows,
    row_shape,
    row_size,
    sample_row,
    select_rows,
    take_rows,
)
from skactive.adapters import ModelAdapter
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.pool._embedding import fit_embedder, make_embedding, make_matrix
from skactive.pool._proba import check_proba, widen_proba
from skactive.pool._state import DistancesT, PoolIndex
from skactive.selectors._engine.nearest_centers import NearestCenters

if TYPE_CHECKING:
    from skactive.pool._elements import ElementView

__all__ = ["PoolView", "ReadingSource"]

MODEL_FREE = frozenset({"X", "embedding"})  # readings that need no fitted model


@dataclass(frozen=True, eq=False)
class ReadingSource:
    """The model, the labeled rows and the seeds that all views of one query share.

    Parameters
    ----------
    adapter : ModelAdapter
        Adapter of the model.
    seed : int
        Seed of this query.
    run_seed : int
        Seed of what is the same in all queries: of an embedder that is fitted on the rows.
    fitted : bool
        Whether the model is fitted; if not, only `X` and `embedding` can be read.
    X_labeled, y_labeled : rows and labels, or None
        The labeled rows.
    classes : ndarray or None
        The declared classes, sorted.
    embedder : transformer or None
        Computes the embedding; fitted already, or to be fitted on the rows at hand.
    refit : callable or None
        ``refit(row, label)`` returns the adapter of the model refitted with one more label.
    refits_from_scratch : bool
        Whether a refit fits the model from scratch, to rows and labels alone.
    """

    adapter: ModelAdapter
    seed: int = 0
    run_seed: int = 0
    fitted: bool = True
    X_labeled: Any = None
    y_labeled: Any = None
    classes: NDArray[Any] | None = None
    embedder: Any = None
    refit: Callable[[Any, Any], ModelAdapter] | None = None
    refits_from_scratch: bool = False


class PoolView:
    """The candidate rows of a query, as a strategy sees them through the fitted model.

    A strategy reads ``pool.proba``, ``pool.embedding`` and so on. Each reading is computed when it
    is first read, checked once, and cached for the life of the view: do not change it in place.
    All readings have the rows in the order of `X`, and a strategy returns positions in that order.

    :meth:`ActiveLearner.query <skactive.ActiveLearner.query>` makes the view and passes it to
    :meth:`Strategy.select <skactive.strategies.Strategy.select>`; to test a strategy, use
    :class:`skactive.testing.FakePool`.

    Parameters
    ----------
    X : array-like, sparse matrix, frame, list or tensor of n_rows rows
        The rows.
    source : ReadingSource
        The model, the labeled rows and the seeds that all views of one query share.
    y : array-like of shape (n_rows,), default=None
        Labels, in the view of the labeled rows.
    pool_index : PoolIndex, default=None
        Positions of the rows in a campaign whose earlier rounds are cached.
    costs : ndarray of shape (n_rows,), default=None
        Costs of labeling each row.

    See Also
    --------
    skactive.strategies.Strategy : The base class of strategies, which read pool views.
    skactive.testing.FakePool : A pool without a model, for tests.

    Examples
    --------
    A strategy that prefers uncertain rows far from the labeled ones:

    >>> from sklearn.metrics import pairwise_distances_argmin_min
    >>> from skactive.selectors import top
    >>> from skactive.strategies import Strategy
    >>> from skactive.testing import FakePool
    >>> class UncertainAndFar(Strategy):
    ...     needs = frozenset({"proba", "embedding"})
    ...     def select(self, pool, batch_size):
    ...         scores = 1 - pool.proba.max(axis=1)  # (n_rows,)
    ...         if pool.labeled is not None:
    ...             Z, Z_labeled = pool.embedding, pool.labeled.embedding
    ...             scores *= pairwise_distances_argmin_min(Z, Z_labeled)[1]  # (n_rows,)
    ...         return top(scores, batch_size, pool.random_state)
    >>> len(UncertainAndFar().select(FakePool(30), 5))
    5
    """

    _element_view: ClassVar[
        type[ElementView]
    ]  # set where it is defined, to import in one direction
    _advice: ClassVar[str] = ""  # if a reading is not provided

    def __init__(
        self,
        X: Any,
        source: ReadingSource,
        *,
        y: Any = None,
        pool_index: PoolIndex | None = None,
        costs: Floats | None = None,
    ) -> None:
        self._X, self._source, self._y, self._pool_index = X, source, y, pool_index
        self._costs = costs
        self._length = n_rows(X)
        self._parent: PoolView | None = None
        self._positions: Positions | slice = slice(None)  # of these rows in the parent
        self._root: PoolView = self
        self._cache: dict[Any, Any] = {}

    def __len__(self) -> int:
        return self._length

    # Rows, labels and randomness --------------------------------------------------------------

    @property
    def X(self) -> Any:
        """The rows themselves, n_rows of them, in the container that was passed to `query`.

        Rows of a container that is not in memory are read into one that models take.
        """
        self._check_declared("X")
        return self._read_rows()

    @property
    def y(self) -> Any:
        """Labels of the labeled rows, shape (n_rows,); None in a view of candidates."""
        return self._y

    @property
    def classes(self) -> NDArray[Any]:
        """Classes, shape (n_classes,), one per column of `proba`: the declared or the model's."""
        if self._source.classes is not None:
            return self._source.classes
        adapter, y = self._source.adapter, self._source.y_labeled
        model_classes = adapter.classes
        if y is None or adapter.element is not None or is_structured(y) or np.ndim(y) > 2:
            return np.empty(0) if model_classes is None else model_classes
        if model_classes is None:
            return np.unique(np.asarray(y))
        # A net's own list may be that of its last `partial_fit` only.
        return np.union1d(model_classes, np.asarray(y)) if adapter.fixed_columns else model_classes

    @property
    def labeled(self) -> PoolView | None:
        """View of the labeled rows, with their labels as `y`; None if there are no labeled rows."""
        source = self._source
        if source.X_labeled is None:
            return None
        if self._parent is not None:
            return self._parent.labeled
        return self._cache_once("labeled", self._view_labeled)

    @property
    def random_state(self) -> np.random.RandomState:
        """Random numbers of this query, shared by all views of it."""
        return self._root._cache_once("random", lambda: np.random.RandomState(self._source.seed))

    def provides(self, reading: str) -> bool:
        """Return whether the pool provides a reading.

        Parameters
        ----------
        reading : str
            A name that strategies put in `needs`: ``"proba"``, ``"decision"``, ``"prediction"``,
            ``"proba_samples"``, ``"joint_samples"``, ``"embedding"``, ``"gradient_factors"``,
            ``"fantasize"``, ``"std"``, ``"prediction_samples"`` or ``"X"``; of the elements of
            rows, ``"elements.proba"`` and so on.

        Returns
        -------
        bool
        """
        if reading in MODEL_FREE:
            return True
        if reading == "fantasize":
            return self._source.refit is not None
        return self._source.fitted and self._source.adapter.provides(reading)

    # Readings ---------------------------------------------------------------------------------

    @property
    def proba(self) -> Floats:
        """Class probabilities, shape (n_rows, n_classes), in the order of `classes`.

        Rows sum to 1. A declared class that the model has not seen has probability 0.
        """
        return self._read("proba", self._compute_proba)

    @property
    def decision(self) -> Floats:
        """Decision function, shape (n_rows,) for two classes, else (n_rows, n_classes)."""
        return self._read("decision", self._compute_decision)

    @property
    def prediction(self) -> NDArray[Any]:
        """Predictions, shape (n_rows,): labels of any kind, or numbers of a regressor."""
        return self._read("prediction", self._compute_prediction)

    @property
    def embedding(self) -> Any:
        """Embedding of the rows, shape (n_rows, n_dims), an ndarray or a CSR matrix.

        It is the output of the learner's embedder; without one, the input of the model's last
        layer: penultimate features of a net, transformed features of a pipeline, else the rows.
        """
        return self._read("embedding", self._compute_embedding)

    @property
    def gradient_factors(self) -> tuple[Floats, Any]:
        """Factors ``(a, h)`` of the loss gradient of each row at its predicted label.

        The gradient with respect to the weights of the last layer is the outer product of
        ``a = proba - onehot(argmax proba)``, shape (n_rows, n_classes), and the input ``h`` of
        the last layer, shape (n_rows, n_dims). The product is never built.
        """
        return self._read("gradient_factors", self._compute_gradient_factors)

    @property
    def std(self) -> Floats:
        """Standard deviation of predicted numbers, shape (n_rows,) or (n_rows, n_outputs)."""
        return self._read("std", self._compute_std)

    def prediction_samples(self, n_samples: int | None = None) -> Floats:
        """Draw predictions of numbers from the posterior of the model.

        Parameters
        ----------
        n_samples : int, default=None
            Number of draws; None leaves it to the model, as in `proba_samples`.

        Returns
        -------
        ndarray of shape (n_draws, n_rows) or (n_draws, n_rows, n_outputs)
        """
        return self._read(
            "prediction_samples", lambda: self._compute_prediction_samples(n_samples), n_samples
        )

    @property
    def costs(self) -> Floats:
        """Costs of the label of each row, shape (n_rows,): positive, 1 if `query` got no costs."""
        return np.ones(len(self)) if self._costs is None else self._costs

    @property
    def elements(self) -> ElementView:
        """View of the elements of the rows: their labels, tokens, pixels, boxes or hypotheses."""
        adapter = self._source.adapter
        if not self._source.fitted:
            raise CapabilityError(
                f"{type(adapter.model).__name__} is not fitted, so that the elements of rows are "
                "not known yet: choose rows by query, and call fit with their labels."
            )
        if adapter.element is None:
            raise CapabilityError(
                f"{type(adapter.model).__name__} predicts one label per row, so that rows have no "
                "elements: choose rows by query, with a strategy without Aggregate, or use a model "
                "that predicts each label, token, pixel or box."
            )
        return self._cache_once("elements", lambda: self._element_view(self))

    def labeled_distances(self, kind: type[DistancesT] = NearestCenters) -> DistancesT:  # type: ignore[assignment]
        """Return the distance of each row to its nearest labeled row, in the embedding.

        A simulation keeps the distances from one round to the next; the returned object is the
        caller's own, to which chosen rows can be added as further centers.

        Parameters
        ----------
        kind : type, default=NearestCenters
            `NearestCenters` (bounds, made exact where it matters) or `AllDistances`.

        Returns
        -------
        NearestCenters or AllDistances
            Distances of the n_rows rows; without any center if no row is labeled.
        """
        embedding, labeled, pool_index = self.embedding, self.labeled, self._pool_index
        if labeled is None:
            return kind(embedding)
        if pool_index is None or not self._update_campaign_cache(pool_index, labeled):
            return kind(embedding, labeled=labeled.embedding)
        return pool_index.cache.get_distances(kind, pool_index, embedding)

    def proba_samples(self, n_samples: int | None = None) -> Floats:
        """Draw class probabilities from the posterior of the model.

        Parameters
        ----------
        n_samples : int, default=None
            Number of draws; None leaves it to the model: all members of an ensemble. An ensemble
            never gives more draws than it has members.

        Returns
        -------
        ndarray of shape (n_draws, n_rows, n_classes)
            Each draw is a `proba` of its own. If the model provides ``"joint_samples"``, one draw
            is one function of all rows; otherwise draws are valid for each row alone.
        """
        return self._read(
            "proba_samples", lambda: self._compute_proba_samples(n_samples), n_samples
        )

    @property
    def yields_draws(self) -> bool:
        """Whether draws of probabilities are made one after the other: of some elements only."""
        return False

    def iter_draws(self, n_samples: int | None = None) -> Iterator[Floats]:
        """Yield the draws of `proba_samples`, each (n_rows, n_classes).

        Parameters
        ----------
        n_samples : int, default=None
            Number of draws; None leaves it to the model.

        Yields
        ------
        ndarray of shape (n_rows, n_classes)
        """
        yield from self.proba_samples(n_samples)

    def predict_changed(self, change: Callable[[Any], Any]) -> Floats:
        """Predict class probabilities after a change of the features.

        Parameters
        ----------
        change : callable
            ``change(features)`` returns other features of the same shape. They are a dense or
            sparse matrix of shape (n_rows, n_features): what the last step of a pipeline takes, or
            the rows of any other model. It must not change them in place.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            As `proba`.

        Raises
        ------
        CapabilityError
            If the model does not take rows of numbers.
        """
        self._check_declared("proba")
        Z, features = self._prepare(), None
        if not has_several_inputs(Z) and len(row_shape(Z) or ()) < 2:
            with suppress(Exception):  # rows are the user's: they may raise anything
                features = to_matrix(Z, "features")
        if features is None:
            raise CapabilityError(
                "The features of this model cannot be changed, since its rows are no table of "
                "numbers: use a model that offers proba_samples (an ensemble, a net with dropout "
                "layers), or a Pipeline whose first steps turn the rows into numbers."
            )
        with warnings.catch_warnings():  # a matrix has no names of columns
            warnings.filterwarnings("ignore", message=".*does not have valid feature names")
            proba = self._source.adapter.proba(change(features))
        return self._check_proba(proba, n_dims=2)

    # Other rows, other models -----------------------------------------------------------------

    def take(self, positions: Positions | slice) -> PoolView:
        """Return a view of some of the rows, which reuses the readings of this one.

        Parameters
        ----------
        positions : ndarray of int or slice
            Positions in this view, in 0 .. n_rows - 1.

        Returns
        -------
        PoolView
            A view of ``len(positions)`` rows; its positions are those in `positions`.
        """
        if not isinstance(positions, slice):
            positions = np.asarray(positions)
            if len(positions) and positions.dtype.kind not in "iu":
                raise IndexError(f"positions must be integers, got {positions.dtype}")
            positions = positions.astype(np.intp, copy=False)
            if len(positions) and not (positions.min() >= 0 and positions.max() < len(self)):
                raise IndexError(f"positions must lie in 0 .. {len(self) - 1}, got {positions!r}")
        length = len(range(len(self))[positions] if isinstance(positions, slice) else positions)
        child = self._make_sibling(None, self._source, length=length)
        child._parent, child._positions = self, positions
        child._pool_index = None if self._pool_index is None else self._pool_index.take(positions)
        child._y = None if self._y is None else take_rows(self._y, positions)
        child._costs = None if self._costs is None else self._costs[positions]
        return child

    def at(self, X: Any, *, y: Any = None) -> PoolView:
        """Return a view of other rows through the same model.

        Parameters
        ----------
        X : rows in the container of `X`
            Other rows, such as the targets of a prediction. They become as dense or as sparse as
            the rows of the pool, and get their precision.
        y : array-like of shape (n_rows,), default=None
            Their labels, if known.

        Returns
        -------
        PoolView
        """
        pool_rows = sample_row(self._root._raw())
        X = match_rows(find_input_list(X, None, pool_rows), pool_rows)
        return self._make_sibling(X, self._source, y=y)

    def fantasize(self, position: int, label: Any) -> PoolView:
        """Return this pool through the model refitted as if one row had a label.

        Parameters
        ----------
        position : int
            Position of the row.
        label : scalar
            One of `classes`.

        Returns
        -------
        PoolView
            The same rows; the imagined label is among its labeled rows.
        """
        self._check_declared("fantasize")
        source = self._source
        if source.refit is None:
            raise CapabilityError("This pool's model cannot be refitted.")
        row = take_rows(self._raw(), np.array([position]))
        labels = np.asarray([label], dtype=self.classes.dtype)
        imagined = replace(source, adapter=source.refit(row, labels), refit=None)
        if source.X_labeled is not None:
            labels = np.concatenate([np.asarray(source.y_labeled), labels])
            row = join_rows(source.X_labeled, row)
        imagined = replace(imagined, X_labeled=row, y_labeled=labels)
        return self._make_sibling(self._raw(), imagined)

    def fantasized_logits(self, targets: PoolView) -> Iterator[tuple[slice, int, Floats]] | None:
        """Predict targets for every imagined label of every row, if a closed form exists.

        The predictions are those of `fantasize`, for all rows and labels, without a refit.

        Parameters
        ----------
        targets : PoolView
            Rows to predict, a view of the same model.

        Returns
        -------
        iterator of (slice, int, ndarray of shape (n_classes, n_block, n_some_targets)), or None
            For each block of rows, each class (its column in `classes`) and each block of targets:
            the slice of rows, the column, and the logarithms of the probabilities, up to a constant
            for each row and target. The arrays may be changed in place. None: there is no closed
            form, so use `fantasize`.
        """
        self._check_declared("fantasize")
        source, labeled = self._source, self.labeled
        if source.refit is None or not source.refits_from_scratch or labeled is None:
            return None
        y = np.asarray(labeled.y)
        if not np.array_equal(self.classes, np.unique(y)):  # a declared class has no labeled row
            return None
        Z_labeled, Z, Z_targets = (pool._prepare() for pool in (labeled, self, targets))
        return source.adapter.fantasized_logits(Z_labeled, y, Z, Z_targets)

    def chunks(self, needs: frozenset[str] = frozenset()) -> Iterator[slice]:
        """Split the rows into slices whose readings fit scikit-learn's ``working_memory``.

        Parameters
        ----------
        needs : frozenset of str
            The readings of each chunk that will be used.

        Yields
        ------
        slice
            Consecutive slices that cover all rows, to be passed to `take`.
        """
        n_values = 4 * max(1, len(self.classes))  # a reading, and a few temporaries of its size
        if needs & {"proba_samples", "joint_samples", "prediction_samples"}:
            n_values *= self._source.adapter.n_draws(None)
        n_values += row_size(self._root._X)  # models copy the row
        length = max(1, int(get_config()["working_memory"] * 2**20 / (8 * n_values)))
        for start in range(0, len(self), length):
            yield slice(start, min(start + length, len(self)))

    def blocks(self, needs: frozenset[str] = frozenset()) -> Iterator[PoolView]:
        """Split the pool into views whose readings fit scikit-learn's ``working_memory``.

        Parameters
        ----------
        needs : frozenset of str
            The readings of each view that will be used.

        Yields
        ------
        PoolView
            Views of consecutive rows that cover all rows.
        """
        chunks = list(self.chunks(needs))
        if len(chunks) <= 1:
            yield self
        else:
            yield from map(self.take, chunks)

    def element_blocks(
        self, needs: frozenset[str] = frozenset()
    ) -> Iterator[tuple[ElementView, Positions]]:
        """Yield the elements of a few rows at a time, with their offsets.

        Parameters
        ----------
        needs : frozenset of str
            The readings of the elements that will be used.

        Yields
        ------
        ElementView
            The elements of consecutive rows.
        ndarray of shape (n_some_rows + 1,)
            Row i of these has the elements ``offsets[i]:offsets[i + 1]``.
        """
        for block in self.elements.row_blocks(needs):
            yield block, block.offsets

    # Views and cache --------------------------------------------------------------------------

    def _make_sibling(
        self, X: Any, source: ReadingSource, *, y: Any = None, length: int | None = None
    ) -> PoolView:
        """Return a view of the same kind that shares this query's randomness and embedder."""
        other = copy(self)
        other._X, other._source, other._y = X, source, y
        other._length = n_rows(X) if length is None else length
        other._pool_index = other._costs = None
        other._parent, other._positions, other._cache = None, slice(None), {}
        return other

    def _check_declared(self, reading: str) -> None:
        """Hook for `FakePool`: raise if the strategy did not declare `reading` in its `needs`."""

    def _raw(self) -> Any:
        """Return the rows, taken from the parent's when first needed."""
        if self._X is None and self._parent is not None:
            self._X = self._parent._take_raw(self._positions)
        return self._X

    def _take_raw(self, positions: Positions | slice) -> Any:
        """Take rows of the nearest ancestor that holds rows, so that none in between copies all."""
        if self._X is not None or self._parent is None:
            return select_rows(self._X, positions)
        return self._parent._take_raw(self._locate_in_parent(positions))

    def _locate_in_parent(self, positions: Positions | slice) -> Positions | slice:
        """Return the positions of some of these rows in the parent."""
        in_parent = self._positions
        if isinstance(positions, slice) and positions == slice(None):
            return in_parent
        if isinstance(in_parent, slice):
            in_parent = np.arange(len(self._parent or ()))[in_parent]
        return in_parent[positions]

    def _cache_once(self, key: Any, compute: Callable[[], Any]) -> Any:
        if key not in self._cache:
            self._cache[key] = compute()
        return self._cache[key]

    def _read(self, reading: str, compute: Callable[[], Any], option: Any = None) -> Any:
        """Return a reading from the cache of this view or of an ancestor, or compute it."""
        self._check_declared(reading)
        if not self.provides(reading):
            raise CapabilityError(f"This pool's model does not provide {reading!r}.{self._advice}")
        return self._reuse_or_compute((reading, option), compute)

    def _reuse_or_compute(self, key: tuple[str, Any], compute: Callable[[], Any]) -> Any:
        cached = self._look_up(key)
        return self._cache_once(key, lambda: compute() if cached is None else cached)

    def _look_up(self, key: tuple[str, Any]) -> Any:
        """Look up a reading in this view and its ancestors; None if no one has made it."""
        view: PoolView = self
        positions: Positions | slice = slice(None)  # composed: no view in between takes all rows
        while key not in view._cache and view._parent is not None:
            view, positions = view._parent, view._locate_in_parent(positions)
        cached = view._cache.get(key)
        is_own = cached is None or view is self
        return cached if is_own else _take_from_reading(key[0], cached, positions)

    # Computation of readings ------------------------------------------------------------------

    def _prepare(self) -> Any:
        """Return the rows as the adapter's methods take them, prepared once for all of them."""
        adapter = self._source.adapter
        return self._reuse_or_compute(
            ("prepared", None), lambda: adapter.prepare(self._read_rows())
        )

    def _read_rows(self) -> Any:
        """Return the rows in memory, read once for all that need all of them."""
        if not are_stored(self._raw()):
            return self._raw()
        return self._cache_once("rows", lambda: collect_rows(self._raw()))

    def _split_stored(self, needs: frozenset[str] = frozenset()) -> list[PoolView]:
        """Split rows that are not in memory into views, to be read one after the other.

        Empty if they are in memory, or are to be read in one piece.
        """
        are_read = "rows" in self._cache or ("prepared", None) in self._cache
        if are_read or not are_stored(self._raw()):
            return []
        chunks = list(self.chunks(needs))
        return [self.take(chunk) for chunk in chunks] if len(chunks) > 1 else []

    def _compute_proba(self) -> Floats:
        return self._check_proba(self._read_in_chunks(self._source.adapter.proba), n_dims=2)

    def _read_in_chunks(
        self, read: Callable[[Any], Any], needs: frozenset[str] = frozenset()
    ) -> Any:
        """Call a row-by-row method of the adapter in chunks, since models copy their input."""
        if parts := self._split_stored(needs):
            return np.concatenate([read(part._prepare()) for part in parts])
        Z, chunks = self._prepare(), list(self.chunks(needs))
        if len(chunks) <= 1 or n_rows(Z) != len(self):
            return read(Z)
        return np.concatenate([read(take_rows(Z, chunk)) for chunk in chunks])

    def _compute_proba_samples(self, n_samples: int | None) -> Floats:
        samples = self._draw(self._source.adapter.proba_samples, n_samples)
        return self._check_proba(samples, n_dims=3)

    def _draw(self, draw: Callable[..., Any], n_samples: int | None) -> Any:
        """Draw samples, with the axis of draws first; a draw of a row depends on no other row."""
        parts = self._split_stored(frozenset({"proba_samples"})) or [self]
        drawn = [draw(part._prepare(), n_samples, self._source.seed) for part in parts]
        return drawn[0] if len(drawn) == 1 else np.concatenate(drawn, axis=1)

    def _compute_decision(self) -> Floats:
        decision = np.asarray(self._read_in_chunks(self._source.adapter.decision))
        if not np.isfinite(decision).all():
            raise InvalidReadingError("The model's decision_function gives NaN or infinity.")
        return decision

    def _compute_prediction(self) -> NDArray[Any]:
        adapter = self._source.adapter

        def read(Z: Any) -> NDArray[Any]:
            predicted = adapter.prediction(Z)
            keeps_rows = is_structured(predicted) and adapter.estimator_type != "regressor"
            return read_labels(predicted) if keeps_rows else np.asarray(predicted)

        return np.asarray(self._read_in_chunks(read))

    def _compute_prediction_samples(self, n_samples: int | None) -> Floats:
        samples = self._draw(self._source.adapter.prediction_samples, n_samples)
        return _check_numbers(samples, len(self), axis=1, reading="prediction_samples")

    def _compute_std(self) -> Floats:
        source = self._source
        drawn = frozenset({"prediction_samples"})  # most adapters draw, to take the deviation
        std = self._read_in_chunks(lambda Z: source.adapter.std(Z, source.seed), drawn)
        return _check_numbers(std, len(self), axis=0, reading="std")

    def _compute_features(self, X: Any) -> Any:
        """Return the input of the model's last layer, or cold features if it is not fitted.

        `X` are the rows of this view.
        """
        if self._source.fitted:
            return self._source.adapter.features(self._prepare())
        return self._root._cache_once("cold", self._root._fit_cold_features)(X)

    def _view_labeled(self) -> PoolView:
        labeled = self.at(self._source.X_labeled, y=self._source.y_labeled)
        labeled._pool_index = None if self._pool_index is None else self._pool_index.take_labeled()
        return labeled

    def _fit_cold_features(self) -> Callable[[Any], Any]:
        """Return the map from rows to features that an unfitted model learns from the pool."""
        return self._source.adapter.prepare_cold(self._read_rows(), self._source.run_seed)

    def _compute_embedding(self) -> Any:
        embedder = self._source.embedder
        if embedder is not None and (pool_index := self._pool_index) is not None:
            cache = pool_index.cache
            return take_rows(cache.get_embedding(lambda: self._embed(cache.X)), pool_index.rows)
        if parts := self._split_features():
            return stack_matrices([part._compute_embedding() for part in parts])
        X = self._read_rows()
        if embedder is None:
            return make_embedding(X, self._compute_features)
        return make_embedding(X, lambda X: self._get_embedder().transform(X), embedder)

    def _embed(self, X: Any) -> Any:
        """Embed all rows of a campaign by the learner's embedder."""
        source = self._source

        def transform(rows: Any) -> Any:
            return self._cache_once("campaign embedder", fit).transform(rows)

        def fit() -> Any:
            return fit_embedder(source.embedder, source.run_seed, lambda: collect_rows(X))

        blocks = iter_blocks(X) if are_stored(X) else [X]
        return stack_matrices([make_embedding(rows, transform, source.embedder) for rows in blocks])

    def _get_embedder(self) -> Any:
        """Return the embedder of this query, fitted once."""
        return self._root._cache_once("embedder", self._root._fit_embedder)

    def _fit_embedder(self) -> Any:
        """Return the embedder; an unfitted one is fitted on the pool and the labeled rows.

        Together these are the same rows throughout a campaign.
        """
        return fit_embedder(self._source.embedder, self._source.run_seed, self._list_all_rows)

    def _list_all_rows(self) -> Any:
        """Return the rows and the labeled rows."""
        X, X_labeled = self._read_rows(), self._source.X_labeled
        return X if X_labeled is None else join_rows(X, match_rows(X_labeled, X))

    def _update_campaign_cache(self, pool_index: PoolIndex, labeled: PoolView) -> bool:
        """Put the embedding of all rows in the campaign's cache; return whether it is known."""
        cache = pool_index.cache
        if self._source.embedder is None and self._embeds_rows():
            cache.get_embedding(lambda: make_embedding(collect_rows(cache.X), lambda X: X))
        elif self._source.embedder is None:
            if not pool_index.is_complete():
                return False
            cache.assemble_embedding(
                [(pool_index.rows, self.embedding), (pool_index.labeled, labeled.embedding)]
            )
        return True

    def _split_features(self) -> list[PoolView]:
        """Split stored rows to compute their features; empty where the rows are the features.

        These are needed all at once, and those of a memory map are not copied.
        """
        parts = self._split_stored()
        return [] if parts and self._source.embedder is None and self._embeds_rows() else parts

    def _embeds_rows(self) -> bool:
        """Return whether the rows themselves are their embedding."""
        view = self.take(slice(0, 1)) if are_stored(self._raw()) else self
        return view._compute_features(view._read_rows()) is view._read_rows()

    def _compute_gradient_factors(self) -> tuple[Floats, Any]:
        proba = self._reuse_or_compute(("proba", None), self._compute_proba)
        residual = np.array(proba, dtype=np.float64)  # (n_rows, n_classes), a copy
        residual[np.arange(len(residual)), residual.argmax(axis=1)] -= 1.0
        matrices = [
            make_matrix(part._read_rows(), part._compute_features, for_gradients=True)
            for part in self._split_features() or [self]
        ]
        return residual, stack_matrices(matrices)

    def _check_proba(self, proba: Any, n_dims: int) -> Floats:
        """Check probabilities, (..., n_rows, n_columns), and give each class its column."""
        source = self._source
        proba = check_proba(proba, source.adapter, n_dims, len(self))
        return widen_proba(proba, source.adapter, source.classes, self.classes)


def _take_from_reading(reading: str, values: Any, positions: Positions | slice) -> Any:
    """Take rows of a reading, along the axis that counts rows."""
    if reading == "gradient_factors":
        return values[0][positions], values[1][positions]
    if reading.endswith("_samples"):  # (n_draws, n_rows, ...)
        return values[:, positions]
    return take_rows(values, positions)


def _check_numbers(values: Any, n_rows: int, axis: int, reading: str) -> Floats:
    """Check that a reading is finite numbers with one entry per row along an axis."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim <= axis or values.shape[axis] != n_rows:
        raise InvalidReadingError(
            f"The model gives {reading} of shape {values.shape} for {n_rows} rows; expected one "
            f"entry per row along axis {axis}."
        )
    if not np.isfinite(values).all():
        raise InvalidReadingError(f"The model gives NaN or infinity as {reading}.")
    return values
