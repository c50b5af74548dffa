"""One request to the server of a language model, with its retries."""

from __future__ import annotations

import email.utils
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Lock
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from skactive._utils.sanitizing import sanitize
from skactive.annotators._llm_protocol import find_endpoint, read_choice
from skactive.exceptions import BridgeError

__all__ = ["ChatClient", "Reply", "check_address", "read_key"]

_FIRST_WAIT = 0.5  # seconds; it doubles with each retry
_LONGEST_WAIT = 60.0
_LONGEST_RETRY_AFTER = 600.0  # a server that asks for more is taken to be down
_MOST_BYTES = 1 << 24  # of a reply
_MOST_CHARACTERS = 300  # of a server's message
_MOST_SHOWN = 4096  # bytes of it that are searched for the key, which must not be cut
_PASSING = frozenset({408, 409, 425, 429})  # and all from 500 on
_GATEWAY = frozenset({502, 504})  # the server behind it may have replied, and charged


class Reply(NamedTuple):
    """The end of a request, after all its attempts.

    Attributes
    ----------
    content : dict or None
        The server's reply; None: there is none.
    error : BridgeError or None
        Why not.
    is_last_lost : bool
        Whether the server may charge for the last attempt though its reply was lost.
    seconds : float
        Time of all attempts, without the waits between them.
    """

    content: dict[str, Any] | None
    error: BridgeError | None
    is_last_lost: bool
    seconds: float


class _Failure(NamedTuple):
    """An attempt without a reply."""

    message: str
    status: int | None = None
    passing: bool = False
    lost: bool = False
    wait: float = 0.0  # seconds that the server asks for


