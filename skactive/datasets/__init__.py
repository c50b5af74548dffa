"""Labeled data in the formats that people have, and the small sets that come with the package."""

from skactive.datasets._bundled import find_bundled
from skactive.datasets._pairs import TextPairs, read_pairs
from skactive.datasets._sentences import TaggedSentences, read_conll, read_tagged_json

__all__ = [
    "TaggedSentences",
    "TextPairs",
    "find_bundled",
    "read_conll",
    "read_pairs",
    "read_tagged_json",
]
