"""Open the store that a session is passed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from skactive.labeling.stores._protocol import LabelStore
from skactive.labeling.stores._sqlite import SQLiteLabelStore

__all__ = ["open_store"]


def open_store(store: Any) -> tuple[Any, Callable[[], None]]:
    """Return an open store, and a function that removes it if it is temporary."""
    if store is None:
        folder = TemporaryDirectory(prefix="skactive-")
        return SQLiteLabelStore(Path(folder.name) / "labels.db"), folder.cleanup
    if isinstance(store, str | Path):
        return SQLiteLabelStore(store), lambda: None
    if not isinstance(store, LabelStore):
        raise TypeError(
            f"store must be a path or a LabelStore (see skactive.labeling), got {store!r}."
        )
    return store, lambda: None
