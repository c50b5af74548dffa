"""Serve the labeling page with Uvicorn until it is stopped."""

from __future__ import annotations

import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from skactive.labeling._network import check_link_token, is_loopback
from skactive.labeling.server._app import MessageHandler, OneTimeCode, make_app
from skactive.labeling.server._guard import WILDCARDS, list_hosts

try:
    import uvicorn
except ImportError as error:
    raise ImportError(
        'The labeling page in a browser needs Starlette and Uvicorn: pip install "skactive[serve]".'
    ) from error

__all__ = ["serve"]

_SHUTDOWN_SECONDS = 10  # for requests that are being answered when the server stops


def serve(
    backend: MessageHandler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    open_browser: bool = True,
    allowed_hosts: Collection[str] = (),
    report: Callable[[str], object] = print,
) -> None:
    """Serve the labeling page until it is stopped by Ctrl+C.

    Whoever has the link can label: it contains a random token. By default the page can be reached
    only from this machine. Several people may label at the same time, each under a name that the
    page asks for.

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
    report : callable, default=print
        Called with each line about the link: the link itself, how to stop, and warnings.

    Raises
    ------
    OSError
        If the server cannot listen on the address and port.
    ValueError
        If the token is too short to be a secret, or has characters that do not belong in a link.
    """
    token = secrets.token_urlsafe(32) if token is None else check_link_token(token)
    with _listen(host, port) as listener:
        port = listener.getsockname()[1]
        address, one_time = f"http://{_format_host(host)}:{port}/", OneTimeCode()
        app = make_app(
            backend, token=token, hosts=list_hosts(host, port, allowed_hosts), one_time=one_time
        )

        def announce() -> None:
            for line in _describe_link(host, f"{address}#token={token}"):
                report(line)
            if open_browser:
                _open_browser(f"{address}#once={one_time.code}")

        _Server(_make_config(app), announce).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that announces when it is ready, and shuts down cleanly on signals."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._announce()

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


def _make_config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,  # the program configures logging; requests are not logged
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,  # a person may think about a row for that long
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise OSError(f"port {port} is invalid: expected 1 to 65535, or 0 for any free port.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise OSError(
            f"cannot serve the page on {host}, port {port}: {error.strerror}. Choose another port, "
            "or 0 for any free port."
        ) from error


def _describe_link(host: str, link: str) -> list[str]:
    """Return the lines to report about the link."""
    lines = [f"Label at {link}", "Whoever has this link can label. Stop with Ctrl+C."]
    if not is_loopback(host):
        lines.append(
            f"Warning: the page can be reached from the network, on {host}, and is not encrypted: "
            "others in the network may read the rows and the link. Prefer to serve it on "
            "127.0.0.1, behind ssh or a proxy that encrypts."
        )
    return lines


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
