"""ActiveLab: buy new rows and second opinions from whom they are worth most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import HasMethods
from skactive._utils.constraints import NONNEGATIVE_REAL, POSITIVE_INT
from skactive._utils.delegation import DelegatesPrediction
from skactive._utils.row_checks import check_rows
from skactive._utils.rows import collect_rows, n_rows, take_rows
from skactive._utils.seeding import draw_seed, seeded_clone
from skactive.crowds._answers import Answers
from skactive.crowds._base import CrowdModel
from skactive.crowds._held_out import predict_held_out
from skactive.crowds._one_coin import OneCoin
from skactive.crowds._purchases import (
    Market,
    check_positions,
    choose_pairs,
    measure_information,
)
from skactive.exceptions import PoolExhaustedError

__all__ = ["ActiveLab"]

_MAX_ACCURACY = 0.999  # nobody is always right
_SMOOTHING = 1.0  # answers are few
_TINY = 1e-12


class _Campaign(NamedTuple):
    """A pool, who can be asked about it, the classes that were declared, and the seed."""

    X: Any
    market: Market
    classes: NDArray[Any] | None
    seed: int


class _Consensus(NamedTuple):
    """The consensus, a model that learned from it, and how good the annotators are by it."""

    classes: NDArray[Any]
    proba: Floats
    labels_of_answered: Any
    accuracy: Floats
    answered: Any = None
    crowd: CrowdModel | None = None
    estimator: Any = None

    @property
    def labels(self) -> NDArray[Any]:
        """The most probable class of each row; of answered rows the label of the crowd model."""
        if not len(self.classes):
            return np.empty(0)
        labels = self.classes[self.proba.argmax(axis=1)]
        if self.answered is not None:
            labels[self.answered] = self.labels_of_answered
        return labels


class ActiveLab(DelegatesPrediction, BaseEstimator):
    r"""Buy answers of several people: new rows and second opinions, from whom they are worth most.

    As in ActiveLab [1]_, one ranking holds new rows and rows whose labels are in doubt, by what a
    model and all answers so far make of them. Here it is a ranking of pairs of a row and an
    annotator, by the information that the answer is expected to give about the true label [2]_, per
    unit of its price:

    .. math:: \left(H\Big[\sum_t p_t \, \pi^a_t\Big] - \sum_t p_t \, H[\pi^a_t]\right) / c_a

    :math:`p_t` is the probability of class t of the row, by the consensus; :math:`\pi^a_t` are the
    probabilities of the answers of annotator a where t is true: that of t is the accuracy of the
    annotator, all others are alike; :math:`c_a` is the price, and H the entropy. So the answer of
    someone who guesses is worth nothing, and a row of which several good annotators said the same
    is worth little.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
        The model, which learns from the consensus and is one more annotator.
    crowd : CrowdModel, default=None
        What makes labels of answers and of the model; None: ``OneCoin(smoothing=1)``.
        (:class:`CrowdLab` needs a row with two answers from the start.)
    prices : mapping of annotator to price, default=None
        What an answer of each annotator costs; None: 1 each.
    n_folds : int, default=5
        Number of folds in which the model predicts rows that it has not learned from.
    shrinkage : float, default=20
        Number of answers of average accuracy that are added to those of each annotator. With few,
        a lucky one is asked about everything, and the model that learns from these answers agrees.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, of the model if it has none, and of ties.

    Attributes
    ----------
    answers_ : Answers or None
        All answers so far; items are positions of rows.
    annotators_ : ndarray of shape (n_annotators,)
        The annotators, sorted.
    annotator_accuracy_ : ndarray of shape (n_annotators,)
        Estimated accuracy of each; that of all for those without an answer.
    label_classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    proba_ : ndarray of shape (n_rows, n_classes)
        Probability of each class of each row: of the consensus, or of the model for rows without an
        answer.
    labels_ : ndarray of shape (n_rows,)
        The most probable class of each row.
    estimator_ : classifier
        The model, fitted to the consensus; missing while all answers are alike.
    crowd_ : CrowdModel or None
        The fitted model of annotators; None while there is no model.
    cost_ : float
        Price of all answers that were taught.

    Notes
    -----
    Each answer is a row and an annotator; nobody is asked twice about a row, and a batch asks about
    a row once, while there are others. While there is no model, random new rows are chosen.

    A query takes time and memory in proportion to the rows, and time in proportion to the
    annotators. :func:`score_opinions` has the published score.

    References
    ----------
    .. [1] H. W. Goh and J. Mueller (2023). "ActiveLab: active learning with re-labeling by multiple
       annotators." :doi:`10.48550/arXiv.2301.11856`
    .. [2] D. V. Lindley (1956). "On a measure of the information provided by an experiment." The
       Annals of Mathematical Statistics 27(4), 986-1005. :doi:`10.1214/aoms/1177728069`

    Examples
    --------
    Three people of different skill and price answer 150 times, about 150 rows:

    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive.crowds import ActiveLab, SimulatedAnnotator
    >>> X, y = load_iris(return_X_y=True)
    >>> people = {name: SimulatedAnnotator(a) for name, a in (("ann", 0.9), ("bob", 0.5))}
    >>> people["cyd"] = SimulatedAnnotator(0.8)
    >>> model = LogisticRegression(max_iter=1000)
    >>> lab = ActiveLab(model, prices={"ann": 2.0, "bob": 2.0, "cyd": 1.0}, random_state=0).fit(X)
    >>> for step in range(15):
    ...     rows, names = lab.query(10)
    ...     labels = [  # in practice: what people say
    ...         people[name].answer(y[[row]], 3, random_state=1000 * step + row)[0][0]
    ...         for row, name in zip(rows, names)
    ...     ]
    ...     lab = lab.teach(rows, names, labels)
    >>> bool((lab.labels_ == y).mean() > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "crowd": [HasMethods("fit"), None],
        "prices": [Mapping, None],
        "n_folds": POSITIVE_INT,
        "shrinkage": NONNEGATIVE_REAL,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        crowd: CrowdModel | None = None,
        prices: Mapping[Any, float] | None = None,
        n_folds: int = 5,
        shrinkage: float = 20.0,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.crowd = crowd
        self.prices = prices
        self.n_folds = n_folds
        self.shrinkage = shrinkage
        self.random_state = random_state

    def fit(
        self, X: Any, answers: Answers | None = None, *, annotators: Any = None, classes: Any = None
    ) -> Self:
        """Start on a pool, with the answers that there are.

        Parameters
        ----------
        X : rows in any container
            The pool, answered and new rows.
        answers : Answers, default=None
            Answers so far; items are positions in `X`. Their price is not counted.
        annotators : array-like, default=None
            All who can be asked; None: those of `answers` and of `prices`.
        classes : array-like, default=None
            All classes; None: the labels that occur.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If nobody can be asked, someone has no price, or answers are about no rows of the pool.
        """
        self._validate_params()
        X = collect_rows(check_rows(X)[0])
        people = self._list_annotators(answers, annotators)
        market = Market(n_rows(X), people, self._read_prices(people))
        if answers is not None:
            check_positions(answers.items, market.n_rows)
            market.check_people(answers.annotators)
        declared = None if classes is None else np.unique(np.asarray(classes))
        self._update(_Campaign(X, market, declared, draw_seed(self.random_state)), answers, 0.0)
        return self

    def query(
        self, batch_size: int = 1, *, available: Any = None
    ) -> tuple[Positions, NDArray[Any]]:
        """Choose answers to buy next, the one worth most per unit of price first.

        Parameters
        ----------
        batch_size : int, default=1
            Number of answers.
        available : sequence of annotators, or bool array (n_rows, n_annotators), default=None
            Who can be asked now; or who can be asked about which row, in the order of
            ``annotators_``. None: everybody about everything.

        Returns
        -------
        rows : ndarray of int of shape (batch_size,)
            Positions of rows.
        annotators : ndarray of shape (batch_size,)
            Whom to ask.

        Raises
        ------
        PoolExhaustedError
            If fewer answers are left.
        """
        check_is_fitted(self, "annotators_")
        campaign = self._campaign
        is_open = campaign.market.find_open(self.answers_, available)  # (n_rows, n_annotators)
        n_open = int(is_open.sum())
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size!r}.")
        if batch_size > n_open:
            raise PoolExhaustedError(
                f"{batch_size} answers were asked for, but {n_open} are left of those who are "
                "available: lower batch_size, or ask other people."
            )
        n_given = 0 if self.answers_ is None else len(self.answers_)
        rng = np.random.default_rng([campaign.seed, n_given])
        worth = self._measure_worth()
        chosen: list[tuple[Positions, Positions]] = []
        while (n_left := batch_size - sum(len(rows) for rows, _ in chosen)) > 0:
            rows, people = choose_pairs(worth, is_open, n_left, rng)
            is_open[rows, people] = False
            chosen.append((rows, people))
        rows, people = (np.concatenate(part) for part in zip(*chosen, strict=True))
        return rows, self.annotators_[people]

    def teach(self, rows: Any, annotators: Any, labels: Any) -> Self:
        """Add answers, asked for or not, and update the consensus and the model.

        Parameters
        ----------
        rows : array-like of int of shape (n_answers,)
            Positions of rows.
        annotators : array-like of shape (n_answers,)
            Who answered.
        labels : array-like of shape (n_answers,)
            The answers.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If lengths differ, a row or an annotator is unknown, or an answer was given before;
            nothing is changed.
        """
        check_is_fitted(self, "annotators_")
        new = Answers(rows, annotators, labels)
        market = self._campaign.market
        check_positions(new.items, market.n_rows)
        market.check_new(new, self.answers_)
        people = np.searchsorted(self.annotators_, new.annotators[new.annotator_codes])
        answers = new if self.answers_ is None else self.answers_.join(new)
        self._update(self._campaign, answers, self.cost_ + float(market.prices[people].sum()))
        return self

    # Consensus ------------------------------------------------------------------------------------

    def _update(self, campaign: _Campaign, answers: Answers | None, cost: float) -> None:
        """Make the consensus of answers, and fit the model to it; nothing is set if that fails."""
        if answers is not None and campaign.classes is not None:
            answers = answers.declare(campaign.classes)
        consensus = self._reach_consensus(campaign, answers)
        self._campaign, self.answers_, self.cost_ = campaign, answers, cost
        self.annotators_, self.label_classes_ = campaign.market.people, consensus.classes
        self.proba_, self.labels_ = consensus.proba, consensus.labels
        self.crowd_, self.annotator_accuracy_ = consensus.crowd, consensus.accuracy
        if consensus.estimator is not None:
            self.estimator_ = consensus.estimator
        elif hasattr(self, "estimator_"):
            del self.estimator_

    def _reach_consensus(self, campaign: _Campaign, answers: Answers | None) -> _Consensus:
        """Return the consensus of answers and of a model that has not learned from them."""
        n_rows, people = campaign.market.n_rows, campaign.market.people
        nobody = np.full(len(people), np.nan)  # no accuracy is known
        if answers is None:
            classes = np.empty(0) if campaign.classes is None else campaign.classes
            proba = np.full((n_rows, len(classes)), 1 / max(len(classes), 1))
            return _Consensus(classes, proba, None, nobody)
        classes, rows = answers.classes, answers.items
        first = OneCoin(smoothing=_SMOOTHING).fit(answers)
        if len(np.unique(first.labels_)) < 2:
            proba = np.tile(first.proba_.mean(axis=0), (n_rows, 1))
            proba[rows] = first.proba_
            return _Consensus(classes, proba, first.labels_, nobody)
        codes = np.searchsorted(classes, first.labels_)
        settings = {"n_folds": self.n_folds, "seed": campaign.seed}
        proba = predict_held_out(self.estimator, campaign.X, rows, codes, len(classes), **settings)
        crowd = self._make_crowd().fit(answers, proba=proba[rows])
        proba[rows], labels = crowd.proba_, crowd.labels_
        if len(np.unique(labels)) < 2:  # no model can be fitted to these
            labels = first.labels_
        estimator = seeded_clone(self.estimator, campaign.seed)
        estimator.fit(take_rows(campaign.X, rows), labels)
        accuracy = self._estimate_accuracy(people, answers, proba[rows])
        return _Consensus(classes, proba, labels, accuracy, rows, crowd, estimator)

    def _make_crowd(self) -> CrowdModel:
        return OneCoin(smoothing=_SMOOTHING) if self.crowd is None else clone(self.crowd)

    def _estimate_accuracy(self, people: NDArray[Any], answers: Answers, proba: Floats) -> Floats:
        """Return the accuracy of each annotator, shrunk towards that of all, (n_annotators,)."""
        right = np.zeros(len(people))
        n_given = np.zeros(len(people))
        places = np.searchsorted(people, answers.annotators)
        own = proba[answers.item_codes, answers.label_codes]
        right[places] = np.bincount(answers.annotator_codes, own)
        n_given[places] = np.bincount(answers.annotator_codes)
        mean = right.sum() / n_given.sum()
        added = max(self.shrinkage, _TINY)
        return (right + added * mean) / (n_given + added)

    def _measure_worth(self) -> Floats:
        """Return the information of each answer per unit of price, (n_rows, n_annotators)."""
        prices = self._campaign.market.prices
        if not hasattr(self, "estimator_"):  # new rows first
            is_new = np.ones(self._campaign.market.n_rows)
            if self.answers_ is not None:
                is_new[self.answers_.items] = _TINY
            return is_new[:, None] / prices
        worth = np.empty((len(self.proba_), len(prices)))
        lowest = 1 / len(self.label_classes_)  # worse than chance is no better than chance
        for a, accuracy in enumerate(np.clip(self.annotator_accuracy_, lowest, _MAX_ACCURACY)):
            worth[:, a] = measure_information(self.proba_, accuracy) / prices[a]
        return worth

    # Settings -------------------------------------------------------------------------------------

    def _list_annotators(self, answers: Answers | None, annotators: Any) -> NDArray[Any]:
        names: list[Any] = [] if annotators is None else np.asarray(annotators).ravel().tolist()
        if answers is not None:
            names += answers.annotators.tolist()
        if annotators is None and self.prices is not None:
            names += list(self.prices)
        if not names:
            raise ValueError(
                "Nobody can be asked: pass annotators=, their names, or prices= or answers=."
            )
        try:
            return np.asarray(sorted(set(names)))
        except TypeError as error:
            raise ValueError(
                "The names of the annotators mix texts and numbers: use one kind in answers, "
                "annotators and prices."
            ) from error

    def _read_prices(self, people: NDArray[Any]) -> Floats:
        if self.prices is None:
            return np.ones(len(people))
        absent = [name for name in people.tolist() if name not in self.prices]
        if absent:
            raise ValueError(
                f"prices has no price of {absent[0]!r}: add it, or leave prices out if all answers "
                "cost the same."
            )
        prices = np.array([self.prices[name] for name in people.tolist()], dtype=np.float64)
        if not (np.isfinite(prices) & (prices > 0)).all():
            raise ValueError(f"prices must be positive and finite, got {dict(self.prices)}.")
        return prices

    def _get_estimator(self) -> Any:
        return getattr(self, "estimator_", self.estimator)

    def _get_fitted_estimator(self) -> Any:
        check_is_fitted(self, "estimator_", msg="There is no model yet: all answers are alike.")
        return self.estimator_

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "annotators_")
