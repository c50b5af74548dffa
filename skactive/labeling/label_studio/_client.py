"""Requests to Label Studio's API, by the standard library."""

from __future__ import annotations

import http.client
import ipaddress
import json
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlencode, urlsplit

from skactive.exceptions import BridgeError, SkactiveWarning

__all__ = ["Client"]

Exchange: TypeAlias = Callable[
    [str, str, Mapping[str, str], bytes | None, float], tuple[int, bytes]
]
_PASSING = (429, 500, 502, 503, 504)  # answers that may be others a little later
_WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds between tries
_LONGEST = 300  # characters of what a server says that an error repeats


class Client:
    """Asks one server, with a token that no error and no log ever shows.

    What is lost on the way is asked again, as long as asking twice does no harm.

    Parameters
    ----------
    url : str
        Where Label Studio is.
    token : str
        A legacy token, or a personal access token (it has two dots), which is exchanged for a
        short-lived one whenever that has run out.
    timeout : float, default=30.0
        Seconds to wait for an answer.
    waits : sequence of float
        Seconds to wait between tries; one more try than there are waits.
    """

    def __init__(
        self, url: str, token: str, *, timeout: float = 30.0, waits: tuple[float, ...] = _WAITS
    ) -> None:
        parts = _checked_url(url)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._token, self._access = _checked_token(token), ""
        self._timeout, self._waits = timeout, waits
        # The seam of the contract test. A redirect is never followed: the token goes nowhere else.
        self.exchange: Exchange = _exchange(_is_loopback(parts.hostname or ""))

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        harmless: bool | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Ask once, or until there is an answer.

        Parameters
        ----------
        method, path : str
            What is asked.
        body : object, default=None
            Anything that JSON can hold.
        query : mapping, default=None
            Goes behind the path; what is neither text nor a number, as JSON.
        harmless : bool, default=None
            Whether it may be asked twice; None: unless it is a POST.
        timeout : float, default=None
            Seconds to wait, where it is not as usual.

        Returns
        -------
        object
            What the answer holds, from JSON; None if it is empty.

        Raises
        ------
        BridgeError
            If there is no answer, or it says no.
        """
        target = path if query is None else f"{path}?{urlencode(_texts(query))}"
        waits = list(self._waits) if (method != "POST" if harmless is None else harmless) else []
        while True:
            try:
                return self._asked(method, target, body, timeout or self._timeout)
            except BridgeError as error:
                if not error.passing or not waits:
                    raise
                time.sleep(waits.pop(0))

    def _asked(self, method: str, target: str, body: Any, timeout: float) -> Any:
        for again in (False, True):
            status, answer = self._sent(method, target, body, self._authorization(), timeout)
            if status == 401 and self._is_personal and not again:
                self._access = ""  # it has run out
                continue
            break
        return self._read(method, target, status, answer)

    def _sent(
        self, method: str, target: str, body: Any, authorization: str, timeout: float
    ) -> tuple[int, bytes]:
        headers = {"Accept": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        try:
            return self.exchange(method, self.url + target, headers, data, timeout)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise BridgeError(
                f"No answer from Label Studio at {self.url} "
                f"({self._clean(str(reason)) or type(reason).__name__}). Check that it runs and "
                "that this is its address.",
                passing=True,
            ) from None

    def _read(self, method: str, target: str, status: int, answer: bytes) -> Any:
        if status >= 300:
            raise self._refusal(method, target.partition("?")[0], status, answer)
        try:
            return json.loads(answer) if answer.strip() else None
        except ValueError:
            raise BridgeError(
                f"What answers at {self.url} is not Label Studio's API: {method} "
                f"{target.partition('?')[0]} gave no JSON. Check the address.",
                status=status,
            ) from None

    def _refusal(self, method: str, path: str, status: int, answer: bytes) -> BridgeError:
        said = self._clean(_detail(answer)).rstrip(".")
        asked = f"{method} {path} at {self.url}"
        return BridgeError(
            f"{asked}: {status}{f' ({said})' if said else ''}. {_advice(status)}",
            status=status,
            passing=status in _PASSING,
        )

    # Tokens ---------------------------------------------------------------------------------------

    @property
    def _is_personal(self) -> bool:
        return self._token.count(".") == 2

    def _authorization(self) -> str:
        if not self._is_personal:
            return f"Token {self._token}"
        if not self._access:
            path, body = "/api/token/refresh/", {"refresh": self._token}
            status, answer = self._sent("POST", path, body, "", self._timeout)
            self._access = (self._read("POST", path, status, answer) or {}).get("access", "")
        return f"Bearer {self._access}"

    def _clean(self, text: str) -> str:
        """Return what a server said, without any token that it may have repeated."""
        for secret in (self._token, self._access):
            if secret:
                text = text.replace(secret, "[token]")
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _exchange(is_local: bool) -> Exchange:
    """Return what sends a request; a proxy is not asked for what is on this machine."""
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
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    return exchange


def _checked_url(url: str) -> SplitResult:
    parts = urlsplit(url.strip())
    if "@" in parts.netloc:
        raise ValueError("The address holds a user or a password: leave them out, pass token=.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url must be an address such as 'http://localhost:8080', got {url!r}.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        warnings.warn(
            f"http to {parts.hostname} is not encrypted: others on the way can read the token and "
            "the rows. Use https.",
            SkactiveWarning,
            stacklevel=4,
        )
    return parts


def _checked_token(token: str) -> str:
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(
            "token is empty, or has characters that no token has. In Label Studio it is under "
            "Account & Settings: a personal access token, or a legacy token."
        )
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _texts(query: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(value) if isinstance(value, str | int) else json.dumps(value)
        for name, value in query.items()
    }


def _detail(answer: bytes) -> str:
    """Return what a server says of an error: of JSON its details, of a page nothing."""
    try:
        said = json.loads(answer)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return str(said)
    wrong = said.get("validation_errors")
    return str(said.get("detail", "")) + (f": {json.dumps(wrong)}" if wrong else "")


def _advice(status: int) -> str:
    if status == 401:
        return (
            "The token is wrong, has run out, or is of a kind that is switched off there: copy it "
            "anew from Account & Settings."
        )
    if status == 403:
        return "The user of this token may not do this: ask for the rights, or use another token."
    if status == 404:
        return "There is no such thing, or not for this token: check the project and the address."
    if status < 400:
        return "Label Studio is at another address (https for http?): pass that as url."
    if status in _PASSING:
        return "The server fails or has too much to do: look at its log, and try again."
    return "Label Studio refuses this."
