"""Rows to label, from tables and folders."""

__all__: list[str] = []
