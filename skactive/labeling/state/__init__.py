"""The state of a labeling session, derived from the events of its store."""

__all__: list[str] = []
