"""Label rows in the terminal: keys, screen, and the loop between them."""

__all__: list[str] = []
