"""The command line, ``skactive``."""

from skactive.cli._main import main

__all__ = ["main"]
