"""From texts to words and their numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from net import N_SPECIAL, UNKNOWN


def split_words(text: str) -> list[str]:
    """Split a text into words and signs, in lower case."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


def count_words(texts: Iterable[Sequence[str]]) -> dict[str, int]:
    """Return the numbers of all words, the most frequent first."""
    counts = Counter(word for words in texts for word in words)
    by_count = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: N_SPECIAL + i for i, word in enumerate(by_count)}


def encode(words: Iterable[str], numbers: dict[str, int]) -> list[int]:
    """Return the numbers of words."""
    return [numbers.get(word, UNKNOWN) for word in words]
