"""Checks that a model can serve a strategy, and the advice for when it cannot."""

from __future__ import annotations

from functools import partial
from inspect import isabstract, signature
from typing import Any

import numpy as np

from skactive import strategies
from skactive._element_remedies import (
    PER_LABEL,
    advise_on_single_elements,
    find_missing_need,
    iter_parts,
    list_readings,
    name_elements,
)
from skactive._remedies import advise, advise_on_labels, describe_model, mend_reading
from skactive._utils.labels import has_one_label, is_structured
from skactive._utils.tags import find_estimator_type
from skactive.adapters import ModelAdapter, adapt
from skactive.exceptions import CapabilityError, InvalidReadingError, UnreadableModelError
from skactive.pool import PoolView
from skactive.pool._proba import MissingClassesError

__all__ = [
    "advise_on_new_classes",
    "can_start_cold",
    "check_needs",
    "check_partial_fit",
    "check_readings",
    "check_scores_rows",
    "choose_for_elements",
    "list_cold_starters",
    "reads_elements",
    "reads_labels",
    "takes_classes",
]


def check_needs(strategy: Any, adapter: ModelAdapter, *, refits: bool, y: Any = None) -> None:
    """Check that the model provides what the strategy needs, before any label is paid for.

    `refits` says whether the learner can refit the model with an imagined label, and `y` holds the
    labels, (n_labeled,) or (n_labeled, n_outputs), if there are any.
    """
    name, model = type(strategy).__name__, describe_model(adapter)
    for part in iter_parts(strategy):
        if getattr(part, "regressors_only", False) and _predicts_classes(adapter):
            margin = "Margin, " if adapter.provides("proba") or adapter.provides("decision") else ""
            raise CapabilityError(
                f"{type(part).__name__} needs numbers as predictions, which {model} does not "
                f"provide here: it predicts classes. Use {margin}KCenterGreedy or Auto for a "
                "classifier, or a regressor if the labels are numbers."
            )
        if getattr(part, "one_label_only", False) and (got := _describe_outputs(adapter, y)):
            raise CapabilityError(
                f"{type(part).__name__} needs one label per row, which {model} does not provide "
                f"here: {got}. {advise_on_labels(strategy, adapter)}"
            )
    for need in sorted(_list_needs(strategy)):
        options = need.split("|")
        reading = _choose_reading(options, adapter, refits)
        is_for_one = reading is None or bool(PER_LABEL & set(options))
        if is_for_one and (got := _describe_outputs(adapter, y)):
            of_rows = " of one label per row" if PER_LABEL & set(options) else ""
            raise CapabilityError(
                f"{name} needs {' or '.join(options)}{of_rows}, which {model} does not provide "
                f"here: {got}. {advise_on_labels(strategy, adapter)}"
            )
        if reading is None:
            raise CapabilityError(
                f"{name} needs {' or '.join(options)}, which {model} does not provide here: "
                f"{advise(strategy, options, adapter)}."
            )


def _list_needs(strategy: Any) -> frozenset[str]:
    """Return what a strategy needs, and what those in it need of a fitted model only."""
    needs: frozenset[str] = getattr(strategy, "needs", frozenset())
    return needs.union(*(getattr(part, "fitted_needs", ()) for part in iter_parts(strategy)))


def choose_for_elements(strategy: Any, elements: Any) -> Any:
    """Return the strategy that chooses single elements, after checking that these serve it."""
    has_members = hasattr(elements, "members")  # groups, which are scored as rows are
    chooser = strategy if has_members else getattr(strategy, "for_elements", strategy)
    missing = find_missing_need(chooser, partial(_provide, elements))
    if missing is None:
        return chooser
    name, kinds = type(chooser).__name__, name_elements(elements.kind)
    kinds = f"groups of {kinds}" if has_members else kinds
    if any(option.startswith("elements.") for option in missing):
        reason = f"it scores rows by all of their {kinds} together"
    else:
        model, given = describe_model(elements._source.adapter), list_readings(elements.provides)
        reason = f"{model} gives no {' or '.join(missing)} of its {kinds}, but {given}"
    raise CapabilityError(
        f"{name} cannot choose single {kinds}: {reason}. "
        f"{advise_on_single_elements(strategy, elements)}"
    )


def _provide(elements: Any, reading: str) -> bool:
    """Return whether elements, or the members of groups of them, have a reading."""
    if reading.startswith("elements.") and hasattr(elements, "members"):
        return bool(elements.members.provides(reading.removeprefix("elements.")))
    return bool(elements.provides(reading))


def check_readings(strategy: Any, view: PoolView) -> None:
    """Check, on a view of a few rows, that the model gives the readings that it has methods for.

    Each need is read once, with one draw of posterior samples. `view` is thrown away.
    """
    adapter = view._source.adapter
    for need in sorted(getattr(strategy, "needs", frozenset())):
        reading = _choose_reading(need.split("|"), adapter, view.provides("fantasize"))
        try:
            _try_reading(view, reading)
        except MissingClassesError:
            continue  # more labels, or classes=, give each column its class
        except Exception as error:
            raise _make_unreadable_error(strategy, adapter, str(reading), error) from error


def check_partial_fit(estimator: Any) -> None:
    """Check that a model can be taught incrementally."""
    if hasattr(estimator, "partial_fit"):
        return
    advice = "set incremental=False, or use a model that has it, such as SGDClassifier"
    if hasattr(estimator, "steps") and hasattr(last := estimator.steps[-1][1], "partial_fit"):
        last_name = type(last).__name__
        advice = (
            "set incremental=False, or fit the transformers beforehand, pass the rows as they "
            f"transform them, and give the learner the last step alone, {last_name}"
        )
    raise CapabilityError(
        f"incremental=True needs partial_fit, which {type(estimator).__name__} does not provide: "
        f"{advice}."
    )


