"""One campaign: rounds of fits and queries, with known labels as the oracle."""

from __future__ import annotations

from copy import deepcopy
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from skactive._utils.progress import progress
from skactive._utils.rows import n_rows, take_rows
from skactive._validation import is_per_row
from skactive.pool._state import CampaignCache, PoolIndex
from skactive.simulation._audit_sample import Audit, row_scores
from skactive.simulation._tuning import Tuner
from skactive.stopping import Monitor, Round

if TYPE_CHECKING:
    from skactive.simulation._learner import SimulatedLearner

__all__ = ["Positions"]


Positions = NDArray[np.intp]


class _Campaign:
    """One run of the loop: what is known so far, and the next round.

    Its rows are those that are not reserved for the audit, and its positions are among them;
    `rows` says where they are in the `X` and `y` of the user.
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
        self.initial = None if initial is None else _checked_positions(initial, n_rows(X))
        self.bought = min(settings.budget, n_rows(X))  # in the end, all told
        self.audit = Audit(settings.audit_share, self.bought, n_rows(X), self.initial, seed)
        self.budget = self.bought - len(self.audit.rows)
        self.rows = np.setdiff1d(np.arange(n_rows(X)), self.audit.rows)
        self.X = take_rows(X, self.rows) if len(self.audit.rows) else X
        every = settings.retune_every
        self.tuner = None if every is None else Tuner(self.learner, every)
        self.monitor: Monitor | None = (
            None if settings.stopping is None else settings.stopping.start()
        )
        self.state = CampaignCache(self.X)
        self.known: list[int] = []
        self.taught: list[int] = []  # the same rows, in the order of the learner's labeled rows
        self.models: list[Any] = []
        self.history: list[dict[str, Any]] = []
        self.query_seconds = 0.0  # what choosing the rows of the coming round took
        self.stop_reason = ""

    def start(self) -> None:
        """Buy the labels of the start."""
        self.began = began = perf_counter()
        if self.initial is not None:
            self._check_budget(len(self.initial))
            self.known = np.searchsorted(self.rows, self.initial).tolist()
        else:
            self.known = self._drawn()
        if is_classifier(self.learner) and self._one_class():
            if self.initial is not None:
                raise ValueError(
                    f"The {len(self.known)} rows of initial hold one class only: a classifier "
                    "needs two. Pass initial rows of two classes, or leave initial out and rows "
                    "are drawn until there are two."
                )
            self._draw_second_class()
        self.query_seconds = perf_counter() - began

    def play(self) -> None:
        """Fit, ask, buy; until the budget is spent or there is a reason to stop."""
        settings = self.settings
        n_rounds = 1 + -(-(self.budget - len(self.known)) // settings.batch_size)
        root = settings._init_callback_context(max_subtasks=n_rounds)
        root.call_on_fit_task_begin(estimator=settings, X=self.X_all, y=self.y)
        new = list(self.known)
        with progress(n_rounds, "labeling", shown=bool(settings.verbose)) as advance:
            while True:
                context = root.subcontext(task_name="round")
                context.call_on_fit_task_begin(estimator=settings)
                self._teach(new)
                self._audit()
                advance(f"{len(self.known)} labels")
                asked = context.call_on_fit_task_end(
                    estimator=settings, reconstruction_attributes=self._attributes
                )
                self.stop_reason = self._reason_to_stop(asked)
                if self.stop_reason:
                    break
                new = self._bought()
        if self.tuner is not None:
            self.learner.set_params(estimator=self.tuner.search)
        root.call_on_fit_task_end(estimator=settings, reconstruction_attributes=self._attributes)

    def _attributes(self) -> dict[str, Any]:
        """What makes an estimator that predicts as if the campaign had ended with this round."""
        return {"learner_": self.learner}

    def _teach(self, new: list[int]) -> None:
        """Teach the learner the labels that are new: by a refit in the order of the rows."""
        batchwise = (self.learner.incremental or self.learner.prefit) and len(self.models) > 0
        rows = np.sort(new if batchwise else self.known)
        began = perf_counter()
        verb = self.learner.teach if batchwise else self.learner.fit
        if self.tuner is not None:
            verb = self.tuner.fit
        verb(take_rows(self.X, rows), self._labels(rows), **self._params_of(rows))
        self.taught = (self.taught if batchwise else []) + rows.tolist()
        self.models.append(self.learner.estimator_)
        record = {
            "n_labels": len(self.known),
            "fit_seconds": perf_counter() - began,
            "query_seconds": self.query_seconds,
        }
        self.history.append(record | self._tuning())

    def _tuning(self) -> dict[str, Any]:
        """What the history says of a search: whether there was one, and what is best since."""
        model = self.models[-1]
        if self.tuner is not None:
            return {"tuned": self.tuner.tuned, "best_params": self.tuner.best_params}
        if hasattr(model, "best_params_"):
            return {"tuned": True, "best_params": model.best_params_}
        return {}

    def _audit(self) -> None:
        """Buy the labels that are due to the audit, and score the model on all of it."""
        audit = self.audit
        if not audit.share:
            return
        audit.buy(len(self.known), last=len(self.known) >= self.budget)
        rows = audit.rows[: audit.n_known]
        if len(rows):
            labels = take_rows(self.y, rows)
            audit.scores = row_scores(self.learner, take_rows(self.X_all, rows), labels)
        score = float(audit.scores.mean()) if len(rows) else np.nan
        self.history[-1] |= {"audit_n": audit.n_known, "audit_score": score}

    def _reason_to_stop(self, asked: bool) -> str:
        """Say why the campaign ends with this round, or nothing where it goes on."""
        n = len(self.known)
        if self.monitor is not None:
            verdict = self.monitor.update(self._round())
            self.history[-1]["stopping"] = self.monitor.values()
            if verdict.stop:
                return f"Stopped at {n} labels: {verdict.reason}."
        if asked:
            return f"Stopped at {n} labels: a callback asked to."
        if n < self.budget:
            return ""
        if self.bought == n_rows(self.X_all):
            return f"The pool is empty: all {self.bought} rows are labeled."
        return f"The budget of {self.bought} labels is spent."

    def _round(self) -> Round:
        return Round(
            n_labels=len(self.known),
            learner=self.learner,
            X=self.X,
            pool=self._unknown(),
            seed=self.seed,
            audit=self.audit.scores if self.audit.share else None,
            seconds=perf_counter() - self.began,
        )

    def _bought(self) -> list[int]:
        """Let the learner choose a batch; its labels count as known from here on."""
        began = perf_counter()
        pool = self._unknown()
        batch_size = min(self.settings.batch_size, self.budget - len(self.known))
        place = PoolIndex(self.state, pool, np.asarray(self.taught, dtype=np.intp))
        new = pool[self.learner._query(take_rows(self.X, pool), batch_size, place)].tolist()
        self.query_seconds = perf_counter() - began
        self.known += new
        return new

    def _labels(self, rows: Positions) -> Any:
        """Read labels to learn from; the audit's are read in `_audit`, and none elsewhere."""
        return take_rows(self.y, self.rows[rows])

    def _params_of(self, rows: Positions) -> dict[str, Any]:
        n = n_rows(self.X_all)
        return {
            name: take_rows(value, self.rows[rows]) if is_per_row(value, n) else value
            for name, value in self.params.items()
        }

    def _unknown(self) -> Positions:
        unknown = np.ones(n_rows(self.X), dtype=bool)
        unknown[self.known] = False
        return np.flatnonzero(unknown)

    def _drawn(self) -> list[int]:
        n_initial = min(self.settings.n_initial, n_rows(self.X))
        self._check_budget(n_initial)
        if self.settings.initial_strategy is None:
            return self.random_state.permutation(n_rows(self.X))[:n_initial].tolist()
        starter = clone(self.learner).set_params(strategy=self.settings.initial_strategy)
        return starter.query(self.X, n_initial).tolist()

    def _check_budget(self, n_start: int) -> None:
        if n_start > self.budget:
            n_audit = len(self.audit.rows)
            audit = f" and the {n_audit} of the audit" if n_audit else ""
            raise ValueError(
                f"budget={self.settings.budget} does not cover the {n_start} labels of the start"
                f"{audit}: the budget counts all labels. Raise budget or lower n_initial."
            )

    def _one_class(self) -> bool:
        labels = np.asarray(self._labels(np.asarray(self.known)))
        return len(set(labels.ravel().tolist())) < 2

    def _draw_second_class(self) -> None:
        """Buy rows at random until a second class turns up or the budget is spent."""
        for row in self.random_state.permutation(self._unknown()):
            if len(self.known) >= self.budget or not self._one_class():
                return
            self.known.append(int(row))


def _checked_positions(initial: Any, n: int) -> Positions:
    positions = np.asarray(initial)
    if positions.ndim != 1 or positions.dtype.kind not in "iu" or not len(positions):
        raise ValueError(f"initial must be a list of positions of rows, got {initial!r}.")
    if positions.min() < 0 or positions.max() >= n or len(np.unique(positions)) < len(positions):
        raise ValueError(f"initial must be distinct positions in 0 .. {n - 1}, got {initial!r}.")
    return positions.astype(np.intp)
