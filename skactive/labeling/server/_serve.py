"""The labeling page on a socket of its own, until it is stopped."""

from __future__ import annotations

import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

from skactive.labeling.server._app import OneTime, PageBackend, make_app
from skactive.labeling.server._guard import WILDCARDS, known_hosts

try:
    import uvicorn
except ImportError as error:
    raise ImportError(
        'The labeling page in a browser needs Starlette and Uvicorn: pip install "skactive[serve]".'
    ) from error

__all__ = ["serve"]

MIN_TOKEN = 16  # characters
_GRACE_SECONDS = 10  # for what is being answered when the server is stopped


def serve(
    desk: PageBackend,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    open_browser: bool = True,
    allowed_hosts: Collection[str] = (),
    report: Callable[[str], object] = print,
) -> None:
    """Serve the labeling page until it is stopped by Ctrl+C.

    The page is for those who have the link: it carries a random token. By default only this
    machine can ask. Several people may label at a time, each under a name that they are asked for.

    Parameters
    ----------
    desk : PageBackend
        See :class:`skactive.labeling.page.PageBackend`.
    host : str, default="127.0.0.1"
        The address to listen at. Any but a loopback address lets others in the network ask, and
        read what is sent, since it is not encrypted; the report warns of it.
    port : int, default=0
        0 takes one that is free.
    token : str, default=None
        The secret in the link, of at least 16 characters. None: a random one, so that old links
        are worth nothing.
    open_browser : bool, default=True
        Whether to open the page, where there is a browser with windows. It is started with a code
        that is good once, since other users of the machine may see how it was started.
    allowed_hosts : collection of str, default=()
        Names under which the page may be asked for besides the address: of this machine in its
        network, or of a proxy.
    report : callable, default=print
        Told the link, and what should be known about it.

    Raises
    ------
    OSError
        If the address cannot be listened at.
    ValueError
        If the token is too short to be a secret, or holds what does not belong into a link.
    """
    token = secrets.token_urlsafe(32) if token is None else _checked_token(token)
    with _listening(host, port) as listener:
        port = listener.getsockname()[1]
        address, once = f"http://{_shown(host)}:{port}/", OneTime()
        app = make_app(
            desk, token=token, hosts=known_hosts(host, port, allowed_hosts), one_time=once
        )

        def announce() -> None:
            for line in _about(host, f"{address}#token={token}"):
                report(line)
            if open_browser:
                _open(f"{address}#once={once.code}")

        _Server(_config(app), announce).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that says when it is ready, and ends in peace when it is told to."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl+C, and when the system or a closed terminal asks; raise nothing after."""
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


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,  # logging belongs to the program; requests are not logged
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,  # a person thinks that long about a row
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _checked_token(token: str) -> str:
    if len(token) < MIN_TOKEN:
        raise ValueError(f"The token has {len(token)} characters, {MIN_TOKEN} are needed at least.")
    if not all(c.isascii() and (c.isalnum() or c in "-_") for c in token):
        raise ValueError("The token may hold letters of ASCII, digits, '-' and '_' only.")
    return token


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise OSError(f"there is no port {port}: they go from 1 to 65535, and 0 is any.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise OSError(
            f"the page cannot be served at {host}, port {port}: {error.strerror}. Choose another "
            "port, or 0 for any."
        ) from error


def _about(host: str, link: str) -> list[str]:
    """Return the lines that tell the link."""
    lines = [f"Label at {link}", "Who has the link can label. Stop with Ctrl+C."]
    if not _is_loopback(host):
        lines.append(
            f"Warning: the page can be reached from the network, through {host}, and is not "
            "encrypted: who can listen there can read the rows and the link. Better serve it at "
            "127.0.0.1, and reach it through ssh or a proxy that encrypts."
        )
    return lines


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _shown(host: str) -> str:
    """Return an address as it is written in a link."""
    if host in WILDCARDS:
        host = _own_address()
    return f"[{host}]" if ":" in host else host


def _own_address() -> str:
    """Return the address by which this machine would reach others; nothing is sent."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address that is reserved for documentation
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def _open(link: str) -> None:
    """Open a link in a browser that has windows: one in the terminal would take Ctrl+C away."""
    with suppress(webbrowser.Error):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser:
            threading.Thread(target=browser.open, args=(link,), daemon=True).start()
