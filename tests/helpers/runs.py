"""Laws of chance, tested with few draws in `make test` and with many in `make test-long`."""

import pytest


def parametrize_runs(name: str, short: int, long: int) -> pytest.MarkDecorator:
    """Parametrize a test by its number of draws, seeds or campaigns."""
    return pytest.mark.parametrize(name, [short, pytest.param(long, marks=pytest.mark.long)])
