"""A client of Label Studio's API, built on the standard library."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlencode, urlsplit

from skactive.exceptions import BridgeError, SkactiveWarning
from skactive.labeling._network import check_api_token, is_loopback

__all__ = ["Client", "make_exchange"]

Exchange: TypeAlias = Callable[
    [str, str, Mapping[str, str], bytes | None, float], tuple[int, bytes]
]
_TRANSIENT_STATUSES = (429, 500, 502, 503, 504)  # a retry may succeed
_RETRY_WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds between attempts
_FIRST_TIMEOUT = 10.0  # seconds; until a first response the address may be wrong
_MAX_TIMEOUTS = 4  # a response that takes so many times longer than the timeout never ends
_CHUNK = 1 << 16  # bytes
_MAX_DETAIL = 300  # characters of a response that an error quotes


class Client:
    """Send requests to one server, with a token that no error and no log ever shows.

    Requests that fail are repeated if repeating them is safe, but not before there was a first
    response: until then the address may be wrong.

    Parameters
    ----------
    url : str
        The address of Label Studio.
    token : str
        A legacy token, or a personal access token (it has two dots), which is exchanged for a
        short-lived one whenever that has expired.
    timeout : float, default=30.0
        Seconds to wait for a response.
    waits : sequence of float
        Seconds to wait between attempts; there is one attempt more than waits.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 30.0,
        waits: tuple[float, ...] = _RETRY_WAITS,
    ) -> None:
        parts = _check_url(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._token, self._access = check_api_token(token), ""
        self._timeout, self._waits = timeout, waits
        self._is_reached = False
        # Replaced by tests. Redirects are not followed, so that the token is sent nowhere else.
        self.exchange: Exchange = make_exchange(is_local=is_loopback(parts.hostname or ""))

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        retry: bool | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Send a request, and repeat it on transient errors.

        Parameters
        ----------
        method, path : str
            Of the request.
        body : object, default=None
            Any value that JSON can hold.
        query : mapping, default=None
            The query; values other than strings and integers are sent as JSON.
        retry : bool, default=None
            Whether the request may be repeated; None repeats all but POST.
        timeout : float, default=None
            Seconds to wait for a response; None takes the client's.

        Returns
        -------
        object
            The decoded JSON; None if the response is empty.

        Raises
        ------
        BridgeError
            If there is no response, or its status is an error.
        """
        target = path if query is None else f"{path}?{urlencode(_encode_query(query))}"
        waits = list(self._waits) if (method != "POST" if retry is None else retry) else []
        while True:
            try:
                return self._request(method, target, body, timeout or self._timeout)
            except BridgeError as error:
                if not error.passing or not waits or not self._is_reached:
                    raise
                time.sleep(waits.pop(0))

    def _request(self, method: str, target: str, body: Any, timeout: float) -> Any:
        status, answer = self._send(method, target, body, self._authorize(), timeout)
        if status == 401 and self._is_personal:
            self._access = ""  # it has expired: get another
            status, answer = self._send(method, target, body, self._authorize(), timeout)
        return self._parse_response(method, target, status, answer)

    def _send(
        self, method: str, target: str, body: Any, authorization: str, timeout: float
    ) -> tuple[int, bytes]:
        headers = {"Accept": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        if not self._is_reached:
            timeout = min(timeout, _FIRST_TIMEOUT)
        try:
            response = self.exchange(method, self.url + target, headers, data, timeout)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise BridgeError(
                f"No response from Label Studio at {self.url} "
                f"({self._redact(str(reason)) or type(reason).__name__}). Check that it is running "
                "and that the address is right.",
                passing=True,
            ) from None
        self._is_reached = True
        return response

    def _parse_response(self, method: str, target: str, status: int, answer: bytes) -> Any:
        if status >= 300:
            raise self._make_error(method, target.partition("?")[0], status, answer)
        try:
            return json.loads(answer) if answer.strip() else None
        except ValueError:
            raise BridgeError(
                f"The server at {self.url} is not Label Studio's API: {method} "
                f"{target.partition('?')[0]} did not return JSON. Check the address.",
                status=status,
            ) from None

    def _make_error(self, method: str, path: str, status: int, answer: bytes) -> BridgeError:
        detail = self._redact(_parse_detail(answer)).rstrip(".")
        request = f"{method} {path} at {self.url}"
        return BridgeError(
            f"{request}: {status}{f' ({detail})' if detail else ''}. {_advise(status)}",
            status=status,
            passing=status in _TRANSIENT_STATUSES,
        )

    # Tokens ---------------------------------------------------------------------------------------

    @property
    def _is_personal(self) -> bool:
        return self._token.count(".") == 2

    def _authorize(self) -> str:
        """Return the Authorization header, after exchanging a personal token if necessary."""
        if not self._is_personal:
            return f"Token {self._token}"
        if not self._access:
            path, body = "/api/token/refresh/", {"refresh": self._token}
            status, answer = self._send("POST", path, body, "", self._timeout)
            content = self._parse_response("POST", path, status, answer) or {}
            self._access = content.get("access", "")
        return f"Bearer {self._access}"

    def _redact(self, text: str) -> str:
        """Return a text of the server without the tokens that it may quote, and shortened."""
        for secret in (self._token, self._access):
            if secret:
                text = text.replace(secret, "[token]")
        return text if len(text) <= _MAX_DETAIL else text[:_MAX_DETAIL] + "..."


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect: the response is an error."""
        return


def make_exchange(*, is_local: bool) -> Exchange:
    """Return the function that sends requests; for a local server it uses no proxy."""
    handlers: list[Any] = [_NoRedirect()]
    if is_local:
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)

    def exchange(
        method: str, url: str, headers: Mapping[str, str], data: bytes | None, timeout: float
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(url, data, dict(headers), method=method)
        try:
            with opener.open(request, timeout=timeout) as answer:
                return answer.status, _read_all(answer, timeout)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _read_all(error, timeout)

    return exchange


def _read_all(answer: Any, timeout: float) -> bytes:
    """Return the body of a response; raise an error if it does not end."""
    end, chunks = time.monotonic() + _MAX_TIMEOUTS * timeout, []
    while chunk := answer.read1(_CHUNK):
        chunks.append(chunk)
        if time.monotonic() > end:
            raise TimeoutError("the response does not end")
    body = b"".join(chunks)
    if answer.length:  # bytes that are missing
        raise http.client.IncompleteRead(body, answer.length)
    return body


def _check_url(url: str) -> SplitResult:
    parts = urlsplit(url.strip())
    if "@" in parts.netloc:
        raise ValueError(
            "The address contains a user or a password: leave them out, and pass the token alone."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url must be an address such as 'http://localhost:8080', got {url!r}.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        warnings.warn(
            f"http to {parts.hostname} is not encrypted: others in the network can read the token "
            "and the rows. Use https.",
            SkactiveWarning,
            stacklevel=4,
        )
    return parts


def _encode_query(query: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(value) if isinstance(value, str | int) else json.dumps(value)
        for name, value in query.items()
    }


def _parse_detail(answer: bytes) -> str:
    """Return the details of an error response; none unless it is JSON."""
    try:
        content = json.loads(answer)
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return str(content)
    invalid = content.get("validation_errors")
    return str(content.get("detail", "")) + (f": {json.dumps(invalid)}" if invalid else "")


def _advise(status: int) -> str:
    if status == 401:
        return (
            "The token is wrong or expired, or its kind is disabled there: copy it again from "
            "Account & Settings."
        )
    if status == 403:
        return "The user of this token lacks permission: ask for access, or use another token."
    if status == 404:
        return "Not found, or not accessible with this token: check the project and the address."
    if status < 400:
        return "Label Studio is at another address (https for http?): pass that as url."
    if status in _TRANSIENT_STATUSES:
        return "The server failed or is overloaded: look at its log, and try again."
    return "Label Studio refused the request."
