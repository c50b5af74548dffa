"""The requests of a language model about rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from skactive._utils.row_texts import list_texts
from skactive._utils.seeding import derived_seed
from skactive.annotators._llm_examples import Examples
from skactive.annotators._llm_prices import get_max_tokens
from skactive.annotators._llm_prompts import (
    ClassNames,
    write_completion,
    write_messages,
)

__all__ = ["RequestForm"]

_TOP = 20  # log-probabilities per token; the most that servers of all makers give
_MARKUP_TOKENS = 8  # around a label in a chat
_VOTE_TEMPERATURE = 1.0


class RequestForm(NamedTuple):
    """All that is equal in the requests of an annotator.

    Attributes
    ----------
    model : str
        Name of the model.
    endpoint : str
        "chat" or "completions".
    names : ClassNames
        The labels.
    instructions, prompt : str or None
        The words around a text.
    has_logprobs : bool
        Whether log-probabilities are asked for.
    n_votes : int
        Number of requests about a row.
    parameters : mapping or None
        More fields.
    seed : int
        Seed of the votes.
    """

    model: str
    endpoint: str
    names: ClassNames
    instructions: str | None
    prompt: str | None
    has_logprobs: bool
    n_votes: int
    parameters: Mapping[str, Any] | None
    seed: int

    def list_fields(self) -> dict[str, Any]:
        """Return the fields of a request but for its text and its seed."""
        longest = max(len(name.encode()) for name in self.names.names)
        is_chat = self.endpoint == "chat"
        fields: dict[str, Any] = {
            "model": self.model,
            "temperature": _VOTE_TEMPERATURE if self.n_votes > 1 else 0.0,
            "max_tokens": longest + (_MARKUP_TOKENS if is_chat else 1),
        }
        if not is_chat:
            fields["stop"] = ["\n"]
        if self.has_logprobs:
            fields |= {"logprobs": True, "top_logprobs": _TOP} if is_chat else {"logprobs": _TOP}
        fields |= dict(self.parameters or {})
        return {name: value for name, value in fields.items() if value is not None}

    def write_all(self, X: Any, examples: Examples) -> Iterator[dict[str, Any]]:
        """Write the requests about rows, those of a row one after the other."""
        fields = self.list_fields()
        words = {"instructions": self.instructions, "prompt": self.prompt}
        for text, shown in zip(list_texts(X), examples.list_for(X), strict=True):
            asked: dict[str, Any]
            if self.endpoint == "chat":
                asked = {"messages": write_messages(text, self.names, shown, **words)}
            else:
                asked = {"prompt": write_completion(text, self.names, shown, **words)}
            for vote in range(self.n_votes):
                own = {"seed": derived_seed(self.seed, vote) % 2**31} if self.n_votes > 1 else {}
                yield {**fields, **asked, **own}

    def check(self, *, has_budget: bool, is_output_priced: bool) -> None:
        """Check the parameters of the requests.

        Raises
        ------
        ValueError
            If they replace what the annotator sets, or allow replies without end in spite of a
            budget.
        """
        taken = sorted({"messages", "prompt", "model", "n", "stream"} & set(self.parameters or ()))
        if taken:
            raise ValueError(f"parameters has {taken}, which the annotator sets by itself.")
        if has_budget and is_output_priced and get_max_tokens(self.list_fields()) == float("inf"):
            raise ValueError(
                "A budget needs replies of a limited length: leave max_tokens or "
                "max_completion_tokens in parameters."
            )
