"""SimulatedLearner: the whole loop, played with known labels as the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from skactive._utils.compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    check_params,
    with_callbacks,
)
from skactive._utils.constraints import (
    POSITIVE_INT,
    POSITIVE_INT_OR_NONE,
    POSITIVE_REAL,
    STRATEGY,
)
from skactive._utils.delegation import DelegatesPrediction
from skactive._utils.labels import check_unmasked
from skactive._utils.rows import collect_rows, n_rows
from skactive._utils.scoring import score_model
from skactive._utils.seeding import draw_seed
from skactive._validation import check_rows
from skactive.simulation._campaign import Campaign

__all__ = ["SimulatedLearner"]


class SimulatedLearner(
    DelegatesPrediction, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator
):
    """An active learner whose `fit` plays the whole loop, with `y` as the oracle.

    It starts with a few labels and then buys labels in batches, as the learner's strategy asks for
    them, until the budget is spent. A label is read when it is bought and not before. It is an
    ordinary estimator, so ``GridSearchCV`` can search over strategies and models.

    Parameters
    ----------
    learner : ActiveLearner
        The learner to play; it is cloned. If it has no `random_state`, it gets one.
    budget : int or float, default=100
        Number of labels that may be read in total, including the initial ones. More than the
        number of rows means all rows. If labels have costs, what they may cost in total: labels
        that alone cost more than what is left are not offered to the strategy; in place of those
        of a batch that no longer fit, it chooses others.
    batch_size : int, default=10
        Number of labels to buy per round. The last round takes the rest of the budget.
    n_initial : int, default=10
        Number of labels to start with, which are drawn whatever they cost. If those of a classifier
        hold one class only, or are too few for the model to be fitted, further rows are drawn at
        random, on the same budget, until there is a model.
    initial_strategy : Strategy, default=None
        Strategy that chooses the rows to start with; it must not need a model. None draws them at
        random.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial draw and of the queries.
    n_threads : int or None, default=1
        Number of threads that BLAS and OpenMP may use meanwhile. The fits of a simulation are
        small, and several times slower with two threads than with one; for large ones pass more,
        or None to leave the number unchanged.
    verbose : bool or int, default=False
        Whether to show a progress bar on standard error.
    stopping : StoppingCriterion, default=None
        When to stop before the budget is spent; see :mod:`skactive.stopping`. It is evaluated
        after the fit of each round, and does not change which rows are queried.
    audit_share : float, default=0.0
        Share of the labels bought that goes to an *audit*: rows reserved at random before anything
        else is chosen, which no strategy is offered and no model learns from. `n_initial` and
        `batch_size` count the labels to learn from; those of the audit come on top, and the budget
        counts all of them.
    retune_every : int, default=None
        For a learner whose estimator is a search (``GridSearchCV``): number of new labels after
        which to search again; in between, the best estimator of the last search is refitted. None
        searches in every round.
    oracle : Rows, Elements or Crowd, default=None
        What can be bought. None is :class:`~skactive.simulation.Rows`: labels of whole rows;
        :class:`~skactive.simulation.Elements` sells single elements: (row, label) pairs, tokens,
        pixels or groups of them; :class:`~skactive.simulation.Crowd` the answers of several people
        who are wrong at times.

    Attributes
    ----------
    learner_ : ActiveLearner
        The learner, taught all labels that were bought.
    estimators_ : list of estimators
        The model of each round.
    queried_ : ndarray of shape (n_labels,)
        Positions in `X` in the order in which their labels were read, the initial ones first; with
        an oracle of elements, those of the rows of the elements.
    queried_elements_ : ndarray of shape (n_labels,)
        The place of each label among the elements, or groups of elements, of its row; 0 with an
        oracle of rows.
    n_labels_ : ndarray of shape (n_rounds,)
        Number of labels that the model of each round learned from; the initial labels are the
        first round.
    n_bought_ : ndarray of shape (n_rounds,)
        Number of labels bought up to each round, including those of the audit.
    costs_ : ndarray of shape (n_rounds,)
        Cost of the labels bought up to each round, including those of the audit; `n_bought_` if
        labels have no costs.
    audited_ : ndarray of shape (n_audited,)
        Positions in `X` of the rows of the audit, in the order in which their labels were read.
    stop_reason_ : str
        Why the campaign ended, in a sentence.
    stopping_ : Monitor or None
        Values and verdicts of `stopping`, round by round; see
        :class:`StoppingDisplay <skactive.display.StoppingDisplay>`.
    crowd_ : CrowdModel or None
        The fitted model of annotators with all answers, with an oracle of people.
    history_ : list of dict
        One record per round: ``n_labels``, ``cost`` (see `costs_`), ``fit_seconds``, and
        ``query_seconds``, the time to choose the rows of the round. With an audit also ``audit_n``
        and ``audit_score``, the number of its labels known and the mean score of the round's model
        on them; with `stopping` also ``stopping``, a dict with the value of each criterion; if the
        estimator is a search, also ``tuned`` and ``best_params``, whether the round searched and
        the best parameters since; and while some classes have too few labels for the model, their
        list ``waiting_classes``.
    classes_ : ndarray of shape (n_classes,)
        Classes of the last model, if it has them.
    n_features_in_ : int
        Number of features, if the last model has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if the last model has them.

    See Also
    --------
    ActiveLearner : The learner for labels that come from people.

    Notes
    -----
    The model of a round is a function of which labels are known, not of the order in which they
    came: it is refitted on the labeled rows in the order of `X`. A learner with
    ``incremental=True`` or ``prefit=True`` is taught batch by batch instead. (A search clones what
    it searches over, and a clone of a prefit learner is not fitted: freeze its model.)

    The audit is a simple random sample of the rows (of those that are not `initial`), whatever the
    strategy does, so the number of its rows that a model predicts correctly is binomial, with the
    accuracy on new rows as the mean share (:func:`skactive.estimation.clopper_pearson` gives the
    interval). After each round ``round(audit_share * n_bought)`` of its labels are known; if labels
    have costs, as many as cost at most that share. The score of a row is 1 or 0 for a classifier (1
    if all of it is right), and minus the mean squared error of its numbers for a regressor. A model
    that is neither counts as a regressor if its labels or predictions are floating-point numbers.

    With `retune_every` the models are the best estimators of the searches and not the searches
    themselves, so that their ``score`` is the same in all rounds. While there are too few labels
    for the folds of the search (if these are stratified: while no class has as many labels as there
    are folds), its estimator is fitted with its own parameters, and ``tuned`` is False. The
    resulting learner keeps the search: `teach` searches.

    With scikit-learn >= 1.9, callbacks set by ``set_callbacks`` are called once per round; one that
    returns True from ``on_fit_task_end`` ends the campaign.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import train_test_split
    >>> from skactive import ActiveLearner, SimulatedLearner
    >>> from skactive.strategies import Margin
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
    >>> model = make_pipeline(StandardScaler(), LogisticRegression())
    >>> learner = ActiveLearner(model, Margin())
    >>> simulation = SimulatedLearner(learner, budget=45, n_initial=20, random_state=0).fit(X, y)
    >>> simulation.n_labels_
    array([20, 30, 40, 45])
    >>> scores = list(simulation.staged_score(X_test, y_test))
    >>> scores[-1] > scores[0]
    True

    Stop when a target is reached, with a fifth of the labels for an audit:

    >>> from skactive.stopping import TargetReached
    >>> simulation.set_params(stopping=TargetReached(0.8), audit_share=0.2, budget=500)
    SimulatedLearner(...)
    >>> simulation.fit(X, y).stop_reason_
    'Stopped at ... labels: ... of ... audited rows are right: with confidence 0.95 at least ...,
    which reaches 0.8.'
    >>> [record["audit_n"] for record in simulation.history_[:3]]  # at 20, 30 and 40 labels
    [5, 8, 10]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "learner": [HasMethods(["fit", "query", "teach"])],
        "budget": POSITIVE_REAL,
        "batch_size": POSITIVE_INT,
        "n_initial": POSITIVE_INT,
        "initial_strategy": [*STRATEGY, None],
        "random_state": ["random_state"],
        "n_threads": POSITIVE_INT_OR_NONE,
        "verbose": ["verbose"],
        "stopping": [HasMethods("start"), None],
        "audit_share": [Interval(Real, 0, 1, closed="left")],
        "retune_every": POSITIVE_INT_OR_NONE,
        "oracle": [HasMethods("open"), None],
    }

    def __init__(
        self,
        learner: Any,
        *,
        budget: float = 100,
        batch_size: int = 10,
        n_initial: int = 10,
        initial_strategy: Any = None,
        random_state: Any = None,
        n_threads: int | None = 1,
        verbose: bool | int = False,
        stopping: Any = None,
        audit_share: float = 0.0,
        retune_every: int | None = None,
        oracle: Any = None,
    ) -> None:
        self.learner = learner
        self.budget = budget
        self.batch_size = batch_size
        self.n_initial = n_initial
        self.initial_strategy = initial_strategy
        self.random_state = random_state
        self.n_threads = n_threads
        self.verbose = verbose
        self.stopping = stopping
        self.audit_share = audit_share
        self.retune_every = retune_every
        self.oracle = oracle

    @with_callbacks
    def fit(self, X: Any, y: Any, *, initial: Any = None, costs: Any = None, **params: Any) -> Self:
        """Play the loop on some rows, reading labels only as they are bought.

        Parameters
        ----------
        X : rows in any container
            The pool.
        y : array-like of shape (n_rows,) or (n_rows, ...), or list
            The labels that the oracle gives, of any kind that the learner's ``fit`` takes.
        initial : array-like of int, default=None
            Positions of the rows whose labels are known at the start, in place of `n_initial`
            rows that are drawn.
        costs : array-like of shape (n_rows,), or list with an array per row, default=None
            What the label of each row costs, or with an oracle of elements, that of each element;
            positive. The budget then counts cost, and strategies that read costs, such as
            :class:`~skactive.strategies.PerCost`, get them. None: 1 each.
        **params : dict
            Passed to the learner's ``fit``; values with one entry per row are cut to the labeled
            rows.

        Returns
        -------
        self : SimulatedLearner

        Raises
        ------
        ValueError
            If the budget does not cover the initial labels, or is spent before the model can be
            fitted; if a label that is bought is missing; if `initial` is not a set of positions; if
            there are costs, but not a positive one per label; or if `retune_every` is set and the
            estimator is not a search.
        """
        self._validate_budget(costs)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        X, y = check_rows(X, check_unmasked(y))
        if not n_rows(X):
            raise ValueError("X has no rows: a campaign needs a pool of at least 1 row.")
        if params and get_config()["enable_metadata_routing"]:
            params = process_routing(self, "fit", **params).learner["fit"]
        seed = draw_seed(self.random_state)
        campaign = Campaign(self, X, y, costs, dict(params), seed, initial)
        with nullcontext() if self.n_threads is None else threadpool_limits(self.n_threads):
            campaign.start()
            campaign.play()
        self.learner_, self.estimators_ = campaign.learner, campaign.models
        self.queried_, self.queried_elements_ = campaign.ledger.queried
        self.history_ = campaign.history
        self.n_labels_ = np.array([record["n_labels"] for record in self.history_])
        self.audited_ = campaign.audit.rows[: campaign.audit.n_known]
        self.crowd_ = campaign.ledger.crowd
        self.costs_ = np.array([record["cost"] for record in self.history_])
        self.n_bought_ = self.n_labels_ + [record.get("audit_n", 0) for record in self.history_]
        self.stop_reason_, self.stopping_ = campaign.stop_reason, campaign.monitor
        return self

    def staged_score(self, X: Any, y: Any, scoring: Any = None) -> Iterator[float]:
        """Score the model of each round on test rows.

        Parameters
        ----------
        X : rows in any container
            Test rows.
        y : array-like of shape (n_rows,) or (n_rows, ...), or list
            Their true labels; the score gets them as they are.
        scoring : str, callable or None, default=None
            As in scikit-learn's searches; None is the model's own ``score``.

        Yields
        ------
        float
            The score of each round, in the order of ``n_labels_``.
        """
        from sklearn.metrics import check_scoring  # late: it takes a tenth of a second

        check_is_fitted(self, "estimators_")
        X = collect_rows(X)
        for model in self.estimators_:
            scorer = check_scoring(model, scoring=scoring)
            score = score_model(model, X, y) if scoring is None else scorer(model, X, y)
            yield float(score)

    def _validate_budget(self, costs: Any) -> None:
        """Check the hyper-parameters; a budget of labels is a whole number."""
        self._validate_params()
        if not self._has_costs(costs):
            check_params({"budget": POSITIVE_INT}, {"budget": self.budget}, type(self).__name__)

    def _has_costs(self, costs: Any) -> bool:
        """Return whether labels cost what the user or the oracle says, in place of 1."""
        return costs is not None or getattr(self.oracle, "sets_prices", False)

    # scikit-learn's protocols -----------------------------------------------------------------

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the routing: `fit` passes its parameters to the learner's `fit`.

        Returns
        -------
        MetadataRouter
            The routing.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        mapping.add(caller="score", callee="score")
        return MetadataRouter(owner=type(self).__name__).add(
            learner=self.learner, method_mapping=mapping
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "learner_")

    def _get_estimator(self) -> Any:
        return getattr(self, "learner_", self.learner)

    def _get_fitted_estimator(self) -> Any:
        check_is_fitted(self)
        return self.learner_
