"""Models and query strategies by their names on the command line."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from inspect import isabstract, signature
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import BaggingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skactive import strategies
from skactive._needs import check_needs, reads_elements
from skactive.adapters import adapt
from skactive.cli._errors import CommandError
from skactive.exceptions import CapabilityError

__all__ = [
    "ESTIMATORS",
    "REGRESSORS",
    "check_serves",
    "few_rows",
    "has_torch",
    "make_estimator",
    "make_strategy",
    "serves",
]

# Models -----------------------------------------------------------------------------------------


def _make_logistic(n_features: int, n_classes: int) -> Any:
    return LogisticRegression(max_iter=1000)


def _make_forest(n_features: int, n_classes: int) -> Any:
    return RandomForestClassifier(n_estimators=50)


def _make_svm(n_features: int, n_classes: int) -> Any:
    return SVC()


def _make_mlp(n_features: int, n_classes: int) -> Any:
    if not has_torch():
        raise CommandError(
            'the estimator mlp needs torch and skorch: pip install "skactive[torch]"'
        )
    import torch
    from skorch import NeuralNetClassifier

    torch.set_num_threads(1)  # nets this small lose time to threads
    net = NeuralNetClassifier(
        _make_mlp_module,  # Called in the fit, so that weights come from the fit's seed
        module__n_features=n_features,
        module__n_classes=n_classes,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.005,
        max_epochs=40,
        batch_size=32,
        iterator_valid__batch_size=1024,  # dropout draws pass over the pool many times
        train_split=None,
        verbose=0,
    )
    return make_pipeline(FunctionTransformer(_to_single_precision), net)


def _make_mlp_module(n_features: int, n_classes: int) -> Any:
    from torch import nn

    return nn.Sequential(
        nn.Linear(n_features, 128), nn.ReLU(), nn.Dropout(0.25), nn.Linear(128, n_classes)
    )


def _to_single_precision(X: NDArray[np.float64]) -> NDArray[np.float32]:
    return X.astype(np.float32)


def has_torch() -> bool:
    """Return whether torch and skorch are installed."""
    return find_spec("torch") is not None and find_spec("skorch") is not None


ESTIMATORS: dict[str, Callable[[int, int], Any]] = {
    "forest": _make_forest,
    "logistic": _make_logistic,
    "mlp": _make_mlp,
    "svm": _make_svm,
}


def _make_forest_of_numbers() -> Any:
    return RandomForestRegressor(n_estimators=100)


def _make_ridge() -> Any:
    return BaggingRegressor(Ridge(), n_estimators=20)  # members that differ give a deviation


# Their predictions have a standard deviation, among the members.
REGRESSORS: dict[str, Callable[[], Any]] = {
    "forest": _make_forest_of_numbers,
    "ridge": _make_ridge,
}

_CHOICES = {"--estimator": tuple(ESTIMATORS), "--model": ("forest", "logistic", "svm")}


def make_estimator(name: str, X: Any, y: Any) -> Any:
    """Make a pipeline for rows of numbers.

    Parameters
    ----------
    name : str
        One of `ESTIMATORS`.
    X : ndarray of shape (n_rows, n_features)
        Numbers, NaN if one is missing.
    y : ndarray of shape (n_rows,)
        Classes, 0 .. n_classes - 1.
    """
    model = ESTIMATORS[name](X.shape[1], int(y.max()) + 1)
    return make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), model)


def few_rows(X: Any, y: Any) -> tuple[Any, Any]:
    """Return two rows per class: enough to see what the fitted model can do."""
    rows = np.concatenate([np.flatnonzero(y == label)[:2] for label in np.unique(y)])
    return X[rows], y[rows]


# Strategies -------------------------------------------------------------------------------------


def make_strategy(name: str) -> Any:
    """Make a strategy by its name, or raise an error that lists the known names."""
    known = _list_plain_strategies()
    if name not in known:
        raise CommandError(f"unknown strategy {name!r}; known: {', '.join(sorted(known))}")
    return known[name]()


def _list_plain_strategies() -> dict[str, Any]:
    """Return the strategies that need no arguments, and one label per row, by name."""
    classes = {name: getattr(strategies, name) for name in strategies.__all__}
    return {
        name: cls
        for name, cls in classes.items()
        if not isabstract(cls)
        and all(p.default is not p.empty for p in signature(cls).parameters.values())
        and not reads_elements(cls())
    }


def check_serves(
    name: str,
    strategy: Any,
    fitted: Any,
    model: str,
    option: str = "--estimator",
    *,
    numbers: bool = False,
) -> None:
    """Raise an error if a fitted model lacks what a strategy needs.

    Parameters
    ----------
    name : str
        Name of the strategy.
    strategy : Strategy
        The strategy.
    fitted : estimator
        The model, fitted.
    model : str
        Its name on the command line.
    option : {"--estimator", "--model"}, default="--estimator"
        The option that chose it.
    numbers : bool, default=False
        Whether it predicts numbers.

    Raises
    ------
    CommandError
        If something is lacking; names a model that lacks nothing, if there is one.
    """
    if (error := _find_lack(fitted, strategy)) is None:
        return
    need, _, _ = str(error).partition(", which ")  # the rest advises users of Python
    other = None if numbers else _find_serving_model(strategy, option)
    advice = f"use {option} {other}, or another strategy" if other else "use another strategy"
    raise CommandError(
        f"{name} cannot be used with {option} {model}: {need}, which that model does not provide; "
        f"{advice}, such as {'PredictiveStd' if numbers else 'Margin'}"
    ) from error


def _find_serving_model(strategy: Any, option: str) -> str | None:
    """Return the name of a model that an option can choose and a strategy can use."""
    X, y = np.arange(4.0)[:, np.newaxis], np.arange(4) % 2
    for name in _CHOICES[option]:
        if name != "mlp" or has_torch():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # models of four rows are poor
                if serves(make_estimator(name, X, y).fit(X, y), strategy):
                    return name
    return None


def serves(fitted: Any, strategy: Any) -> bool:
    """Return whether a fitted model provides what a strategy needs."""
    return _find_lack(fitted, strategy) is None


def _find_lack(fitted: Any, strategy: Any) -> CapabilityError | None:
    """Return the error that says what a model lacks for a strategy; None if nothing."""
    try:
        check_needs(strategy, adapt(fitted), refits=True)
    except CapabilityError as error:
        return error
    return None
