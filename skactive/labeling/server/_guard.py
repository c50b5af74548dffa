"""ASGI middleware: checks Host and Origin, adds security headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

__all__ = ["WILDCARDS", "Guard", "list_hosts"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

WILDCARDS = {"", "0.0.0.0", "::"}
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

# Rows that are HTML may have inline styles, in a frame without scripts. Nothing is loaded from
# elsewhere; images and sounds come as data URIs.
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
_SECURITY_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """ASGI middleware that refuses requests with a foreign Host or Origin.

    A page elsewhere can make a browser send requests to this machine: to a foreign name that
    resolves to it (DNS rebinding), or to one of its own names with a foreign origin. Both are
    refused, and every response has headers that restrict what the browser may load and run.

    Parameters
    ----------
    app : ASGI application
        The application to protect.
    hosts : collection of str
        The hosts that requests may name, as returned by :func:`list_hosts`.
    """

    def __init__(self, app: Any, *, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it to the application."""

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_SECURITY_HEADERS]}
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif (reason := self._find_refusal(scope["headers"])) is not None:
            await _send_refusal(send_with_headers, reason)
        else:
            await self._app(scope, receive, send_with_headers)

    def _find_refusal(self, headers: list[tuple[bytes, bytes]]) -> str | None:
        """Return why a request is refused, or None."""
        hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1").lower() for name, value in headers if name == b"origin"]
        if len(hosts) != 1 or not _is_allowed(hosts[0], self._hosts):
            return "Unknown host name: open the link that the server printed."
        # With https: behind a proxy that encrypts, the origin of the page is https.
        own_origins = {f"http://{hosts[0]}", f"https://{hosts[0]}"}
        if len(origins) > 1 or not own_origins.issuperset(origins):
            return "Requests from other pages are refused."
        return None


async def _send_refusal(send: Send, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    body = reason.encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def list_hosts(host: str, port: int, extra: Collection[str] = ()) -> frozenset[str]:
    """Return the values of the Host header that a server accepts.

    Parameters
    ----------
    host : str
        The address that the server listens on. All addresses of the machine (0.0.0.0 or ::) give
        ``"*:port"``: any address, but no name other than localhost, since a foreign name may
        resolve to any address.
    port : int
        The port that the server listens on.
    extra : collection of str, default=()
        Additional names, in a network or of a proxy, with a port or without.

    Returns
    -------
    frozenset of str

    Raises
    ------
    ValueError
        If an additional name is not ``NAME`` or ``NAME:PORT``.

    Examples
    --------
    >>> from skactive.labeling.server._guard import list_hosts
    >>> sorted(list_hosts("127.0.0.1", 8000))
    ['127.0.0.1:8000', '[::1]:8000', 'localhost:8000']
    """
    names = list(_LOOPBACK_NAMES)
    if host in WILDCARDS:
        names.append("*")
    else:
        names.append(f"[{host}]" if ":" in host else host)
    hosts = {f"{name}:{port}" for name in names}
    if port == 80:  # browsers leave it out
        hosts.update(name for name in names if name != "*")
    hosts.update(extra)
    hosts.update(f"{name}:{port}" for name in extra if _get_port(name) is None)
    return frozenset(host.lower() for host in hosts)


def _get_port(host: str) -> int | None:
    """Return the port of a host name, None without one."""
    with suppress(ValueError):  # for a port that is none
        parts = urlsplit(f"//{host}")
        port = parts.port
        if parts.netloc == host and parts.hostname and not set(host) & set("@* "):
            return port
    raise ValueError(
        f"{host!r} is not the name of a host: expected NAME or NAME:PORT, such as labels.example "
        "or labels.example:8443."
    )


def _is_allowed(host: str, hosts: Collection[str]) -> bool:
    if "*" in host or "@" in host:
        return False
    if host in hosts:
        return True
    try:
        parts = urlsplit(f"//{host}")
        ip_address(parts.hostname or "")
        return f"*:{parts.port or 80}" in hosts
    except ValueError:  # a name, or malformed
        return False
