"""One campaign: rounds of fits and queries, with known labels as the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from skactive._utils.array_types import Positions
from skactive._utils.fit_params import take_params
from skactive._utils.labels import find_missing_rows, has_one_label, read_labels, take_labels
from skactive._utils.progress import progress
from skactive._utils.rows import n_rows, take_rows
from skactive._utils.tags import is_classifier
from skactive.pool._state import CampaignCache, PoolIndex
from skactive.simulation._audit_sample import Audit, row_scores
from skactive.simulation._tuning import Tuner
from skactive.stopping import Monitor, Round

if TYPE_CHECKING:
    from skactive.simulation._learner import SimulatedLearner

__all__ = ["Campaign"]


class Campaign:
    """State of one run of the loop, and its next round.

    Positions are among the rows that are not reserved for the audit; `rows` holds the positions of
    these in the `X` and `y` of the user.
    """

    def __init__(
        self,
        settings: SimulatedLearner,
        X: Any,
        y: Any,
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
        self.total_budget = min(settings.budget, n_rows(X))  # labels of the audit included
        self.audit = Audit(settings.audit_share, self.total_budget, n_rows(X), self.initial, seed)
        self.budget = self.total_budget - len(self.audit.rows)
        self.rows = np.setdiff1d(np.arange(n_rows(X)), self.audit.rows)
        self.X = take_rows(X, self.rows) if len(self.audit.rows) else X
        retune_every = settings.retune_every
        self.tuner = None if retune_every is None else Tuner(self.learner, retune_every)
        self.monitor: Monitor | None = (
            None if settings.stopping is None else settings.stopping.start()
        )
        self.cache = CampaignCache(self.X)
        self.labeled: list[int] = []  # positions, in the order in which their labels were read
        self.taught: list[int] = []  # the same, in the order of the learner's labeled rows
        self.models: list[Any] = []
        self.history: list[dict[str, Any]] = []
        self.query_seconds = 0.0  # time to choose the rows of the coming round
        self.stop_reason = ""

    def start(self) -> None:
        """Buy the labels to start with."""
        self.began = began = perf_counter()
        if self.initial is not None:
            self._check_budget(len(self.initial))
            self.labeled = np.searchsorted(self.rows, self.initial).tolist()
        else:
            self.labeled = self._draw_initial()
        if is_classifier(self.learner):
            self._draw_until(lambda: not self._has_one_class())
        self.query_seconds = perf_counter() - began

    def play(self) -> None:
        """Fit, query and buy labels, until the budget is spent or there is a reason to stop."""
        settings = self.settings
        n_rounds = 1 + -(-(self.budget - len(self.labeled)) // settings.batch_size)
        root = settings._init_callback_context(max_subtasks=n_rounds)
        root.call_on_fit_task_begin(estimator=settings, X=self.X_all, y=self.y)
        batch = list(self.labeled)
        with progress(n_rounds, "labeling", shown=bool(settings.verbose)) as advance:
            while True:
                context = root.subcontext(task_name="round")
                context.call_on_fit_task_begin(estimator=settings)
                self._teach(batch)
                self._audit()
                advance(f"{len(self.labeled)} labels")
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

    def _teach(self, batch: list[int]) -> None:
        """Teach the learner a batch; by a refit, all labeled rows in the order of the pool."""
        batchwise = (self.learner.incremental or self.learner.prefit) and len(self.models) > 0
        rows = np.sort(batch if batchwise else self.labeled)
        began = perf_counter()
        fit = self.learner._teach if batchwise else self._fit
        self._fit_to_rows(fit, rows)
        if not self._is_fitted():
            self._draw_until_fitted()
            rows = np.sort(self.labeled)
        self.taught = (self.taught if batchwise else []) + rows.tolist()
        self.models.append(self.learner.estimator_)
        record = {
            "n_labels": len(self.labeled),
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
            self._fit_to_rows(self._fit, np.sort(self.labeled))
            return self._is_fitted()

        self._draw_until(try_again)
        if not self._is_fitted():
            raise ValueError(
                f"The budget of {self.total_budget} labels is spent before there is a model: "
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
        audit.buy(len(self.labeled), last=len(self.labeled) >= self.budget)
        rows = audit.rows[: audit.n_known]
        if len(rows):
            labels = take_labels(self.y, rows)
            audit.scores = row_scores(self.learner, take_rows(self.X_all, rows), labels)
        score = float(audit.scores.mean()) if len(rows) else np.nan
        self.history[-1] |= {"audit_n": audit.n_known, "audit_score": score}

    def _reason_to_stop(self, callback_stops: bool) -> str:
        """Return why the campaign ends with this round; empty if it continues."""
        n = len(self.labeled)
        if self.monitor is not None:
            verdict = self.monitor.update(self._round())
            self.history[-1]["stopping"] = self.monitor.values()
            if verdict.stop:
                return f"Stopped at {n} labels: {verdict.reason}."
        if callback_stops:
            return f"Stopped at {n} labels: a callback requested it."
        if n < self.budget:
            return ""
        if self.total_budget == n_rows(self.X_all):
            return f"The pool is empty: all {self.total_budget} rows are labeled."
        return f"The budget of {self.total_budget} labels is spent."

    def _round(self) -> Round:
        return Round(
            n_labels=len(self.labeled),
            learner=self.learner,
            X=self.X,
            pool=self._unlabeled_rows(),
            seed=self.seed,
            audit=self.audit.scores if self.audit.share else None,
            seconds=perf_counter() - self.began,
        )

    def _query_batch(self) -> list[int]:
        """Let the learner choose a batch, which counts as labeled from here on."""
        began = perf_counter()
        pool = self._unlabeled_rows()
        batch_size = min(self.settings.batch_size, self.budget - len(self.labeled))
        index = PoolIndex(self.cache, pool, np.asarray(self.taught, dtype=np.intp))
        batch = pool[self.learner._query(take_rows(self.X, pool), batch_size, index)].tolist()
        self.query_seconds = perf_counter() - began
        self.labeled += batch
        return batch

    def _read_labels(self, rows: Positions) -> Any:
        """Read labels to learn from; those of the audit are read in `_audit`, none elsewhere."""
        labels = take_labels(self.y, self.rows[rows])
        is_unknown = find_missing_rows(read_labels(labels, self.learner))
        if is_unknown.any():
            raise ValueError(
                f"The label of row {self.rows[rows][is_unknown][0]} is missing: y answers for all "
                "rows. Leave out the rows without a label: known = ~pandas.isna(y), then X[known] "
                "and y[known]."
            )
        return labels

    def _take_params(self, rows: Positions) -> dict[str, Any]:
        """Return the parameters of `fit`, cut to some rows if they have one value per row."""
        return take_params(self.params, n_rows(self.X_all), self.rows[rows])

    def _unlabeled_rows(self) -> Positions:
        is_unlabeled = np.ones(n_rows(self.X), dtype=bool)
        is_unlabeled[self.labeled] = False
        return np.flatnonzero(is_unlabeled)

    def _draw_initial(self) -> list[int]:
        """Draw the rows to start with, or let the initial strategy choose them."""
        n_initial = min(self.settings.n_initial, n_rows(self.X))
        self._check_budget(n_initial)
        if self.settings.initial_strategy is None:
            return self.random_state.permutation(n_rows(self.X))[:n_initial].tolist()
        learner = clone(self.learner).set_params(strategy=self.settings.initial_strategy)
        return learner.query(self.X, n_initial).tolist()

    def _check_budget(self, n_initial: int) -> None:
        if n_initial > self.budget:
            n_audit = len(self.audit.rows)
            audit = f" and the {n_audit} of the audit" if n_audit else ""
            raise ValueError(
                f"budget={self.settings.budget} does not cover the {n_initial} initial labels"
                f"{audit}: the budget counts all labels. Raise budget or lower n_initial."
            )

    def _has_one_class(self) -> bool:
        labels = read_labels(self._read_labels(np.asarray(self.labeled)), self.learner)
        if not has_one_label(labels) and labels.ndim != 2:  # their classes only the model knows
            return False
        return len(set(labels.ravel().tolist())) < 2

    def _draw_until(self, is_enough: Callable[[], bool]) -> None:
        """Buy rows at random, one by one, until there are enough or the budget is spent."""
        rows: Iterator[int] | None = None
        while not is_enough() and len(self.labeled) < self.budget:
            rows = rows or iter(self.random_state.permutation(self._unlabeled_rows()).tolist())
            self.labeled.append(next(rows))


def _check_positions(initial: Any, n: int) -> Positions:
    """Return `initial` as an array of positions, or raise an error that says what is wrong."""
    positions = np.asarray(initial)
    if positions.ndim != 1 or positions.dtype.kind not in "iu" or not len(positions):
        raise ValueError(f"initial must be a list of positions of rows, got {initial!r}.")
    if positions.min() < 0 or positions.max() >= n or len(np.unique(positions)) < len(positions):
        raise ValueError(f"initial must be distinct positions in 0 .. {n - 1}, got {initial!r}.")
    return positions.astype(np.intp)
