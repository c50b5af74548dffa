"""Serve the labeling page with Uvicorn until it is stopped."""

from __future__ import annotations

import asyncio
import errno
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from skactive.labeling._network import check_link_token, is_loopback
from skactive.labeling.server._access import Access
from skactive.labeling.server._app import MessageHandler, OneTimeCode, make_app
from skactive.labeling.server._guard import WILDCARDS, list_hosts

try:
    import uvicorn
except ImportError as error:
    raise ImportError(
        'The labeling page in a browser needs Starlette and Uvicorn: pip install "skactive[serve]".'
    ) from error

from skactive.labeling.server._connections import (
    ConnectionLimits,
    ConnectionTable,
    Headers,
    LimitedProtocol,
    count_free_descriptors,
)
from skactive.labeling.server._log import LOGGER, RepeatFilter, filter_repeats

__all__ = ["serve"]

_SHUTDOWN_SECONDS = 10  # for requests that are being answered when the server stops
_SUMMARY_TICKS = 6_000  # of a tenth of a second, between two summaries of repeated messages
_ACCEPTED_AT_ONCE, _WAITING = 16, 1_024  # connections
_MAX_HEADER_BYTES = 16 * 1024
_NO_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


def serve(
    backend: MessageHandler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    open_browser: bool = True,
    allowed_hosts: Collection[str] = (),
    people: Mapping[str, str] | None = None,
    report: Callable[[str], object] = print,
) -> None:
    """Serve the labeling page until it is stopped by Ctrl+C.

    Whoever has the link can label: it contains a random token. By default the page can be reached
    only from this machine. Several people may label at the same time, each under a name that the
    page asks for, or with a link of their own.

    Connections without the token are few and short: whoever has the link gets in at any time.
    Messages of the log that are repeated are counted.

    Parameters
    ----------
    backend : PageBackend
        A :class:`skactive.labeling.page.PageBackend`, or an object with the same ``handle``.
    host : str, default="127.0.0.1"
        The address to listen on. Any but a loopback address lets others in the network connect, and
        read what is sent, since it is not encrypted; a warning is reported.
    port : int, default=0
        The port to listen on; 0 chooses a free one.
    token : str, default=None
        The secret in the link, of at least 16 characters. None generates a random one, so that old
        links are no longer valid.
    open_browser : bool, default=True
        Whether to open the page in a browser, if a graphical one is available. It is opened with a
        code that is valid once, since other users of the machine may see the address.
    allowed_hosts : collection of str, default=()
        Additional host names of the page: of this machine in its network, or of a proxy.
    people : mapping of str to {"labels", "reviews", "administers"}, default=None
        The role of each person, by name; each gets a link of their own, and no browser is opened.
        Who *labels* gets rows and changes own answers; who *reviews* changes also those of others;
        who *administers* changes also the classes. The links remain valid with the same `token`.
        None: one link for all, under names that they choose, without roles.
    report : callable, default=print
        Called with each line about the link: the link itself, how to stop, and warnings.

    Raises
    ------
    OSError
        If the server cannot listen on the address and port.
    ValueError
        If the token is too short to be a secret, or has characters that do not belong in a link; if
        a host, a name or a role is wrong.
    """
    token = secrets.token_urlsafe(32) if token is None else check_link_token(token)
    access = Access(token, people)
    with _listen(host, port) as listener:
        port = listener.getsockname()[1]
        address, one_time = f"http://{_format_host(host)}:{port}/", OneTimeCode()
        app = make_app(
            backend,
            token=token,
            hosts=list_hosts(host, port, allowed_hosts),
            one_time=one_time if people is None else None,
            people=people,
        )

        def announce() -> None:
            for line in [*_describe_links(address, access), *_describe_network(host)]:
                report(line)
            if open_browser and people is None:
                _open_browser(f"{address}#once={one_time.code}")

        _make_server(app, access, announce).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that announces when it is ready, and shuts down cleanly on signals."""

    def __init__(
        self, config: uvicorn.Config, table: ConnectionTable, announce: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._table, self._announce = table, announce
        self._repeats = RepeatFilter()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        with filter_repeats() as self._repeats:
            super().run(sockets=sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._handle_loop_error)
        await super().startup(sockets=sockets)
        for listener in sockets or []:
            listener.listen(_WAITING)  # Uvicorn's backlog is also the number accepted at once
        self._announce()

    async def on_tick(self, counter: int) -> bool:
        if counter % _SUMMARY_TICKS == 0:
            self._repeats.summarize()
        return await super().on_tick(counter)

    def _handle_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Make room when a connection cannot be accepted; the loop tries again in a second."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _NO_RESOURCES:
            loop.default_exception_handler(context)
            return
        self._table.drop_strangers(_ACCEPTED_AT_ONCE)
        LOGGER.error(
            "New connections must wait: %s. Close programs, or allow more files (ulimit -n).",
            error.strerror,
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl+C, termination or a closed terminal, without raising the signal again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        former = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def _make_server(
    app: Any,
    access: Access,
    announce: Callable[[], None],
    limits: ConnectionLimits | None = None,
) -> _Server:
    def has_token(headers: Headers) -> bool:
        values = [value for name, value in headers if name == b"authorization"]
        return len(values) == 1 and access.identify(values[0].decode("latin-1")) is not None

    table = ConnectionTable(limits or ConnectionLimits.from_descriptors(count_free_descriptors()))
    protocol: Any = partial(LimitedProtocol, table=table, has_token=has_token)
    config = uvicorn.Config(
        app,
        http=protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,  # the program configures logging; requests are not logged
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_ACCEPTED_AT_ONCE,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        timeout_keep_alive=60,  # a person may think about a row for that long
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    return _Server(config, table, announce)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise OSError(f"port {port} is invalid: expected 1 to 65535, or 0 for any free port.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, ValueError) as error:  # ValueError for what cannot be a name
        raise OSError(
            f"cannot serve the page on {host!r}, port {port}: {_explain(error)}"
        ) from error


def _explain(error: Exception) -> str:
    """Return why the server cannot listen, and what to do."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return "the port is in use. Choose another port, or 0 for any free port."
    if number in {errno.EACCES, errno.EPERM}:
        return "this port needs special rights. Choose a port above 1023, or 0 for any free port."
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return (
        f"{reason}. The host must be an address of this machine, without a port: 127.0.0.1, or "
        "0.0.0.0 for all of its addresses."
    )


