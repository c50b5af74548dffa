"""The labeling page as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import files
from threading import Lock
from typing import Any, Protocol

try:
    from starlette.applications import Starlette
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.routing import Route
except ImportError as error:
    raise ImportError(
        'The labeling page in a browser needs Starlette and Uvicorn: pip install "skactive[serve]".'
    ) from error

from skactive.exceptions import LabelError, StoreError
from skactive.labeling._names import check_name
from skactive.labeling.page import asset
from skactive.labeling.server._access import Access, Visitor, find_refusal
from skactive.labeling.server._guard import Guard
from skactive.labeling.server._log import LOGGER

__all__ = ["MAX_BODY_BYTES", "MessageHandler", "OneTimeCode", "make_app"]

MAX_BODY_BYTES = 64 * 1024  # bytes
_BODY_TIMEOUT = 30.0
_CODE_LIFETIME = 300.0
# The session does one thing at a time, and its lock is not fair: with more threads some people
# would wait long. Requests for rows have their own, since the first ones wait for the first plan.
_N_THREADS, _N_NEXT_THREADS = 4, 2
_ASSETS = (
    ("/", "skactive.labeling.server", "static/index.html", "text/html"),
    ("/entry.js", "skactive.labeling.server", "static/entry.js", "text/javascript"),
    ("/entry.css", "skactive.labeling.server", "static/entry.css", "text/css"),
    ("/link.js", "skactive.labeling.server", "static/link.js", "text/javascript"),
    ("/dashboard", "skactive.labeling.server", "static/dashboard.html", "text/html"),
    ("/dashboard.js", "skactive.labeling.server", "static/dashboard.js", "text/javascript"),
    ("/charts.js", "skactive.labeling.server", "static/charts.js", "text/javascript"),
    ("/dashboard.css", "skactive.labeling.server", "static/dashboard.css", "text/css"),
    ("/page.js", "skactive.labeling.page", "page.js", "text/javascript"),
    ("/page.css", "skactive.labeling.page", "page.css", "text/css"),
)
_CLOSE_HEADER = {"connection": "close"}  # so that an unread body is not taken for a request


class MessageHandler(Protocol):
    """The interface of :class:`skactive.labeling.page.PageBackend` that the server uses."""

    def handle(
        self, message: Mapping[str, Any], annotator: str | None, *, reviews: bool = False
    ) -> dict[str, Any]:
        """Return the reply to a message."""

    def may_answer(self, message: Mapping[str, Any], annotator: str | None) -> bool:
        """Return whether somebody who only labels may answer the row of a message."""

    def describe_campaign(self) -> dict[str, Any]:
        """Return what the campaign page shows."""


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
    people: Mapping[str, str] | None = None,
) -> Guard:
    """Make an ASGI application that serves the labeling page to several people.

    The page itself has no data of the session, and is served to every request with a known Host.
    Everything else goes through ``POST /api/message``, with the header
    ``Authorization: Bearer TOKEN`` and the JSON object
    ``{"annotator": name, "message": {"do": ..., ...}}``; the response is the reply of
    ``backend.handle(message, name)``, called in a thread. ``POST /api/link`` returns whom the link
    belongs to, as ``annotator`` (None: whoever says so) and ``role``. ``POST /api/campaign``
    returns what the campaign page, ``/dashboard``, shows: ``backend.describe_campaign()``. Requests
    are refused, with a reason, for a foreign Host (403) or Origin (403), a missing or wrong token
    (401), the name of another person (403), any content type but JSON (415), a body above 64 KiB
    (413, not read to the end), and anything but such an object (400).

    Parameters
    ----------
    backend : PageBackend
        A :class:`skactive.labeling.page.PageBackend`, or an object with the same ``handle``, which
        is called from several threads at the same time. With `people`, ``may_answer`` is called
        too, and ``handle`` with ``reviews``. The campaign page calls ``describe_campaign``.
    token : str
        The secret in the link, ``http://HOST/#token=TOKEN``: browsers do not send what follows the
        ``#``, so it is in no log and no Referer.
    hosts : collection of str
        The values of the Host header to accept, with ports. ``"*:8000"`` is any address, but no
        name, at port 8000.
    one_time : OneTimeCode, default=None
        A code that ``POST /api/open`` exchanges for the token, once.
    people : mapping of str to {"labels", "reviews", "administers"}, default=None
        The role of each person, by name. Each has a link of their own, with a token derived from
        `token`, which then opens nothing itself; names come from the links, and messages that a
        role may not send are refused in the reply. Who labels may answer only rows that were handed
        to them, or that they have answered before; who reviews sees the answers of everybody and
        the campaign page, and may answer any row; who administers may change the classes, too.
        None: one link, under any name, for everything but the answers of others.

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
    endpoints = _Endpoints(backend, Access(token, people), one_time)
    routes = [
        *(_make_asset_route(*asset) for asset in _ASSETS),
        *(
            Route(path, _answer_refusals(endpoint), methods=["POST"])
            for path, endpoint in (
                ("/api/message", endpoints.handle_message),
                ("/api/link", endpoints.describe_link),
                ("/api/campaign", endpoints.describe_campaign),
                ("/api/open", endpoints.redeem_code),
            )
        ),
    ]
    return Guard(Starlette(routes=routes), hosts=hosts)


