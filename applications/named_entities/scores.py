"""The measure of named entities: spans that are found exactly, with their type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

Span = tuple[str, int, int]  # type, first word, word after the last


def list_spans(tags: Sequence[str]) -> list[Span]:
    """List the entities of a sentence, as the scorers of CoNLL and seqeval do.

    Tags are "O", or a prefix and a type: BIO, BIOES or IOB1. A span may begin with I, and goes on
    with I and E of its type.
    """
    spans: list[Span] = []
    start = 0
    parts = [_split_tag(tag) for tag in ("O", *tags, "O")]
    for place, ((last, kind), (prefix, next_kind)) in enumerate(pairwise(parts)):
        if kind == next_kind and prefix in ("I", "E") and last in ("B", "I"):
            continue
        if last != "O":
            spans.append((kind, start, place))
        start = place
    return spans


def _split_tag(tag: str) -> tuple[str, str]:
    prefix, _, kind = tag.partition("-")
    if prefix not in ("B", "I", "E", "S", "O"):
        raise ValueError(f"tags must be 'O', or B-, I-, E- or S- before a type, got {tag!r}.")
    return prefix, kind


def entity_f1(model: Any, X: Sequence[str], y: Iterable[Sequence[str]]) -> float:
    """Return the F1 of the entities that a model finds: exact spans and types, of all sentences."""
    return count_f1(y, model.predict(X))


def count_f1(y: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> float:
    """Return the F1 of predicted entities; 0 if there are none in both."""
    n_right = n_known = n_found = 0
    for known, found in zip(y, predicted, strict=True):
        known_spans, found_spans = set(list_spans(known)), set(list_spans(found))
        n_right += len(known_spans & found_spans)
        n_known += len(known_spans)
        n_found += len(found_spans)
    return 2.0 * n_right / max(1, n_known + n_found)