def _describe_links(address: str, access: Access) -> list[str]:
    """Return the lines to report about the links."""
    if not access.tokens:
        link = f"#token={access.secret}"
        return [
            f"Label at {address}{link}",
            f"Follow the campaign at {address}dashboard{link}",
            "Whoever has a link can label. Stop with Ctrl+C.",
        ]
    lines = [
        f"{name} ({access.roles[name]}): {address}#token={token}"
        for name, token in access.tokens.items()
    ]
    return [
        *lines,
        "Whoever has a link labels under its name: pass each on in private. Those who review or "
        f"administer follow the campaign at {address}dashboard. Stop with Ctrl+C.",
    ]


def _describe_network(host: str) -> list[str]:
    """Return a warning if others in the network can reach the page."""
    if is_loopback(host):
        return []
    return [
        f"Warning: the page can be reached from the network, on {host}, and is not encrypted: "
        "others in the network may read the rows and the link. Prefer to serve it on 127.0.0.1, "
        "behind ssh or a proxy that encrypts."
    ]


def _format_host(host: str) -> str:
    """Return an address as a link has it."""
    if host in WILDCARDS:
        host = _find_own_address()
    return f"[{host}]" if ":" in host else host


def _find_own_address() -> str:
    """Return the address from which this machine would reach others; nothing is sent."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address that is reserved for documentation
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def _open_browser(link: str) -> None:
    """Open a link in a graphical browser; one in the terminal would take over Ctrl+C."""
    with suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:
            threading.Thread(target=browser.open, args=(link,), daemon=True).start()
