"""People who are wrong at times as the oracle of a campaign."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.base import clone

from skactive._utils.array_types import Floats, Positions
from skactive._utils.compat import HasMethods
from skactive._utils.constraints import POSITIVE_INT
from skactive._utils.labels import find_missing_rows, has_one_label, read_labels
from skactive._utils.ragged import Ragged
from skactive._utils.rows import take_rows
from skactive._utils.seeding import derived_seed, draw_seed
from skactive._utils.tags import is_classifier
from skactive.crowds import Answers, CrowdModel, OneCoin, SimulatedAnnotator
from skactive.simulation._ledger import RowLedger
from skactive.simulation._oracles import Oracle, check_refits

__all__ = ["Crowd", "CrowdLedger"]

_PEOPLE_STREAM, _ANSWER_STREAM = 0xC0DE, 0xC0DF  # random numbers: who is asked, what is answered


class Crowd(Oracle):
    """An oracle of several people: each label is bought from some of them, who may be wrong.

    The learner is fitted to the consensus of all answers so far, which a model of annotators makes
    anew in each round, so that later answers may change the labels of earlier rows. The true labels
    `y` are read by the people only (and by an audit, whose labels are those of an expert).

    The budget counts the prices of the answers, which strategies get as costs of the rows.

    Parameters
    ----------
    annotators : list of SimulatedAnnotator
        The people. Who tires, does so with each answer of the campaign.
    model : CrowdModel, default=None
        What makes labels of answers; None: :class:`~skactive.crowds.OneCoin`, which needs few.
    n_answers : int, default=3
        Number of different people who answer for each row.

    Notes
    -----
    Who is asked for a row, and what they answer while they are rested, depends on the seed of the
    learner only, and neither on the strategy nor on what was bought before: strategies that are
    compared with one seed meet the same people.

    After the fit of a :class:`~skactive.SimulatedLearner`, its ``crowd_`` is the fitted model with
    all answers, and each record of its ``history_`` also has ``n_answers``, ``answer_seconds`` (the
    time that people worked, so far) and ``consensus_accuracy`` (the share of the labels learned
    from that are right). The learner has to refit: `incremental` and `prefit` are refused.

    Examples
    --------
    Three good people and a careless one, two of whom see each row:

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner, SimulatedLearner
    >>> from skactive.crowds import SimulatedAnnotator
    >>> from skactive.simulation import Crowd
    >>> from skactive.strategies import Margin
    >>> X, y = load_iris(return_X_y=True)
    >>> people = [SimulatedAnnotator(accuracy, price=0.1) for accuracy in (0.9, 0.9, 0.9, 0.5)]
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), Margin())
    >>> crowd = Crowd(people, n_answers=2)
    >>> simulation = SimulatedLearner(learner, budget=12.0, oracle=crowd, random_state=0).fit(X, y)
    >>> int(simulation.n_labels_[-1]), simulation.history_[-1]["n_answers"]
    (60, 120)
    >>> simulation.crowd_.answers_
    Answers(120 answers of 4 annotators on 60 items, 3 classes)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "annotators": [list, tuple],
        "model": [HasMethods("fit"), None],
        "n_answers": POSITIVE_INT,
    }
    sets_prices = True

    def __init__(self, annotators: Any, model: Any = None, n_answers: int = 3) -> None:
        self.annotators = annotators
        self.model = model
        self.n_answers = n_answers

    def open(self, X: Any, y: Any, costs: Any, learner: Any) -> CrowdLedger:
        """Open the ledger of a campaign."""
        self._validate_params()
        people = self._check_people()
        if costs is not None:
            raise ValueError(
                "costs= and oracle=Crowd(...) both say what labels cost: leave costs out, the "
                "prices are those of the annotators."
            )
        check_refits(learner, "Crowd", "later answers may change the labels of earlier rows")
        labels = _read_classes(y, learner)
        classes, truth = np.unique(labels, return_inverse=True)
        seed = draw_seed(deepcopy(learner.random_state))  # the learner draws as without people
        work = _Work(X, truth, classes, people, derived_seed(seed, _ANSWER_STREAM))
        model = OneCoin() if self.model is None else clone(self.model)
        asked = _draw_people(len(truth), len(people), self.n_answers, seed)
        return CrowdLedger(labels, np.arange(len(truth)), asked, work, model)

    def _check_people(self) -> list[SimulatedAnnotator]:
        people = list(self.annotators)
        strange = [person for person in people if not isinstance(person, SimulatedAnnotator)]
        if strange:
            raise TypeError(f"annotators must be SimulatedAnnotator objects, got {strange[0]!r}.")
        if self.n_answers > len(people):
            raise ValueError(
                f"n_answers={self.n_answers} different people are to answer each row, but there "
                f"are {len(people)} annotators: lower n_answers or add annotators."
            )
        for person in people:
            person._validate_params()
        if not all(person.price > 0 for person in people):
            raise ValueError(
                "Each annotator needs a price above 0, since the budget counts prices: set price=1 "
                "to count answers."
            )
        return people


