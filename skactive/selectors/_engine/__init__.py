"""Numerical engines of the selectors: distances, coverage, information, clusters."""

__all__: list[str] = []
