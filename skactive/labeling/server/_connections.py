"""Limits on connections, so that nobody without the link can crowd out those who have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, Protocol

from uvicorn.protocols.http.h11_impl import H11Protocol

from skactive.labeling.server._log import LOGGER

__all__ = ["ConnectionLimits", "ConnectionTable", "LimitedProtocol", "count_free_descriptors"]

_MAX_CONNECTIONS, _MIN_CONNECTIONS = 512, 32
_RESERVED_DESCRIPTORS = 128  # for connections that are accepted at once, the store and the rows

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits on the connections of a server.

    A stranger is a connection on which the link's token was not sent yet. Fifty people behind one
    proxy have one address, and a browser opens up to six connections at once, but all of them are
    strangers only until the first message: ``n_strangers`` leaves room for that, and when it is
    reached the oldest of them goes, not the newest.

    Parameters
    ----------
    n_connections : int, default=512
        Connections at a time.
    n_strangers : int, default=256
        Strangers of one address at a time.
    header_seconds : float, default=10.0
        Time from the first byte of a request, or from the opening of the connection, to the end of
        the header.
    idle_seconds : float, default=10.0
        Time for which a stranger may send nothing between two requests.
    known_idle_seconds : float, default=65.0
        The same on a connection with the token: a person may think about a row for a minute.
    """

    n_connections: int = _MAX_CONNECTIONS
    n_strangers: int = _MAX_CONNECTIONS // 2
    header_seconds: float = 10.0
    idle_seconds: float = 10.0
    known_idle_seconds: float = 65.0

    @classmethod
    def from_descriptors(cls, n_free: int | None) -> ConnectionLimits:
        """Return limits that leave file descriptors to the program; None does not limit them."""
        if n_free is None:
            return cls()
        n_connections = min(max(n_free - _RESERVED_DESCRIPTORS, _MIN_CONNECTIONS), _MAX_CONNECTIONS)
        return cls(n_connections=n_connections, n_strangers=n_connections // 2)


def count_free_descriptors() -> int | None:
    """Return the number of files that the process may still open; None where that is unknown."""
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    with suppress(OSError):
        return limit - sum(1 for _ in Path("/dev/fd").iterdir())
    return limit


class Connection(Protocol):
    """The part of a connection that the table uses."""

    address: str

    @property
    def is_busy(self) -> bool:
        """True while a request is received or answered."""

    def drop(self) -> None:
        """Close the connection at once."""


class ConnectionTable:
    """The open connections; when there are too many, strangers go first.

    Parameters
    ----------
    limits : ConnectionLimits
        The limits.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._strangers: dict[str, dict[Connection, None]] = {}  # by address, oldest first
        self._known: dict[Connection, None] = {}  # with the token, least recently used first

    def __len__(self) -> int:
        return len(self._known) + sum(map(len, self._strangers.values()))

    def add(self, connection: Connection) -> None:
        """Add a new connection, and drop another one, or this one, if there are too many."""
        neighbors = self._strangers.setdefault(connection.address, {})
        neighbors[connection] = None
        if len(neighbors) > self.limits.n_strangers:
            self._drop(next(iter(neighbors)))
        elif len(self) > self.limits.n_connections:
            self._drop(self._choose_victim(connection))

    def recognize(self, connection: Connection) -> None:
        """Record that a connection has sent the token; a dropped one stays dropped."""
        if connection in self._known or connection in self._strangers.get(connection.address, ()):
            self.remove(connection)
            self._known[connection] = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection, if it is known at all."""
        self._known.pop(connection, None)
        neighbors = self._strangers.get(connection.address, {})
        neighbors.pop(connection, None)
        if not neighbors:
            self._strangers.pop(connection.address, None)

    def drop_strangers(self, n: int) -> None:
        """Drop up to `n` strangers, those of the most crowded addresses first."""
        for _ in range(n):
            if self._strangers:
                self._drop(self._get_oldest_stranger())

    def _choose_victim(self, newest: Connection) -> Connection:
        """Choose a stranger; with none but the newest, whoever has been idle longest."""
        victim = self._get_oldest_stranger()
        if victim is not newest:
            return victim
        return next((known for known in self._known if not known.is_busy), newest)

    def _get_oldest_stranger(self) -> Connection:
        most_crowded: dict[Connection, None] = max(self._strangers.values(), key=len)
        return next(iter(most_crowded))

    def _drop(self, connection: Connection) -> None:
        LOGGER.warning(
            "Too many connections at a time: those without the link are closed, oldest first."
        )
        self.remove(connection)
        connection.drop()


class LimitedProtocol(H11Protocol):
    """A connection of Uvicorn with deadlines, in a table with all others.

    Uvicorn waits without end for a header, and for a client that does not read; so each state of a
    connection has a deadline here, after which it is closed at once.

    Parameters
    ----------
    *args, **options : objects
        Those of Uvicorn's protocol.
    table : ConnectionTable
        The open connections.
    has_token : callable
        Returns whether the header of a request has the token.
    """

    def __init__(
        self,
        *args: Any,
        table: ConnectionTable,
        has_token: Callable[[Headers], bool],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._table, self._has_token = table, has_token
        self._app, self.app = self.app, self._answer
        self.address = ""
        self._is_known, self._is_lost = False, False
        self._is_receiving, self._n_running = True, 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_busy(self) -> bool:
        """True while a request is received or answered."""
        return self._is_receiving or self._n_running > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self.address = _group_address(self.client[0] if self.client else "")
        self._set_deadline(self._table.limits.header_seconds)
        self._table.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._is_lost = True
        self._set_deadline(None)
        self._table.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Set a deadline at the first byte of a request; further bytes do not extend it."""
        if not self.is_busy:
            self._is_receiving = True
            self._set_deadline(self._table.limits.header_seconds)
        super().data_received(data)

    def drop(self) -> None:
        """Close the connection at once, whatever is still to be sent."""
        self._set_deadline(None)
        self.transport.abort()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request, whose header is complete, to the application."""
        self._is_receiving = False
        self._n_running += 1
        self._set_deadline(None)  # the application limits the time for the body
        if self._has_token(scope["headers"]):
            self._is_known = True
            self._table.recognize(self)
        try:
            await self._app(scope, receive, send)
        finally:
            self._n_running -= 1
            if not self._n_running:
                limits = self._table.limits
                self._set_deadline(
                    limits.known_idle_seconds if self._is_known else limits.idle_seconds
                )

    def _set_deadline(self, seconds: float | None) -> None:
        """Close the connection after so many seconds; None waits as long as it takes."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds is not None and not self._is_lost:
            self._timer = self.loop.call_later(seconds, self.drop)


def _group_address(host: str) -> str:
    """Return the part of an address that one client cannot choose: of IPv6, the network."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # a socket without an address
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