class _Endpoints:
    """The paths that requests are posted to; they refuse one by a _RefusalError."""

    def __init__(
        self, backend: MessageHandler, access: Access, one_time: OneTimeCode | None
    ) -> None:
        self._backend, self._access, self._one_time = backend, access, one_time
        self._threads = ThreadPoolExecutor(_N_THREADS, "skactive-page")
        self._next_threads = ThreadPoolExecutor(_N_NEXT_THREADS, "skactive-next")
        self._report_threads = ThreadPoolExecutor(1, "skactive-campaign")  # may take long

    async def handle_message(self, request: Request) -> Response:
        visitor, body = await self._receive(request)
        annotator, message = _parse_request(_read_object(request, body), visitor)
        threads = self._next_threads if message.get("do") == "next" else self._threads
        work = partial(_handle_message, self._backend, message, annotator, visitor)
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    async def describe_link(self, request: Request) -> Response:
        visitor, _ = await self._receive(request)
        return _json_response({"ok": True, "annotator": visitor.name, "role": visitor.role})

    async def describe_campaign(self, request: Request) -> Response:
        visitor, _ = await self._receive(request)
        if not visitor.reviews:
            reason = f"{visitor.name} labels here: the campaign is for those who review."
            raise _RefusalError(403, reason)
        work = partial(_describe_campaign, self._backend)
        return await asyncio.get_running_loop().run_in_executor(self._report_threads, work)

    async def redeem_code(self, request: Request) -> Response:
        code, once = _read_object(request, await _read_body(request)).get("code"), self._one_time
        if once is None or not isinstance(code, str) or not once.redeem(code):
            raise _RefusalError(401, "This link was used already, or has expired.")
        return _json_response({"ok": True, "token": self._access.secret})

    async def _receive(self, request: Request) -> tuple[Visitor, bytes]:
        """Return who sent a request, and its body, or refuse it."""
        # The body first, because closing while the client still sends resets the connection, and
        # then it never reads the reason.
        body = await _read_body(request)
        visitor = self._access.identify(request.headers.get("authorization", ""))
        if visitor is None:
            reason = "The link is not valid, or no longer valid."
            raise _RefusalError(401, reason, **{"www-authenticate": "Bearer"})
        return visitor, body


def _answer_refusals(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that sends the reason for which a request is refused."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except _RefusalError as refusal:
            content = {"ok": False, "error": str(refusal)}
            return _json_response(content, refusal.status, refusal.headers)

    return answer


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
        text = body.decode("utf-8")
        content = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_make_object)
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


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name occurs twice: either value may be meant")
    return content


def _parse_request(content: dict[str, Any], visitor: Visitor) -> tuple[str, dict[str, Any]]:
    """Return the annotator and the message."""
    if content.keys() != {"annotator", "message"} or not isinstance(content["message"], dict):
        raise _RefusalError(400, 'Send {"annotator": name, "message": {...}}.')
    annotator, message = content["annotator"], content["message"]
    if visitor.name is not None and annotator in (None, ""):
        return visitor.name, message
    try:
        name = check_name(annotator)
    except LabelError as error:
        raise _RefusalError(400, str(error)) from error
    if visitor.name not in (None, name):
        raise _RefusalError(
            403,
            f"This link belongs to {visitor.name}: to label as {name}, open the link of {name}.",
        )
    return name, message


def _handle_message(
    backend: MessageHandler, message: dict[str, Any], annotator: str, visitor: Visitor
) -> Response:
    try:
        if visitor.name is None:
            return _json_response(backend.handle(message, annotator))
        return _json_response(_handle_by_role(backend, message, visitor))
    except Exception:  # the page keeps the message, and sends it again
        LOGGER.exception("A message could not be answered.")
        return _json_response(
            {"ok": False, "error": "Internal error; see the log of the server."}, 500
        )


def _describe_campaign(backend: MessageHandler) -> Response:
    try:
        return _json_response(backend.describe_campaign())
    except Exception:  # the page asks again
        LOGGER.exception("The campaign could not be described.")
        error = "Internal error; see the log of the server."
        return _json_response({"ok": False, "error": error}, 500)


def _handle_by_role(
    backend: MessageHandler, message: dict[str, Any], visitor: Visitor
) -> dict[str, Any]:
    """Return the reply to somebody with a link of their own, which has their name and role."""
    try:
        refusal, retry = find_refusal(visitor, message, backend.may_answer), False
    except StoreError as error:
        refusal, retry = str(error), True
    if refusal is None:
        reply = backend.handle(message, visitor.name, reviews=visitor.reviews)
    else:
        reply = backend.handle({"do": "state"}, visitor.name)
        reply = {**reply, "ok": False, "error": refusal, "retry": retry}
    owner = {"annotator": visitor.name, "role": visitor.role}
    return {**reply, "state": {**reply.get("state", {}), **owner}}


def _json_response(content: dict[str, Any], status: int = 200, headers: Any = None) -> Response:
    body = json.dumps(content, allow_nan=False).encode()
    return Response(body, status, headers, media_type="application/json")