class _Work(NamedTuple):
    """The truth and the people that answers are drawn from.

    Attributes
    ----------
    X : rows in any container
        All rows of the user.
    truth : ndarray of int of shape (n_all_rows,)
        Codes of their true classes.
    classes : ndarray of shape (n_classes,)
    people : list of SimulatedAnnotator
    seed : int
        Seed of their answers.
    """

    X: Any
    truth: Positions
    classes: Any
    people: list[SimulatedAnnotator]
    seed: int

    def answer(self, row: int, person: int, n_before: int) -> tuple[int, float]:
        """Return the code of a person's answer to a row, and its seconds.

        The random numbers are those of the pair, whenever it is asked for.
        """
        annotator = self.people[person]
        codes, seconds = annotator.answer(
            self.truth[[row]],
            len(self.classes),
            X=None if annotator.skill is None else take_rows(self.X, [row]),
            n_before=n_before,
            random_state=derived_seed(self.seed, row * len(self.people) + person),
        )
        return int(codes[0]), float(seconds[0])


class CrowdLedger(RowLedger):
    """A ledger of rows whose labels are the consensus of several people.

    Parameters
    ----------
    labels : ndarray of shape (n_all_rows,)
        The true labels.
    rows : ndarray of int of shape (n_rows,)
        The rows of the ledger.
    asked : ndarray of int of shape (n_rows, n_answers)
        Who is asked for each row.
    work : _Work
        What they answer from.
    model : CrowdModel
        What makes labels of answers, not fitted.
    """

    def __init__(
        self, labels: Any, rows: Positions, asked: Positions, work: _Work, model: CrowdModel
    ) -> None:
        prices = np.array([person.price for person in work.people], dtype=np.float64)
        costs = Ragged(prices[asked].sum(axis=1), np.arange(len(rows) + 1))
        super().__init__(labels, rows, costs, is_priced=True)
        self.asked, self.work, self._model = asked, work, model
        self._n_given = np.zeros(len(work.people), dtype=np.intp)  # tired by so many answers
        self._given: list[tuple[int, int, int]] = []  # row of the user, person, code
        self._seconds = 0.0

    def take(self, rows: Positions) -> Self:
        return type(self)(self.y, self.rows[rows], self.asked[rows], self.work, self._model)

    def _buy(self, labels: Any) -> None:
        super()._buy(labels)
        for label in np.asarray(labels, dtype=np.intp).tolist():
            row = int(self.rows[label])
            for person in self.asked[label].tolist():
                code, seconds = self.work.answer(row, person, self._n_given[person])
                self._given.append((row, person, code))
                self._n_given[person] += 1
                self._seconds += seconds
            self.crowd = None  # to be fitted when labels are read

    def read(self, rows: Positions, model: Any) -> Any:
        crowd = self._reach_consensus()
        return crowd.labels_[np.searchsorted(crowd.items_, self.rows[rows])]

    def make_record(self) -> dict[str, Any]:
        crowd = self._reach_consensus()
        truth = self.work.classes[self.work.truth[crowd.items_]]
        return {
            "n_answers": len(self._given),
            "answer_seconds": self._seconds,
            "consensus_accuracy": float((crowd.labels_ == truth).mean()),
        }

    def _reach_consensus(self) -> Any:
        """Return the model of annotators, fitted to all answers so far."""
        if self.crowd is None:
            items, people, codes = np.array(self._given, dtype=np.intp).T
            classes = self.work.classes
            answers = Answers(items, people, classes[codes], classes=classes)
            self.crowd = clone(self._model).fit(answers)
        return self.crowd


def _draw_people(n: int, n_people: int, n_answers: int, seed: int) -> Positions:
    """Draw different people for each row, shape (n, n_answers)."""
    rng = np.random.default_rng(derived_seed(seed, _PEOPLE_STREAM))
    ranks: Floats = rng.random((n, n_people))
    return np.argsort(ranks, axis=1)[:, :n_answers]


def _read_classes(y: Any, learner: Any) -> Any:
    """Return the true label of each row, or raise an error if these are no classes."""
    labels = read_labels(y, learner.estimator)
    if not is_classifier(learner) or not has_one_label(labels):
        raise ValueError(
            "oracle=Crowd(...) needs a classifier and one class per row as y, got "
            f"{type(learner.estimator).__name__} and labels of shape {labels.shape}: people who "
            "are wrong at times choose another class."
        )
    is_unknown = find_missing_rows(labels)
    if is_unknown.any():
        raise ValueError(
            f"{int(is_unknown.sum())} true labels are missing in y, the first in row "
            f"{np.flatnonzero(is_unknown)[0]}: leave such rows out."
        )
    return labels
