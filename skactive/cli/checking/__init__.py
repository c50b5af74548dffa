"""Checks of a labeled table: labels that are likely wrong, and what else is wrong with its rows."""

__all__: list[str] = []
