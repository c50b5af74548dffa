"""The classes of each label of a model that predicts several labels per row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["find_label_classes"]


def find_label_classes(model: Any) -> list[NDArray[Any]] | None:
    """Return the classes of each label, in the order of the columns of y.

    scikit-learn marks fitted models of several labels in four ways, which are known here only.

    Parameters
    ----------
    model : estimator
        Any model, fitted or not.

    Returns
    -------
    list of ndarray or None
        None if the model predicts one label per row, or is not fitted.
    """
    classes = getattr(model, "classes_", None)
    if classes is None and hasattr(model, "estimators_"):
        classes = _list_classes_of_parts(model)
    if isinstance(classes, list) and any(map(np.ndim, classes)):
        # Forests, trees, neighbors, MultiOutputClassifier; of a chain, in the order of its links.
        order = getattr(model, "order_", range(len(classes)))
        links = np.argsort(np.asarray(order))
        return [np.asarray(classes[link]) for link in links]
    binarizer = getattr(model, "_label_binarizer", None)  # MLPClassifier, RidgeClassifier
    y_type = str(getattr(binarizer, "y_type_", ""))
    if getattr(model, "multilabel_", False) or y_type.startswith("multilabel"):
        return [np.arange(2)] * len(np.asarray(classes))
    return None


def _list_classes_of_parts(model: Any) -> list[NDArray[Any]] | None:
    """Return the classes of the models per label, which `partial_fit` does not gather."""
    from sklearn.multioutput import MultiOutputClassifier  # late: it imports linear models

    is_taught = isinstance(model, MultiOutputClassifier)
    return [part.classes_ for part in model.estimators_] if is_taught else None
