"""Probabilities of labels, from log-probabilities of tokens or from votes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from skactive._utils.array_types import Floats
from skactive.annotators._llm_prompts import ClassNames

__all__ = [
    "LabelCalibration",
    "Reading",
    "count_votes",
    "find_proba",
    "fit_calibration",
    "read_reply",
    "subtract_mean",
]

_LEAST_LOG = -50.0  # servers write -9999 and the like
_LEAST_MASS = 0.05  # of all labels, for a reply that is none of them
_SD_BIAS, _SD_LOG_SLOPE = 1.0, 0.5  # of the normal priors of a calibration


class Reading(NamedTuple):
    """The part of a reply that is kept.

    Attributes
    ----------
    label : int
        Position of the class that it names; -1: it names none, and no more.
    has_logprobs : bool
        Whether there were log-probabilities.
    scores : ndarray of shape (n_classes,), or None
        Log-probabilities of the labels, up to a constant.
    """

    label: int
    has_logprobs: bool
    scores: Floats | None


def read_reply(content: Mapping[str, Any], names: ClassNames, *, must_name: bool = True) -> Reading:
    """Read the reply of a server, which may be anything.

    Parameters
    ----------
    content : mapping
        The reply; it has a message.
    names : ClassNames
        The labels.
    must_name : bool
        Whether a reply that names no label has no scores, as an instructed model does as it is
        told. If not, it has scores if its labels together have a probability of 5 %: a model that
        completes texts often prefers a label of its own making.
    """
    choice = content["choices"][0]
    message = choice["message"]
    refused = message.get("refusal") or choice.get("finish_reason") == "content_filter"
    label = -1 if refused else names.find(message.get("content"))
    tokens = _list_tokens(choice.get("logprobs"))
    least = 0.0 if label >= 0 else _LEAST_MASS
    ignored = not tokens or refused or (must_name and label < 0)
    scores = None if ignored else _score_labels(tokens, names, least)
    return Reading(label, bool(tokens), scores)


def _list_tokens(logprobs: Any) -> list[tuple[str, float, dict[str, float]]]:
    """Return the tokens of a reply, their log-probabilities, and those of all listed in place."""
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    tokens: list[tuple[str, float, dict[str, float]]] = []
    for entry in content if isinstance(content, list) else []:
        chosen = _read_token(entry)
        if chosen is None:
            return tokens
        others = entry.get("top_logprobs")
        found = map(_read_token, others if isinstance(others, list) else [])
        listed = dict(pair for pair in found if pair is not None)
        tokens.append((*chosen, {**listed, chosen[0]: chosen[1]}))
    return tokens


def _read_token(entry: Any) -> tuple[str, float] | None:
    if not isinstance(entry, Mapping):
        return None
    token, value = entry.get("token"), entry.get("logprob")
    if not isinstance(token, str) or not isinstance(value, int | float) or not value <= 0.01:
        return None  # NaN, too
    return token, max(float(value), _LEAST_LOG)


def _score_labels(
    tokens: Sequence[tuple[str, float, dict[str, float]]], names: ClassNames, least_mass: float
) -> Floats | None:
    """Return log-probabilities of labels, (n_classes,), up to a constant.

    The tokens of the reply are one path through all replies; at each, other tokens branch off. The
    probability of a branch goes to the one label that it can name, and is divided evenly among
    several. Labels that no branch names get the most that the listed tokens leave to them. There
    are none if the labels together have less than `least_mass`.
    """
    mass = np.zeros(len(names.names))
    least = np.full(len(names.names), np.nan)
    path, log_path = "", 0.0
    open_labels = list(range(len(mass)))  # which the path can still name
    for token, logprob, listed in tokens:
        least[open_labels] = log_path + _bound_unlisted(listed)
        for other, value in listed.items():
            if other != token and (path + other).strip():
                _add(mass, names.match(path + other), log_path + value)
        path, log_path = path + token, log_path + logprob
        complete, longer = names.match(path)
        open_labels = [*complete, *longer]
        if len(open_labels) < 2:
            break
    if open_labels:
        _add(mass, (complete, [] if complete else longer), log_path)
    if not mass.any() or mass.sum() < least_mass:
        return None
    with np.errstate(divide="ignore"):
        scores = np.where(mass > 0, np.log(mass), least)
    return np.asarray(np.maximum(scores, 2 * _LEAST_LOG))


def _bound_unlisted(listed: Mapping[str, float]) -> float:
    """Return a bound of the log-probability of a token that is not among the listed ones."""
    rest = 1.0 - sum(map(math.exp, listed.values()))
    return max(min(min(listed.values()), math.log(max(rest, 1e-300))), _LEAST_LOG)


def _add(mass: Floats, labels: tuple[list[int], list[int]], log_mass: float) -> None:
    either = [*labels[0], *labels[1]]
    if either and len(either) < len(mass):  # all of them: it says nothing
        mass[either] += math.exp(log_mass) / len(either)


def count_votes(labels: NDArray[np.intp], n_classes: int) -> Floats:
    """Return the shares of votes, (n_rows, n_classes); NaN where there are none.

    Parameters
    ----------
    labels : ndarray of shape (n_rows, n_votes)
        Positions of classes; -1, no class, counts for all of them in equal parts.
    n_classes : int
        Number of classes.
    """
    counts = (labels[:, :, np.newaxis] == np.arange(n_classes)).sum(axis=1, dtype=np.float64)
    n_void = (labels < 0).sum(axis=1, keepdims=True)
    shares = (counts + n_void / n_classes) / max(labels.shape[1], 1)
    return np.where(counts.any(axis=1, keepdims=True), shares, np.nan)


class LabelCalibration(NamedTuple):
    """Probabilities softmax(slope * scores + bias)."""

    slope: float
    bias: Floats

    def apply(self, scores: Floats) -> Floats:
        """Return probabilities, (n_rows, n_classes), of log-probabilities."""
        logs = log_softmax(scores, axis=1)
        return np.asarray(softmax(self.slope * logs + self.bias, axis=1))


def find_proba(scores: Floats, calibrate: str | None, fitted: LabelCalibration | None) -> Floats:
    """Return calibrated probabilities, (n_rows, n_classes); NaN where there are no scores.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Log-probabilities, up to a constant per row.
    calibrate : str or None
        "batch", if without a fitted calibration the mean of these rows is taken off; None: as the
        model says.
    fitted : LabelCalibration or None
        What was learned before.
    """
    proba = np.full_like(scores, np.nan)
    answered = ~np.isnan(scores[:, 0])
    if not answered.any():
        return proba
    calibration = LabelCalibration(1.0, np.zeros(scores.shape[1]))
    if calibrate is not None and fitted is not None:
        calibration = fitted
    elif calibrate == "batch":
        calibration = subtract_mean(scores[answered])
    proba[answered] = calibration.apply(scores[answered])
    return proba


def subtract_mean(scores: Floats) -> LabelCalibration:
    """Return the calibration that makes the mean log-probabilities of labels equal.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Log-probabilities, up to a constant per row.
    """
    return LabelCalibration(1.0, -log_softmax(scores, axis=1).mean(axis=0))


def fit_calibration(scores: Floats, labels: NDArray[np.intp]) -> LabelCalibration:
    """Return the calibration under which labels are most likely, with normal priors.

    The priors have their means at what :func:`subtract_mean` does, so that few labels correct that.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Log-probabilities, up to a constant per row.
    labels : ndarray of shape (n_rows,)
        Positions of the true classes.
    """
    logs = log_softmax(scores, axis=1)
    means = logs.mean(axis=0)
    logs -= means
    rows, n_classes = np.arange(len(labels)), scores.shape[1]
    is_label = labels[:, np.newaxis] == np.arange(n_classes)

    def find_loss(parameters: Floats) -> tuple[float, Floats]:
        slope, bias = math.exp(parameters[0]), parameters[1:]
        proba_logs = log_softmax(slope * logs + bias, axis=1)
        excess = np.exp(proba_logs) - is_label  # derivative of the loss by the logits
        penalty = (parameters[0] / _SD_LOG_SLOPE) ** 2 / 2 + (bias**2).sum() / _SD_BIAS**2 / 2
        by_slope = slope * (excess * logs).sum() + parameters[0] / _SD_LOG_SLOPE**2
        by_bias = excess.sum(axis=0) + bias / _SD_BIAS**2
        return penalty - proba_logs[rows, labels].sum(), np.array([by_slope, *by_bias])

    found = minimize(find_loss, np.zeros(1 + n_classes), jac=True, method="L-BFGS-B")
    slope = math.exp(found.x[0])
    return LabelCalibration(slope, found.x[1:] - slope * means)
