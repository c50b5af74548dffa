"""Fits in place, of models whose ``fit`` may return anything."""

from __future__ import annotations

from typing import Any

__all__ = ["fit_in_place"]


def fit_in_place(model: Any, method: str, *args: Any, **params: Any) -> Any:
    """Call ``fit`` or ``partial_fit`` of a model, and return the object that was fitted.

    That is the model, whatever the method returns (a history, a text, None). Only a model that the
    call did not change, and that returns a fitted copy of itself or another model in its place, is
    replaced by what it returns.

    Parameters
    ----------
    model : estimator
        The model.
    method : {"fit", "partial_fit"}
        Name of the method.
    *args, **params
        Its arguments.

    Returns
    -------
    estimator
        The fitted object.
    """
    before = dict(getattr(model, "__dict__", {}))
    returned = getattr(model, method)(*args, **params)
    if returned is model or not hasattr(returned, "predict"):
        return model
    after = getattr(model, "__dict__", {})
    is_changed = after.keys() != before.keys() or any(
        after[name] is not value for name, value in before.items()
    )
    is_substitute = isinstance(returned, type(model)) or not hasattr(model, "predict")
    return returned if is_substitute and not is_changed else model
