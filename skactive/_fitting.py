"""From labels to a fitted model: the classes and codes that models want."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import type_of_target

from skactive._few_labels import PASSED_ON
from skactive._needs import takes_classes
from skactive._utils.fit_params import FitParams
from skactive._utils.in_place import fit_in_place
from skactive._utils.labels import has_one_label, is_structured, to_model_labels
from skactive._utils.tags import find_estimator_type
from skactive.adapters import ModelAdapter, adapt
from skactive.exceptions import CapabilityError

__all__ = ["fit_encoded", "partial_fit_encoded"]


def fit_encoded(
    model: Any, X: Any, y: Any, params: FitParams, declared: NDArray[Any] | None
) -> Any:
    """Fit a model in place and return it, around it a decoder if it was fitted to codes.

    Labels are encoded for models that take 0 .. n_classes - 1 only: for those that are known to,
    and for those that refuse the labels as they are but take their codes.
    """
    classes = _choose_classes_to_encode(adapt(model), y, declared)
    if classes is not None:
        return _fit_to_codes(model, X, y, params, classes)
    try:
        return fit_in_place(model, "fit", X, to_model_labels(y), **params)
    except PASSED_ON:
        raise
    except Exception as error:
        classes = _list_uncoded_classes(model, y)
        if classes is None:
            raise
        try:
            return _fit_to_codes(model, X, y, params, classes)
        except PASSED_ON:
            raise
        except Exception:  # the labels as they are were refused first, for a reason of their own
            raise error from None


def partial_fit_encoded(
    model: Any, X: Any, y: Any, params: FitParams, declared: NDArray[Any] | None
) -> Any:
    """Fit a model to more rows in place; return it, around it a decoder if it takes codes only."""
    if is_structured(y) or np.ndim(y) > 2:
        takes_them = declared is not None and takes_classes(model)
        params = {"classes": declared, **params} if takes_them else params
    elif np.ndim(y) == 2 and np.shape(y)[1] > 1 and not adapt(model).fixed_columns:
        is_first = adapt(model).label_classes is None
        if is_first and takes_classes(model):
            params = {"classes": _list_label_classes(model, np.asarray(y), declared), **params}
    elif not hasattr(model, "classes_"):
        classes = np.unique(np.asarray(y)) if declared is None else declared
        if _choose_classes_to_encode(adapt(model), classes, declared) is not None:
            model = _encode(model, classes)
        if takes_classes(model):
            params = {"classes": classes, **params}
    return fit_in_place(model, "partial_fit", X, to_model_labels(y), **params)


def _list_label_classes(model: Any, y: NDArray[Any], declared: NDArray[Any] | None) -> Any:
    """Return the classes of several labels as the first call of `partial_fit` expects them."""
    name = type(model).__name__
    if name == "OneVsRestClassifier":
        raise CapabilityError(
            f"partial_fit of {name} takes one label per row: set incremental=False, or use "
            "MultiOutputClassifier."
        )
    if name != "MultiOutputClassifier":
        return np.arange(y.shape[1])  # each label counts as a class
    if declared is not None:
        return [declared] * y.shape[1]
    return [_complete_pair(np.unique(column)) for column in y.T]


def _complete_pair(classes: NDArray[Any]) -> NDArray[Any]:
    """Return the classes of a label; 0 and 1 if only one of these has been seen."""
    is_one = len(classes) == 1 and classes.dtype.kind in "biuf" and classes[0] in (0, 1)
    return np.array([0, 1], dtype=classes.dtype) if is_one else classes


def _fit_to_codes(model: Any, X: Any, y: Any, params: FitParams, classes: NDArray[Any]) -> Any:
    return _encode(model, classes).fit(X, y, **params)


def _encode(model: Any, classes: NDArray[Any]) -> Any:
    from skactive.adapters._encoded import EncodedClassifier  # late: few models need it

    # Without a fixed number of outputs, a later fit (of a clone, say) may be to other classes.
    return EncodedClassifier(model, classes if adapt(model).fixed_columns else None)


def _choose_classes_to_encode(
    adapter: ModelAdapter, y: Any, declared: NDArray[Any] | None
) -> NDArray[Any] | None:
    """Return the classes whose codes a model is to be fitted to; None if it takes the labels."""
    if not adapter.codes_only or not has_one_label(y):
        return None
    observed = np.unique(np.asarray(y))
    if not adapter.fixed_columns:
        return None if _are_codes(observed) else observed
    if adapter.code_type is not None and observed.dtype.kind != "f":
        return observed if declared is None else declared
    # A net has one output per declared class, whether it has been observed or not. Without
    # declared classes, a number is that of an output.
    if declared is not None:
        return None if _are_codes(declared) else declared
    return None if observed.dtype.kind in "biuf" and observed.min() >= 0 else observed


def _list_uncoded_classes(model: Any, y: Any) -> NDArray[Any] | None:
    """Return the classes among labels that are not 0 .. n_classes - 1; None if there are none."""
    if y is None or find_estimator_type(model) == "regressor" or not _are_classes(np.asarray(y)):
        return None
    observed = np.unique(np.asarray(y))
    return None if _are_codes(observed) else observed


def _are_classes(y: NDArray[Any]) -> bool:
    if y.dtype.kind in "SO":  # dates, say, of which scikit-learn knows no type
        return has_one_label(y)
    return y.ndim < 3 and type_of_target(y) in {"binary", "multiclass"}


def _are_codes(classes: NDArray[Any]) -> bool:
    # Models that take truth values as codes predict numbers.
    return classes.dtype.kind in "iuf" and np.array_equal(classes, np.arange(len(classes)))
