"""PoolView: a lazy, cached reading of rows through the fitted model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skactive._utils.rows import join_rows, n_rows, row_shape, take_rows, to_matrix
from skactive._utils.seeding import seeded_clone
from skactive.adapters import ModelAdapter
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.pool._state import PoolIndex
from skactive.scores import SUM_TOLERANCE
from skactive.selectors._engine.nearest_centers import NearestCenters

__all__ = ["PoolView", "Source"]

Positions = NDArray[np.intp]
Floats = NDArray[np.float64]
Distances = TypeVar("Distances", bound=NearestCenters)


@dataclass(frozen=True, eq=False)
class Source:
    """What all views of one query share: the model, the labeled rows, the randomness.

    Parameters
    ----------
    adapter : ModelAdapter
        Reads the model.
    seed : int
        Seed of this query.
    run_seed : int
        Seed of what should be the same in all queries: an embedder that is fitted on the rows.
    fitted : bool
        Whether the model has been fitted; without, only model-free readings can be made.
    X_labeled, y_labeled : rows and labels, or None
        The labeled rows.
    classes : ndarray or None
        The classes that were declared, sorted.
    embedder : transformer or None
        Turns rows into an embedding; fitted already, or to be fitted on the rows at hand.
    refit : callable or None
        ``refit(row, label)`` returns the adapter of the model refitted with one more label.
    refits_from_scratch : bool
        Whether a refit is a fit of the model from scratch to rows and labels and nothing else.
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
    """Candidate rows as a strategy sees them: what the fitted model says of each.

    A strategy asks for ``pool.proba``, ``pool.embedding`` and so on. Each reading is made when it
    is first asked for, checked once, and kept for the life of the view. Views are made by
    :meth:`ActiveLearner.query <skactive.ActiveLearner.query>`; in tests of a strategy, use
    :class:`skactive.testing.FakePool`.

    Parameters
    ----------
    X : array-like, sparse matrix, frame, list or tensor of n_rows rows
        The rows.
    source : Source
        The model and all else that views of one query share.
    y : array-like of shape (n_rows,), default=None
        Labels, for the view of the labeled rows.
    place : Place, default=None
        Where the rows are among those of a campaign, of which much is known from earlier rounds.
    """

    def __init__(
        self, X: Any, source: Source, *, y: Any = None, place: PoolIndex | None = None
    ) -> None:
        self._X, self._source, self._y, self._place = X, source, y, place
        self._length = n_rows(X)
        self._parent: PoolView | None = None
        self._taken: Positions | slice = slice(None)  # what was taken of the parent
        self._root: PoolView = self
        self._cache: dict[Any, Any] = {}

    def __len__(self) -> int:
        return self._length

    # What is known without asking the model ---------------------------------------------------

    @property
    def X(self) -> Any:
        """The rows themselves, in the container they came in."""
        self._allow("X")
        return self._raw()

    @property
    def y(self) -> Any:
        """The labels of labeled rows; None for candidates."""
        return self._y

    @property
    def classes(self) -> NDArray[Any]:
        """The classes, one a column of `proba`; those declared or else those of the model."""
        if self._source.classes is not None:
            return self._source.classes
        adapter, y = self._source.adapter, self._source.y_labeled
        known = adapter.classes
        if y is None:
            return np.empty(0) if known is None else known
        if known is None:
            return np.unique(np.asarray(y))
        # A net's own list may be that of its last lesson only.
        return np.union1d(known, np.asarray(y)) if adapter.fixed_columns else known

    @property
    def labeled(self) -> PoolView | None:
        """The labeled rows, with their labels as `y`; None where there are none."""
        source = self._source
        if source.X_labeled is None:
            return None
        if self._parent is not None:
            return self._parent.labeled
        return self._once("labeled", self._of_labeled)

    @property
    def random_state(self) -> np.random.RandomState:
        """The random numbers of this query; all views taken of the pool share them."""
        return self._root._once("random", lambda: np.random.RandomState(self._source.seed))

    def provides(self, reading: str) -> bool:
        """Tell whether `reading` can be made: 'proba', 'decision', 'proba_samples' and so on."""
        if reading in MODEL_FREE:
            return True
        if reading == "fantasize":
            return self._source.refit is not None
        return self._source.fitted and self._source.adapter.provides(reading)

    # Readings ---------------------------------------------------------------------------------

    @property
    def proba(self) -> Floats:
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        return self._read("proba", self._proba)

    @property
    def decision(self) -> Floats:
        """Decision function, shape (n_rows,) for two classes, else (n_rows, n_classes)."""
        return self._read("decision", self._decision)

    @property
    def prediction(self) -> NDArray[Any]:
        """What the model predicts, shape (n_rows,): labels, or numbers of a regressor."""
        return self._read("prediction", self._prediction)

    @property
    def embedding(self) -> Any:
        """Representation of the rows, shape (n_rows, n_dims), dense or CSR.

        What the learner's embedder makes of them; without one, what the model's last layer sees:
        penultimate features of a net, transformed features of a pipeline, else the rows.
        """
        return self._read("embedding", self._embedding)

    @property
    def gradient_factors(self) -> tuple[Floats, Any]:
        """Factors ``(a, h)`` of the gradient of the loss at the label that the model expects.

        The gradient with respect to the weights of the last layer is the outer product of
        ``a = proba - onehot(argmax proba)``, shape (n_rows, n_classes), and the features ``h``
        that the last layer sees, shape (n_rows, n_dims). It is never built.
        """
        return self._read("gradient_factors", self._gradient_factors)

    def labeled_distances(self, kind: type[Distances] = NearestCenters) -> Distances:  # type: ignore[assignment]
        """Return the distances of the rows to the nearest labeled row, in the embedding.

        They are kept from one round of a simulation to the next, and the caller's to go on with:
        what is chosen joins the labeled rows.

        Parameters
        ----------
        kind : type, default=NearestCenters
            Bounds that are made exact where it matters, or `AllDistances`.

        Returns
        -------
        NearestCenters or AllDistances
            Without any center where nothing is labeled.
        """
        embedding, labeled, place = self.embedding, self.labeled, self._place
        if labeled is None:
            return kind(embedding)
        if place is None or not self._keep_embedding(place, labeled):
            return kind(embedding, labeled=labeled.embedding)
        return place.state.distances(kind, place, embedding)

    def proba_samples(self, n_samples: int | None = None) -> Floats:
        """Draw probabilities from the posterior, shape (n_draws, n_rows, n_classes).

        Parameters
        ----------
        n_samples : int, default=None
            How many draws; None leaves it to the model: all members of an ensemble. An ensemble
            never gives more draws than it has members.
        """
        return self._read("proba_samples", lambda: self._proba_samples(n_samples), n_samples)

    # Other rows, other models -----------------------------------------------------------------

    def take(self, positions: Positions | slice) -> PoolView:
        """Return the view of some rows; what is known of them already is not asked again."""
        if not isinstance(positions, slice):
            positions = np.asarray(positions)
            if len(positions) and positions.dtype.kind not in "iu":
                raise IndexError(f"positions must be whole numbers, got {positions.dtype}")
            positions = positions.astype(np.intp, copy=False)
            if len(positions) and not (positions.min() >= 0 and positions.max() < len(self)):
                raise IndexError(f"positions must lie in 0 .. {len(self) - 1}, got {positions!r}")
        length = len(range(len(self))[positions] if isinstance(positions, slice) else positions)
        child = self._like(None, self._source, length=length)
        child._parent, child._taken = self, positions
        child._place = None if self._place is None else self._place.take(positions)
        child._y = None if self._y is None else take_rows(self._y, positions)
        return child

    def at(self, X: Any, *, y: Any = None) -> PoolView:
        """Return a view of other rows through the same model (of targets, say)."""
        return self._like(X, self._source, y=y)

    def fantasize(self, position: int, label: Any) -> PoolView:
        """Return this pool through the model refitted as if `position` had been given `label`."""
        self._allow("fantasize")
        source = self._source
        if source.refit is None:
            raise CapabilityError("This pool's model cannot be refitted.")
        row = take_rows(self._raw(), np.array([position]))
        labels = np.asarray([label], dtype=self.classes.dtype)
        more = replace(source, adapter=source.refit(row, labels), refit=None)
        if source.X_labeled is not None:
            labels = np.concatenate([np.asarray(source.y_labeled), labels])
            row = join_rows(source.X_labeled, row)
        more = replace(more, X_labeled=row, y_labeled=labels)
        return self._like(self._raw(), more)

    def fantasized_logits(self, targets: PoolView) -> Iterator[tuple[slice, int, Floats]] | None:
        """Imagine every label on every row at once, where the model allows it in closed form.

        The predictions are those of `fantasize`, for all rows and labels, without a refit.

        Parameters
        ----------
        targets : PoolView
            Rows to predict, a view of the same model.

        Returns
        -------
        iterator of (slice, int, ndarray of shape (n_classes, n_block, n_some_targets)), or None
            For blocks of the rows and of the targets, and each column of `classes`: logarithms of
            the probabilities, up to a constant for each row and target. They may be changed.
            None: only refits can tell.
        """
        self._allow("fantasize")
        source, labeled = self._source, self.labeled
        if source.refit is None or not source.refits_from_scratch or labeled is None:
            return None
        y = np.asarray(labeled.y)
        if not np.array_equal(self.classes, np.unique(y)):  # a declared class without a row
            return None
        rows = self._prepared(), targets._prepared()
        return source.adapter.fantasized_logits(labeled._prepared(), y, *rows)

    def chunks(self, needs: frozenset[str] = frozenset()) -> Iterator[slice]:
        """Cut the rows into slices whose readings fit scikit-learn's ``working_memory``.

        Parameters
        ----------
        needs : frozenset of str
            The readings that will be made of each chunk.

        Yields
        ------
        slice
        """
        n_values = 4 * max(1, len(self.classes))  # a reading, and a few temporaries of its size
        if needs & {"proba_samples", "joint_samples"}:
            n_values *= self._source.adapter.n_draws(None)
        n_values += math.prod(row_shape(self._root._X) or ())  # a copy of the row, as models make
        length = max(1, int(get_config()["working_memory"] * 2**20 / (8 * n_values)))
        for start in range(0, len(self), length):
            yield slice(start, min(start + length, len(self)))

    # How it is done ---------------------------------------------------------------------------

    def _like(
        self, X: Any, source: Source, *, y: Any = None, length: int | None = None
    ) -> PoolView:
        """Return a view of the same kind that shares this query's randomness and embedder."""
        other = copy(self)
        other._X, other._source, other._y = X, source, y
        other._length = n_rows(X) if length is None else length
        other._place = None
        other._parent, other._taken, other._cache = None, slice(None), {}
        return other

    def _allow(self, reading: str) -> None:
        """Say whether a reading may be made; the fake of the tests forbids what is undeclared."""

    def _raw(self) -> Any:
        """The rows, cut out of the parent's when first needed."""
        if self._X is None and self._parent is not None:
            self._X = self._parent._cut_raw(self._taken)
        return self._X

    def _cut_raw(self, positions: Positions | slice) -> Any:
        """Cut rows out of the first view that has them at hand: no copy of all for some of them."""
        if self._X is not None or self._parent is None:
            return take_rows(self._X, positions)
        taken = self._taken
        if isinstance(taken, slice):
            taken = np.arange(len(self._parent))[taken]
        return self._parent._cut_raw(taken[positions])

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def _read(self, reading: str, make: Callable[[], Any], option: Any = None) -> Any:
        """Return a reading that is kept, here or in the view this was taken of, or make it."""
        self._allow(reading)
        if not self.provides(reading):
            raise CapabilityError(f"This pool's model does not provide {reading!r}.")
        return self._shared((reading, option), make)

    def _shared(self, key: tuple[str, Any], make: Callable[[], Any]) -> Any:
        kept = self._kept(key)
        return self._once(key, lambda: make() if kept is None else kept)

    def _kept(self, key: tuple[str, Any]) -> Any:
        if key in self._cache or self._parent is None:
            return self._cache.get(key)
        kept = self._parent._kept(key)
        return None if kept is None else _cut(key[0], kept, self._taken)

    def _prepared(self) -> Any:
        """The rows as the adapter's readings take them, made once for all of them."""
        adapter = self._source.adapter
        return self._shared(("prepared", None), lambda: adapter.prepare(self._raw()))

    def _proba(self) -> Floats:
        return self._checked(self._in_chunks(self._source.adapter.proba), n_dims=2)

    def _in_chunks(self, read: Callable[[Any], Any]) -> Any:
        """Make a reading of one row at a time in chunks: a model may copy what it is given."""
        Z, chunks = self._prepared(), list(self.chunks())
        if len(chunks) <= 1 or n_rows(Z) != len(self):
            return read(Z)
        return np.concatenate([read(take_rows(Z, chunk)) for chunk in chunks])

    def _proba_samples(self, n_samples: int | None) -> Floats:
        source = self._source
        samples = source.adapter.proba_samples(self._prepared(), n_samples, source.seed)
        return self._checked(samples, n_dims=3)

    def _decision(self) -> Floats:
        decision = np.asarray(self._in_chunks(self._source.adapter.decision))
        if not np.isfinite(decision).all():
            raise InvalidReadingError("The model's decision_function gives NaN or infinity.")
        return decision

    def _prediction(self) -> NDArray[Any]:
        return np.asarray(self._in_chunks(self._source.adapter.prediction))

    def _features(self) -> Any:
        """What the model's last layer sees; without a fitted model, the best that can be known."""
        if self._source.fitted:
            return self._source.adapter.features(self._prepared())
        return self._root._once("cold", self._root._cold)(self._raw())

    def _of_labeled(self) -> PoolView:
        labeled = self.at(self._source.X_labeled, y=self._source.y_labeled)
        labeled._place = None if self._place is None else self._place.of_labeled()
        return labeled

    def _cold(self) -> Callable[[Any], Any]:
        return self._source.adapter.prepare_cold(self._raw(), self._source.run_seed)

    def _embedding(self) -> Any:
        if self._source.embedder is None:
            return self._matrix(self._features())
        if (place := self._place) is not None:
            whole = place.state.embedding(lambda: self._embedded(place.state.X))
            return take_rows(whole, place.rows)
        embedder = self._root._once("embedder", self._root._fitted_embedder)
        return self._matrix(embedder.transform(self._raw()))

    def _embedded(self, X: Any) -> Any:
        """The embedding of all rows of a campaign by the learner's embedder."""
        return self._matrix(self._embedder_fitted_on(lambda: X).transform(X))

    def _fitted_embedder(self) -> Any:
        """The embedder; where it is not fitted, fitted on all rows at hand.

        Those are the pool and the labeled rows: the same rows all through a campaign.
        """
        labeled = self._source.X_labeled
        return self._embedder_fitted_on(
            lambda: self._raw() if labeled is None else join_rows(self._raw(), labeled)
        )

    def _embedder_fitted_on(self, rows: Callable[[], Any]) -> Any:
        embedder = self._source.embedder
        try:
            check_is_fitted(embedder)
        except NotFittedError:
            return seeded_clone(embedder, self._source.run_seed).fit(rows())
        return embedder

    def _keep_embedding(self, place: PoolIndex, labeled: PoolView) -> bool:
        """Have the state know the embedding of all rows; False where this view cannot tell it."""
        if self._source.embedder is None and self._features() is self._raw():
            place.state.embedding(lambda: self._matrix(place.state.X))
        elif self._source.embedder is None:
            if not place.is_all():
                return False
            place.state.assemble([(place.rows, self.embedding), (place.labeled, labeled.embedding)])
        return True

    def _gradient_factors(self) -> tuple[Floats, Any]:
        residual = np.array(self._shared(("proba", None), self._proba), dtype=np.float64)
        residual[np.arange(len(residual)), residual.argmax(axis=1)] -= 1.0
        return residual, self._matrix(self._features())

    def _matrix(self, features: Any) -> Any:
        try:
            return to_matrix(features, "embedding")
        except ValueError as error:
            raise InvalidReadingError(
                f"The rows cannot be used as an embedding ({error}). Pass embedder= to the learner "
                "or use a Pipeline whose first steps make finite numbers of the rows."
            ) from error

    def _checked(self, proba: Any, n_dims: int) -> Floats:
        """Check that these are probabilities and give each class its column."""
        adapter = self._source.adapter
        name = type(adapter.model).__name__
        if isinstance(proba, list):
            raise InvalidReadingError(
                f"{name} predicts several outputs a row; this reading is for one label a row."
            )
        proba = np.asarray(proba)
        if proba.ndim != n_dims:
            raise InvalidReadingError(
                f"{name} gives probabilities of shape {proba.shape}; expected {n_dims} dimensions."
            )
        # One comparison finds NaN and infinity too: they make a sum that is not near 1.
        # A product with ones sums short rows several times as fast as `sum` does.
        near_one = np.abs(proba @ np.ones(proba.shape[-1], proba.dtype) - 1.0) <= SUM_TOLERANCE
        if not near_one.all() or (proba.size and proba.min() < 0.0):
            rows = proba.reshape(-1, proba.shape[-1])
            bad = rows[~near_one.ravel() | (rows < 0.0).any(axis=1)]
            raise InvalidReadingError(
                f"{name} gives {len(bad)} rows of probability that are negative, not finite or do "
                f"not sum to 1; the first: {bad[0]}. A net needs a criterion that ends in "
                "probabilities: criterion=torch.nn.CrossEntropyLoss with a module that returns "
                "logits, or a module that ends in softmax."
            )
        return _widened(proba, adapter, self._source.classes, self.classes)


