"""StrategyComparison: paired curves, and what they allow to be said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from skactive._utils.seeding import draw_seed
from skactive.comparison._frames import import_pandas, pair_frame
from skactive.comparison._runs import (
    Failure,
    Floats,
    Run,
    area_of,
    as_arrays,
    distinct,
)
from skactive.comparison._savings import LabelsSaved, saving_of
from skactive.comparison._sentences import counted, saving_sentence, unresolved
from skactive.comparison._statistics import (
    Friedman,
    Interval,
    average_ranks,
    common_counts,
    friedman,
    holm,
    mean_interval,
    nemenyi_critical_difference,
    paired_effect,
    paired_wilcoxon,
    penalty_matrix,
)

__all__ = ["CriticalDifference", "PenaltyMatrix", "StrategyComparison"]


class CriticalDifference(NamedTuple):
    """What a critical-difference diagram shows.

    Attributes
    ----------
    ranks : dict of str to float
        Mean rank of each strategy, the best (lowest) first.
    difference : float
        Mean ranks that differ by less cannot be told apart.
    groups : list of tuple of str
        The largest groups of two strategies or more that cannot be told apart.
    p_value : float
        Of Friedman's test: above `alpha` no two strategies should be told apart at all.
    alpha : float
        The level.
    n_blocks : int
        How many repeats or data sets were ranked.
    """

    ranks: dict[str, float]
    difference: float
    groups: list[tuple[str, ...]]
    p_value: float
    alpha: float
    n_blocks: int


class PenaltyMatrix(NamedTuple):
    """How often each strategy beats each other one.

    Attributes
    ----------
    strategies : tuple of str
        The names, in the order of rows and columns.
    matrix : ndarray of shape (n_strategies, n_strategies)
        Cell (i, j): in which share of the rounds i beats j, summed over experiments.
    column_means : ndarray of shape (n_strategies,)
        How much each is beaten: lower is better.
    n_experiments : int
        Pairs of data set and model: the most that a cell can hold.
    """

    strategies: tuple[str, ...]
    matrix: Floats
    column_means: Floats
    n_experiments: int


class StrategyComparison:
    """Curves of several strategies, paired by repeat, and what they allow to be said.

    Made by :func:`compare_strategies`; several data sets are joined by :meth:`concat`.

    Statistics are on *blocks* in which all strategies met the same circumstances: the repeats, or,
    where there are several data sets, the data sets (means over their repeats). Several models
    are averaged in each block; ``model=`` looks at one. Only repeats in which all strategies
    succeeded count; a strategy that never did with some model is left out there.

    Parameters
    ----------
    runs : list of Run
        The campaigns.
    failures : list of Failure, default=()
        Campaigns that failed.
    scoring : str, default="score"
        What the scores are called.
    baseline : str, default=None
        The strategy that others are held against; None takes the first whose name begins with
        "random", else the first.
    settings : dict, default=None
        How the campaigns were played.

    Attributes
    ----------
    runs, failures, scoring, baseline, settings
        As passed.
    data, models, strategies : tuple of str
        The names that occur in `runs`.
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
    ) -> None:
        self.runs = [as_arrays(run) for run in runs]
        if not self.runs:
            raise ValueError("A comparison needs at least one run, got none.")
        self.failures = list(failures)
        self.scoring = scoring
        self.settings = dict(settings or {})
        self.data = distinct(run.data for run in self.runs)
        self.models = distinct(run.model for run in self.runs)
        self.strategies = distinct(run.strategy for run in self.runs)
        self.n_labels = common_counts([run.n_labels for run in self.runs])
        random = (name for name in self.strategies if name.lower().startswith("random"))
        self.baseline = next(random, self.strategies[0]) if baseline is None else baseline

    @classmethod
    def concat(cls, comparisons: Mapping[str, StrategyComparison]) -> StrategyComparison:
        """Join comparisons on several data sets.

        Parameters
        ----------
        comparisons : mapping of str to StrategyComparison
            By the name of the data set.

        Returns
        -------
        StrategyComparison
            Its blocks are the data sets.

        Raises
        ------
        ValueError
            If there are none, or their scores or baselines are not the same.
        """
        if not comparisons:
            raise ValueError("concat needs at least one comparison, got none.")
        for what in ("scoring", "baseline"):
            values = {name: getattr(part, what) for name, part in comparisons.items()}
            if len(set(values.values())) > 1:
                raise ValueError(
                    f"The comparisons differ in their {what}: {values}. Join those that agree."
                )

        def renamed(records: str) -> list[Any]:
            return [
                record._replace(data=_joined_name(name, record.data, part.data))
                for name, part in comparisons.items()
                for record in getattr(part, records)
            ]

        first = next(iter(comparisons.values()))
        return cls(
            renamed("runs"),
            failures=renamed("failures"),
            scoring=first.scoring,
            baseline=first.baseline,
            settings={name: part.settings for name, part in comparisons.items()},
        )

    # Curves and areas -------------------------------------------------------------------------

    def to_frame(self) -> Any:
        """Return all scores as a tidy table, one row a round.

        Returns
        -------
        pandas DataFrame
            Columns data, model, strategy, repeat, n_labels, score, fit_seconds, query_seconds.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_pandas()
        lengths = [len(run.scores) for run in self.runs]
        columns: dict[str, Any] = {
            name: np.repeat([getattr(run, name) for run in self.runs], lengths)
            for name in ("data", "model", "strategy", "repeat")
        }
        for name in ("n_labels", "scores", "fit_seconds", "query_seconds"):
            columns[name] = np.concatenate([getattr(run, name) for run in self.runs])
        return pandas.DataFrame(columns).rename(columns={"scores": "score"})

    def curves(
        self, model: str | None = None, data: str | None = None
    ) -> dict[str, tuple[Floats, Floats]]:
        """Return the curves of each strategy, at the same label counts.

        Parameters
        ----------
        model, data : str, default=None
            Which, where there are several.

        Returns
        -------
        dict of str to (n_labels, scores)
            Arrays of shape (n_points,) and (n_repeats, n_points); the repeats are paired. Runs of
            other label counts are interpolated on all counts that every run covers.
        """
        model = _the_one("model", model, self.models)
        data = _the_one("data", data, self.data)
        return self._curves(data, model, self._compared([data], [model]))

    def areas(self, model: str | None = None, data: str | None = None) -> dict[str, Floats]:
        """Return the area under the learning curve of each strategy in each block.

        Parameters
        ----------
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        dict of str to ndarray of shape (n_blocks,)
            Mean heights of the curves; see
            :func:`~skactive.metrics.area_under_learning_curve`.
        """
        names, blocks = self._blocks(model, data)
        return dict(zip(names, blocks.T, strict=True))

    def area_records(
        self, confidence: float = 0.95, *, model: str | None = None, data: str | None = None
    ) -> list[dict[str, Any]]:
        """Return one record for each strategy: areas with intervals, and what they cost.

        Parameters
        ----------
        confidence : float, default=0.95
            How often the intervals hold the true mean.
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        list of dict
            ``data``, ``model``, ``strategy``; mean ``area`` and its t interval ``low`` ..
            ``high``; its ``difference`` to the baseline with the interval of paired differences
            ``difference_low`` .. ``difference_high``; mean ``final_score``; mean ``fit_seconds``
            and ``query_seconds`` of a campaign; ``n_repeats``.
        """
        models, data_sets = _some("model", model, self.models), _some("data", data, self.data)
        return [
            record
            for each, one in self._experiments()
            if each in data_sets and one in models
            for record in self._area_records(each, one, confidence)
        ]

    def areas_table(self, confidence: float = 0.95) -> Any:
        """Return the `area_records` as a table.

        Parameters
        ----------
        confidence : float, default=0.95
            How often the intervals hold the true mean.

        Returns
        -------
        pandas DataFrame
            Indexed by strategy (and data set and model, where there are several).

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        index = [
            name for name, there in (("data", self.data), ("model", self.models)) if len(there) > 1
        ]
        frame = import_pandas().DataFrame(self.area_records(confidence))
        frame = frame.set_index([*index, "strategy"])
        return frame.drop(columns=[name for name in ("data", "model") if name not in index])

    # Tests ------------------------------------------------------------------------------------

    def ranks(self, model: str | None = None, data: str | None = None) -> dict[str, float]:
        """Return the mean rank of each strategy over the blocks, by area; 1 is the best.

        Parameters
        ----------
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        dict of str to float
            The best first.
        """
        names, blocks = self._blocks(model, data, several=True)
        return _ranked(names, average_ranks(blocks))

    def friedman(self, model: str | None = None, data: str | None = None) -> Friedman:
        """Test whether all strategies rank alike, by Friedman's test with Iman and Davenport's F.

        Parameters
        ----------
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        Friedman
            Statistics and p-values.
        """
        return friedman(self._blocks(model, data, several=True)[1])

    def critical_difference(
        self, alpha: float = 0.05, model: str | None = None, data: str | None = None
    ) -> CriticalDifference:
        """Say which strategies can be told apart by their mean ranks, by Nemenyi's test.

        Parameters
        ----------
        alpha : float, default=0.05
            The level.
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        CriticalDifference
            What a critical-difference diagram shows.
        """
        names, blocks = self._blocks(model, data, several=True)
        result = friedman(blocks)
        ranks = _ranked(names, result.average_ranks)
        difference = nemenyi_critical_difference(len(ranks), result.n_blocks, alpha)
        groups = _groups_within(ranks, difference)
        return CriticalDifference(ranks, difference, groups, result.p_value, alpha, result.n_blocks)

    def wilcoxon(self, model: str | None = None, data: str | None = None) -> Any:
        """Test each two strategies by Wilcoxon's signed ranks, with Holm's correction.

        Parameters
        ----------
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        pandas DataFrame
            Indexed by pairs (first, second): mean ``difference`` of the areas, ``p_value``, and
            ``p_holm``, corrected for the number of pairs.
        """
        pairs = list(self._pairs(model, data))
        p_values = [paired_wilcoxon(a, b).p_value for _, a, b in pairs]
        return pair_frame(
            [names for names, _, _ in pairs],
            difference=[float((a - b).mean()) for _, a, b in pairs],
            p_value=p_values,
            p_holm=holm(p_values),
        )

    def wins_ties_losses(self, model: str | None = None, data: str | None = None) -> Any:
        """Count the blocks in which the first of two strategies has the larger area.

        Parameters
        ----------
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        pandas DataFrame
            Indexed by pairs (first, second): ``wins``, ``ties``, ``losses`` of the first.
        """
        pairs = list(self._pairs(model, data))
        return pair_frame(
            [names for names, _, _ in pairs],
            wins=[int((a > b).sum()) for _, a, b in pairs],
            ties=[int((a == b).sum()) for _, a, b in pairs],
            losses=[int((a < b).sum()) for _, a, b in pairs],
        )

    def effect_sizes(self, model: str | None = None, data: str | None = None) -> Any:
        """Say how large the differences of areas are, beside their spread and by ranks.

        Parameters
        ----------
        model, data : str, default=None
            Which, where there are several; None takes all.

        Returns
        -------
        pandas DataFrame
            Indexed by pairs (first, second): ``cohen_d_z`` (mean of the paired differences by
            their standard deviation) and ``rank_biserial`` (-1 .. 1). Above 0 the first is better.
        """
        pairs = list(self._pairs(model, data))
        effects = [paired_effect(a, b) for _, a, b in pairs]
        return pair_frame(
            [names for names, _, _ in pairs],
            cohen_d_z=[effect.cohen_d_z for effect in effects],
            rank_biserial=[effect.rank_biserial for effect in effects],
        )

    def penalty_matrix(self, alpha: float = 0.05) -> PenaltyMatrix:
        """Count how often each strategy beats each other one, round by round.

        Parameters
        ----------
        alpha : float, default=0.05
            Level of the two-sided paired t-test in each round.

        Returns
        -------
        PenaltyMatrix
            Summed over data sets and models, for the strategies that all of them have. The start,
            where all are equal, is no round here, so that always better is 1.
        """
        names = self._compared(self.data, self.models)
        matrix = np.zeros((len(names), len(names)))
        for data, model in product(self.data, self.models):
            curves = self._curves(data, model, names)
            stack = np.stack([scores for _, scores in curves.values()])
            matrix += penalty_matrix(stack[:, :, 1:] if stack.shape[2] > 1 else stack, alpha)
        n_experiments = len(self.data) * len(self.models)
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
        """Say which share of the baseline's labels each strategy does without.

        Parameters
        ----------
        target : float, default=None
            The score to reach. None is what the baseline's mean curve reaches in the end.
        baseline : str, default=None
            The strategy to compare with; None is the comparison's.
        confidence : float, default=0.95
            How often the intervals hold the true share.
        n_resamples : int, default=2000
            Bootstrap draws of repeats.
        random_state : int, RandomState instance or None, default=0
            Seed of the draws.

        Returns
        -------
        list of LabelsSaved
            One for each data set, model and strategy other than the baseline; none where the
            baseline never succeeded.

        Notes
        -----
        On the mean curves over repeats, with straight lines between rounds, n(target) is where a
        curve first reaches the target, and what is saved is 1 - n(target) / n_baseline(target).
        The interval is an expanded percentile interval of bootstrap draws of whole repeats, so
        that strategies stay paired. A target of None is read anew from the baseline in each draw.
        A draw in which a curve does not reach the target counts as the worst that it can be for
        the lower end, and as the best for the upper.
        """
        baseline = self.baseline if baseline is None else baseline
        if baseline not in self.strategies:
            raise ValueError(
                f"baseline {baseline!r} is none of the strategies: {list(self.strategies)}."
            )
        if not 0.0 < confidence < 1.0:
            raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}.")
        if target is not None and not np.isfinite(target):
            raise ValueError(f"target must be a finite number or None, got {target!r}.")
        draws = {"n_resamples": n_resamples, "random_state": draw_seed(random_state)}
        saved = []
        for data, model in self._experiments():
            curves = self.curves(model, data)
            if baseline not in curves:
                continue
            reference = curves.pop(baseline)[1]
            for name, (counts, scores) in curves.items():
                names = (data, model, name, baseline)
                pair = np.stack([scores, reference], axis=1)  # (n_repeats, 2, n_points)
                saved.append(saving_of(names, counts, pair, target, confidence, draws))
        return saved

    def summary(self, target: float | None = None, confidence: float = 0.95) -> str:
        """Say in a sentence what the best strategy saves.

        Parameters
        ----------
        target : float, default=None
            The score to reach. None is what the baseline's mean curve reaches in the end.
        confidence : float, default=0.95
            How often the interval holds the true share.

        Returns
        -------
        str
            One line for each data set and model. The best strategy is the one with the largest
            mean area. Where the repeats cannot tell it from the baseline, or from the next best,
            a further sentence says so, and how many repeats would (two-sided paired t-test with
            power 0.8).
        """
        lines = []
        savings = self.labels_saved(target, confidence=confidence)
        for data, model in self._experiments():
            of_these = {
                saving.strategy: saving
                for saving in savings
                if (saving.data, saving.model) == (data, model)
            }
            where = [data] * (len(self.data) > 1) + [model] * (len(self.models) > 1)
            line = self._sentences(self.areas(model, data), of_these, confidence)
            lines.append(f"{', '.join(where)}: {line}" if where else line)
        return "\n".join(lines)

    def __repr__(self) -> str:
        n_repeats = len({run.repeat for run in self.runs})
        counts = [
            counted(len(self.data), "data set") * (len(self.data) > 1),
            counted(len(self.models), "model") * (len(self.models) > 1),
            f"{counted(len(self.strategies), 'strategy')} x {counted(n_repeats, 'repeat')}",
        ]
        parts = [" x ".join(count for count in counts if count)]
        if len(self.n_labels):
            parts.append(f"{self.n_labels[0]:.0f} to {self.n_labels[-1]:.0f} labels")
        parts.append(self.scoring)
        if self.failures:
            parts.append(counted(len(self.failures), "failure"))
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Summary and table, for notebooks."""
        rows = self.area_records()
        head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in rows[0])
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row.values())}</tr>"
            for row in rows
        )
        lines = "".join(f"<p>{escape(line)}</p>" for line in self.summary().splitlines())
        return (
            f"{lines}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p>{escape(repr(self))}</p>"
        )

    # How it is done ---------------------------------------------------------------------------

    def _experiments(self) -> list[tuple[str, str]]:
        """Return the data sets and models that were played together."""
        played = {(run.data, run.model) for run in self.runs}
        return [pair for pair in product(self.data, self.models) if pair in played]

    def _group(self, data: str, model: str) -> dict[str, dict[int, Run]]:
        """Return the runs of one data set and model by strategy and repeat."""
        group: dict[str, dict[int, Run]] = {}
        for run in self.runs:
            if (run.data, run.model) == (data, model):
                group.setdefault(run.strategy, {})[run.repeat] = run
        return group

    def _compared(self, data_sets: Iterable[str], models: Iterable[str]) -> tuple[str, ...]:
        """Name the strategies that succeeded at least once with each data set and model."""
        models = list(models)
        groups = [self._group(data, model) for data in data_sets for model in models]
        names = tuple(name for name in self.strategies if all(name in group for group in groups))
        if not names:
            raise ValueError("No strategy succeeded with all data sets and models: name one.")
        return names

    def _repeats(self, data: str, models: Iterable[str], names: tuple[str, ...]) -> list[int]:
        """Return the repeats in which all of the strategies succeeded, with each model."""
        groups = [self._group(data, model) for model in models]
        repeats = set.intersection(*(set(group[name]) for group in groups for name in names))
        if not repeats:
            raise ValueError(
                f"There is no repeat on {data!r} in which all of {list(names)} succeeded: see "
                "failures, and compare those that did."
            )
        return sorted(repeats)

    def _curves(
        self, data: str, model: str, names: tuple[str, ...]
    ) -> dict[str, tuple[Floats, Floats]]:
        """Return the curves of some strategies, at the same label counts."""
        group, repeats = self._group(data, model), self._repeats(data, [model], names)
        runs = {name: [group[name][repeat] for repeat in repeats] for name in names}
        counts = common_counts([run.n_labels for each in runs.values() for run in each])
        return {
            name: (counts, np.stack([np.interp(counts, run.n_labels, run.scores) for run in each]))
            for name, each in runs.items()
        }

    def _blocks(
        self, model: str | None, data: str | None, *, several: bool = False
    ) -> tuple[tuple[str, ...], Floats]:
        """Return names of strategies, and their areas of shape (n_blocks, n_strategies)."""
        models, data_sets = _some("model", model, self.models), _some("data", data, self.data)
        names = self._compared(data_sets, models)
        if several and len(names) < 2:
            raise ValueError(f"A test needs two strategies at least, got {list(names)}.")
        lots = []
        for each in data_sets:
            repeats = self._repeats(each, models, names)
            groups = [self._group(each, one) for one in models]
            areas = [[[area_of(g[name][r]) for name in names] for r in repeats] for g in groups]
            lots.append(np.mean(areas, axis=0))
        blocks = lots[0] if len(lots) == 1 else np.stack([lot.mean(axis=0) for lot in lots])
        # Rounded, so that curves of one area tie, however the last bits of their sums fell.
        return names, np.round(blocks, 12)

    def _pairs(
        self, model: str | None, data: str | None
    ) -> Iterator[tuple[tuple[str, str], Floats, Floats]]:
        names, blocks = self._blocks(model, data, several=True)
        for (i, first), (j, second) in combinations(enumerate(names), 2):
            yield (first, second), blocks[:, i], blocks[:, j]

    def _area_records(self, data: str, model: str, confidence: float) -> Iterator[dict[str, Any]]:
        areas, group = self.areas(model, data), self._group(data, model)
        repeats = self._repeats(data, [model], tuple(areas))
        for name in areas:
            runs = [group[name][repeat] for repeat in repeats]
            area, versus = mean_interval(areas[name], confidence), Interval(*[np.nan] * 3)
            if self.baseline in areas:
                versus = mean_interval(areas[name] - areas[self.baseline], confidence)
            yield {
                "data": data,
                "model": model,
                "strategy": name,
                "area": area.mean,
                "low": area.low,
                "high": area.high,
                "difference": versus.mean,
                "difference_low": versus.low,
                "difference_high": versus.high,
                "final_score": float(np.mean([run.scores[-1] for run in runs])),
                "fit_seconds": float(np.mean([run.fit_seconds.sum() for run in runs])),
                "query_seconds": float(np.mean([run.query_seconds.sum() for run in runs])),
                "n_repeats": len(repeats),
            }

    def _sentences(
        self, areas: dict[str, Floats], savings: dict[str, LabelsSaved], confidence: float
    ) -> str:
        """Say what the best strategy saves with one data set and model, and how sure that is."""
        ranked = sorted(areas, key=lambda name: -areas[name].mean())
        if len(ranked) == 1:
            return f"There is only {ranked[0]}, so nothing to compare it with."
        if self.baseline not in areas:
            return f"{self.baseline} never succeeded here, so there is no baseline."
        best = next(name for name in ranked if name != self.baseline)
        said = [saving_sentence(savings[best], self.scoring, confidence)]
        if ranked[0] == self.baseline:
            said.insert(0, f"No strategy does better than {self.baseline} over the curve.")
        said += [
            unresolved(best, other, areas[best] - areas[other], confidence)
            for other in dict.fromkeys([self.baseline, ranked[1]])
            if other != best
        ]
        return " ".join(sentence for sentence in said if sentence)


def _ranked(names: tuple[str, ...], ranks: Floats) -> dict[str, float]:
    """Return mean ranks by name, the best first."""
    return dict(sorted(zip(names, ranks.tolist(), strict=True), key=lambda pair: pair[1]))


def _groups_within(ranks: dict[str, float], difference: float) -> list[tuple[str, ...]]:
    """Return the largest groups of neighbors, in order of rank, that lie within a difference."""
    names, values = list(ranks), list(ranks.values())
    groups: list[tuple[str, ...]] = []
    end = 0
    for start, value in enumerate(values):
        stop = start + sum(other - value < difference for other in values[start:])
        if stop > max(end, start + 1):
            groups.append(tuple(names[start:stop]))
            end = stop
    return groups


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _some(what: str, name: str | None, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return all names, or the one that is asked for."""
    return names if name is None else (_the_one(what, name, names),)


def _the_one(what: str, name: str | None, names: tuple[str, ...]) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        raise ValueError(f"There are several: pass {what}=, one of {list(names)}.")
    if name not in names:
        raise ValueError(f"{what}={name!r} is none of {list(names)}.")
    return name


def _joined_name(name: str, data: str, data_sets: tuple[str, ...]) -> str:
    return name if len(data_sets) == 1 else f"{name}: {data}"
