"""StrategyComparison: paired learning curves with statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from skactive._utils.array_types import Floats
from skactive._utils.files import write_atomically
from skactive._utils.seeding import draw_seed
from skactive._utils.text import pluralize
from skactive.comparison._critical_difference import (
    CriticalDifference,
    compare_ranks,
    sort_ranks,
)
from skactive.comparison._frames import import_pandas, make_pair_frame
from skactive.comparison._pairing import PairedRuns
from skactive.comparison._runs import SERIES, Failure, Run, check_run
from skactive.comparison._savings import LabelsSaved, compute_saving
from skactive.comparison._sentences import describe_best
from skactive.comparison._statistics import (
    Friedman,
    Interval,
    average_ranks,
    friedman,
    holm,
    mean_interval,
    paired_effect,
    paired_wilcoxon,
    penalty_matrix,
)
from skactive.metrics import find_common_counts

__all__ = ["PenaltyMatrix", "StrategyComparison"]


class PenaltyMatrix(NamedTuple):
    """Share of the rounds in which each strategy beats each other one.

    Attributes
    ----------
    strategies : tuple of str
        The names, in the order of rows and columns.
    matrix : ndarray of shape (n_strategies, n_strategies)
        Cell (i, j): the share of the rounds in which i beats j, summed over experiments.
    column_means : ndarray of shape (n_strategies,)
        Mean share of the rounds in which each is beaten: lower is better.
    n_experiments : int
        Pairs of dataset and model: the largest value that a cell can have.
    """

    strategies: tuple[str, ...]
    matrix: Floats
    column_means: Floats
    n_experiments: int


class StrategyComparison:
    """Learning curves of several strategies, paired by repeat, with statistics.

    Made by :func:`compare_strategies`; several datasets are joined by :meth:`concat`.

    Statistics are computed over *blocks* in which all strategies had the same conditions: the
    repeats, or, with several datasets, the datasets (means over their repeats). Several models are
    averaged in each block; :meth:`select` narrows a comparison to one model or dataset. Only
    repeats in which all strategies succeeded count; a strategy that never did with some model is
    left out there.

    Parameters
    ----------
    runs : list of Run
        The campaigns.
    failures : list of Failure, default=()
        Campaigns that failed.
    scoring : str, default="score"
        Name of the scores.
    baseline : str, default=None
        The strategy to compare others with; None takes the first whose name begins with "random",
        else the first.
    settings : dict, default=None
        Settings of the campaigns.
    unit : {"labels", "cost"}, default="labels"
        The unit of `n_labels` of the runs; see :meth:`by_cost`.

    Attributes
    ----------
    runs, failures, scoring, baseline, settings, unit
        As passed.
    datasets, models, strategies : tuple of str
        The names that occur in `runs`.
    experiments : list of (str, str)
        The pairs of dataset and model that have runs.
    n_labels : ndarray of shape (n_points,)
        The label counts that all runs cover.

    Examples
    --------
    >>> from skactive.comparison import Run, StrategyComparison
    >>> def run(strategy, repeat, scores):
    ...     seconds = [0.0] * len(scores)
    ...     counts = [10, 20, 30, 40]
    ...     return Run("toy", "SVC", strategy, repeat, counts, scores, seconds, seconds)
    >>> comparison = StrategyComparison([
    ...     run("Random", 0, [0.50, 0.60, 0.70, 0.80]), run("Margin", 0, [0.50, 0.80, 0.83, 0.85]),
    ...     run("Random", 1, [0.52, 0.61, 0.72, 0.80]), run("Margin", 1, [0.52, 0.80, 0.85, 0.87]),
    ...     run("Random", 2, [0.48, 0.60, 0.69, 0.80]), run("Margin", 2, [0.48, 0.80, 0.81, 0.83]),
    ... ], scoring="accuracy")
    >>> print(comparison.summary())
    Margin needs 50 % fewer labels than Random to reach 0.8 accuracy (95 % interval 50 to 50 %, 3
    repeats).
    """

    def __init__(
        self,
        runs: Iterable[Run],
        *,
        failures: Iterable[Failure] = (),
        scoring: str = "score",
        baseline: str | None = None,
        settings: dict[str, Any] | None = None,
        unit: str = "labels",
    ) -> None:
        self.runs = [check_run(run) for run in runs]
        if not self.runs:
            raise ValueError("A comparison needs at least one run, got none.")
        self.failures = list(failures)
        self.scoring = scoring
        self.settings, self.unit = dict(settings or {}), unit
        self._pairing = PairedRuns(self.runs)
        self.datasets = self._pairing.datasets
        self.models = self._pairing.models
        self.strategies = self._pairing.strategies
        self.experiments = self._pairing.experiments
        self.n_labels = find_common_counts([run.n_labels for run in self.runs])
        random = (name for name in self.strategies if name.lower().startswith("random"))
        self.baseline = next(random, self.strategies[0]) if baseline is None else baseline

    @classmethod
    def concat(cls, comparisons: Mapping[str, StrategyComparison]) -> Self:
        """Join comparisons on several datasets.

        Parameters
        ----------
        comparisons : mapping of str to StrategyComparison
            By the name of the dataset.

        Returns
        -------
        StrategyComparison
            Its blocks are the datasets.

        Raises
        ------
        ValueError
            If there are none, or their scores, baselines or units are not the same.
        """
        if not comparisons:
            raise ValueError("concat needs at least one comparison, got none.")
        for attribute in ("scoring", "baseline", "unit"):
            values = {name: getattr(part, attribute) for name, part in comparisons.items()}
            if len(set(values.values())) > 1:
                raise ValueError(
                    f"The comparisons differ in their {attribute}: {values}. Join those that agree."
                )
        first = next(iter(comparisons.values()))
        return cls(
            _join_records(comparisons, "runs"),
            failures=_join_records(comparisons, "failures"),
            scoring=first.scoring,
            baseline=first.baseline,
            settings={name: part.settings for name, part in comparisons.items()},
            unit=first.unit,
        )

    def select(self, *, model: str | None = None, dataset: str | None = None) -> Self:
        """Return the comparison with one model, on one dataset, or both.

        Parameters
        ----------
        model, dataset : str, default=None
            Names; None keeps all.

        Returns
        -------
        StrategyComparison
            Its runs and failures are those of the model and dataset; scoring, baseline and
            settings are those of this comparison.

        Raises
        ------
        ValueError
            If a name is unknown, or the model has no runs on the dataset.

        Examples
        --------
        >>> from skactive.comparison import Run, StrategyComparison
        >>> comparison = StrategyComparison([
        ...     Run("toy", model, strategy, 0, [10, 20], [0.5, 0.8], [0.0, 0.0], [0.0, 0.0])
        ...     for model in ("SVC", "forest")
        ...     for strategy in ("Random", "Margin")
        ... ])
        >>> comparison.select(model="SVC")
        StrategyComparison(2 strategies x 1 repeat, 10 to 20 labels, score)
        """
        models = _resolve("model", model, self.models)
        datasets = _resolve("dataset", dataset, self.datasets)

        def is_selected(record: Run | Failure) -> bool:
            return record.model in models and record.dataset in datasets

        runs = [run for run in self.runs if is_selected(run)]
        if not runs:
            raise ValueError(
                f"model {model!r} has no runs on dataset {dataset!r}: choose one of the pairs "
                f"(model, dataset) {[pair[::-1] for pair in self.experiments]}."
            )
        return type(self)(
            runs,
            failures=[failure for failure in self.failures if is_selected(failure)],
            scoring=self.scoring,
            baseline=self.baseline,
            settings=self.settings,
            unit=self.unit,
        )

    def by_cost(self) -> Self:
        """Return the comparison over what the labels have cost, in place of their number.

        Returns
        -------
        StrategyComparison
            Its curves, areas, tests, savings and displays are over cost: `n_labels` of its runs are
            costs.

        Raises
        ------
        ValueError
            If the labels had no costs.

        Examples
        --------
        >>> from skactive.comparison import Run, StrategyComparison
        >>> def run(strategy, costs):
        ...     seconds = [0.0, 0.0, 0.0]
        ...     scores = [0.5, 0.8, 0.9]
        ...     return Run("toy", "SVC", strategy, 0, [10, 20, 30], scores, seconds, seconds, costs)
        >>> runs = [run("Random", [10, 40, 70]), run("Frugal", [10, 20, 70])]
        >>> comparison = StrategyComparison(runs)
        >>> print(comparison.by_cost().summary(target=0.8))
        Frugal costs 50 % less than Random to reach 0.8 score (1 repeat, no interval). ...
        """
        if any(run.costs is None for run in self.runs):
            raise ValueError(
                "Labels of this comparison had no costs, so that each counts as 1: pass costs= to "
                "compare_strategies."
            )
        return type(self)(
            [run._replace(n_labels=np.asarray(run.costs)) for run in self.runs],
            failures=self.failures,
            scoring=self.scoring,
            baseline=self.baseline,
            settings=self.settings,
            unit="cost",
        )

    # Curves and areas -------------------------------------------------------------------------

    def to_frame(self) -> Any:
        """Return all scores as a tidy table, one row per round.

        Returns
        -------
        pandas DataFrame
            Columns dataset, model, strategy, repeat, n_labels, score, fit_seconds, query_seconds;
            if labels had costs also cost, which takes the place of n_labels after :meth:`by_cost`.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_pandas()
        lengths = [len(run.scores) for run in self.runs]
        columns: dict[str, Any] = {
            name: np.repeat([getattr(run, name) for run in self.runs], lengths)
            for name in ("dataset", "model", "strategy", "repeat")
        }
        has_costs = self.unit == "labels" and all(run.costs is not None for run in self.runs)
        for name in (*SERIES, "costs") if has_costs else SERIES:
            columns[name] = np.concatenate([getattr(run, name) for run in self.runs])
        names = {"scores": "score", "costs": "cost"}
        if self.unit == "cost":
            names["n_labels"] = "cost"
        return pandas.DataFrame(columns).rename(columns=names)

    def curves(self) -> dict[str, tuple[Floats, Floats]]:
        """Return the learning curves of each strategy, at the same label counts.

        Returns
        -------
        dict of str to (n_labels, scores)
            Arrays of shape (n_points,) and (n_repeats, n_points); the repeats are paired. Runs with
            other label counts are interpolated on all counts that every run covers.

        Raises
        ------
        ValueError
            If there are several models or datasets: :meth:`select` one first.
        """
        dataset, model = self._pairing.find_single_experiment()
        return self._pairing.interpolate_curves(dataset, model, self._pairing.find_strategies())

    def areas(self) -> dict[str, Floats]:
        """Return the area under the learning curve of each strategy in each block.

        Returns
        -------
        dict of str to ndarray of shape (n_blocks,)
            Mean heights of the curves; see
            :func:`~skactive.metrics.area_under_learning_curve`.
        """
        names, areas = self._pairing.compute_areas()
        return dict(zip(names, areas.T, strict=True))

    def area_records(self, confidence: float = 0.95) -> list[dict[str, Any]]:
        """Return one record per strategy: areas with intervals, and seconds.

        Parameters
        ----------
        confidence : float, default=0.95
            Confidence level of the intervals.

        Returns
        -------
        list of dict
            ``dataset``, ``model``, ``strategy``; mean ``area`` and its t interval ``low`` ..
            ``high``; its ``difference`` to the baseline with the interval of paired differences
            ``difference_low`` .. ``difference_high``; mean ``final_score``; mean ``fit_seconds``
            and ``query_seconds`` of a campaign; ``n_repeats``.
        """
        return [
            record
            for dataset, model in self.experiments
            for record in self._area_records(dataset, model, confidence)
        ]

    def areas_table(self, confidence: float = 0.95) -> Any:
        """Return the `area_records` as a table.

        Parameters
        ----------
        confidence : float, default=0.95
            Confidence level of the intervals.

        Returns
        -------
        pandas DataFrame
            Indexed by strategy (and dataset and model, if there are several).

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        names = {"dataset": self.datasets, "model": self.models}
        index = [column for column in names if len(names[column]) > 1]
        frame = import_pandas().DataFrame(self.area_records(confidence))
        frame = frame.set_index([*index, "strategy"])
        return frame.drop(columns=[column for column in names if column not in index])

    # Tests ------------------------------------------------------------------------------------

    def ranks(self) -> dict[str, float]:
        """Return the mean rank of each strategy over the blocks, by area; 1 is the best.

        Returns
        -------
        dict of str to float
            The best first.
        """
        names, areas = self._test_areas()
        return sort_ranks(names, average_ranks(areas))

    def friedman(self) -> Friedman:
        """Test whether all strategies rank alike, by Friedman's test with Iman and Davenport's F.

        Returns
        -------
        Friedman
            Statistics and p-values.
        """
        return friedman(self._test_areas()[1])

    def critical_difference(self, alpha: float = 0.05) -> CriticalDifference:
        """Compare mean ranks by Nemenyi's critical difference.

        Parameters
        ----------
        alpha : float, default=0.05
            Significance level.

        Returns
        -------
        CriticalDifference
            Mean ranks, and the groups that are not significantly different.
        """
        return compare_ranks(*self._test_areas(), alpha)

    def wilcoxon(self) -> Any:
        """Test each pair of strategies by Wilcoxon's signed ranks, with Holm's correction.

        Returns
        -------
        pandas DataFrame
            Indexed by pairs (first, second): mean ``difference`` of the areas, ``p_value``, and
            ``p_holm``, corrected for the number of pairs.
        """
        pairs = list(self._pairs())
        p_values = [paired_wilcoxon(a, b).p_value for _, a, b in pairs]
        return make_pair_frame(
            [names for names, _, _ in pairs],
            difference=[float((a - b).mean()) for _, a, b in pairs],
            p_value=p_values,
            p_holm=holm(p_values),
        )

    def wins_ties_losses(self) -> Any:
        """Count the blocks in which the first of two strategies has the larger area.

        Returns
        -------
        pandas DataFrame
            Indexed by pairs (first, second): ``wins``, ``ties``, ``losses`` of the first.
        """
        pairs = list(self._pairs())
        return make_pair_frame(
            [names for names, _, _ in pairs],
            wins=[int((a > b).sum()) for _, a, b in pairs],
            ties=[int((a == b).sum()) for _, a, b in pairs],
            losses=[int((a < b).sum()) for _, a, b in pairs],
        )

    def effect_sizes(self) -> Any:
        """Return effect sizes of the differences of areas, by their spread and by ranks.

        Returns
        -------
        pandas DataFrame
            Indexed by pairs (first, second): ``cohen_d_z`` (mean of the paired differences by
            their standard deviation) and ``rank_biserial`` (-1 .. 1). Above 0 the first is better.
        """
        pairs = list(self._pairs())
        effects = [paired_effect(a, b) for _, a, b in pairs]
        return make_pair_frame(
            [names for names, _, _ in pairs],
            cohen_d_z=[effect.cohen_d_z for effect in effects],
            rank_biserial=[effect.rank_biserial for effect in effects],
        )

    def penalty_matrix(self, alpha: float = 0.05) -> PenaltyMatrix:
        """Return the share of rounds in which each strategy beats each other one.

        Parameters
        ----------
        alpha : float, default=0.05
            Level of the two-sided paired t-test in each round.

        Returns
        -------
        PenaltyMatrix
            Summed over datasets and models, for the strategies that all of them have. The first
            round, where all are equal, is not counted, so always better is 1.
        """
        names = self._pairing.find_strategies()
        matrix = np.zeros((len(names), len(names)))
        for dataset, model in product(self.datasets, self.models):
            curves = self._pairing.interpolate_curves(dataset, model, names)
            # (n_strategies, n_repeats, n_points)
            scores = np.stack([scores for _, scores in curves.values()])
            matrix += penalty_matrix(scores[:, :, 1:] if scores.shape[2] > 1 else scores, alpha)
        n_experiments = len(self.datasets) * len(self.models)
        return PenaltyMatrix(names, matrix, matrix.mean(axis=0), n_experiments)

    # Labels saved -----------------------------------------------------------------------------

    def labels_saved(
        self,
        target: float | None = None,
        baseline: str | None = None,
        confidence: float = 0.95,
        *,
        n_resamples: int = 2000,
        random_state: Any = 0,
    ) -> list[LabelsSaved]:
        """Return the share of the baseline's labels that each strategy saves.

        Parameters
        ----------
        target : float, default=None
            The score to reach. None is the final score of the baseline's mean curve.
        baseline : str, default=None
            The strategy to compare with; None is that of the comparison.
        confidence : float, default=0.95
            Confidence level of the intervals.
        n_resamples : int, default=2000
            Number of bootstrap draws of repeats.
        random_state : int, RandomState instance or None, default=0
            Seed of the draws.

        Returns
        -------
        list of LabelsSaved
            One per dataset, model and strategy other than the baseline; none if the baseline
            never succeeded.

        Notes
        -----
        On the mean curves over repeats, with straight lines between rounds, n(target) is where a
        curve first reaches the target, and the share saved is 1 - n(target) / n_baseline(target).
        The interval is an expanded percentile interval of bootstrap draws of whole repeats, so
        that strategies stay paired. A target of None is taken from the baseline of each draw. A
        draw in which a curve does not reach the target counts as the worst possible value for the
        lower end, and as the best for the upper.
        """
        baseline = self.baseline if baseline is None else baseline
        if baseline not in self.strategies:
            raise ValueError(
                f"unknown baseline {baseline!r}: choose one of {list(self.strategies)}."
            )
        if not 0.0 < confidence < 1.0:
            raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}.")
        if target is not None and not np.isfinite(target):
            raise ValueError(f"target must be a finite number or None, got {target!r}.")
        draws = {"n_resamples": n_resamples, "random_state": draw_seed(random_state)}
        savings = []
        for dataset, model in self.experiments:
            curves = self.select(model=model, dataset=dataset).curves()
            if baseline not in curves:
                continue
            reference = curves.pop(baseline)[1]
            for name, (counts, scores) in curves.items():
                names = (dataset, model, name, baseline)
                pair = np.stack([scores, reference], axis=1)  # (n_repeats, 2, n_points)
                savings.append(compute_saving(names, counts, pair, target, confidence, draws))
        return savings

    def summary(self, target: float | None = None, confidence: float = 0.95) -> str:
        """Describe in a sentence what the best strategy saves.

        Parameters
        ----------
        target : float, default=None
            The score to reach. None is the final score of the baseline's mean curve.
        confidence : float, default=0.95
            Confidence level of the interval.

        Returns
        -------
        str
            One line per dataset and model. The best strategy is the one with the largest mean
            area. Where it is not significantly different from the baseline, or from the next best,
            a further sentence says so, and how many repeats would resolve the difference
            (two-sided paired t-test with power 0.8).
        """
        lines = []
        savings = self.labels_saved(target, confidence=confidence)
        for dataset, model in self.experiments:
            of_experiment = {
                saving.strategy: saving
                for saving in savings
                if (saving.dataset, saving.model) == (dataset, model)
            }
            areas = self.select(model=model, dataset=dataset).areas()
            line = describe_best(
                areas, of_experiment, self.baseline, self.scoring, confidence, self.unit
            )
            where = [dataset] * (len(self.datasets) > 1) + [model] * (len(self.models) > 1)
            lines.append(f"{', '.join(where)}: {line}" if where else line)
        return "\n".join(lines)

    # Representations --------------------------------------------------------------------------

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        title: str = "Comparison of query strategies",
        summary: str | None = None,
        notes: Iterable[str] = (),
        sections: Mapping[str, str] | None = None,
    ) -> str:
        """Return a report in HTML, with text, tables and pictures, in one self-contained page.

        Parameters
        ----------
        path : str or Path, default=None
            File to write the page to.
        title : str, default="Comparison of query strategies"
            Title of the page.
        summary : str, default=None
            Sentences at the top, one paragraph per line; None takes those of :meth:`summary`.
        notes : iterable of str, default=()
            Warnings to show, beside the failures.
        sections : mapping of str to str, default=None
            Further sections at the end of the page: their HTML by heading.

        Returns
        -------
        str
            The page.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from skactive.display._report import render_report  # late: a report is seldom drawn

        page = render_report(self, title, summary, list(notes), sections or {})
        if path is not None:
            content = page.encode("utf-8", "backslashreplace")
            write_atomically(Path(path), lambda file: file.write(content), private=True)
        return page

    def __repr__(self) -> str:
        n_repeats = len({run.repeat for run in self.runs})
        counts = [
            pluralize(len(self.datasets), "dataset") * (len(self.datasets) > 1),
            pluralize(len(self.models), "model") * (len(self.models) > 1),
            f"{pluralize(len(self.strategies), 'strategy')} x {pluralize(n_repeats, 'repeat')}",
        ]
        parts = [" x ".join(count for count in counts if count)]
        if len(self.n_labels):
            span = f"{self.n_labels[0]:.0f} to {self.n_labels[-1]:.0f}"
            parts.append(f"{span} labels" if self.unit == "labels" else f"cost {span}")
        parts.append(self.scoring)
        if self.failures:
            parts.append(pluralize(len(self.failures), "failure"))
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return the summary and the table of areas, for notebooks."""
        records = self.area_records()
        head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in records[0])
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_format_cell(value))}</td>' for value in row.values())}"
            "</tr>"
            for row in records
        )
        lines = "".join(f"<p>{escape(line)}</p>" for line in self.summary().splitlines())
        return (
            f"{lines}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{escape(repr(self))}</p>"
        )

    # Pairs and records ------------------------------------------------------------------------

    def _test_areas(self) -> tuple[tuple[str, ...], Floats]:
        """Return names and areas, (n_blocks, n_strategies), for a test of several strategies."""
        names, areas = self._pairing.compute_areas()
        if len(names) < 2:
            raise ValueError(f"A test needs at least two strategies, got {list(names)}.")
        return names, areas

    def _pairs(self) -> Iterator[tuple[tuple[str, str], Floats, Floats]]:
        """Yield the names and the areas, of shape (n_blocks,), of each pair of strategies."""
        names, areas = self._test_areas()
        for (i, first), (j, second) in combinations(enumerate(names), 2):
            yield (first, second), areas[:, i], areas[:, j]

    def _area_records(
        self, dataset: str, model: str, confidence: float
    ) -> Iterator[dict[str, Any]]:
        areas = self.select(model=model, dataset=dataset).areas()
        group = self._pairing.group_runs(dataset, model)
        repeats = self._pairing.find_repeats(dataset, [model], tuple(areas))
        for name in areas:
            runs = [group[name][repeat] for repeat in repeats]
            area = mean_interval(areas[name], confidence)
            difference = Interval(*[np.nan] * 3)
            if self.baseline in areas:
                difference = mean_interval(areas[name] - areas[self.baseline], confidence)
            yield {
                "dataset": dataset,
                "model": model,
                "strategy": name,
                "area": area.mean,
                "low": area.low,
                "high": area.high,
                "difference": difference.mean,
                "difference_low": difference.low,
                "difference_high": difference.high,
                "final_score": float(np.mean([run.scores[-1] for run in runs])),
                "fit_seconds": float(np.mean([run.fit_seconds.sum() for run in runs])),
                "query_seconds": float(np.mean([run.query_seconds.sum() for run in runs])),
                "n_repeats": len(repeats),
            }


def _join_records(comparisons: Mapping[str, StrategyComparison], attribute: str) -> list[Any]:
    """Return the runs or failures of all comparisons, with the names of their datasets."""
    return [
        record._replace(dataset=name if len(part.datasets) == 1 else f"{name}: {record.dataset}")
        for name, part in comparisons.items()
        for record in getattr(part, attribute)
    ]


def _resolve(noun: str, name: str | None, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return all names, or the one asked for."""
    if name is None:
        return names
    if name not in names:
        raise ValueError(f"unknown {noun} {name!r}: choose one of {list(names)}.")
    return (name,)


def _format_cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
