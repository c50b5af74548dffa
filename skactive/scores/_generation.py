"""Scores of rows by how far texts that were generated for them disagree."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, permutations
from typing import Any, TypeAlias

import numpy as np

from skactive._utils.array_types import Positions
from skactive._utils.element_kinds import check_cuts, check_texts, match_elements
from skactive._utils.public_input import check_input
from skactive.scores._arithmetic import Scores

__all__ = ["Measure", "find_measure", "sample_disagreement", "word_error_rate"]

Measure: TypeAlias = Callable[[str, str], float]


def word_error_rate(reference: str, hypothesis: str) -> float:
    r"""Return the edits that turn a text into another, per word of the other.

    Parameters
    ----------
    reference, hypothesis : str
        Texts; words are apart by white space.

    Returns
    -------
    float
        0 for the same words; it may be above 1. A text without words counts as one word.

    Notes
    -----
    .. math:: \mathrm{WER} = (S + D + I) / N

    with the fewest substitutions, deletions and insertions, and N words in the reference.

    References
    ----------
    Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", Soviet
    Physics Doklady 10, 1966.

    Examples
    --------
    >>> word_error_rate("the cat sat down", "a cat sat")
    0.5
    """
    words, other = reference.split(), np.array(hypothesis.split(), dtype=object)
    return float(_count_edits(words, other)) / max(len(words), 1)


@check_input(texts=check_texts, offsets=check_cuts, measure=lambda _, value: value)
def sample_disagreement(
    texts: Any, offsets: Positions, measure: str | Measure = "word_error_rate"
) -> Scores:
    r"""Return how far the texts of each row differ from each other.

    Parameters
    ----------
    texts : sequence of str, n_texts of them
        Texts that were drawn for all rows, row after row: translations, summaries, transcripts.
    offsets : ndarray of shape (n_rows + 1,)
        Row i has the texts ``offsets[i]:offsets[i + 1]``.
    measure : {"word_error_rate", "bleu"} or callable, default="word_error_rate"
        ``measure(reference, hypothesis)`` returns how far two texts differ, such as
        ``jiwer.cer``. "bleu" is :math:`(1 - \mathrm{BLEU})^2` by sacrebleu, which
        ``pip install "skactive[text]"`` installs.

    Returns
    -------
    ndarray of shape (n_rows,)
        At least 0; 0 for rows with one text, or none.

    Notes
    -----
    With S texts of a row and the measure d,

    .. math:: u = \frac{1}{S (S - 1)} \sum_{i \ne j} d(y_i, y_j)

    With "bleu" it is BLEUVar, divided by the number of pairs.

    References
    ----------
    Xiao, Gomez and Gal (2020), :doi:`10.48550/arXiv.2006.08344`, for BLEUVar.

    Examples
    --------
    >>> sample_disagreement(["good night", "good day", "bye", "bye"], [0, 2, 4])
    array([0.5, 0. ])
    """
    match_elements(offsets, texts=texts)
    scores, distance = np.zeros(len(offsets) - 1), find_measure(measure)
    for i, (first, last) in enumerate(pairwise(offsets.tolist())):
        distances = [distance(*pair) for pair in permutations(texts[first:last], 2)]
        scores[i] = np.mean(distances) if distances else 0.0
    return scores


def find_measure(measure: str | Measure) -> Measure:
    """Return a measure of how far two texts differ, by its name."""
    if callable(measure):
        return measure
    if measure == "word_error_rate":
        return word_error_rate
    if measure != "bleu":
        raise ValueError(
            f"measure must be 'word_error_rate', 'bleu' or a function of two texts, got "
            f"{measure!r}."
        )
    try:
        from sacrebleu import sentence_bleu
    except ImportError as error:
        raise ImportError(
            "measure='bleu' needs sacrebleu, which is not installed: "
            'pip install "skactive[text]", or use measure="word_error_rate".'
        ) from error
    return lambda reference, hypothesis: float(
        (1.0 - sentence_bleu(hypothesis, [reference]).score / 100.0) ** 2
    )


def _count_edits(words: list[str], other: Any) -> int:
    """Return the fewest insertions, deletions and substitutions of words."""
    places = np.arange(len(other) + 1)
    edits = places  # from the words so far to each beginning of the other text
    for n_words, word in enumerate(words, 1):
        replaced = edits[:-1] + (other != word)
        edits = np.append(n_words, np.minimum(edits[1:] + 1, replaced))
        edits = np.minimum.accumulate(edits - places) + places  # one more word inserted at a time
    return int(edits[-1])
