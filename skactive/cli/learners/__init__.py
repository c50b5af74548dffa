"""Models of the commands, and the features that they learn from."""

__all__: list[str] = []