MODEL_FREE = frozenset({"X", "embedding"})  # readings that a pool without a fitted model provides


def _cut(reading: str, kept: Any, taken: Positions | slice) -> Any:
    """Cut rows out of a reading."""
    if reading == "gradient_factors":
        return kept[0][taken], kept[1][taken]
    if reading == "proba_samples":
        return kept[:, taken]
    return take_rows(kept, taken)


def _widened(
    proba: Floats, adapter: ModelAdapter, declared: NDArray[Any] | None, classes: NDArray[Any]
) -> Floats:
    """Give each of `classes` its column: zeros for those that the model has not seen."""
    n_columns, known = proba.shape[-1], adapter.classes
    if n_columns == len(classes) and (adapter.fixed_columns or known is None or declared is None):
        return proba
    if adapter.fixed_columns or known is None or n_columns != len(known):
        source = "declared" if declared is not None else "among the labels so far"
        raise InvalidReadingError(
            f"{type(adapter.model).__name__} gives {n_columns} columns of probability, but "
            f"{len(classes)} classes are {source}. Declare all classes, one a column, with "
            "ActiveLearner(..., classes=[...]), and give the model as many outputs."
        )
    strange = np.setdiff1d(known, classes)
    if len(strange):
        raise InvalidReadingError(
            f"{type(adapter.model).__name__} knows classes that classes= does not declare: "
            f"{strange.tolist()}; declared are {classes.tolist()}."
        )
    wide = np.zeros((*proba.shape[:-1], len(classes)))
    wide[..., np.searchsorted(classes, known)] = proba
    return wide
