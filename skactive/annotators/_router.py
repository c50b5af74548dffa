"""A router: which rows annotators may label, and which are left to people."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skactive._utils.array_types import Floats
from skactive._utils.compat import Interval, StrOptions
from skactive._utils.constraints import POSITIVE_INT, POSITIVE_REAL_OR_NONE
from skactive._utils.fingerprint import describe_rows
from skactive._utils.rows import n_rows, take_rows
from skactive.annotators._annotations import Annotations
from skactive.annotators._audits import Audit, Recheck, share_evenly, sort_labels
from skactive.annotators._base import Annotator
from skactive.annotators._certificate import Certificate
from skactive.annotators._oracle import Oracle, make_oracle
from skactive.annotators._paths import (
    AS_CLAIMED,
    N_TESTS,
    Calibration,
    Checked,
    ShareTest,
    choose_region,
    find_single_threshold,
    make_grid,
    walk,
)
from skactive.exceptions import AnnotatorChangedWarning, PoolChangedWarning

__all__ = ["Router"]

_PILOT_SHARE = 0.2  # of the audit, where the answers of several annotators must be calibrated
_AIMING_SHARE = 0.1  # of the audit, where it must be aimed
_FIRST_SHARE = 0.6  # of the region at which it is aimed: there the tests begin
_FIRST_SHARE_OF_BETS = 0.4  # of the pool: the same at each look, whatever was audited until then
_OPEN_UNIT: list[Any] = [Interval(Real, 0, 1, closed="neither")]
_PEOPLE = -1
_LEVEL = 0.05  # of the test that an annotator did not change


class Router(BaseEstimator):
    r"""Let annotators label the rows of which they are sure, with a promise about the errors.

    Annotators are asked in their order, the cheapest first: a row is labeled by the first of them
    whose confidence reaches its threshold, and left to people if there is none. The thresholds are
    chosen on an audit: rows drawn at random whose true labels are asked for.

    Parameters
    ----------
    annotators : sequence of Annotator
        Who answers; the cheapest first.
    max_error : float, default=0.05
        Largest share of wrong labels.
    confidence : float, default=0.9
        How often, at least, the promise is kept, over the draws of the audit.
    guarantee : {"set", "accepted", "per_class"}, default="set"
        Of what `max_error` is a share: of all labels of the pool, those of people included, which
        count as right; of the labels of the rows whose answers reach the threshold, the audited
        ones among them; or of those of each class. The first accepts far more rows.
    audit : int, default=300
        Number of audited rows.
    audit_sampling : {"uniform", "active"}, default="uniform"
        How they are drawn. "active" aims most of them at the answers that are likely to be accepted
        (or, with "per_class", at all classes alike). With "set" nothing is gained by that.
    bound : {"clopper-pearson", "betting"}, default="clopper-pearson"
        Test of a threshold: the exact one for an audit of a fixed size, or one that bets, and stays
        valid when the audit grows. With the latter, `fit` may be called again with a larger `audit`
        and the same seed (an integer): the audited rows stay, further ones are added, and whenever
        one stops the promise holds. It accepts somewhat less. For one annotator, and not for
        "accepted" with ``audit_sampling="active"``.
    budget : float, default=None
        What :meth:`annotate` may pay to annotators; rows beyond it are left to people.
    random_state : int, RandomState or None, default=None
        Seed of the audit.

    Attributes
    ----------
    thresholds_ : ndarray of shape (n_annotators,)
        Least confidence of each whose answers are accepted; inf: none. With "per_class" the
        thresholds of `classes_`.
    classes_ : ndarray of shape (n_classes,)
        The labels that the first annotator gave to the pool, sorted.
    certificate_ : Certificate
        The promise; ``str`` makes a sentence of it.
    audited_ : ndarray of shape (n_audited,)
        Positions of the audited rows.
    audit_labels_ : ndarray of shape (n_audited,)
        Their true labels.

    Notes
    -----
    The usual rule, which accepts answers above the lowest threshold whose audited accuracy is high
    enough, breaks its promise about half of the time: the best of many estimates is too good. Here
    thresholds are tested from strict to loose, and the first that fails ends the search, so that
    all tests together have the error of one. The tests are exact, for pools of a given size.
    With "set", one annotator and the exact test, every audited error is also corrected: the
    threshold is that before the (c + 1)-th one, with the largest c that keeps the promise.

    With several annotators, a fifth of the audit serves to calibrate their confidences, so that one
    threshold serves all. With "accepted" and ``audit_sampling="active"`` a tenth of it serves to
    find the region of sure answers that is likely to pass; the rest is drawn in that region.

    If people err, too, the promise is about their agreement with the annotators.

    References
    ----------
    Angelopoulos, Bates, Candès, Jordan, Lei, "Learn then test: calibrating predictive algorithms
    to achieve risk control", Annals of Applied Statistics 19, 2025,
    :doi:`10.48550/arXiv.2110.01052`.

    Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", Journal of
    the Royal Statistical Society B 86, 2024, :doi:`10.1093/jrsssb/qkad009`.

    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive.annotators import ModelAnnotator, Router
    >>> X, y = load_digits(return_X_y=True)
    >>> model = LogisticRegression(max_iter=5000).fit(X[:200], y[:200])
    >>> router = Router([ModelAnnotator(model)], audit=200, random_state=0)
    >>> router = router.fit(X[200:], oracle=lambda positions: y[200:][positions])
    >>> answers = router.annotate(X[200:])
    >>> left_to_people = answers.abstained
    >>> wrong = answers.labels[~left_to_people] != y[200:][~left_to_people]
    >>> bool(left_to_people.mean() < 0.4), bool(wrong.sum() / len(left_to_people) <= 0.05)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "annotators": [list, tuple],
        "max_error": _OPEN_UNIT,
        "confidence": _OPEN_UNIT,
        "guarantee": [StrOptions({"set", "accepted", "per_class"})],
        "audit": POSITIVE_INT,
        "audit_sampling": [StrOptions({"uniform", "active"})],
        "bound": [StrOptions({"clopper-pearson", "betting"})],
        "budget": POSITIVE_REAL_OR_NONE,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        annotators: Sequence[Annotator],
        *,
        max_error: float = 0.05,
        confidence: float = 0.9,
        guarantee: str = "set",
        audit: int = 300,
        audit_sampling: str = "uniform",
        bound: str = "clopper-pearson",
        budget: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.annotators = annotators
        self.max_error = max_error
        self.confidence = confidence
        self.guarantee = guarantee
        self.audit = audit
        self.audit_sampling = audit_sampling
        self.bound = bound
        self.budget = budget
        self.random_state = random_state

    # Fitting ------------------------------------------------------------------------------------

    def fit(self, X: Any, *, oracle: Any) -> Self:
        """Choose the thresholds.

        The first annotator labels all rows, the others the audited ones.

        Parameters
        ----------
        X : rows in any container
            The pool.
        oracle : callable, or array-like of shape (n_rows,)
            ``oracle(positions)`` returns the true labels of rows of the pool; or all true labels,
            of which the audited ones are read.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If there is no annotator or no row, parameters do not fit together, or the oracle
            returns something else than a label per row.
        """
        self._validate_params()
        self._check()
        n = n_rows(X)
        if not n:
            raise ValueError("X has no rows: pass the pool that is to be labeled.")
        ask = make_oracle(oracle, n)
        first = self.annotators[0].annotate(X)
        order, n_audit = self._order_rows(n), min(self.audit, n)
        aside, rest = self._draw_pilot(order, first, n_audit)
        pilot = self._ask(X, aside, first, ask)
        n_left = n_audit - len(pilot.positions)
        calibrations = self._calibrate(pilot)
        start = _FIRST_SHARE_OF_BETS if self.bound == "betting" else 0.0
        if self._is_aimed():
            confidences = first.list_confidences()
            rest = choose_region(rest, confidences, calibrations[0], n_left, self.max_error)
            start = _FIRST_SHARE
        drawn = self._draw(rest, first, n_left)
        audit = self._ask(X, drawn, first, ask)
        self.classes_ = sort_labels(first.labels[~first.abstained])
        self.thresholds_, checked = self._choose(rest, first, audit, calibrations, start)
        self._audit = Audit(*map(np.concatenate, zip(pilot, audit, strict=True)))
        self.audited_, self.audit_labels_ = self._audit.positions, self._audit.truth
        self._first, self._pool = first, describe_rows(X)
        self.certificate_ = self._certify(first, checked, len(drawn))
        return self

    def draw_audit(self, n_rows: int) -> NDArray[np.intp]:
        """Draw the rows that :meth:`fit` will ask its oracle for, without asking anybody.

        People cannot answer at once. The rows of a uniform audit depend on the seed and the number
        of rows alone, so that they can be known before: let people label these, then call
        ``fit(X, oracle=...)`` with their labels. The promise needs annotators that did not learn
        from these labels: keep the ones that you have when the audit is drawn.

        Parameters
        ----------
        n_rows : int
            Number of rows in the pool.

        Returns
        -------
        ndarray of shape (n_audited,)
            Positions in the pool, in the order in which they are drawn.

        Raises
        ------
        ValueError
            If the rows depend on more than that: `random_state` is no integer, or the audit is
            aimed.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skactive.annotators import ModelAnnotator, Router
        >>> X, y = load_digits(return_X_y=True)
        >>> model = LogisticRegression(max_iter=5000).fit(X[:200], y[:200])
        >>> router = Router([ModelAnnotator(model)], audit=100, random_state=0)
        >>> positions = router.draw_audit(len(X))
        >>> answers = {position: y[position] for position in positions.tolist()}  # a person's
        >>> router = router.fit(X, oracle=lambda rows: [answers[row] for row in rows.tolist()])
        >>> bool(router.certificate_.n_accepted > 500)
        True
        """
        self._validate_params()
        self._check()
        seed = self.random_state
        if isinstance(seed, bool) or not isinstance(seed, Integral):
            raise ValueError(
                f"The audit of a router is drawn twice, but with random_state={seed!r} the two "
                "would differ: pass an integer, such as Router(..., random_state=0)."
            )
        if self.audit_sampling != "uniform":
            raise ValueError(
                f"audit_sampling={self.audit_sampling!r} chooses rows by answers that people have "
                'yet to give: use audit_sampling="uniform".'
            )
        return self._order_rows(n_rows)[: self.audit]

    def _order_rows(self, n: int) -> NDArray[np.intp]:
        """Return all rows in random order; of a uniform audit the first ones are audited."""
        return np.asarray(check_random_state(self.random_state).permutation(n), dtype=np.intp)

    def _check(self) -> None:
        if not self.annotators:
            raise ValueError("annotators is empty: pass at least one, such as ModelAnnotator(m).")
        if len(self.annotators) > 1 and self.guarantee == "per_class":
            raise ValueError(
                f'guarantee="per_class" is for one annotator, got {len(self.annotators)}: use '
                '"set" or "accepted", or a router for the first annotator alone.'
            )
        if self.audit_sampling == "active" and (
            self.guarantee == "set" or len(self.annotators) > 1
        ):
            raise ValueError(
                'audit_sampling="active" is for guarantees "accepted" and "per_class" with one '
                f"annotator, got {self.guarantee!r} with {len(self.annotators)}: use "
                'audit_sampling="uniform".'
            )
        if self.bound == "betting" and (self._is_aimed() or len(self.annotators) > 1):
            raise ValueError(
                'bound="betting" is for one annotator, and for audits that are not aimed, got '
                f"{len(self.annotators)} with guarantee={self.guarantee!r} and audit_sampling="
                f'{self.audit_sampling!r}: use bound="clopper-pearson".'
            )

    def _is_aimed(self) -> bool:
        return self.audit_sampling == "active" and self.guarantee == "accepted"

    def _draw_pilot(
        self, order: NDArray[np.intp], first: Annotations, n_audit: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows of the pilot, and the others; both are in random order."""
        if self._is_aimed():
            n_pilot, confidences = round(_AIMING_SHARE * n_audit), first.list_confidences()
            region = choose_region(order, confidences, AS_CLAIMED, n_pilot, self.max_error)
            pilot = region[:n_pilot]
        else:
            pilot = order[: round(_PILOT_SHARE * n_audit) if len(self.annotators) > 1 else 0]
        return pilot, order[~np.isin(order, pilot)]

    def _draw(self, rest: NDArray[np.intp], first: Annotations, n_left: int) -> NDArray[np.intp]:
        """Return which rows to audit; `rest` is in random order."""
        if self.audit_sampling == "uniform" or self.guarantee == "accepted":
            return rest[:n_left]
        labels = first.labels[rest]
        members = [np.flatnonzero(labels == label) for label in sort_labels(labels)]
        shares = share_evenly(n_left, [len(rows) for rows in members])
        parts = [rows[:share] for rows, share in zip(members, shares, strict=True)]
        return rest[np.sort(np.concatenate(parts))]

    def _ask(self, X: Any, positions: NDArray[np.intp], first: Annotations, ask: Oracle) -> Audit:
        """Ask for true labels, and collect the answers of all annotators."""
        answers = [first.labels[positions]]
        confidences = [first.list_confidences()[positions]]
        for annotator in self.annotators[1:]:
            found = annotator.annotate(take_rows(X, positions))
            answers.append(found.labels)
            confidences.append(found.list_confidences())
        labels = np.empty((len(positions), len(answers)), dtype=object)
        for j, column in enumerate(answers):
            labels[:, j] = column
        return Audit(positions, ask(positions), labels, np.column_stack(confidences))

    def _calibrate(self, pilot: Audit) -> list[Calibration]:
        """Return what makes the confidences of all annotators comparable."""
        if not len(pilot.positions):
            return [AS_CLAIMED] * len(self.annotators)
        right = ~pilot.find_wrong()
        columns = zip(pilot.confidences.T, right.T, strict=True)
        return [Calibration.fit(confidences, hits) for confidences, hits in columns]

    def _choose(
        self,
        rest: NDArray[np.intp],
        first: Annotations,
        audit: Audit,
        calibrations: list[Calibration],
        start: float,
    ) -> tuple[Floats, Checked]:
        """Return the thresholds, and what was checked of the accepted answers."""
        test, wrong = self._make_test(), audit.find_wrong()
        confidences = first.list_confidences()[rest]
        if self.guarantee == "per_class":
            return self._choose_per_class(rest, first, audit, start)
        if len(self.annotators) > 1:
            values = np.column_stack(
                [c.apply(v) for c, v in zip(calibrations, audit.confidences.T, strict=True)]
            )
            pooled = np.append(calibrations[0].apply(confidences), values)
            grid = make_grid(pooled, None if test.of_all_rows else N_TESTS)
            best = walk(grid, values, wrong, test, total=len(rest))
            thresholds = np.array([c.invert(best.threshold) for c in calibrations])
            return thresholds, best
        values = audit.confidences
        if test.of_all_rows and not test.by_bets:
            is_wrong = wrong[:, 0] & np.isfinite(values[:, 0])
            best = find_single_threshold(
                values[:, 0], is_wrong, len(rest), test.max_error, test.level
            )
        else:
            best = walk(
                make_grid(confidences, N_TESTS * (10 if test.of_all_rows else 1)),
                values,
                wrong,
                test,
                total=len(rest),
                pool=confidences,
                start=start,
            )
        return np.array([best.threshold]), best

    def _make_test(self) -> ShareTest:
        of_all_rows, by_bets = self.guarantee == "set", self.bound == "betting"
        return ShareTest(self.max_error, 1.0 - self.confidence, of_all_rows, by_bets)

    def _choose_per_class(
        self, rest: NDArray[np.intp], first: Annotations, audit: Audit, start: float
    ) -> tuple[Floats, Checked]:
        """Return a threshold for each class, each by a test of its own."""
        wrong, confidences = audit.find_wrong(), first.list_confidences()[rest]
        test = self._make_test()
        test = test._replace(level=test.level / max(len(self.classes_), 1))
        found = []
        for label in self.classes_:
            here, members = audit.labels[:, 0] == label, first.labels[rest] == label
            found.append(
                walk(
                    make_grid(confidences[members], N_TESTS),
                    audit.confidences[here],
                    wrong[here],
                    test,
                    pool=confidences[members],
                    start=start,
                )
            )
        n_checked, n_wrong = (sum(counts) for counts in list(zip(*found, strict=True))[1:])
        return np.array([best.threshold for best in found]), Checked(np.nan, n_checked, n_wrong)

    def _certify(self, first: Annotations, checked: Checked, n_drawn: int) -> Certificate:
        n = len(first.abstained)
        n_accepted = None
        share = checked.n_checked / max(n_drawn, 1)
        if len(self.annotators) == 1:
            accepted = self._accept(0, first)
            accepted[self.audited_] = False
            n_accepted = int(accepted.sum())
            share = n_accepted / n
        return Certificate(
            self.guarantee,
            self.max_error,
            self.confidence,
            n,
            len(self.audited_),
            checked.n_checked,
            checked.n_wrong,
            n_accepted,
            share,
            self._pool,
        )

    # Annotating ---------------------------------------------------------------------------------

    def annotate(self, X: Any) -> Annotations:
        """Label the rows that annotators may label.

        Parameters
        ----------
        X : rows in any container
            The pool of :meth:`fit`: audited rows have their true labels, and the promise holds.

        Returns
        -------
        Annotations
            Rows that are left to people abstain. `proba` is None; `confidences` are those of the
            accepted answers.

        Warns
        -----
        PoolChangedWarning
            If the rows are not those of :meth:`fit`: the certificate does not cover them.
        """
        self._check_fitted()
        n, is_pool = n_rows(X), describe_rows(X) == self._pool
        if not is_pool:
            warnings.warn(
                "These rows are not those of fit, so that the certificate does not cover them: "
                "fit a router for them, with an audit of its own.",
                PoolChangedWarning,
                stacklevel=2,
            )
        labels = np.empty(n, dtype=object)
        sources = np.full(n, _PEOPLE)
        cost, seconds, confidences = np.zeros(n), np.zeros(n), np.full(n, np.nan)
        left = np.ones(n, dtype=bool)
        if is_pool:
            labels[self.audited_] = self.audit_labels_
            left[self.audited_] = False
        audited = ~left
        for j, annotator in enumerate(self.annotators):
            rows = np.flatnonzero(left)
            rows = rows[: self._count_affordable(annotator, X, rows, cost.sum())]
            answers = (
                annotator.annotate(take_rows(X, rows))
                if j or not is_pool
                else self._first.take(rows)
            )
            cost[rows] += answers.cost
            seconds[rows] += answers.seconds
            accepted = self._accept(j, answers)
            labels[rows[accepted]] = answers.labels[accepted]
            confidences[rows[accepted]] = answers.list_known_confidences()[accepted]
            sources[rows[accepted]] = j
            left[rows[accepted]] = False
        abstained = left & ~audited
        return Annotations(
            _tidy(labels, left), None, cost, seconds, abstained, sources, confidences
        )

    def ask_again(self, X: Any, *, n_rows: int = 50) -> list[Recheck]:
        """Ask the annotators again for audited rows, to notice one that was changed.

        The certificate is about annotators as they were: a service behind an address may get
        another model overnight. A language model is asked without its cache; fit it before the
        router, so that its calibration is the same for any rows.

        Parameters
        ----------
        X : rows in any container
            The pool of :meth:`fit`.
        n_rows : int, default=50
            Number of audited rows; all of them, if there are fewer.

        Returns
        -------
        list of Recheck
            One per annotator.

        Raises
        ------
        ValueError
            If the rows are not those of :meth:`fit`.

        Warns
        -----
        AnnotatorChangedWarning
            If more than the share `max_error` of the answers of an annotator changed, at a level of
            5 % per call and annotator.
        """
        self._check_fitted()
        if describe_rows(X) != self._pool:
            raise ValueError("X has other rows than those of fit: pass the pool of fit.")
        audit = self._audit.take(np.arange(min(n_rows, len(self.audited_))))
        found = []
        for j, annotator in enumerate(self.annotators):
            answers = annotator.ask_again(take_rows(X, audit.positions))
            labels, confidences = audit.labels[:, j], audit.confidences[:, j]
            before = labels, self._reach(j, labels, confidences)
            now = answers.labels, self._reach(j, answers.labels, answers.list_confidences())
            found.append(Recheck.compare(before, now, audit.truth, self.max_error))
        changed = [j for j, recheck in enumerate(found) if recheck.p_value <= _LEVEL]
        if changed:
            warnings.warn(
                f"More than {100 * self.max_error:.3g} % of the answers of annotators {changed} "
                "changed since fit, so that the certificate does not hold for new answers: fit the "
                "router again, with a new audit.",
                AnnotatorChangedWarning,
                stacklevel=2,
            )
        return found

    def estimate_cost(self, X: Any) -> float:
        """Return what :meth:`annotate` costs at most: as if every annotator saw all rows.

        Parameters
        ----------
        X : rows in any container
            The rows.

        Returns
        -------
        float
        """
        total = sum(annotator.estimate_cost(X) for annotator in self.annotators)
        return float(total if self.budget is None else min(total, self.budget))

    def _count_affordable(
        self, annotator: Annotator, X: Any, rows: NDArray[np.intp], spent: float
    ) -> int:
        if self.budget is None or not len(rows):
            return len(rows)
        prices = np.cumsum(annotator._list_prices(take_rows(X, rows)))
        return int(np.searchsorted(prices, self.budget - spent, side="right"))

    def _check_fitted(self) -> None:
        if not hasattr(self, "certificate_"):
            raise ValueError("The router is not fitted: call fit(X, oracle=...) first.")

    def _accept(self, j: int, answers: Annotations) -> NDArray[np.bool_]:
        """Return which answers of annotator j are accepted."""
        return self._reach(j, answers.labels, answers.list_confidences())

    def _reach(self, j: int, labels: NDArray[Any], confidences: Floats) -> NDArray[np.bool_]:
        """Return which confidences of annotator j reach their thresholds."""
        limits = np.full(len(confidences), np.inf)
        if self.guarantee != "per_class":
            limits[:] = self.thresholds_[j]
        else:
            for label, threshold in zip(self.classes_, self.thresholds_, strict=True):
                limits[labels == label] = threshold
        return np.asarray(np.isfinite(confidences) & (confidences >= limits))


def _tidy(labels: NDArray[Any], left: NDArray[np.bool_]) -> NDArray[Any]:
    """Return labels in the type that they have, if every row has one."""
    return labels if left.any() else np.array(labels.tolist())
