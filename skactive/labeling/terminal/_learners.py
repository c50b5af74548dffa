"""Learners for what people name on the command line: texts, tables, images, sounds."""

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
from skactive._choices import ESTIMATORS, check_serves, make_strategy
from skactive._learner import ActiveLearner
from skactive._rows import n_rows, take_rows
from skactive._tables import CommandError
from skactive.labeling.terminal._features import (
    PoolFeatures,
    image_features,
    sound_features,
    text_features,
    topic_features,
)
from skactive.labeling.terminal._sources import Source

__all__ = ["make_learner"]

_TEXT_C = 30.0  # TF-IDF has unit length: with the usual 1, few labels teach next to nothing


def make_learner(
    source: Source, folder: Path, model: str, strategy: str, classes: Sequence[str], several: bool
) -> ActiveLearner:
    """Return a learner for rows of a source.

    Parameters
    ----------
    source : Source
        The pool.
    folder : Path
        Where it is; of a folder, the files.
    model : str
        "forest", "logistic" or "svm".
    strategy : str
        The name of a strategy, in any case of letters.
    classes : sequence of str
        The classes there are at the beginning.
    several : bool
        Whether a row may have several classes.

    Raises
    ------
    CommandError
        If there is no such strategy, or the model cannot serve it.
    """
    if n_rows(source.rows) < 2:
        raise CommandError("there is only one row: nothing is to be chosen")
    steps, embedder = _features(source, folder)
    last = _model(model, source, len(classes))
    estimator = make_pipeline(*steps, OneVsRestClassifier(last) if several else last)
    name = _strategy_name(strategy, several)
    chosen = make_strategy(name)
    if several:
        _check_for_several(name, chosen)
    else:
        _check_serves(name, chosen, estimator, source.rows)
    return ActiveLearner(estimator, chosen, embedder=embedder)


def _features(source: Source, folder: Path) -> tuple[list[Any], Any]:
    """Return the steps before the model, and an embedder where they are not enough."""
    if source.kind == "table":
        return [SimpleImputer(keep_empty_features=True), StandardScaler()], None
    if source.kind == "text":
        features = PoolFeatures("text", source.rows, text_features(source.rows))
        topics = topic_features(source.rows, features.transform)
        return [features], topics and PoolFeatures("topics", source.rows, topics)
    make = image_features if source.kind == "images" else sound_features
    return [PoolFeatures(source.kind, source.rows, make(folder)), StandardScaler()], None


def _model(name: str, source: Source, n_classes: int) -> Any:
    if name == "logistic" and source.kind == "text":
        return LogisticRegression(C=_TEXT_C, max_iter=1000)
    return ESTIMATORS[name](1, n_classes)  # none of them must know how many features there are


def _strategy_name(name: str, several: bool) -> str:
    """Return the name of a strategy as it is written."""
    if several and name.lower() == "auto":
        return "MaxHerding"  # covers the pool: it reads no probabilities that sum to 1
    return next((each for each in strategies.__all__ if each.lower() == name.lower()), name)


def _check_for_several(name: str, strategy: Any) -> None:
    if not strategy.needs <= {"embedding"}:
        raise CommandError(
            f"{name} does not go with --multilabel: it reads probabilities that sum to 1; use one "
            "that reads features alone, such as MaxHerding, TypiClust or Random"
        )


def _check_serves(name: str, strategy: Any, estimator: Any, rows: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two rows nothing can be learnt
        fitted = clone(estimator).fit(take_rows(rows, [0, 1]), np.array(["a", "b"]))
    check_serves(name, strategy, fitted)
