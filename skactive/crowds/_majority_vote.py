"""Majority vote."""

from __future__ import annotations

from typing import Any, ClassVar

from skactive._utils.array_types import Floats
from skactive.crowds._base import Codes, Consensus, CrowdModel, fix_known
from skactive.crowds._votes import Votes

__all__ = ["MajorityVote"]


class MajorityVote(CrowdModel):
    """The label that most annotators gave.

    ``proba_`` are the shares of the votes.

    Examples
    --------
    >>> from skactive.crowds import Answers, MajorityVote
    >>> answers = Answers.from_matrix([["a", "a", "b"], ["b", "b", None], ["a", None, None]])
    >>> MajorityVote().fit(answers).labels_
    array(['a', 'b', 'a'], dtype='<U1')
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    def _estimate(self, votes: Votes, start: Floats, known: Codes) -> Consensus:
        return Consensus(fix_known(start, known))
