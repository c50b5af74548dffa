"""The labelling page: what it shows, what it asks a session, and its files."""

from skactive.labeling.page._assets import asset
from skactive.labeling.page._backend import Desk
from skactive.labeling.page._rendering import Renderer

__all__ = ["Desk", "Renderer", "asset"]
