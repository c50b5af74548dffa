"""Advice by need and kind of model: what to change so that a strategy can be served."""

from __future__ import annotations

from typing import Any

from skactive._element_remedies import ROWS_ONLY, advise_on_elements
from skactive.adapters import ModelAdapter
from skactive.adapters._base import decides_by_pairs
from skactive.adapters._elements import ELEMENT_READINGS, StructuredAdapter
from skactive.exceptions import InvalidReadingError

__all__ = ["advise", "advise_on_labels", "describe_model", "mend_reading"]

_ADD_DROPOUT = "add dropout layers to its module (torch.nn.Dropout with p > 0)"
_ADD_MEMBERS = "set n_estimators=10, say: a single member gives no draws"
_ADD_VOTER = "give it two members or more: a single one gives no draws"


def describe_model(adapter: ModelAdapter) -> str:
    """Name a model; of a pipeline or a search also the model in it."""
    outer, inner = type(adapter.model).__name__, type(_find_inner(adapter).model).__name__
    return outer if outer == inner else f"{inner} in {outer}"


def advise(strategy: Any, options: list[str], adapter: ModelAdapter) -> str:
    """Return what to do about a need that the model does not meet, for this kind of model.

    `options` are the alternatives of the need of the strategy, none of which is provided.
    """
    inner = _find_inner(adapter)
    if inner.element is not None:
        return advise_on_elements(strategy, inner)
    if all(option.startswith("elements.") for option in options):
        return _ask_for_element(inner) + _describe_place(adapter)
    if "fantasize" in options:
        return (
            "it imagines labels and refits the model, so call fit with the labeled rows first, "
            "and give fit no parameter with one value per row but sample_weight"
        )
    if inner.estimator_type not in {"classifier", "regressor", None}:
        return f"it is no classifier, so use a classifier, or {ROWS_ONLY}"
    of_numbers = bool(set(options) & {"std", "prediction_samples"})
    if inner.estimator_type == "regressor" and not of_numbers:
        return (
            "a regressor has no classes, so use a strategy for regression (IGS, GSy), one that "
            "looks at the rows only, such as KCenterGreedy, or Auto, which covers the pool"
        )
    if (search := _find_search(adapter)) is not None:
        return f"set refit=True of the {type(search).__name__}, so that there is a fitted model"
    if of_numbers:
        return _advise_on_numbers(inner) + _describe_place(adapter)
    if set(options) & {"proba", "decision", "gradient_factors"}:
        advice = _advise_on_classes(options, inner)
    elif set(options) & {"proba_samples", "joint_samples"}:
        advice = _advise_on_draws(options, inner)
    else:
        advice = f"use another model, or {ROWS_ONLY}"
    return advice + _describe_place(adapter)


def advise_on_labels(strategy: Any, adapter: ModelAdapter) -> str:
    """Return how to choose rows of several labels each, as a sentence."""
    inner = _find_inner(adapter)
    if inner.element is not None or _is_a(inner.model, "NeuralNet"):
        has_elements = inner.element is not None
        advice = advise_on_elements(strategy, inner) if has_elements else _ask_for_element(inner)
        return f"{advice[0].upper()}{advice[1:]}."
    if (search := _find_search(adapter)) is not None:
        return f"Set refit=True of the {type(search).__name__}, so that there is a fitted model."
    if any("elements." in need for need in strategy.needs):
        return (
            "Its labels are not recognized, so that it seems to predict one label per row: use a "
            "scikit-learn model, or register a StructuredAdapter for it."
        )
    return (
        f"Use {ROWS_ONLY}, or one learner for each label; Aggregate(...) and query_elements need "
        "a scikit-learn model of several labels, or a StructuredAdapter."
    )


def _ask_for_element(adapter: ModelAdapter) -> str:
    """Return what to do about a model of one label per row where rows must have elements."""
    if _is_a(adapter.model, "NeuralNet"):
        return (
            'if it predicts each pixel or token of a row, or boxes in it, say so, element = "pixel"'
            ', "token" or "box", in a class attribute of its module; if it predicts one label per '
            "row, use the strategy that is in Aggregate(...) alone"
        )
    return (
        "it predicts one label per row, so use the strategy that is in Aggregate(...) alone, or "
        "register a StructuredAdapter for this kind of model"
    )


def mend_reading(reading: str, adapter: ModelAdapter, error: Exception) -> str:
    """Return what to do about a model whose method for a reading fails."""
    inner = _find_inner(adapter)
    if _is_a(inner.model, "VotingClassifier") and (lacking := _list_lacking(inner.model)):
        return f"Wrap {_join(lacking)} in CalibratedClassifierCV{_describe_place(adapter)}."
    if isinstance(error, InvalidReadingError):
        return f"Or use {ROWS_ONLY}."
    name = reading.removeprefix("elements.")
    if isinstance(inner, StructuredAdapter) and inner.element != "label":
        method = f"{type(inner).__name__}.{ELEMENT_READINGS[name][0]}"
    elif name == "decision":
        method = "decision_function"
    else:
        of_numbers = name in {"prediction", "prediction_samples", "std"}
        method = "predict" if of_numbers else "predict_proba"
    return f"Mend {method}, use another model, or {ROWS_ONLY}."