class ChatClient:
    """A connection to a server, for several threads.

    Parameters
    ----------
    base_url : str
        Address of the server, to which ``/chat/completions`` or ``/completions`` is added.
    api_key : str or None
        Its key, if it wants one.
    timeout : float
        Seconds within which a reply must be there.
    retries : int
        How often a request is sent again.
    endpoint : str
        Protocol of the requests, "chat" or "completions".
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        timeout: float,
        retries: int,
        endpoint: str = "chat",
    ) -> None:
        httpx = _import_httpx()
        self._key, self._timeout, self._retries = api_key, timeout, retries
        self._url = find_endpoint(base_url, endpoint)
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        limits = httpx.Limits(max_connections=None)  # the threads are the limit
        self._http = httpx.Client(timeout=timeout, headers=headers, limits=limits)
        self._stop, self._lock, self._resume = Event(), Lock(), 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def stop(self) -> None:
        """End waits, and retry no more."""
        self._stop.set()

    def send(self, body: dict[str, Any], may_pay_again: Callable[[], bool]) -> Reply:
        """Send a request until there is a reply, an error that stays, or no retry left.

        Parameters
        ----------
        body : dict
            The request.
        may_pay_again : callable
            Called when a reply was lost for which the server may charge: whether another attempt
            can be paid.
        """
        seconds, retry = 0.0, 0
        while True:
            self._wait_for_server()
            began = time.monotonic()
            result = self._attempt(body)
            seconds += time.monotonic() - began
            if isinstance(result, dict):
                return Reply(result, None, False, seconds)
            is_lost = result.lost
            if not result.passing or retry == self._retries or self._stop.is_set():
                break
            if result.wait > _LONGEST_RETRY_AFTER:
                break
            if is_lost:
                is_lost = False  # paid for here
                if not may_pay_again():
                    break
            self._postpone(result, min(_FIRST_WAIT * 2**retry, _LONGEST_WAIT))
            retry += 1
        error = BridgeError(result.message, status=result.status, passing=result.passing)
        return Reply(None, error, is_lost, seconds)

    def _wait_for_server(self) -> None:
        """Wait as long as the server has asked for, in any thread."""
        while not self._stop.is_set() and (left := self._resume - time.monotonic()) > 0:
            self._stop.wait(left)

    def _postpone(self, failure: _Failure, pause: float) -> None:
        if failure.wait:  # for all threads
            with self._lock:
                self._resume = max(self._resume, time.monotonic() + failure.wait)
        self._stop.wait(max(0.0, pause - failure.wait))

    def _attempt(self, body: dict[str, Any]) -> dict[str, Any] | _Failure:
        httpx = _import_httpx()
        deadline = time.monotonic() + self._timeout
        try:
            with self._http.stream("POST", self._url, json=body) as response:
                content = _read(response, deadline)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            message = f"{self._url} cannot be reached ({error}): is the server running?"
            return _Failure(self._clean(message), passing=True)
        except (httpx.RequestError, TimeoutError) as error:
            message = f"The reply of {self._url} was cut off or late ({type(error).__name__}"
            message += f": {error}): a larger timeout than {self._timeout:g} s may help."
            return _Failure(self._clean(message), passing=True, lost=True)
        if response.status_code == 200:
            return self._parse(content)
        return self._explain(response, content)

    def _parse(self, content: bytes) -> dict[str, Any] | _Failure:
        try:
            return read_choice(json.loads(content))
        except (ValueError, LookupError, TypeError, RecursionError):
            shown = self._clean(content[:_MOST_SHOWN].decode("utf-8", "replace"))
            return _Failure(
                f"{self._url} did not reply in the chat-completions protocol, but with {shown!r}.",
                status=200,
                passing=True,
                lost=True,
            )

    def _explain(self, response: Any, content: bytes) -> _Failure:
        status = response.status_code
        try:
            shown = str(json.loads(content)["error"]["message"])
        except (ValueError, LookupError, TypeError, RecursionError):
            shown = content[:_MOST_SHOWN].decode("utf-8", "replace")
        return _Failure(
            f"{self._url} replied with status {status}: {self._clean(shown)!r}.",
            status=status,
            passing=status in _PASSING or status >= 500,
            lost=status in _GATEWAY,
            wait=_read_retry_after(response.headers.get("retry-after")),
        )

    def _clean(self, text: str) -> str:
        """Return a text of a server, without the key, for people to read."""
        text = text if not self._key else text.replace(self._key, "***")
        return sanitize(text[:_MOST_CHARACTERS])


def check_address(base_url: str) -> None:
    """Check the address of a server."""
    try:
        parts = urlsplit(base_url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError(
            "base_url must be an address such as 'http://127.0.0.1:8080/v1' (without "
            f"/chat/completions), got {base_url!r}."
        )
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(  # not shown: it may hold a key
            "base_url has a user, a password or a query: pass the address alone, and the name of "
            "an environment variable that holds the key as api_key_env."
        )


def read_key(variable: str | None) -> str | None:
    """Return the server's key, from an environment variable; None if no variable is named.

    Raises
    ------
    ValueError
        If it is not set.
    """
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:  # the name is not shown: it may be the key, by mistake
        raise ValueError(
            "The environment variable that api_key_env names is not set: set it to the "
            "server's key, and pass its name, not the key."
        )
    return key


def _import_httpx() -> Any:
    try:
        import httpx  # late: optional
    except ImportError as error:
        raise ImportError(
            'LLMAnnotator needs httpx, which is not installed: pip install "skactive[llm]".'
        ) from error
    return httpx


def _read(response: Any, deadline: float) -> bytes:
    """Read a reply; httpx limits the time of each piece only."""
    pieces, n_bytes = [], 0
    for piece in response.iter_bytes():
        pieces.append(piece)
        n_bytes += len(piece)
        if time.monotonic() > deadline:
            raise TimeoutError("it came too slowly")
        if n_bytes > _MOST_BYTES:
            raise TimeoutError(f"it is longer than {_MOST_BYTES} bytes")
    return b"".join(pieces)


def _read_retry_after(value: str | None) -> float:
    """Return the seconds of a Retry-After header, which has seconds or a date; 0 without one."""
    if value is None:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
