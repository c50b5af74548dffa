"""Explanations: why a row was asked for."""

from skactive.explanation._explanation import Explanation, LabeledNeighbor

__all__ = ["Explanation", "LabeledNeighbor"]
