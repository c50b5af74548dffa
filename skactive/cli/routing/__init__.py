"""``skactive route``: rows that a model labels, with a promise, and rows that people see."""

__all__: list[str] = []
