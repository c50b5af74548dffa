"""Private helpers that every other package may use."""

__all__: list[str] = []
