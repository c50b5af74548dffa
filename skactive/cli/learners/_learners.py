"""Learners of the labeling commands: features, model and query strategy for a source."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import strategies
from skactive._learner import ActiveLearner
from skactive._utils.rows import n_rows, take_rows
from skactive.cli._errors import CommandError
from skactive.cli.learners._features import (
    PoolFeatures,
    make_image_featurizer,
    make_sound_featurizer,
    make_text_featurizer,
    make_topic_featurizer,
)
from skactive.cli.learners._models import ESTIMATORS, REGRESSORS, check_serves, make_strategy
from skactive.cli.learners._table_features import make_table_features
from skactive.cli.sources._data_source import DataSource

__all__ = ["make_learner"]

_TEXT_C = 30.0  # rows of TF-IDF have unit length: with the default of 1, few labels have no effect


def make_learner(
    source: DataSource,
    folder: Path,
    model: str,
    strategy: str,
    classes: Sequence[str],
    multilabel: bool,
    numbers: bool = False,
) -> ActiveLearner:
    """Return a learner for rows of a source.

    Parameters
    ----------
    source : DataSource
        Rows of the pool.
    folder : Path
        Where the source was read from; for files, their folder.
    model : str
        "forest", "logistic" or "svm"; of numbers "forest" or "ridge".
    strategy : str
        Name of a query strategy; case does not matter.
    classes : sequence of str
        Classes of the start.
    multilabel : bool
        Whether a row may have several classes.
    numbers : bool, default=False
        Whether labels are numbers.

    Raises
    ------
    CommandError
        If the strategy is unknown, or the model cannot serve it.
    """
    if n_rows(source.rows) < 2:
        raise CommandError("only one row: nothing to choose from")
    steps, embedder = _make_features(source, folder)
    predictor = _make_predictor(model, source, len(classes), numbers)
    estimator = make_pipeline(*steps, OneVsRestClassifier(predictor) if multilabel else predictor)
    name = _complete_strategy_name(strategy, multilabel)
    query_strategy = make_strategy(name)
    if multilabel:
        _check_multilabel(name, query_strategy)
    else:
        fitted = _fit_two_rows(estimator, source.rows, numbers)
        check_serves(name, query_strategy, fitted, model, "--model", numbers=numbers)
    return ActiveLearner(estimator, query_strategy, embedder=embedder)


def _make_features(source: DataSource, folder: Path) -> tuple[list[Any], Any]:
    """Return the steps before the model, and an embedder or None."""
    if source.kind == "table" and set(source.kinds.values()) - {"number"}:
        return [make_table_features(source.rows, source.kinds)], None
    if source.kind == "table":
        return [SimpleImputer(keep_empty_features=True), StandardScaler()], None
    if source.kind == "text":
        features = PoolFeatures("text", source.rows, make_text_featurizer(source.rows))
        topics = make_topic_featurizer(source.rows, features.transform)
        return [features], topics and PoolFeatures("topics", source.rows, topics)
    make_featurizer = make_image_featurizer if source.kind == "images" else make_sound_featurizer
    features = PoolFeatures(source.kind, source.rows, make_featurizer(folder))
    return [features, StandardScaler()], None


def _make_predictor(name: str, source: DataSource, n_classes: int, numbers: bool) -> Any:
    models = REGRESSORS if numbers else ESTIMATORS
    if name not in models:
        raise CommandError(f"the store names the unknown model {name!r}: use another --store")
    if numbers:
        return REGRESSORS[name]()
    if name == "logistic" and source.kind == "text":
        return LogisticRegression(C=_TEXT_C, max_iter=1000)
    return ESTIMATORS[name](1, n_classes)  # none but mlp depends on the number of features


def _complete_strategy_name(name: str, multilabel: bool) -> str:
    """Return the name of a strategy with its upper-case letters."""
    if multilabel and name.lower() == "auto":
        return "MaxHerding"  # covers the pool, and needs no probabilities that sum to 1
    return next((known for known in strategies.__all__ if known.lower() == name.lower()), name)


def _check_multilabel(name: str, strategy: Any) -> None:
    if not strategy.needs <= {"embedding"}:
        raise CommandError(
            f"{name} cannot be used with --multilabel: it needs probabilities that sum to 1; "
            "choose a strategy that reads features only, such as MaxHerding, TypiClust or Random"
        )


def _fit_two_rows(estimator: Any, rows: Any, numbers: bool) -> Any:
    """Return a fitted clone, enough to see what the model provides."""
    y = np.array([0.0, 1.0]) if numbers else np.array(["a", "b"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Two rows are too few for many models
        return clone(estimator).fit(take_rows(rows, [0, 1]), y)
