"""Adapter for XGBoost's classifiers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost import XGBClassifier

from skactive.adapters._base import ModelAdapter, register

__all__: list[str] = []


@register(XGBClassifier)
class XGBoostAdapter(ModelAdapter):
    """A boosted classifier that takes the labels 0 .. n_classes - 1 only, without gaps."""

    codes_only = True

    @property
    def label_classes(self) -> list[NDArray[Any]] | None:
        if not self.model.__sklearn_is_fitted__():
            return None
        learner = json.loads(self.model.get_booster().save_config())["learner"]
        n_labels = int(learner["learner_model_param"]["num_target"])
        return [np.arange(2)] * n_labels if n_labels > 1 else None
