"""Adapter for XGBoost's classifiers."""

from __future__ import annotations

from xgboost import XGBClassifier

from skactive.adapters._base import ModelAdapter, register

__all__: list[str] = []


@register(XGBClassifier)
class XGBoostAdapter(ModelAdapter):
    """A boosted classifier that takes the labels 0 .. n_classes - 1 only, without gaps."""

    codes_only = True
