"""What is compared, by name: models, strategies, the baseline, the score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import is_classifier, is_regressor

from skactive._learner import ActiveLearner
from skactive._utils.fingerprint import describe, digest
from skactive._validation import check_strategy
from skactive.simulation._learner import SimulatedLearner
from skactive.strategies import Random

__all__ = ["baseline_of", "model_name", "named_models", "named_strategies", "scoring_name"]


def named_models(learner: Any) -> dict[str, ActiveLearner]:
    """Return the models as learners, by name."""
    if isinstance(learner, Mapping):
        if not learner:
            raise ValueError("There is no model to compare strategies with: learner is empty.")
        return {str(name): _as_learner(model) for name, model in learner.items()}
    model = _as_learner(learner)
    return {model_name(model): model}


def model_name(learner: Any) -> str:
    """Name a learner by the class of its model."""
    steps = getattr(learner.estimator, "steps", None)  # of a pipeline the last one is the model
    return type(steps[-1][1] if steps else learner.estimator).__name__


def _as_learner(model: Any) -> Any:
    if isinstance(model, SimulatedLearner):
        raise TypeError("learner must not be a SimulatedLearner: pass the learner in it.")
    if hasattr(model, "query") and hasattr(model, "teach"):
        return model
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise TypeError(
            "learner must be an ActiveLearner, an estimator, or a mapping of names to such, got "
            f"{model!r}."
        )
    return ActiveLearner(model)


def named_strategies(strategies: Any) -> dict[str, Any]:
    """Return the strategies by name; no two may be the same."""
    if hasattr(strategies, "select") or isinstance(strategies, str | type):
        raise TypeError(f"strategies must be a list or a mapping of them, got {strategies!r}.")
    if isinstance(strategies, Mapping):
        pairs = [(str(name), strategy) for name, strategy in strategies.items()]
    else:
        pairs = [(" ".join(str(strategy).split()), strategy) for strategy in strategies]
    if not pairs:
        raise ValueError("There is no strategy to compare: strategies is empty.")
    seen: dict[str, str] = {}
    for name, strategy in pairs:
        check_strategy(strategy)
        twin = seen.setdefault(digest(describe(strategy)), name)
        if twin is not name:
            raise ValueError(f"{name!r} and {twin!r} are the same strategy: leave one out.")
    if len(dict(pairs)) < len(pairs):
        raise ValueError(
            f"Some strategies print alike: {[name for name, _ in pairs]}. Pass a mapping of names."
        )
    return dict(pairs)


def baseline_of(named: dict[str, Any]) -> str:
    """Name the strategy that others are held against: Random, else the first."""
    names = (name for name, strategy in named.items() if isinstance(strategy, Random))
    return next(names, next(iter(named)))


def scoring_name(scoring: Any, learner: Any) -> str:
    """Say what the scores are called."""
    if scoring is None:  # the model's own; a search within has a scoring of its own
        scoring = getattr(learner.estimator, "scoring", None)
    if scoring is None:
        return "accuracy" if is_classifier(learner) else "r2" if is_regressor(learner) else "score"
    return scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
