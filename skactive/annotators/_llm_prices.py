"""Prices of requests to a language model, before and after, and the account that pays them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from threading import Lock
from typing import Any, NamedTuple

from skactive.annotators._llm_protocol import list_prompts

__all__ = ["Account", "Tariff", "bound_prompt_tokens", "estimate_prompt_tokens", "get_max_tokens"]

_CHARACTERS_PER_TOKEN = 4  # of English text, on average
_TOKENS_PER_MESSAGE = 8  # role and separators; an estimate
_MOST_TOKENS_PER_MESSAGE = 16
_MOST_TOKENS_PER_PROMPT = 64  # what a server's template may add
_TIE = 1e-9  # of rounding, as a share


class Tariff(NamedTuple):
    """Prices of a million tokens, of prompts and of replies."""

    price_in: float
    price_out: float

    def price(self, n_in: float, n_out: float) -> float:
        """Return the price of one request with so many tokens."""
        return (n_in * self.price_in + n_out * self.price_out) / 1e6

    def estimate(self, body: Mapping[str, Any], n_out: float) -> float:
        """Estimate the price of a request whose reply has `n_out` tokens."""
        return self.price(estimate_prompt_tokens(body), n_out)

    def bound(self, body: Mapping[str, Any]) -> float:
        """Return the largest price that a request can have; inf if its reply is not bounded."""
        n_out = get_max_tokens(body) if self.price_out else 0.0
        return self.price(bound_prompt_tokens(body), n_out)

    def charge(self, usage: Any, body: Mapping[str, Any]) -> float:
        """Return the price of a request by the tokens that the server counted.

        A server that counts none is taken to have used as many as it could.
        """
        if not isinstance(usage, Mapping):
            return self.bound(body)
        n_in, n_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if not isinstance(n_in, int) or not isinstance(n_out, int) or min(n_in, n_out) < 0:
            return self.bound(body)
        return self.price(n_in, n_out)


def estimate_prompt_tokens(body: Mapping[str, Any]) -> float:
    """Estimate the tokens of a prompt: a quarter of its characters, and eight per message."""
    texts = list_prompts(body)
    n_characters = sum(map(len, texts))
    return math.ceil(n_characters / _CHARACTERS_PER_TOKEN) + _TOKENS_PER_MESSAGE * len(texts)


def bound_prompt_tokens(body: Mapping[str, Any]) -> float:
    """Return the most tokens that a prompt can have: no token is shorter than a byte."""
    texts = list_prompts(body)
    n_bytes = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return n_bytes + _MOST_TOKENS_PER_MESSAGE * len(texts) + _MOST_TOKENS_PER_PROMPT


def get_max_tokens(body: Mapping[str, Any]) -> float:
    """Return the most tokens that a reply can have; inf if the request does not say."""
    limits = [body.get(name) for name in ("max_tokens", "max_completion_tokens")]
    return min((float(limit) for limit in limits if limit is not None), default=math.inf)


class Account:
    """Money that is spent, and money that is put aside for requests that are on their way.

    A request is sent only if its largest price fits in, so that the budget holds whatever the
    server does. If a request turns out to be dearer than its largest price (a server's template may
    be long), those of later requests grow by the same factor.

    Parameters
    ----------
    budget : float or None
        The most that may be spent.
    spent : float
        What has been spent before.
    """

    def __init__(self, budget: float | None, spent: float) -> None:
        self.budget = math.inf if budget is None else float(budget)
        self.spent = spent
        self._reserved, self._factor = 0.0, 1.0
        self._lock = Lock()

    def reserve(self, price: float) -> float | None:
        """Put money aside for a request, and return how much; None if there is too little."""
        if math.isinf(self.budget):
            return price if math.isfinite(price) else 0.0
        with self._lock:
            amount = price * self._factor
            if self.spent + self._reserved + amount > self.budget * (1 + _TIE):
                return None
            self._reserved += amount
            return amount

    def settle(self, price: float, amount: float, cost: float) -> None:
        """Pay for a request of a largest price, and release what was put aside for it."""
        with self._lock:
            self.spent += cost
            if math.isfinite(self.budget):
                self._reserved = max(0.0, self._reserved - amount)
                if price > 0:
                    self._factor = max(self._factor, cost / price)
