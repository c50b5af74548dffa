"""Access: whom a link belongs to, and which messages they may send."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from hmac import compare_digest
from hmac import new as make_hmac
from typing import Any, NamedTuple

from skactive.labeling._names import check_name

__all__ = ["ROLES", "Access", "Visitor", "check_people", "find_refusal"]

# The messages of each role, which may also send those of the roles before it.
_MESSAGES = {
    "labels": (
        "next", "label", "relabel", "skip", "dont_know", "undo", "show", "full", "history",
        "suggest", "release", "state",
    ),
    "reviews": (),
    "administers": ("add_class", "rename_class"),
}  # fmt: skip
ROLES = tuple(_MESSAGES)
_ANSWERS = ("label", "relabel", "skip", "dont_know")
_LEAST_ROLE = {do: role for role, kinds in _MESSAGES.items() for do in kinds}


class Visitor(NamedTuple):
    """Whoever has opened a link.

    Parameters
    ----------
    name : str or None
        Whom the link belongs to; None for a link that several people share.
    role : {"labels", "reviews", "administers"}
        What they may do.
    """

    name: str | None
    role: str

    @property
    def reviews(self) -> bool:
        """Whether they see the answers of others, and may answer any row."""
        return self.role != ROLES[0]


class Access:
    """The tokens of the links, and what whoever has one may do.

    Parameters
    ----------
    secret : str
        Without `people` it is the token itself. Otherwise the token of each person is derived from
        it and the name, so that their links remain valid as long as the secret does.
    people : mapping of str to str, default=None
        The role of each person, by name; None for one link, which everybody shares.

    Attributes
    ----------
    secret : str
        As passed.
    roles, tokens : dict of str to str
        The role and the token of each person, by name.

    Raises
    ------
    ValueError
        If a name or a role is wrong.
    """

    def __init__(self, secret: str, people: Mapping[str, str] | None = None) -> None:
        self.secret = secret
        self.roles = {} if people is None else check_people(people)
        self.tokens = {name: _derive_token(secret, name) for name in self.roles}
        self._visitors = {
            self.tokens[name]: Visitor(name, role) for name, role in self.roles.items()
        }
        if people is None:
            self._visitors[secret] = Visitor(None, ROLES[-1])

    def identify(self, authorization: str) -> Visitor | None:
        """Return who sends a request, in a time that depends on no token.

        Parameters
        ----------
        authorization : str
            The value of the Authorization header.

        Returns
        -------
        Visitor or None
            None without a valid token.
        """
        scheme, _, credentials = authorization.partition(" ")
        sent = credentials.encode()
        found = [
            visitor
            for token, visitor in self._visitors.items()
            if compare_digest(sent, token.encode())
        ]
        return found[0] if found and scheme.lower() == "bearer" else None


def check_people(people: Mapping[str, str]) -> dict[str, str]:
    """Check names and roles, and return the roles by checked name.

    Parameters
    ----------
    people : mapping of str to str
        The role of each person, by name.

    Returns
    -------
    dict of str to str

    Raises
    ------
    ValueError
        If there is nobody, a name or a role is wrong, or two names differ by case at most.
    """
    if not people:
        raise ValueError("people is empty: name at least one person, or pass None.")
    checked: dict[str, str] = {}
    spellings: dict[str, str] = {}
    for typed, role in people.items():
        name = check_name(typed)
        if role not in ROLES:
            raise ValueError(f"The role of {name} must be one of {', '.join(ROLES)}, got {role!r}.")
        other = spellings.setdefault(name.casefold(), name)
        if name in checked or other != name:
            raise ValueError(f"{other} and {name} look like one person: give one another name.")
        checked[name] = role
    return checked


def find_refusal(
    visitor: Visitor,
    message: Mapping[str, Any],
    may_answer: Callable[[Mapping[str, Any], str | None], bool],
) -> str | None:
    """Return why somebody may not send a message, or None.

    Parameters
    ----------
    visitor : Visitor
        Who sends it.
    message : mapping
        The message.
    may_answer : callable
        Takes the message and the name, and returns whether somebody who only labels may answer the
        row: see :meth:`skactive.labeling.page.PageBackend.may_answer`.

    Returns
    -------
    str or None
    """
    do = message.get("do")
    needed = _LEAST_ROLE.get(do, ROLES[-1]) if isinstance(do, str) else ROLES[0]
    if ROLES.index(visitor.role) < ROLES.index(needed):
        return (
            f"{visitor.name} {visitor.role} here, and may not send {do!r}: ask somebody who "
            f"{needed}."
        )
    if do in _ANSWERS and not visitor.reviews and not may_answer(message, visitor.name):
        return (
            f"{visitor.name} labels here, and may answer only rows that were handed to them, or "
            "that they have answered before: ask somebody who reviews. Nothing was stored."
        )
    return None


def _derive_token(secret: str, name: str) -> str:
    code = make_hmac(secret.encode(), f"skactive person {name}".encode(), "sha256").digest()
    return urlsafe_b64encode(code).decode().rstrip("=")
