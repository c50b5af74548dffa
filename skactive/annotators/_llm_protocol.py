"""The two protocols of language models on servers: chats, and texts that are to be completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skactive._utils.fingerprint import digest

__all__ = ["find_endpoint", "list_prompts", "make_key", "read_choice"]

_PATHS = {"chat": "chat/completions", "completions": "completions"}
_FIELDS = frozenset(
    """
    choices message content refusal finish_reason logprobs token logprob top_logprobs
    usage prompt_tokens completion_tokens
    """.split()  # noqa: SIM905 (words read better as words)
)


def find_endpoint(base_url: str, endpoint: str) -> str:
    """Return the address of requests, of the endpoint "chat" or "completions"."""
    return f"{base_url.rstrip('/')}/{_PATHS[endpoint]}"


def make_key(base_url: str, body: dict[str, Any]) -> str:
    """Return the digest of a request: its address and all that is sent but the server's key."""
    endpoint = "chat" if "messages" in body else "completions"
    return digest([find_endpoint(base_url, endpoint), body])


def list_prompts(body: Mapping[str, Any]) -> list[str]:
    """Return the texts of a request: those of its messages, or the one to be completed."""
    if "messages" in body:
        return [message["content"] for message in body["messages"]]
    return [body["prompt"]]


def read_choice(reply: Any) -> dict[str, Any]:
    """Return a reply of either protocol in the form of chats, without what nobody reads.

    Raises
    ------
    LookupError, TypeError
        If it is no reply.
    """
    choice = reply["choices"][0]
    if not isinstance(choice, dict):
        raise TypeError("the choice is no object")
    if "message" not in choice:
        logprobs = _list_by_token(choice.get("logprobs"))
        choice = {**choice, "message": {"content": choice["text"]}, "logprobs": logprobs}
    if not isinstance(choice["message"], dict):
        raise TypeError("the message is no object")
    return dict(_trim({"choices": [choice], "usage": reply.get("usage")}))


def _list_by_token(logprobs: Any) -> Any:
    """Return log-probabilities token by token; the older form has a list of each kind."""
    if not isinstance(logprobs, Mapping) or "content" in logprobs:
        return logprobs
    kinds = [logprobs.get(name) for name in ("tokens", "token_logprobs", "top_logprobs")]
    if not all(isinstance(kind, list) for kind in kinds):
        return None
    content = []
    for token, value, others in zip(*kinds, strict=False):
        listed = others if isinstance(others, Mapping) else {}
        top = [{"token": other, "logprob": log} for other, log in listed.items()]
        content.append({"token": token, "logprob": value, "top_logprobs": top})
    return {"content": content}


def _trim(value: Any) -> Any:
    """Return a part of a reply without what is not read, which is most of it."""
    if isinstance(value, list):
        return [_trim(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _trim(item) for name, item in value.items() if name in _FIELDS}
