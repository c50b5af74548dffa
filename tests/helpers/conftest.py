"""Helpers that import packages which may be missing are not searched for doctests."""

collect_ignore = ["tiny_texts.py"]