def _advise_on_classes(options: list[str], adapter: ModelAdapter) -> str:
    """Return how to get probabilities, or a decision for each class."""
    model, name = adapter.model, type(adapter.model).__name__
    if _is_a(model, "GaussianProcessClassifier"):
        return 'set multi_class="one_vs_rest"'
    if _is_a(model, "VotingClassifier"):
        return _advise_voters(model)
    by_pairs = hasattr(model, "decision_function") and decides_by_pairs(model)
    if "decision" in options and by_pairs:
        return 'set decision_function_shape="ovr"'
    if hasattr(model, "decision_function"):
        advice = (
            f"wrap it, CalibratedClassifierCV({name}(), cv=3) (cv is at most the number of labels "
            "of the rarest class)"
        )
        if _is_a(model, "SGDClassifier"):
            advice = f'set loss="log_loss", or {advice}'
        ovr = ' with decision_function_shape="ovr"' if by_pairs else ""
        return f"{advice}, or use a strategy that takes a decision function, such as Margin{ovr}"
    if hasattr(model, "predict"):
        return (
            f"use BaggingClassifier({name}()), whose members vote, a classifier with "
            f"predict_proba, or {ROWS_ONLY}"
        )
    return f"use a classifier with predict_proba, or {ROWS_ONLY}"


def _advise_voters(model: Any) -> str:
    """Return how to get probabilities of voters."""
    lacking = _list_lacking(model)
    if not lacking:
        return 'set voting="soft"'
    return f'set voting="soft" and wrap {_join(lacking)} in CalibratedClassifierCV'


def _advise_on_draws(options: list[str], adapter: ModelAdapter) -> str:
    """Return how to get draws from the posterior of a model."""
    model, name = adapter.model, type(adapter.model).__name__
    if _is_a(model, "NeuralNet"):
        return _ADD_DROPOUT
    if _is_a(model, "GaussianProcessClassifier") and "proba_samples" in options:
        return 'set multi_class="one_vs_rest"'
    if _is_a(model, "CalibratedClassifierCV"):
        return "set ensemble=True and cv=2 or more: each fold is a member"
    if _is_a(model, "RandomForestClassifier", "ExtraTreesClassifier", "BaggingClassifier"):
        return _ADD_MEMBERS
    if _is_a(model, "VotingClassifier"):
        return _ADD_VOTER
    if adapter.codes_only:  # a bootstrap sample may lack a class, which leaves a gap in the codes
        return "use RandomForestClassifier, whose trees are the draws"
    return f"use an ensemble, BaggingClassifier({name}()) or RandomForestClassifier"


def _advise_on_numbers(adapter: ModelAdapter) -> str:
    """Return how to get draws of predicted numbers, and so their deviation."""
    model, name = adapter.model, type(adapter.model).__name__
    if adapter.estimator_type != "regressor":
        return f"it is no regressor, so use one if the labels are numbers, or {ROWS_ONLY}"
    if _is_a(model, "NeuralNet"):
        return _ADD_DROPOUT
    if _is_a(model, "RandomForestRegressor", "ExtraTreesRegressor", "BaggingRegressor"):
        return _ADD_MEMBERS
    if _is_a(model, "VotingRegressor"):
        return _ADD_VOTER
    return f"use an ensemble, BaggingRegressor({name}()), or GaussianProcessRegressor"


# Models -----------------------------------------------------------------------------------------


def _find_inner(adapter: ModelAdapter) -> ModelAdapter:
    """Return the adapter of the model that predicts, in pipelines and searches."""
    while (inner := getattr(adapter, "inner", None)) is not None:
        adapter = inner
    return adapter


def _find_search(adapter: ModelAdapter) -> Any:
    """Return the search that was not refitted and so does not predict, or None."""
    layer: Any = adapter
    while layer is not None:
        if not getattr(layer.model, "refit", True):
            return layer.model
        layer = getattr(layer, "inner", None)
    return None


def _describe_place(adapter: ModelAdapter) -> str:
    """Describe where to apply the advice, if the model is inside another one."""
    inner = _find_inner(adapter)
    return "" if inner is adapter else f" (inside the {type(adapter.model).__name__})"


def _is_a(model: Any, *names: str) -> bool:
    """Return whether a model is of a kind, by name: its package need not be imported."""
    return any(base.__name__ in names for base in type(model).__mro__)


def _list_lacking(model: Any) -> list[str]:
    """List the names of a voter's members that have no probabilities."""
    members = [member for _, member in model.estimators if member != "drop"]
    return [type(each).__name__ for each in members if not hasattr(each, "predict_proba")]


def _join(names: list[str]) -> str:
    return " and ".join(dict.fromkeys(names))
