"""Routing the rows of a session: those that annotators label, and those that people see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skactive.exceptions import LabelError
from skactive.labeling._session_parts import SessionParts
from skactive.labeling.state._events import Event, Ident, Label, new_id
from skactive.labeling.state._opinions import list_opinions
from skactive.labeling.state._state import SessionState

if TYPE_CHECKING:
    from skactive.annotators import Annotations, Router

__all__ = ["RoutingRows"]

_ROWS_PER_ROUTE = 1_000  # of an event, which is read whole

Accepted = dict[Ident, tuple[str, Label]]  # by row: the annotator and the label


class RoutingRows(SessionParts):
    """The methods of a session that let a router take its rows, and leave the rest to people."""

    def fit_router(self, router: Router) -> list[Ident]:
        """Fit a router to labels of people, who are asked for the rows of its audit first.

        Call it with the same router until it returns an empty list: then the router is fitted, and
        :meth:`route` takes its rows. The rows are a random sample of the pool, so that those which
        people have labeled already need no second look. Rows that people mark as unknown count as
        wrong answers of the annotators.

        The annotators must not learn from these labels, as the model of this session does: pass
        a model that was fitted before. What models answer to the audit is noted when it is drawn,
        and an answer that has changed is an error.

        Parameters
        ----------
        router : Router
            A router with an integer as `random_state` and ``audit_sampling="uniform"``.

        Returns
        -------
        list of str or int
            Ids of the rows of the audit that no person has labeled yet; none: it is fitted.

        Raises
        ------
        LabelError
            If labels of this session are numbers or lists of classes.
        ValueError
            If the audit of the router cannot be drawn before its fit, or its models have changed
            since.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skactive import ActiveLearner
        >>> from skactive.annotators import ModelAnnotator, Router
        >>> from skactive.labeling import LabelingSession
        >>> X, y = load_digits(return_X_y=True)
        >>> model = LogisticRegression(max_iter=5000).fit(X[:200], y[:200])
        >>> router = Router([ModelAnnotator(model)], audit=100, random_state=0)
        >>> learner = ActiveLearner(LogisticRegression(max_iter=5000))
        >>> with LabelingSession(learner, X, background=False) as session:
        ...     while session.fit_router(router):
        ...         batch = session.next_batch(20, annotator="ann")
        ...         answers = {row: int(y[row]) for row in batch.ids}  # in real life: a person's
        ...         stored = session.submit(answers, ticket=batch.ticket, annotator="ann")
        ...     answers = session.route(router)
        ...     progress = session.progress()
        >>> progress.annotators["ann"], progress.routed["LogisticRegression"] > 500
        (100, True)
        """
        from skactive.labeling._router_fingerprint import fingerprint_models

        self._check_one_class()
        positions = router.draw_audit(len(self.ids))
        ids = [self.ids[position] for position in positions.tolist()]
        said = fingerprint_models(router, self.X, positions)
        with self._synced.exclusive() as state:
            left = [ident for ident in ids if state.awaits_people(ident)]
            self._ask_first(state, ids, said)
            labels = {i: None if state.is_routed(i) else state.get_label(i) for i in ids}
        if not left:
            router.fit(
                self.X, oracle=lambda rows: _list_labels(labels, [self.ids[p] for p in rows])
            )
        return left

    def route(self, router: Router, *, names: Sequence[str] | None = None) -> Annotations:
        """Store the answers that a router accepts, so that people see only the other rows.

        Rows that people have labeled or marked as unknown keep their answers, and rows of the
        audit of this session (`audit_share`) are left to people. People are not asked for routed
        rows, but may correct them: their answer then counts. Labels that a router gave earlier are
        replaced; those that are no longer accepted are taken back. The model of the session learns
        from these labels as from others. Hooks are told of answers of people only.

        Parameters
        ----------
        router : Router
            A router that is fitted to the rows of this session, by :meth:`fit_router` say.
        names : sequence of str, default=None
            A name for each annotator of the router. None: what they are called, such as the
            model's name.

        Returns
        -------
        Annotations
            What the router answered, in the order of the pool. Its costs are those of all answers,
            accepted or not; the session adds them to what was spent.

        Raises
        ------
        LabelError
            If labels of this session are numbers or lists of classes, a label is none of its
            classes, or a name is that of a person. Nothing was stored.
        PoolChangedError
            If the router was fitted to other rows, which its certificate covers. Nobody was asked.
        ValueError
            If the router is not fitted.
        """
        from skactive.labeling._router_answers import (
            check_covers,
            find_accepted,
            name_annotators,
        )

        self._check_one_class()
        called = name_annotators(router, names)
        check_covers(router, self.X)
        with self._synced.latest() as state:
            _check_names(state, called)  # before anything is paid
        answers = router.annotate(self.X)
        labels = answers.labels
        with self._synced.exclusive() as state:
            _check_names(state, called)
            given = {
                self.ids[row]: (called[answers.sources[row]], labels[row])
                for row in find_accepted(answers).tolist()
                if self._is_for_annotators(state, self.ids[row])
            }
            checked = self._recorder.check_labels({i: label for i, (_, label) in given.items()})
            accepted = {i: (given[i][0], label) for i, label in checked.items()}
            kept, stale = self._compare_routed(state, accepted)
            told = self._list_told(state, answers)
            new = {i: answer for i, answer in accepted.items() if i not in kept}
            is_new = state.routing.certificate != str(router.certificate_)
            if new or stale or told or is_new:
                routes = self._make_routes(router, answers, called, new, pays_all=is_new)
                self.store.append([*stale, *told, *routes])
        self._rounds.wake()
        return answers

    def unroute(self) -> int:
        """Take back all labels of a router, so that people are asked for these rows again.

        Returns
        -------
        int
            Number of labels that were taken back.
        """
        with self._synced.exclusive() as state:
            _, stale = self._compare_routed(state, {})
            routes = [_make_route(None, "", [], [], [], 0.0)] if state.routing.certificate else []
            self.store.append([*stale, *routes])
        self._rounds.wake()
        return len(stale)

    # What is stored -------------------------------------------------------------------------------

    def _check_one_class(self) -> None:
        if self.multilabel or self.labels_are_numbers:
            found = "a list of classes" if self.multilabel else "a number"
            raise LabelError(
                f"A router is for labels that are one class per row; here a label is {found}. "
                "Nothing was stored."
            )

    def _ask_first(self, state: SessionState, ids: list[Ident], said: str) -> None:
        """Ask people for rows first, unless they are asked already."""
        if list(state.routing.asked) != ids:
            self.store.append([Event("ask", new_id(), value={"items": ids, "said": said})])
        elif state.routing.said != said:
            raise ValueError(
                "The models of the router answer its audit otherwise than when it was drawn: they "
                "may have learned from it, and the promise would not hold. Pass the models as they "
                "were, or a router with another random_state, whose audit has other rows."
            )

    def _is_for_annotators(self, state: SessionState, ident: Ident) -> bool:
        return ident not in self.audit_ids and state.awaits_people(ident)

    def _compare_routed(
        self, state: SessionState, accepted: Accepted
    ) -> tuple[set[Ident], list[Event]]:
        """Return the rows whose routed label stays, and events that take back the others."""
        kept, stale = set(), []
        for ident, name, label in list_opinions(state):
            if name in state.routing.annotators:
                if accepted.get(ident) == (name, label):
                    kept.add(ident)
                else:
                    stale.append((ident, name))
        answers = [state.get_answer(ident, name) for ident, name in stale]
        found = self.store.get_events([answer.position for answer in answers if answer is not None])
        undos = [Event("undo", new_id(), e.item, e.annotator, target=e.id) for e in found]
        return kept, undos

    def _list_told(self, state: SessionState, answers: Annotations) -> list[Event]:
        """Return events that store what the router's oracle said, and no person did here."""
        from skactive.labeling._router_answers import find_audited

        rows = find_audited(answers).tolist()
        truth = {self.ids[row]: answers.labels[row] for row in rows}
        new = {
            ident: label
            for ident, label in truth.items()
            if label is not None and state.awaits_people(ident)
        }
        checked = self._recorder.check_labels(new)
        return [Event("label", new_id(), ident, value=label) for ident, label in checked.items()]

    def _make_routes(
        self,
        router: Router,
        answers: Annotations,
        names: list[str],
        new: Accepted,
        *,
        pays_all: bool,
    ) -> Iterator[Event]:
        """Yield routes, each followed by the labels that it is about.

        With `pays_all` the first one has the cost of the answers that were not accepted, too.
        """
        certificate, cost = str(router.certificate_), answers.cost
        confidences = answers.list_known_confidences()
        rows = {ident: self.positions[ident] for ident in new}
        rest = cost.sum() - cost[list(rows.values())].sum() if pays_all else 0.0
        yield _make_route(None, certificate, [], [], [], max(float(rest), 0.0))
        for name in names:
            mine = [ident for ident, (by, _) in new.items() if by == name]
            for start in range(0, len(mine), _ROWS_PER_ROUTE):
                items = mine[start : start + _ROWS_PER_ROUTE]
                at = [rows[ident] for ident in items]
                sure = [float(v) if np.isfinite(v) else None for v in confidences[at]]
                route = _make_route(name, certificate, items, sure, cost[at].tolist(), 0.0)
                yield route
                for ident in items:
                    yield Event("label", new_id(), ident, name, new[ident][1], ticket=route.id)


def _make_route(
    name: str | None,
    certificate: str,
    items: list[Ident],
    confidence: list[float | None],
    cost: list[float],
    other_cost: float,
) -> Event:
    value: dict[str, Any] = {
        "certificate": certificate,
        "items": items,
        "confidence": confidence,
        "cost": cost,
        "other_cost": other_cost,
    }
    return Event("route", new_id(), annotator=name, value=value)


def _list_labels(labels: dict[Ident, Label | None], ids: list[Ident]) -> Any:
    """Return the labels of audited rows, (n_audited,); None for those that people do not know."""
    found = np.empty(len(ids), dtype=object)
    found[:] = [labels[ident] for ident in ids]
    return found


def _check_names(state: SessionState, names: list[str]) -> None:
    """Check that no name is that of a person."""
    for name in names:
        if name in state.count_annotators() and name not in state.routing.annotators:
            raise LabelError(
                f"{name!r} has answered as a person: pass other names=. Nothing was stored."
            )
