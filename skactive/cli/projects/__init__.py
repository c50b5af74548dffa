"""Labeling projects: their data, their settings, and what their stores record."""

__all__: list[str] = []
