"""The labeling page as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable, Collection
from importlib.resources import files
from threading import Lock
from typing import Any, Protocol

try:
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.routing import Route
except ImportError as error:
    raise ImportError(
        'The labeling page in a browser needs Starlette and Uvicorn: pip install "skactive[serve]".'
    ) from error

from skactive.labeling.server._guard import Guard, checked_name, is_token

__all__ = ["MAX_BODY", "OneTime", "PageBackend", "make_app"]

MAX_BODY = 64 * 1024  # bytes
_BODY_SECONDS = 30.0
_ONE_TIME_SECONDS = 300.0
_ASSETS = (
    ("/", "skactive.labeling.server", "static/index.html", "text/html"),
    ("/entry.js", "skactive.labeling.server", "static/entry.js", "text/javascript"),
    ("/entry.css", "skactive.labeling.server", "static/entry.css", "text/css"),
    ("/page.js", "skactive.labeling.page", "page.js", "text/javascript"),
    ("/page.css", "skactive.labeling.page", "page.css", "text/css"),
)
_CLOSE = {"connection": "close"}  # what is left of a body is not read, and is no request
_LOG = logging.getLogger("skactive.labeling.server")


class PageBackend(Protocol):
    """What the page talks to."""

    def handle(self, message: dict[str, Any], annotator: str | None) -> dict[str, Any]:
        """Answer a message."""


class OneTime:
    """A code that is good for the token once, for a few minutes.

    The address that a browser is started with can be read by every user of the machine, in the
    list of processes, and stays in its history. So it holds a code like this and not the token.

    Parameters
    ----------
    seconds : float, default=300.0
        How long it is good.
    """

    def __init__(self, seconds: float = _ONE_TIME_SECONDS) -> None:
        self.code = secrets.token_urlsafe(32)
        self._until: float | None = time.monotonic() + seconds
        self._lock = Lock()

    def redeem(self, code: str) -> bool:
        """Tell whether this is the code, and it is used for the first time."""
        with self._lock:
            if self._until is None or not secrets.compare_digest(code.encode(), self.code.encode()):
                return False
            fresh, self._until = time.monotonic() <= self._until, None
            return fresh


class _RefusedError(Exception):
    """A request that is answered with a reason."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status, self.headers = status, headers


def make_app(
    desk: PageBackend, *, token: str, hosts: Collection[str], one_time: OneTime | None = None
) -> Guard:
    """Make the labeling page for several people: an ASGI application.

    The page itself holds nothing of the session, and is given to everybody who asks under the
    right name. Everything else goes through ``POST /api/message``, with the header
    ``Authorization: Bearer TOKEN`` and the JSON object
    ``{"annotator": name, "message": {"do": ..., ...}}``; the answer is that of
    ``desk.handle(message, name)``, called in a thread. Refused, with a reason: a foreign Host (403)
    or Origin (403), a missing or wrong token (401), anything but JSON (415), more than 64 KiB
    (413, read no further), and what is no such object (400).

    Parameters
    ----------
    desk : PageBackend
        See :class:`skactive.labeling.page.PageBackend`. Its method ``handle`` is called in several
        threads at a time.
    token : str
        The secret that people get in their link, ``http://HOST/#token=TOKEN``: browsers do not
        send what follows the ``#``, so it comes into no log and no Referer.
    hosts : collection of str
        The names, with ports, that requests may be sent to. ``"*:8000"`` is any address, but no
        name, at port 8000.
    one_time : OneTime, default=None
        A code that ``POST /api/open`` changes into the token, once.

    Returns
    -------
    Guard
        An ASGI application.

    Examples
    --------
    >>> from skactive.labeling.server import make_app
    >>> class Echo:
    ...     def handle(self, message, annotator):
    ...         return {"ok": True, "said": message["do"], "by": annotator}
    >>> app = make_app(Echo(), token="a-long-random-secret", hosts=["127.0.0.1:8000"])
    """

    async def message(request: Request) -> Response:
        try:
            # Read first: closed on who still sends, a connection is reset before the reason comes.
            body = await _read_body(request)
            if not is_token(request.headers.get("authorization", ""), token):
                raise _RefusedError(
                    401, "The link is not, or no longer, valid.", **{"www-authenticate": "Bearer"}
                )
            annotator, asked = _asked(_read_object(request, body))
        except _RefusedError as refused:
            return _refusal(refused)
        return await run_in_threadpool(_answer, desk, asked, annotator)

    async def open_once(request: Request) -> Response:
        try:
            code = _read_object(request, await _read_body(request)).get("code")
        except _RefusedError as refused:
            return _refusal(refused)
        if one_time is None or not isinstance(code, str) or not one_time.redeem(code):
            return _json({"ok": False, "error": "This link was used, or is too old."}, 401)
        return _json({"ok": True, "token": token})

    routes = [
        *(Route(path, _asset(*about)) for path, *about in _ASSETS),
        Route("/api/message", message, methods=["POST"]),
        Route("/api/open", open_once, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), hosts=hosts)


def _asset(package: str, name: str, media_type: str) -> Callable[[Request], Any]:
    """Return what answers with a file of the package, read once."""
    content = files(package).joinpath(name).read_bytes()

    async def asset(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return asset


def _read_object(request: Request, body: bytes) -> dict[str, Any]:
    """Return what must be a JSON object."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise _RefusedError(415, "Send JSON, as application/json.")
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        json.dumps(found, ensure_ascii=False).encode("utf-8")  # half a character is no text
    except (ValueError, RecursionError) as error:
        raise _RefusedError(400, "This is no JSON that can be read.") from error
    if not isinstance(found, dict):
        raise _RefusedError(400, "Send a JSON object.")
    return found


async def _read_body(request: Request) -> bytes:
    """Read a body as it comes, and no more of it than is allowed."""
    refused = _RefusedError(413, f"At most {MAX_BODY} bytes are taken.", **_CLOSE)
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced[:20]) > MAX_BODY:
        raise refused
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise refused
    except TimeoutError as error:
        reason = f"The request took more than {_BODY_SECONDS:g} s."
        raise _RefusedError(408, reason, **_CLOSE) from error
    except ClientDisconnect as error:
        raise _RefusedError(400, "The request broke off.", **_CLOSE) from error
    return bytes(body)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _asked(found: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return who asks, and what."""
    if found.keys() != {"annotator", "message"} or not isinstance(found["message"], dict):
        raise _RefusedError(400, 'Send {"annotator": name, "message": {...}}.')
    try:
        return checked_name(found["annotator"]), found["message"]
    except ValueError as error:
        raise _RefusedError(400, str(error)) from error


def _answer(desk: PageBackend, message: dict[str, Any], annotator: str) -> Response:
    try:
        return _json(desk.handle(message, annotator))
    except Exception:  # the page keeps the answer, and sends it again
        _LOG.exception("A message could not be answered.")
        return _json({"ok": False, "error": "The server failed; its log says how."}, 500)


def _json(content: dict[str, Any], status: int = 200, headers: Any = None) -> Response:
    body = json.dumps(content, allow_nan=False).encode()
    return Response(body, status, headers, media_type="application/json")


def _refusal(refused: _RefusedError) -> Response:
    return _json({"ok": False, "error": str(refused)}, refused.status, refused.headers)
