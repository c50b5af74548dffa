"""Which tokens of a row are elements, by the entries of the row that say so."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TOKEN_MASKS", "list_masks", "list_words"]

TOKEN_MASKS = frozenset({"attention_mask", "lengths", "special_tokens_mask", "word_ids"})


def list_masks(parts: dict[str, NDArray[Any]], n_tokens: int) -> list[NDArray[np.bool_]]:
    """List masks, each (n, n_tokens), from the entries of rows that say which tokens count."""
    masks = []
    if "attention_mask" in parts:
        masks.append(parts["attention_mask"] != 0)
    if "special_tokens_mask" in parts:
        masks.append(parts["special_tokens_mask"] == 0)
    if (words := parts.get("word_ids")) is not None:
        is_first = np.diff(words, axis=1, prepend=-1) != 0
        masks.append((words >= 0) & is_first)
    if "lengths" in parts:
        masks.append(np.arange(n_tokens) < parts["lengths"].reshape(-1, 1))
    return masks


def list_words(encoding: Any) -> NDArray[np.intp]:
    """Return the number of each piece's word, (n, n_tokens), -1 outside words."""
    numbers = (encoding.word_ids(row) for row in range(len(encoding["input_ids"])))
    return np.array([[-1 if word is None else word for word in row] for row in numbers])
