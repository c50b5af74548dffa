"""What is asked of every request first: that it was meant for us, and sent by our own page."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

__all__ = ["WILDCARDS", "Guard", "checked_name", "is_token", "known_hosts"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_NAME = 64  # characters
WILDCARDS = {"", "0.0.0.0", "::"}
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

# Rows that are HTML may have styles of their own, in a frame without scripts; whatever they name,
# nothing is loaded from elsewhere. Pictures and sounds come as data.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src data:",
        "media-src data:",
        "font-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """An ASGI application that lets through what was sent to one of our names, by our own page.

    A page elsewhere can make a browser send requests to this machine: under a foreign name that
    it lets point here (DNS rebinding), or under ours but with its own origin. Both are refused,
    and every answer carries the headers that keep a browser from doing more than it must.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    hosts : collection of str
        The names that requests may be sent to, as in :func:`known_hosts`.
    """

    def __init__(self, app: Any, *, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif (reason := self._refusal(scope["headers"])) is not None:
            await _refuse(with_headers, reason)
        else:
            await self._app(scope, receive, with_headers)

    def _refusal(self, headers: list[tuple[bytes, bytes]]) -> str | None:
        """Tell why a request is refused, or None."""
        hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1").lower() for name, value in headers if name == b"origin"]
        if len(hosts) != 1 or not _is_known(hosts[0], self._hosts):
            return "This server does not go by that name: open the link that it printed."
        # Behind a proxy that encrypts, our own page comes from https.
        ours = {f"http://{hosts[0]}", f"https://{hosts[0]}"}
        if len(origins) > 1 or not ours.issuperset(origins):
            return "Requests from other pages are refused."
        return None


async def _refuse(send: Send, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    body = reason.encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def known_hosts(host: str, port: int, more: Collection[str] = ()) -> frozenset[str]:
    """Return the names under which a server can be asked, as browsers write them.

    Parameters
    ----------
    host : str
        Where it listens. All addresses of the machine (0.0.0.0 or ::) give ``"*:port"``: any
        address, but no name other than localhost, since a foreign name may point to any address.
    port : int
        Where it listens.
    more : collection of str, default=()
        Names that it has besides, in a network or at a proxy; with a port, or by any.

    Returns
    -------
    frozenset of str

    Examples
    --------
    >>> from skactive.labeling.server._guard import known_hosts
    >>> sorted(known_hosts("127.0.0.1", 8000))
    ['127.0.0.1:8000', '[::1]:8000', 'localhost:8000']
    """
    names = list(_LOOPBACK)
    if host in WILDCARDS:
        names.append("*")
    else:
        names.append(f"[{host}]" if ":" in host else host)
    found = {f"{name}:{port}" for name in names}
    if port == 80:  # browsers leave it out
        found.update(name for name in names if name != "*")
    found.update(more)
    found.update(f"{name}:{port}" for name in more if urlsplit(f"//{name}").port is None)
    return frozenset(name.lower() for name in found)


def _is_known(host: str, hosts: Collection[str]) -> bool:
    if "*" in host or "@" in host:
        return False
    if host in hosts:
        return True
    try:
        parts = urlsplit(f"//{host}")
        ip_address(parts.hostname or "")
        return f"*:{parts.port or 80}" in hosts
    except ValueError:  # a name, or nonsense
        return False


def is_token(authorization: str, token: str) -> bool:
    """Compare what a request brings with the token, in a time that tells nothing of it.

    Parameters
    ----------
    authorization : str
        The header.
    token : str
        The right one.

    Returns
    -------
    bool
    """
    scheme, _, given = authorization.partition(" ")
    right = compare_digest(given.encode(), token.encode())
    return right and scheme.lower() == "bearer"


def checked_name(name: Any) -> str:
    """Return an annotator's name in one spelling.

    Parameters
    ----------
    name : object
        What a browser sent.

    Returns
    -------
    str
        Composed (NFC), with single spaces.

    Raises
    ------
    ValueError
        If it is no name.

    Examples
    --------
    >>> from skactive.labeling.server._guard import checked_name
    >>> checked_name("  Ann   Lee ")
    'Ann Lee'
    """
    if not isinstance(name, str):
        raise ValueError("An annotator's name is needed, as a text.")
    if any(_is_control(character) for character in name):
        raise ValueError("A name cannot hold control characters.")
    found = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(found) <= MAX_NAME:
        raise ValueError(f"A name has 1 to {MAX_NAME} characters, got {len(found)}.")
    return found


def _is_control(character: str) -> bool:
    """Tell what is not to be seen, or turns the text around it; joiners are part of some names."""
    if character in "\u200c\u200d":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
