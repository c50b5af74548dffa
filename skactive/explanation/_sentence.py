"""The sentence of an explanation: the largest parts of the score, in plain English."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

from skactive._utils.sanitizing import sanitize
from skactive._utils.values import format_value

if TYPE_CHECKING:
    from skactive.explanation._explanation import Explanation

__all__ = ["write_percent", "write_sentence", "write_value"]

# A part is a reason if it is higher than that of half of the pool; "nothing labeled is near" takes
# more. A model hesitates if its second class is at least half as probable as its first.
_REASON_RANK, _FAR_RANK, _HESITATION = 0.5, 0.75, 0.5
_MAX_REASONS, _MAX_LENGTH = 2, 40
_MAP_LENGTH = 100  # numbers of a label that is no longer written


def write_sentence(explanation: Explanation) -> str:
    """Write why a row was asked for: its reasons, and what the model predicts."""
    reasons = _list_reasons(explanation)
    sentences = [_write_reasons(explanation, reasons)]
    if "uncertainty" not in reasons or not _hesitates(explanation):
        sentences.append(_write_prediction(explanation))
    if not reasons:
        sentences.append(_write_place(explanation))
    if explanation.elements:
        ranked = sorted(explanation.elements.items(), key=lambda item: -item[1])[:3]
        names = ", ".join(f"{write_value(name)} ({value:.2g})" for name, value in ranked)
        sentences.append(f"Its highest elements: {names}.")
    return sanitize(" ".join(filter(None, sentences)))


def write_value(value: Any) -> str:
    """Write a label or a number, shortened, and without anything that a terminal would obey."""
    if isinstance(value, Real) and not isinstance(value, bool | int):
        return f"{float(value):.4g}"
    if isinstance(value, list | tuple) and any(isinstance(item, float) for item in value):
        value = [_round(item) for item in value]
    text = sanitize(format_value(value)) or '""'
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"


def _round(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) and math.isfinite(value) else value


def write_percent(share: float) -> str:
    """Write a share of the pool, rounded down, so that no row is claimed too many."""
    return f"{math.floor(100 * share + 1e-9)} %"


def _list_reasons(explanation: Explanation) -> list[str]:
    """List the names of the parts that are high in the pool, the highest first."""
    ranks = explanation.ranks
    names = [name for name in ranks if name != "score"] or list(ranks)
    high = [name for name in names if ranks[name] >= _REASON_RANK]
    return sorted(high, key=lambda name: -ranks[name])[:_MAX_REASONS]


def _write_reasons(explanation: Explanation, reasons: list[str]) -> str:
    if reasons:
        clauses = dict.fromkeys(_write_reason(explanation, name) for name in reasons)
        start = "Asked since" if explanation.is_scored else "It stands out in that"
        return f"{start} {', and '.join(clauses)}."
    if not explanation.ranks:
        return f"{sanitize(explanation.strategy)} chooses without a score for each row."
    name, rank = max(explanation.ranks.items(), key=lambda item: item[1])
    share = f"only {write_percent(rank)}" if rank >= 0.01 else "less than 1 %"
    return f"By itself, nothing stands out: {share} of the pool has a lower {name}."


def _write_reason(explanation: Explanation, name: str) -> str:
    share = write_percent(explanation.ranks[name])
    if name == "uncertainty" and _hesitates(explanation):
        first, second = list(explanation.probabilities.items())[:2]
        return f"the model hesitates between {_write_class(*first)} and {_write_class(*second)}"
    if explanation.nearest and (
        name == "distance"
        or (name == "added coverage" and (explanation.distance_rank or 0.0) >= _FAR_RANK)
    ):
        return _write_distance(explanation)
    if name == "added coverage":
        return f"its label would cover more of the pool than those of {share} of the rows"
    if name == "density":
        return f"it is more like the rest of the pool than {share} of the rows"
    return f"its {name} is higher than that of {share} of the pool"


def _hesitates(explanation: Explanation) -> bool:
    values = list(explanation.probabilities.values())
    return len(values) > 1 and values[1] >= _HESITATION * values[0]


def _write_class(label: Any, probability: float) -> str:
    return f"{write_value(label)} ({probability:.2f})"


def _write_distance(explanation: Explanation) -> str:
    """Write how far the nearest labeled row is; the explanation has one."""
    rank, label = explanation.distance_rank or 0.0, explanation.nearest[0].label
    far = "nothing labeled is near: " if rank >= _FAR_RANK else ""
    named = "" if _is_map(label) else f" (label {write_value(label)})"
    return (
        f"{far}the nearest labeled row{named} is farther away than for "
        f"{write_percent(rank)} of the pool"
    )


def _is_map(label: Any) -> bool:
    """Return whether a label is a map or a signal, whose first numbers say nothing to a reader."""
    shape: tuple[int, ...] = getattr(label, "shape", ())
    return len(shape) > 1 or (len(shape) == 1 and shape[0] >= _MAP_LENGTH)


def _write_prediction(explanation: Explanation) -> str:
    if explanation.prediction is None:
        is_cold = not explanation.has_model and explanation.nearest
        return "There is no model yet." if is_cold else ""
    if explanation.probabilities:
        label, probability = next(iter(explanation.probabilities.items()))
        return f"The most probable class is {_write_class(label, probability)}."
    spread = "" if explanation.spread is None else f", with a spread of {explanation.spread:.2g}"
    return f"The model predicts {write_value(explanation.prediction)}{spread}."


def _write_place(explanation: Explanation) -> str:
    """Write where the row lies: far from its batch, or from a labeled row, or like the pool."""
    if (explanation.batch_rank or 0.0) >= _REASON_RANK:
        share, others = write_percent(explanation.batch_rank or 0.0), "the rows before it"
        others += " and all labeled ones" if explanation.nearest else ""
        return f"It is farther from {others} than {share} of the pool."
    if explanation.nearest:
        text = _write_distance(explanation)
        return f"{text[0].upper()}{text[1:]}."
    if explanation.density_rank is None:
        return ""
    share = write_percent(explanation.density_rank)
    return f"It is more like the rest of the pool than {share} of the rows."
