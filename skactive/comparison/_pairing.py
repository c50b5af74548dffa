"""Runs paired by repeat: curves and areas of strategies under the same conditions."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np

from skactive._utils.array_types import Floats
from skactive.comparison._runs import Run, compute_area, drop_duplicates
from skactive.metrics import find_common_counts

__all__ = ["PairedRuns"]


class PairedRuns:
    """Runs by dataset, model, strategy and repeat; those of one repeat belong together.

    Parameters
    ----------
    runs : list of Run
        At least one.
    """

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs
        self.datasets = drop_duplicates(run.dataset for run in runs)
        self.models = drop_duplicates(run.model for run in runs)
        self.strategies = drop_duplicates(run.strategy for run in runs)
        pairs = {(run.dataset, run.model) for run in runs}
        self.experiments = [pair for pair in product(self.datasets, self.models) if pair in pairs]

    def find_single_experiment(self) -> tuple[str, str]:
        """Return the only dataset and model; if there are several, raise how to choose one."""
        dataset, model = self.experiments[0]
        several, choices = [], []
        if len(self.models) > 1:
            several.append(f"the models {list(self.models)}")
            choices.append(f"model={model!r}")
        if len(self.datasets) > 1:
            several.append(f"the datasets {list(self.datasets)}")
            choices.append(f"dataset={dataset!r}")
        if several:
            raise ValueError(
                "Learning curves are of one model on one dataset, but this comparison has "
                f"{' and '.join(several)}: choose by select, as in select({', '.join(choices)})."
            )
        return dataset, model

    def group_runs(self, dataset: str, model: str) -> dict[str, dict[int, Run]]:
        """Return the runs on one dataset with one model, by strategy and repeat."""
        group: dict[str, dict[int, Run]] = {}
        for run in self.runs:
            if (run.dataset, run.model) == (dataset, model):
                group.setdefault(run.strategy, {})[run.repeat] = run
        return group

    def find_strategies(self) -> tuple[str, ...]:
        """Return the strategies that succeeded at least once on each dataset with each model."""
        groups = [self.group_runs(*pair) for pair in product(self.datasets, self.models)]
        names = tuple(name for name in self.strategies if all(name in group for group in groups))
        if not names:
            dataset, model = self.experiments[0]
            raise ValueError(
                "No strategy succeeded on all datasets with all models: choose by select, as in "
                f"select(model={model!r}, dataset={dataset!r})."
            )
        return names

    def find_repeats(self, dataset: str, models: Iterable[str], names: Iterable[str]) -> list[int]:
        """Return the repeats in which all of the strategies succeeded, with each model."""
        names = list(names)
        groups = [self.group_runs(dataset, model) for model in models]
        repeats = set.intersection(*(set(group[name]) for group in groups for name in names))
        if not repeats:
            raise ValueError(
                f"Found no repeat on {dataset!r} in which all of {names} succeeded: see failures, "
                "and compare the strategies that did."
            )
        return sorted(repeats)

    def interpolate_curves(
        self, dataset: str, model: str, names: Iterable[str]
    ) -> dict[str, tuple[Floats, Floats]]:
        """Return the curves of some strategies at the same label counts.

        Counts are of shape (n_points,), scores of shape (n_repeats, n_points).
        """
        names = list(names)
        group = self.group_runs(dataset, model)
        repeats = self.find_repeats(dataset, [model], names)
        counts = find_common_counts([group[name][r].n_labels for name in names for r in repeats])
        return {
            name: (counts, np.stack([_interpolate(group[name][r], counts) for r in repeats]))
            for name in names
        }

    def compute_areas(self) -> tuple[tuple[str, ...], Floats]:
        """Return names of strategies, and their areas of shape (n_blocks, n_strategies)."""
        names = self.find_strategies()
        areas = [self._compute_dataset_areas(dataset, names) for dataset in self.datasets]
        blocks = areas[0] if len(areas) == 1 else np.stack([a.mean(axis=0) for a in areas])
        # Rounded, so that equal areas tie whatever the last bits of their sums are.
        return names, np.round(blocks, 12)

    def _compute_dataset_areas(self, dataset: str, names: tuple[str, ...]) -> Floats:
        """Return areas on one dataset, averaged over models: (n_repeats, n_strategies)."""
        repeats = self.find_repeats(dataset, self.models, names)
        groups = [self.group_runs(dataset, model) for model in self.models]
        areas = [
            [[compute_area(group[name][r]) for name in names] for r in repeats] for group in groups
        ]  # (n_models, n_repeats, n_strategies)
        return np.mean(areas, axis=0)


def _interpolate(run: Run, counts: Floats) -> Floats:
    """Return the scores of a run at some label counts, on straight lines between its rounds."""
    return np.interp(counts, run.n_labels, run.scores)
