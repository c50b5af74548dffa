"""The labeling page: how rows are shown, how messages are answered, its script and style."""

from skactive.labeling.page._assets import asset
from skactive.labeling.page._backend import PageBackend
from skactive.labeling.page._rendering import Renderer

__all__ = ["PageBackend", "Renderer", "asset"]
