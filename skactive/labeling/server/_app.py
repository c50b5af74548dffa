"""The labeling page as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Collection
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

from skactive.labeling.page import asset
from skactive.labeling.server._guard import Guard, check_annotator, is_authorized

__all__ = ["MAX_BODY_BYTES", "MessageHandler", "OneTimeCode", "make_app"]

MAX_BODY_BYTES = 64 * 1024  # bytes
_BODY_TIMEOUT = 30.0
_CODE_LIFETIME = 300.0
_ASSETS = (
    ("/", "skactive.labeling.server", "static/index.html", "text/html"),
    ("/entry.js", "skactive.labeling.server", "static/entry.js", "text/javascript"),
    ("/entry.css", "skactive.labeling.server", "static/entry.css", "text/css"),
    ("/page.js", "skactive.labeling.page", "page.js", "text/javascript"),
    ("/page.css", "skactive.labeling.page", "page.css", "text/css"),
)
_CLOSE_HEADER = {"connection": "close"}  # so that an unread body is not taken for a request
_LOGGER = logging.getLogger("skactive.labeling.server")


class MessageHandler(Protocol):
    """The interface of :class:`skactive.labeling.page.PageBackend` that the server uses."""

    def handle(self, message: dict[str, Any], annotator: str | None) -> dict[str, Any]:
        """Return the reply to a message."""


class OneTimeCode:
    """A code that can be exchanged for the token once, within a few minutes.

    Every user of the machine can read the address that a browser is started with, in the list of
    processes, and it stays in the browser's history. So it has this code instead of the token.

    Parameters
    ----------
    seconds : float, default=300.0
        How long the code is valid.
    """

    def __init__(self, seconds: float = _CODE_LIFETIME) -> None:
        self.code = secrets.token_urlsafe(32)
        self._until: float | None = time.monotonic() + seconds
        self._lock = Lock()

    def redeem(self, code: str) -> bool:
        """Return whether this is the code, still valid and used for the first time."""
        with self._lock:
            if self._until is None or not secrets.compare_digest(code.encode(), self.code.encode()):
                return False
            is_valid, self._until = time.monotonic() <= self._until, None
            return is_valid


class _RefusalError(Exception):
    """A request is refused, with a status and a reason."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status, self.headers = status, headers


def make_app(
    backend: MessageHandler,
    *,
    token: str,
    hosts: Collection[str],
    one_time: OneTimeCode | None = None,
) -> Guard:
    """Make an ASGI application that serves the labeling page to several people.

    The page itself has no data of the session, and is served to every request with a known Host.
    Everything else goes through ``POST /api/message``, with the header
    ``Authorization: Bearer TOKEN`` and the JSON object
    ``{"annotator": name, "message": {"do": ..., ...}}``; the response is the reply of
    ``backend.handle(message, name)``, called in a thread. Requests are refused, with a reason, for
    a foreign Host (403) or Origin (403), a missing or wrong token (401), any content type but JSON
    (415), a body above 64 KiB (413, not read to the end), and anything but such an object (400).

    Parameters
    ----------
    backend : PageBackend
        A :class:`skactive.labeling.page.PageBackend`, or an object with the same ``handle``, which
        is called from several threads at the same time.
    token : str
        The secret in the link, ``http://HOST/#token=TOKEN``: browsers do not send what follows the
        ``#``, so it is in no log and no Referer.
    hosts : collection of str
        The values of the Host header to accept, with ports. ``"*:8000"`` is any address, but no
        name, at port 8000.
    one_time : OneTimeCode, default=None
        A code that ``POST /api/open`` exchanges for the token, once.

    Returns
    -------
    Guard
        An ASGI application.

    Examples
    --------
    >>> from skactive.labeling.server import make_app
    >>> class Echo:
    ...     def handle(self, message, annotator):
    ...         return {"ok": True, "do": message["do"], "annotator": annotator}
    >>> app = make_app(Echo(), token="a-long-random-secret", hosts=["127.0.0.1:8000"])
    """

    async def message(request: Request) -> Response:
        try:
            # First, because closing while the client still sends resets the connection, and then
            # it never reads the reason.
            body = await _read_body(request)
            if not is_authorized(request.headers.get("authorization", ""), token):
                raise _RefusalError(
                    401,
                    "The link is not valid, or no longer valid.",
                    **{"www-authenticate": "Bearer"},
                )
            annotator, content = _parse_request(_read_object(request, body))
        except _RefusalError as refusal:
            return _refusal_response(refusal)
        return await run_in_threadpool(_handle_message, backend, content, annotator)

    async def open_once(request: Request) -> Response:
        try:
            code = _read_object(request, await _read_body(request)).get("code")
        except _RefusalError as refusal:
            return _refusal_response(refusal)
        if one_time is None or not isinstance(code, str) or not one_time.redeem(code):
            return _json_response(
                {"ok": False, "error": "This link was used already, or has expired."}, 401
            )
        return _json_response({"ok": True, "token": token})

    routes = [
        *(_make_asset_route(*asset) for asset in _ASSETS),
        Route("/api/message", message, methods=["POST"]),
        Route("/api/open", open_once, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), hosts=hosts)


def _make_asset_route(path: str, package: str, name: str, media_type: str) -> Route:
    """Return the route of a file of a package, which is read once."""
    is_page = package == "skactive.labeling.page"  # made of several files
    content = asset(name).encode() if is_page else files(package).joinpath(name).read_bytes()

    async def respond(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(path, respond)


def _read_object(request: Request, body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, or refuse the request."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise _RefusalError(415, "Send JSON, as application/json.")
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        json.dumps(content, ensure_ascii=False).encode("utf-8")  # Refuses lone surrogates
    except (ValueError, RecursionError) as error:
        raise _RefusalError(400, "The body is not valid JSON.") from error
    if not isinstance(content, dict):
        raise _RefusalError(400, "Send a JSON object.")
    return content


async def _read_body(request: Request) -> bytes:
    """Read a body chunk by chunk, up to the limit of size and time."""
    too_large = _RefusalError(413, f"Send at most {MAX_BODY_BYTES} bytes.", **_CLOSE_HEADER)
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_TIMEOUT):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise too_large
    except TimeoutError as error:
        reason = f"The request took more than {_BODY_TIMEOUT:g} s."
        raise _RefusalError(408, reason, **_CLOSE_HEADER) from error
    except ClientDisconnect as error:
        raise _RefusalError(400, "The request was interrupted.", **_CLOSE_HEADER) from error
    return bytes(body)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _parse_request(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the annotator and the message."""
    if content.keys() != {"annotator", "message"} or not isinstance(content["message"], dict):
        raise _RefusalError(400, 'Send {"annotator": name, "message": {...}}.')
    try:
        return check_annotator(content["annotator"]), content["message"]
    except ValueError as error:
        raise _RefusalError(400, str(error)) from error


def _handle_message(backend: MessageHandler, message: dict[str, Any], annotator: str) -> Response:
    try:
        return _json_response(backend.handle(message, annotator))
    except Exception:  # the page keeps the message, and sends it again
        _LOGGER.exception("A message could not be answered.")
        return _json_response(
            {"ok": False, "error": "Internal error; see the log of the server."}, 500
        )


def _json_response(content: dict[str, Any], status: int = 200, headers: Any = None) -> Response:
    body = json.dumps(content, allow_nan=False).encode()
    return Response(body, status, headers, media_type="application/json")


def _refusal_response(refusal: _RefusalError) -> Response:
    return _json_response({"ok": False, "error": str(refusal)}, refusal.status, refusal.headers)
