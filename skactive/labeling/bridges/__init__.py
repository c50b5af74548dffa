"""Labelling in other programs: a session's rows go there, their labels come back."""

__all__: list[str] = []
