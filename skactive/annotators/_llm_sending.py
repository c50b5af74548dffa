"""Many requests to one server: several at a time, each paid once, within a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from skactive.annotators._llm_cache import ReplyCache
from skactive.annotators._llm_prices import Account, Tariff
from skactive.annotators._llm_requests import ChatClient, Reply
from skactive.exceptions import StoreError

__all__ = ["Outcome", "Sender"]

_THIS_REQUEST = frozenset({400, 413, 422})  # refused: too long, or by a filter; others may do
_MOST_FAILURES = 3  # in a row, before the server is taken to be down


class Outcome(NamedTuple):
    """The end of a request, or why it was not sent.

    Attributes
    ----------
    reading : object or None
        What was read from the reply; None: there is none.
    status : str
        "answered", "failed", "budget" (it was not sent: it could exceed the budget) or "stopped"
        (it was not sent, after others had failed).
    cost, seconds : float
        Price and time of all its attempts.
    """

    reading: Any
    status: str
    cost: float = 0.0
    seconds: float = 0.0


class Sender:
    """Send requests, the first alone: what is wrong with all of them costs one request.

    Parameters
    ----------
    client, cache, account, tariff
        The server, the replies of before, the money, and the prices.
    make_key : callable
        Takes a request, and returns its key in the cache.
    read : callable
        Takes the content of a reply, and returns what is kept of it.
    check_first : callable
        Takes the first reading, and raises an error if no other will do.
    max_concurrency : int
        The most requests on their way at a time.

    Attributes
    ----------
    error : Exception or None
        The last failure.
    """

    def __init__(
        self,
        client: ChatClient,
        cache: ReplyCache,
        account: Account,
        tariff: Tariff,
        *,
        make_key: Callable[[dict[str, Any]], str],
        read: Callable[[dict[str, Any]], Any],
        check_first: Callable[[Any], None],
        max_concurrency: int,
    ) -> None:
        self._client, self._cache, self._account, self._tariff = client, cache, account, tariff
        self._make_key, self._read, self._check_first = make_key, read, check_first
        self._max_concurrency = max_concurrency
        self._outcomes: dict[str, Outcome] = {}
        self._in_flight: dict[Future[tuple[Reply, float, Exception | None]], str] = {}
        self._checked, self._proved = False, False  # the first reading; the first reply paid for
        self._stopped, self._n_failures = "", 0
        self.error: Exception | None = None

    def send_all(self, bodies: Iterable[dict[str, Any]]) -> list[Outcome]:
        """Send requests, equal ones once, and return what came of each.

        The first of equal requests carries their cost and time.

        Raises
        ------
        BridgeError
            If the server cannot be reached, or refuses the first requests. Later failures end up in
            the outcomes, so that what has been paid is returned.
        """
        keys = []
        with ThreadPoolExecutor(self._max_concurrency) as executor:
            try:
                for body in bodies:
                    keys.append(self._make_key(body))
                    if not self._is_known(keys[-1]):
                        self._place(executor, keys[-1], body)
                self._collect(0)
            except BaseException:
                self._client.stop()  # those on their way end up in the cache
                raise
        n_uses = Counter[str]()
        return [self._list_once(key, n_uses) for key in keys]

    def _list_once(self, key: str, n_uses: Counter[str]) -> Outcome:
        n_uses[key] += 1
        outcome = self._outcomes[key]
        return outcome if n_uses[key] == 1 else outcome._replace(cost=0.0, seconds=0.0)

    def _is_known(self, key: str) -> bool:
        return key in self._outcomes or key in self._in_flight.values()

    def _place(self, executor: ThreadPoolExecutor, key: str, body: dict[str, Any]) -> None:
        """Answer a request from the cache, or send it once there is a free line and money."""
        content = self._cache.get(key)
        if content is not None:
            self._keep(key, Outcome(self._read(content), "answered"))
            return
        self._collect(self._max_concurrency - 1)
        price = self._tariff.bound(body)
        amount = self._reserve(price)
        if self._stopped or amount is None:
            self._stopped = self._stopped or "budget"
            if amount is not None:
                self._account.settle(price, amount, 0.0)
            self._outcomes[key] = Outcome(None, self._stopped)
            return
        self._in_flight[executor.submit(self._send, key, body, price, amount)] = key
        if not self._proved:
            self._collect(0)

    def _reserve(self, price: float) -> float | None:
        """Put money aside, if need be after those on their way have cost less than they could."""
        while (amount := self._account.reserve(price)) is None and self._in_flight:
            self._collect(len(self._in_flight) - 1)
        return amount

    def _send(
        self, key: str, body: dict[str, Any], price: float, amount: float
    ) -> tuple[Reply, float, Exception | None]:
        """Send one request, pay for it, and store its reply (in a thread)."""
        held, paid = amount, 0.0

        def may_pay_again() -> bool:
            nonlocal held, paid
            self._account.settle(price, held, held)
            paid += held
            again = self._account.reserve(price)
            held = again or 0.0
            return again is not None

        reply = self._client.send(body, may_pay_again)
        if reply.content is None:
            cost = held if reply.is_last_lost else 0.0
            self._account.settle(price, held, cost)
            return reply, paid + cost, None
        cost = self._tariff.charge(reply.content["usage"], body)
        self._account.settle(price, held, cost)
        try:
            self._cache.put(key, reply.content)
        except StoreError as error:
            return reply, paid + cost, error
        return reply, paid + cost, None

    def _collect(self, n_left: int) -> None:
        """Wait until at most `n_left` requests are on their way."""
        while len(self._in_flight) > n_left:
            done, _ = wait(self._in_flight, return_when=FIRST_COMPLETED)
            for future in done:
                key = self._in_flight.pop(future)
                self._finish(key, *future.result())

    def _finish(self, key: str, reply: Reply, cost: float, problem: Exception | None) -> None:
        if reply.content is None:
            self._outcomes[key] = Outcome(None, "failed", cost, reply.seconds)
            self._count_failure(reply)
            return
        if problem is not None:  # its reply is not lost, but the next would not be stored
            self.error, self._stopped = problem, "stopped"
        self._n_failures, self._proved = 0, True
        self._keep(key, Outcome(self._read(reply.content), "answered", cost, reply.seconds))

    def _keep(self, key: str, outcome: Outcome) -> None:
        self._outcomes[key] = outcome
        if not self._checked:
            self._check_first(outcome.reading)
            self._checked = True

    def _count_failure(self, reply: Reply) -> None:
        """Stop if others would fail, too; if nothing has been paid yet, with the error."""
        assert reply.error is not None
        self.error = reply.error
        if reply.error.status in _THIS_REQUEST and self._proved:
            return
        self._n_failures += 1
        if reply.error.status in _THIS_REQUEST or (reply.error.passing and self._proved):
            most = _MOST_FAILURES
        else:
            most = 1
        if self._n_failures < most:
            return
        if not self._proved:
            raise reply.error
        self._stopped = "stopped"
        self._client.stop()
