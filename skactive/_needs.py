"""Checks that a model can serve a strategy, and the advice for when it cannot."""

from __future__ import annotations

from inspect import isabstract
from typing import Any

from skactive import strategies
from skactive.adapters import ModelAdapter
from skactive.exceptions import CapabilityError

__all__ = ["can_start_cold", "check_needs", "check_scores_rows"]

# By need, as strategies declare it; else by the first of its alternatives.
_REMEDIES = {
    "proba": "wrap the model in CalibratedClassifierCV, set its option for probabilities, or use "
    "a strategy that needs no probabilities, such as Margin or KCenterGreedy",
    "proba|decision": "use a classifier that has one of them, or a strategy that needs neither, "
    "such as KCenterGreedy (for a regressor also IGS)",
    "decision": "use a model with decision_function",
    "proba_samples": "use an ensemble (RandomForestClassifier, BaggingClassifier(model), "
    "VotingClassifier), a GaussianProcessClassifier, or a net with dropout layers",
    "joint_samples": "use an ensemble (RandomForestClassifier, BaggingClassifier(model), "
    "VotingClassifier) or a net with dropout layers",
    "gradient_factors": "use a model with predict_proba",
    "fantasize": "use a learner that refits (incremental=False) and whose fit parameters, apart "
    "from sample_weight, do not have one value per row",
}


def check_needs(strategy: Any, adapter: ModelAdapter, *, refits: bool) -> None:
    """Check that the model provides what the strategy needs, before any label is paid for."""
    for need in sorted(getattr(strategy, "needs", frozenset())):
        options = need.split("|")
        if any(refits if option == "fantasize" else adapter.provides(option) for option in options):
            continue
        remedy = _REMEDIES.get(need) or _REMEDIES.get(options[0], "use another model or strategy")
        raise CapabilityError(
            f"{type(strategy).__name__} needs {' or '.join(options)}, which "
            f"{type(adapter.model).__name__} does not provide here: {remedy}."
        )


def can_start_cold(strategy: Any) -> bool:
    """Return whether a strategy can choose rows without a fitted model."""
    needs: frozenset[str] = getattr(strategy, "needs", frozenset())
    return all({"X", "embedding"} & set(need.split("|")) for need in needs)


def check_scores_rows(strategy: Any) -> bool:
    """Return True if a strategy scores rows; else raise AttributeError, with those that do."""
    if hasattr(strategy, "score_in_chunks"):
        return True
    raise AttributeError(
        f"score_pool needs a strategy that scores rows, which {type(strategy).__name__} does not: "
        "it only chooses batches. Call query, or set one of these strategies: "
        f"{', '.join(_list_scorers())}."
    )


def _list_scorers() -> list[str]:
    """List the names of the strategies that score rows."""
    classes = {name: getattr(strategies, name) for name in strategies.__all__}
    scorers = [
        name
        for name, cls in classes.items()
        if hasattr(cls, "score_in_chunks") and not isabstract(cls)
    ]
    return sorted(scorers, key=str.lower)
