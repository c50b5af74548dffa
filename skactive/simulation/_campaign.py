"""One campaign: rounds of fits and queries, with known labels as the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from skactive._utils.array_types import Positions
from skactive._utils.fit_params import take_params
from skactive._utils.labels import find_missing, has_one_label, read_labels, take_labels
from skactive._utils.progress import progress
from skactive._utils.rows import n_rows, select_rows, take_rows
from skactive._utils.tags import is_classifier
from skactive.pool._state import CampaignCache
from skactive.simulation._audit_sample import Audit, row_scores
from skactive.simulation._ledger import Chooser, ElementLedger
from skactive.simulation._oracles import Oracle, Rows
from skactive.simulation._tuning import Tuner
from skactive.stopping import Monitor, Round

if TYPE_CHECKING:
    from skactive.simulation._learner import SimulatedLearner

__all__ = ["Campaign"]


class Campaign:
    """State of one run of the loop, and its next round.

    Positions are among the rows that are not reserved for the audit; the `rows` of the ledger are
    their positions in the `X` and `y` of the user.
    """

    def __init__(
        self,
        settings: SimulatedLearner,
        X: Any,
        y: Any,
        costs: Any,
        params: dict[str, Any],
        seed: int,
        initial: Any,
    ) -> None:
        self.settings, self.X_all, self.y, self.params, self.seed = settings, X, y, params, seed
        self.random_state = np.random.RandomState(seed)
        self.learner = clone(settings.learner)
        if self.learner.prefit:  # the clone of its estimator is not fitted
            self.learner.set_params(estimator=deepcopy(settings.learner.estimator))
        if self.learner.random_state is None:
            self.learner.set_params(random_state=self.random_state.randint(2**31 - 1))
        self.initial = None if initial is None else _check_positions(initial, n_rows(X))
        ledger = _choose_oracle(settings).open(X, y, costs, self.learner)
        prices = ledger.find_row_costs()
        self.total_budget = min(settings.budget, prices.sum().item())  # that of the audit included
        self.audit = Audit(settings.audit_share, self.total_budget, prices, self.initial, seed)
        self.budget = self.total_budget - self.audit.total_cost
        rows = np.setdiff1d(np.arange(n_rows(X)), self.audit.rows)
        self.ledger = ledger.take(rows) if len(self.audit.rows) else ledger
        self.X = select_rows(X, rows) if len(self.audit.rows) else X
        retune_every = settings.retune_every
        if retune_every is not None and isinstance(ledger, ElementLedger):
            raise ValueError(
                "retune_every needs labels of whole rows: leave oracle=None, or retune_every=None, "
                "so that a search is fitted in each round."
            )
        if settings.audit_share and not ledger.is_open.all():
            raise ValueError(
                f"An audit needs all labels of its rows, but {int((~ledger.is_open).sum())} are "
                "missing in y: leave out the rows without them, or set audit_share=0."
            )
        self.tuner = None if retune_every is None else Tuner(self.learner, retune_every)
        self.monitor: Monitor | None = (
            None if settings.stopping is None else settings.stopping.start()
        )
        self.cache = CampaignCache(self.X)
        self.taught: list[int] = []  # positions, in the order of the learner's labeled rows
        self.models: list[Any] = []
        self.history: list[dict[str, Any]] = []
        self.query_seconds = 0.0  # time to choose the rows of the coming round
        self.stop_reason = ""

    def start(self) -> None:
        """Buy the labels to start with."""
        self.began = began = perf_counter()
        rows = (
            self._draw_initial()
            if self.initial is None
            else np.searchsorted(self.ledger.rows, self.initial)
        )
        self._check_budget(rows)
        self.ledger.buy_rows(rows.tolist())
        if is_classifier(self.learner):
            self._draw_until(lambda: not self._has_one_class())
        self.query_seconds = perf_counter() - began

    def play(self) -> None:
        """Fit, query and buy labels, until the budget is spent or there is a reason to stop."""
        settings = self.settings
        n_rounds = 1 + ceil(self._estimate_labels_left() / settings.batch_size)
        root = settings._init_callback_context(
            max_subtasks=None if self.ledger.is_priced else n_rounds
        )
        root.call_on_fit_task_begin(estimator=settings, X=self.X_all, y=self.y)
        batch = self.ledger.find_known_rows()
        with progress(n_rounds, "labeling", shown=bool(settings.verbose)) as advance:
            while True:
                context = root.subcontext(task_name="round")
                context.call_on_fit_task_begin(estimator=settings)
                self._teach(batch)
                self._audit()
                self.history[-1] |= {"cost": self.cost} | self.ledger.make_record()
                advance(f"{self.ledger.n_labels} labels")
                callback_stops = context.call_on_fit_task_end(
                    estimator=settings, reconstruction_attributes=self._attributes
                )
                self.stop_reason = self._reason_to_stop(callback_stops)
                if self.stop_reason:
                    break
                batch = self._query_batch()
        if self.tuner is not None:
            self.learner.set_params(estimator=self.tuner.search)
        root.call_on_fit_task_end(estimator=settings, reconstruction_attributes=self._attributes)

    def _attributes(self) -> dict[str, Any]:
        """Return the attributes of an estimator that predicts as if this round were the last."""
        return {"learner_": self.learner}

    @property
    def cost(self) -> float:
        """Cost of all labels so far, those of the audit included."""
        return self.ledger.cost + self.audit.cost

    @property
    def left(self) -> float:
        """Cost that is left for labels to learn from."""
        return self.budget - self.ledger.cost

    def _teach(self, batch: Positions) -> None:
        """Teach the learner a batch; by a refit, all labeled rows in the order of the pool."""
        batchwise = (self.learner.incremental or self.learner.prefit) and len(self.models) > 0
        rows = batch if batchwise else self.ledger.find_known_rows()
        began = perf_counter()
        fit = self.learner._teach if batchwise else self._fit
        self._fit_to_rows(fit, rows)
        if not self._is_fitted():
            self._draw_until_fitted()
            rows = self.ledger.find_known_rows()
        self.taught = (self.taught if batchwise else []) + rows.tolist()
        self.models.append(self.learner.estimator_)
        record = {
            "n_labels": self.ledger.n_labels,
            "fit_seconds": perf_counter() - began,
            "query_seconds": self.query_seconds,
        }
        if len(self.learner.waiting_classes_):
            record["waiting_classes"] = self.learner.waiting_classes_.tolist()
        self.history.append(record | self._tuning_record())

    def _fit(self, X: Any, y: Any, params: dict[str, Any]) -> None:
        if self.tuner is None:
            self.learner._fit(X, y, params, tries_readings=not self.models)
        else:
            self.tuner.fit(X, y, **params)

    def _fit_to_rows(self, fit: Callable[..., None], rows: Positions) -> None:
        fit(take_rows(self.X, rows), self._read_labels(rows), self._take_params(rows))

    def _is_fitted(self) -> bool:
        return self.learner._has_model()

    def _draw_until_fitted(self) -> None:
        """Buy rows at random, since all strategies wait alike, until the model can be fitted."""

        def try_again() -> bool:
            self._fit_to_rows(self._fit, self.ledger.find_known_rows())
            return self._is_fitted()

        self._draw_until(try_again)
        if not self._is_fitted():
            raise ValueError(
                f"The budget of {self._describe_budget()} is spent before there is a model: "
                f"{self.learner._waiting_text} Raise budget, or choose a model that needs fewer "
                "labels per class."
            )

    def _tuning_record(self) -> dict[str, Any]:
        """Return whether the round searched, and the best parameters since the last search."""
        model = self.models[-1]
        if self.tuner is not None:
            return {"tuned": self.tuner.tuned, "best_params": self.tuner.best_params}
        if hasattr(model, "best_params_"):
            return {"tuned": True, "best_params": model.best_params_}
        return {}

    def _audit(self) -> None:
        """Buy the labels that the audit is due, and score the model on all of its rows."""
        audit = self.audit
        if not audit.share:
            return
        audit.buy(self.ledger.cost, last=not self._can_buy())
        rows = audit.rows[: audit.n_known]
        if len(rows):
            labels = take_labels(self.y, rows)
            audit.scores = row_scores(self.learner, take_rows(self.X_all, rows), labels)
        score = float(audit.scores.mean()) if len(rows) else np.nan
        self.history[-1] |= {"audit_n": audit.n_known, "audit_score": score}

    def _reason_to_stop(self, callback_stops: bool) -> str:
        """Return why the campaign ends with this round; empty if it continues."""
        n = self.ledger.n_labels
        if self.monitor is not None:
            verdict = self.monitor.update(self._round())
            self.history[-1]["stopping"] = self.monitor.values()
            if verdict.stop:
                return f"Stopped at {n} labels: {verdict.reason}."
        if callback_stops:
            return f"Stopped at {n} labels: a callback requested it."
        return "" if self._can_buy() else self._describe_end()

    def _describe_end(self) -> str:
        """Describe why nothing more can be bought."""
        if not len(self.ledger.find_open_rows()):
            return f"The pool is empty: all {n_rows(self.X_all)} rows are labeled."
        if not self.ledger.is_priced or self.left <= 1e-9 * self.budget:
            return f"The budget of {self._describe_budget()} is spent."
        return (
            f"The budget of {self._describe_budget()} is spent, but for {self.left:.6g}: all other "
            "labels cost more than that."
        )

    def _describe_budget(self) -> str:
        return (
            f"{self.total_budget:.6g}" if self.ledger.is_priced else f"{self.total_budget} labels"
        )

    def _can_buy(self) -> bool:
        return len(self.ledger.find_open_rows(self.left)) > 0

    def _estimate_labels_left(self) -> float:
        """Return how many labels can still be bought, at their mean cost."""
        return self.left / float(self.ledger.costs.values.mean()) if self._can_buy() else 0

    def _round(self) -> Round:
        return Round(
            n_labels=self.ledger.n_labels,
            learner=self.learner,
            X=self.X,
            pool=self.ledger.find_open_rows(),
            seed=self.seed,
            audit=self.audit.scores if self.audit.share else None,
            seconds=perf_counter() - self.began,
            cost=self.cost,
        )

    def _query_batch(self) -> Positions:
        """Let the learner choose a batch, whose labels are bought; return its rows, in order."""
        began = perf_counter()
        taught = np.asarray(self.taught, dtype=np.intp)
        chooser = Chooser(self.learner, self.X, self.cache, taught)
        batch = self.ledger.buy_batch(chooser, self.settings.batch_size, self.left)
        self.query_seconds = perf_counter() - began
        return batch

    def _read_labels(self, rows: Positions) -> Any:
        """Read labels to learn from; those of the audit are read in `_audit`, none elsewhere."""
        return self.ledger.read(rows, self.learner)

    def _take_params(self, rows: Positions) -> dict[str, Any]:
        """Return the parameters of `fit`, cut to some rows if they have one value per row."""
        return take_params(self.params, n_rows(self.X_all), self.ledger.rows[rows])

    def _draw_initial(self) -> Positions:
        """Draw the rows to start with, or let the initial strategy choose them."""
        rows = self.ledger.find_open_rows()  # others have nothing to learn from
        n_initial = min(self.settings.n_initial, len(rows))
        if self.settings.initial_strategy is None:
            return self.random_state.permutation(rows)[:n_initial]
        learner = clone(self.learner).set_params(strategy=self.settings.initial_strategy)
        costs = self.ledger.find_row_costs()[rows] if self.ledger.is_priced else None
        return rows[learner.query(select_rows(self.X, rows), n_initial, costs=costs)]

    def _check_budget(self, rows: Positions) -> None:
        """Check that the budget covers all labels of the initial rows."""
        cost = self.ledger.find_row_costs()[rows].sum().item()
        if cost <= self.budget:
            return
        n_audit = len(self.audit.rows)
        audit = f" and the {n_audit} of the audit" if n_audit else ""
        unit, price = "labels", ""
        if self.ledger.is_priced:
            price = f", which cost {cost:.6g}"
        elif cost != len(rows):
            unit, price = "rows", f", which have {cost} labels"
        raise ValueError(
            f"budget={self.settings.budget} does not cover the {len(rows)} initial {unit}{audit}"
            f"{price}: the budget counts all labels. Raise budget or lower n_initial."
        )

    def _has_one_class(self) -> bool:
        labels = read_labels(self._read_labels(self.ledger.find_known_rows()), self.learner)
        if not has_one_label(labels) and labels.ndim != 2:  # their classes only the model knows
            return False
        return len(set(labels.ravel()[~find_missing(labels)].tolist())) < 2

    def _draw_until(self, is_enough: Callable[[], bool]) -> None:
        """Buy rows at random, one by one, until there are enough or the budget is spent."""
        rows: Iterator[int] | None = None
        while not is_enough() and self.left > 0:
            if rows is None:
                rows = iter(self.random_state.permutation(self.ledger.find_open_rows()).tolist())
            row = next((row for row in rows if self.ledger.covers(row, self.left)), None)
            if row is None:
                return
            self.ledger.buy_rows([row])


def _choose_oracle(settings: SimulatedLearner) -> Oracle:
    return Rows() if settings.oracle is None else settings.oracle


def _check_positions(initial: Any, n: int) -> Positions:
    """Return `initial` as an array of positions, or raise an error that says what is wrong."""
    positions = np.asarray(initial)
    if positions.ndim != 1 or positions.dtype.kind not in "iu" or not len(positions):
        raise ValueError(f"initial must be a list of positions of rows, got {initial!r}.")
    if positions.min() < 0 or positions.max() >= n or len(np.unique(positions)) < len(positions):
        raise ValueError(f"initial must be distinct positions in 0 .. {n - 1}, got {initial!r}.")
    return positions.astype(np.intp)
