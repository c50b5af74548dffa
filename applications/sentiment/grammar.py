"""Film reviews that a small grammar writes: a miniature whose texts may be used by anybody.

An opinion is said plainly, denied ("hardly a masterpiece"), or comes after its opposite ("the plot
is thin, but ..."). So the same words are praise in one review and blame in another.
"""

from __future__ import annotations

import numpy as np


def list_phrases(text: str) -> list[str]:
    """Return the phrases of a text, in which / separates them."""
    return " ".join(text.split()).split(" / ")


LABELS = ("negative", "positive")
SUBJECTS = list_phrases(
    """
    the plot / the acting / the film / the dialog / the ending / the camera / the score /
    the cast / the story / the first half / the remake / the humor / the lead / the script /
    the pace
    """
)
# The n-th is n times rarer than the first.
ADJECTIVES = {
    "positive": list_phrases(
        """
        good / funny / great / moving / clever / beautiful / charming / fresh / gripping / warm
        / witty / subtle / inspired / tender / daring / luminous / sly / exhilarating
        """
    ),
    "negative": list_phrases(
        """
        bad / boring / dull / silly / slow / flat / empty / thin / clumsy / stale / tedious /
        shallow / muddled / bland / lifeless / smug / overwrought / interminable
        """
    ),
}
NOUNS = {
    "positive": list_phrases(
        """
        a masterpiece / a delight / a triumph / a gem / a joy / a revelation
        """
    ),
    "negative": list_phrases(
        """
        a disaster / a bore / a mess / a failure / a chore / a disgrace
        """
    ),
}
ENDS = {
    "positive": list_phrases(
        """
        I want to see it again / do not miss it / I left the cinema smiling / worth every minute
        / my whole family loved it / tears in my eyes, twice
        """
    ),
    "negative": list_phrases(
        """
        I want my money back / give it a miss / I left before the end / two hours that nobody
        gives back / my whole family slept / I looked at my watch, twice
        """
    ),
}
DEGREES = ("", "", "", "very ", "really ", "quite ", "truly ", "so ")
DENIALS = list_phrases(
    """
    is not {} / is hardly {} / is anything but {} / is never {} / is far from {} / is not at
    all {}
    """
)
ASIDES = list_phrases(
    """
    I saw it on a train / it runs for two hours / it is based on a novel / it was shot in
    Portugal / the theater was half full / it is her third film / we watched it with friends
    / it opens in March / there is a long chase in it / it is set in the seventies / the
    budget was small / it is in two parts
    """
)
ASIDE = 0.6  # share of reviews with a remark that says nothing
WRONG = 0.03  # share of reviews whose label is wrong, as people's are


def write_reviews(n_texts: int, random_state: int) -> tuple[list[str], list[str]]:
    """Write reviews.

    Parameters
    ----------
    n_texts : int
        Number of reviews.
    random_state : int
        Seed.

    Returns
    -------
    texts, labels : lists of str
        The reviews, and "negative" or "positive" for each.
    """
    rng = np.random.default_rng(random_state)
    moods = [str(mood) for mood in rng.choice(LABELS, n_texts)]
    texts = [write_review(mood, rng) for mood in moods]
    return texts, [oppose(mood) if rng.random() < WRONG else mood for mood in moods]


def write_review(mood: str, rng: np.random.Generator) -> str:
    """Write an opinion or two, and often a remark that says nothing."""
    parts = [write_opinion(mood, rng) for _ in range(rng.integers(1, 3))]
    if rng.random() < ASIDE:
        parts.append(str(rng.choice(ASIDES)))
    return " . ".join(parts[i] for i in rng.permutation(len(parts))) + " ."


def write_opinion(mood: str, rng: np.random.Generator) -> str:
    """Write an opinion in one of five forms."""
    form = rng.choice(["plain", "denied", "noun", "turn", "end"], p=[0.6, 0.1, 0.1, 0.1, 0.1])
    if form == "turn":
        return f"{write_clause(oppose(mood), rng)} , but {write_clause(mood, rng)}"
    if form == "end":
        return str(rng.choice(ENDS[mood]))
    if form == "plain":
        return write_clause(mood, rng)
    what = write_adjective(oppose(mood), rng)
    if form == "noun":
        what = str(rng.choice(NOUNS[oppose(mood)]))
    return f"{rng.choice(SUBJECTS)} {str(rng.choice(DENIALS)).format(what)}"


def write_clause(mood: str, rng: np.random.Generator) -> str:
    """Write that something is good, or bad."""
    what = f"{rng.choice(DEGREES)}{write_adjective(mood, rng)}"
    if rng.random() < 0.4:
        what += f" and {write_adjective(mood, rng)}"
    elif rng.random() < 0.2:
        what = str(rng.choice(NOUNS[mood]))
    return f"{rng.choice(SUBJECTS)} is {what}"


def write_adjective(mood: str, rng: np.random.Generator) -> str:
    """Choose an adjective; the n-th is n times rarer than the first."""
    weights = 1 / np.arange(1, len(ADJECTIVES[mood]) + 1)
    return str(rng.choice(ADJECTIVES[mood], p=weights / weights.sum()))


def oppose(mood: str) -> str:
    """Return the other label."""
    return LABELS[mood == LABELS[0]]
