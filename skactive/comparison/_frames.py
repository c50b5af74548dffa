"""Tables in pandas, which is an optional dependency."""

from __future__ import annotations

from typing import Any

__all__ = ["import_pandas", "make_pair_frame"]


def make_pair_frame(pairs: list[tuple[str, str]], **columns: Any) -> Any:
    """Return a table whose rows are pairs of strategies."""
    pandas = import_pandas()
    index = pandas.MultiIndex.from_tuples(pairs, names=["first", "second"])
    return pandas.DataFrame(columns, index=index)


def import_pandas() -> Any:
    """Return pandas, or raise an error that names the extra to install."""
    try:
        import pandas  # late: an extra
    except ImportError as error:
        raise ImportError(
            'Tables of a comparison need pandas: pip install "skactive[data]".'
        ) from error
    return pandas
