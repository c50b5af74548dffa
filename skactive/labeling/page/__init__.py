"""The labeling page: what it shows, what it asks a session, and its files."""

from skactive.labeling.page._assets import asset
from skactive.labeling.page._backend import PageBackend
from skactive.labeling.page._rendering import Renderer

__all__ = ["PageBackend", "Renderer", "asset"]
