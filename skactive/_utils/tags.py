"""The type of a model, by scikit-learn's tags; also of models that have no tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import get_tags

__all__ = [
    "find_estimator_type",
    "is_classifier",
    "is_known_classifier",
    "read_tags",
    "takes_missing_labels",
    "takes_vector",
]

_KNOWN_PACKAGES = frozenset({"catboost", "lightgbm", "sklearn", "skorch", "xgboost"})
_BASES = ("sklearn.base", "sklearn.utils")  # which models of any package have


def read_tags(model: Any) -> Any:
    """Return the tags of an estimator, or None if it has none that can be read.

    scikit-learn raises an error for classes without its BaseEstimator, and for what wraps them.
    """
    try:
        return get_tags(model) if hasattr(model, "__sklearn_tags__") else None
    except AttributeError:
        return None


def find_estimator_type(model: Any) -> str | None:
    """Return the type of an estimator, by its tags or else its mixins; None if unknown.

    Parameters
    ----------
    model : estimator
        Any object; the base classes of scikit-learn are not required.

    Returns
    -------
    str or None
        "classifier", "regressor", "outlier_detector", "clusterer" or another of scikit-learn's
        types.
    """
    if (tags := read_tags(model)) is not None:
        return tags.estimator_type
    for mixin, name in ((ClassifierMixin, "classifier"), (RegressorMixin, "regressor")):
        if isinstance(model, mixin):
            return name
    return getattr(model, "_estimator_type", None)


def is_classifier(model: Any) -> bool:
    """Return whether labels are classes; of a model without a type, whether it has classes."""
    kind = find_estimator_type(model)
    if kind is None:
        return hasattr(model, "predict_proba") or hasattr(model, "classes_")
    return kind == "classifier"


def takes_missing_labels(model: Any) -> bool:
    """Return whether a model, or the one in a pipeline or search, takes labels that are missing."""
    return any(getattr(each, "takes_missing_labels", False) for each in _iter_inner(model))


def takes_vector(model: Any) -> bool:
    """Return whether a model takes one label per row as a vector; some take a column only."""
    tags = [read_tags(each) for each in _iter_inner(model)]
    return all(each is None or each.target_tags.single_output for each in tags)


def is_known_classifier(model: Any) -> bool:
    """Return whether a classifier, or the one in a pipeline or search, is of a known package.

    It takes one label per row, or several as its tags say; of others the tags may be the default.
    """
    inner = list(_iter_inner(model))
    modules = [cls.__module__ for cls in type(inner[-1]).__mro__] if inner else []
    return is_classifier(model) and any(
        module.split(".")[0] in _KNOWN_PACKAGES and not module.startswith(_BASES)
        for module in modules
    )


def _iter_inner(model: Any) -> Iterator[Any]:
    """Yield a model, the last step or the estimator in it, and so on."""
    while model is not None:
        yield model
        steps = getattr(model, "steps", None)
        model = steps[-1][1] if steps else getattr(model, "estimator", None)