def takes_classes(model: Any) -> bool:
    """Return whether the first call of a model's ``partial_fit`` must list the classes."""
    kind = find_estimator_type(model)
    if kind is None:
        return "classes" in signature(model.partial_fit).parameters
    return kind == "classifier"


def advise_on_new_classes(model: Any, y: Any) -> str:
    """Return what to do if ``partial_fit`` failed since `y` has other classes than the model."""
    adapter = adapt(model)
    is_known = adapter.fixed_columns or not has_one_label(y)  # a net has its columns already
    known = None if is_known else adapter.classes
    new = [] if known is None else np.setdiff1d(np.asarray(y), known).tolist()
    if not new:
        return ""
    return (
        f" partial_fit cannot add the classes {new} to {known}: declare all of them by "
        "ActiveLearner(..., classes=[...]) and fit again, or set incremental=False."
    )


def can_start_cold(strategy: Any) -> bool:
    """Return whether a strategy can choose rows without a fitted model."""
    needs: frozenset[str] = getattr(strategy, "needs", frozenset())
    return all({"X", "embedding"} & set(need.split("|")) for need in needs)


def reads_labels(strategy: Any) -> bool:
    """Return whether a strategy may read something that is there once for each label of a row."""
    needs: frozenset[str] = getattr(strategy, "needs", frozenset())
    return any(PER_LABEL & set(need.split("|")) for need in needs)


def reads_elements(strategy: Any) -> bool:
    """Return whether a strategy is for models that predict several things per row."""
    needs: frozenset[str] = getattr(strategy, "needs", frozenset())
    return any("elements." in need for need in needs)


def _predicts_classes(adapter: ModelAdapter) -> bool:
    """Return whether predictions are classes, of a model without tags by its list of them."""
    kind = adapter.estimator_type
    return kind == "classifier" or (kind is None and adapter.classes is not None)


def _choose_reading(options: list[str], adapter: ModelAdapter, refits: bool) -> str | None:
    """Return the first of some alternatives that is provided, which strategies read."""
    provided = (o for o in options if (refits if o == "fantasize" else adapter.provides(o)))
    return next(provided, None)


def _describe_outputs(adapter: ModelAdapter, y: Any) -> str:
    """Describe the labels if a row has several of them, each a class; else return ''."""
    if adapter.estimator_type == "regressor":
        return ""
    if is_structured(y):
        has_one = all(isinstance(row, list | tuple) and len(row) == 1 for row in y)
        flat = " of one label: if these are classes, pass numpy.ravel(y)" if has_one else ""
        return f"y has a list, array, set or dict per row{flat}"
    shape = np.shape(y)
    if len(shape) > 1 and shape[1] > 1:
        return f"y has shape {shape}, several labels per row"
    return "the model predicts several labels per row" if adapter.element == "label" else ""


def _try_reading(view: PoolView, reading: str | None) -> None:
    """Make one reading of a view, and check its shape where the view does not."""
    if reading in {"proba", "gradient_factors"}:
        _ = view._compute_proba()
    elif reading in {"proba_samples", "joint_samples"}:
        _ = view.proba_samples(1)
    elif reading == "std":
        _ = view.std
    elif reading == "prediction_samples":
        _ = view.prediction_samples(1)
    elif reading == "prediction":
        _check_length(view.prediction, len(view), "predictions")
    elif reading == "decision":
        _check_decision(view)
    elif reading is not None and reading.startswith("elements."):
        _try_reading_of_elements(view, reading.removeprefix("elements."))


def _try_reading_of_elements(view: PoolView, reading: str) -> None:
    """Make one reading of the elements of a view, which checks it."""
    if reading in {"proba_samples", "joint_samples"}:
        _ = view.elements.proba_samples(1)
    elif reading == "prediction_samples":
        _ = view.elements.prediction_samples(1)
    else:
        getattr(view.elements, reading)


def _check_decision(view: PoolView) -> None:
    decision, classes = view.decision, view._source.adapter.classes
    _check_length(decision, len(view), "rows of decisions")
    n_columns = decision.shape[1] if decision.ndim > 1 else 1
    expected = {1} if classes is None or len(classes) <= 2 else set()
    if classes is not None and n_columns not in expected | {len(classes)}:
        raise InvalidReadingError(
            f"decision_function gives {n_columns} columns for {len(classes)} classes; expected "
            "one per class, or one value per row for two classes"
        )


def _check_length(values: Any, n_rows: int, kind: str) -> None:
    if len(values) != n_rows:
        raise InvalidReadingError(f"the model gives {len(values)} {kind} for {n_rows} rows")


def _make_unreadable_error(
    strategy: Any, adapter: ModelAdapter, reading: str, error: Exception
) -> CapabilityError:
    """Return the error for a model whose method fails."""
    failure = str(error).rstrip(".")
    if not isinstance(error, InvalidReadingError):
        failure = f"{type(error).__name__}: {failure}"
    return UnreadableModelError(
        f"{type(strategy).__name__} needs {reading}, which {describe_model(adapter)} does not "
        f"provide here, though it has a method for it: {failure}. "
        f"{mend_reading(reading, adapter, error)}"
    )


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


def list_cold_starters() -> list[str]:
    """List the names of the strategies that need no model."""
    classes = {name: getattr(strategies, name) for name in strategies.__all__}
    names = (
        name
        for name, cls in classes.items()
        if isinstance(cls.needs, frozenset) and not isabstract(cls) and can_start_cold(cls)
    )
    return sorted(names, key=str.lower)
