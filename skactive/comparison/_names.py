"""Names of models, strategies, the baseline and the score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skactive._learner import ActiveLearner
from skactive._utils.fingerprint import describe, digest
from skactive._utils.tags import find_estimator_type
from skactive._validation import check_strategy
from skactive.simulation._learner import SimulatedLearner
from skactive.strategies import Random

__all__ = [
    "choose_baseline",
    "find_model",
    "name_model",
    "name_models",
    "name_scoring",
    "name_strategies",
]


def name_models(learner: Any) -> dict[str, ActiveLearner]:
    """Return a learner for each model, by name."""
    if isinstance(learner, Mapping):
        if not learner:
            raise ValueError("Comparing needs at least one model: learner is empty.")
        return {str(name): _wrap_model(model) for name, model in learner.items()}
    model = _wrap_model(learner)
    return {name_model(model): model}


def name_model(learner: Any) -> str:
    """Name a learner by the class of its model."""
    return type(find_model(learner)).__name__


def find_model(learner: Any) -> Any:
    """Return the model of a learner: its estimator, or the last step of a pipeline."""
    steps = getattr(learner.estimator, "steps", None)
    return steps[-1][1] if steps else learner.estimator


def _wrap_model(model: Any) -> Any:
    if isinstance(model, SimulatedLearner):
        raise TypeError("learner must not be a SimulatedLearner: pass the learner in it.")
    if hasattr(model, "query") and hasattr(model, "teach"):
        return model
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise TypeError(
            "learner must be an ActiveLearner, an estimator, or a mapping of names to these, got "
            f"{model!r}."
        )
    return ActiveLearner(model)


def name_strategies(strategies: Any) -> dict[str, Any]:
    """Return the strategies by name; check that no two are the same."""
    if hasattr(strategies, "select") or isinstance(strategies, str | type):
        raise TypeError(f"strategies must be a list or a mapping of them, got {strategies!r}.")
    if isinstance(strategies, Mapping):
        pairs = [(str(name), strategy) for name, strategy in strategies.items()]
    else:
        pairs = [(" ".join(str(strategy).split()), strategy) for strategy in strategies]
    if not pairs:
        raise ValueError("Comparing needs at least one strategy: strategies is empty.")
    names: dict[str, str] = {}  # by digest of the strategy
    for name, strategy in pairs:
        check_strategy(strategy)
        first_name = names.setdefault(digest(describe(strategy)), name)
        if first_name is not name:
            raise ValueError(f"{name!r} and {first_name!r} are the same strategy: leave one out.")
    if len(dict(pairs)) < len(pairs):
        raise ValueError(
            f"Some strategies have the same name: {[name for name, _ in pairs]}. Pass a mapping of "
            "names."
        )
    return dict(pairs)


def choose_baseline(strategies: dict[str, Any]) -> str:
    """Return the name of the strategy to compare others with: Random, else the first."""
    names = (name for name, strategy in strategies.items() if isinstance(strategy, Random))
    return next(names, next(iter(strategies)))


def name_scoring(scoring: Any, learner: Any) -> str:
    """Name the scores."""
    if scoring is None:  # the model's own score; a grid search has its own scoring
        scoring = getattr(learner.estimator, "scoring", None)
    if scoring is None:
        names = {"classifier": "accuracy", "regressor": "r2"}
        return names.get(find_estimator_type(learner) or "", "score")
    return scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
