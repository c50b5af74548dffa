"""Answers of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from skactive._utils.array_types import Floats
from skactive._utils.compat import HasMethods, StrOptions
from skactive._utils.constraints import (
    NONNEGATIVE_INT,
    NONNEGATIVE_REAL,
    POSITIVE_INT,
    POSITIVE_REAL,
    POSITIVE_REAL_OR_NONE,
)
from skactive._utils.row_texts import list_texts
from skactive._utils.rows import take_rows
from skactive._utils.seeding import draw_seed
from skactive.annotators._annotations import Annotations
from skactive.annotators._base import Annotator, Opinion
from skactive.annotators._llm_bodies import RequestForm
from skactive.annotators._llm_cache import ReplyCache
from skactive.annotators._llm_examples import (
    Examples,
    choose_examples,
    find_positions,
    read_pairs,
)
from skactive.annotators._llm_prices import Account, Tariff
from skactive.annotators._llm_prompts import ClassNames
from skactive.annotators._llm_protocol import make_key
from skactive.annotators._llm_replies import Replies, gather_replies, warn_of_failures
from skactive.annotators._llm_requests import ChatClient, check_address, read_key
from skactive.annotators._llm_scores import (
    Reading,
    count_votes,
    find_proba,
    fit_calibration,
    read_reply,
    subtract_mean,
)
from skactive.annotators._llm_sending import Sender

__all__ = ["LLMAnnotator"]

_LEAST_ROWS = 10  # of a calibration


class LLMAnnotator(Annotator):
    r"""A language model that labels texts, on any server of the chat-completions protocol.

    Rows are texts, dictionaries, or rows of a frame. It abstains where the reply is no declared
    label, so that a text which talks the model into something else gets no label; where texts are
    completed, if all labels together have a probability below 5 %.

    Parameters
    ----------
    model : str
        Name of the model, as the server knows it.
    base_url : str
        Address of the server, such as ``"http://127.0.0.1:8080/v1"``.
    classes : array-like of shape (n_classes,), or mapping to str
        The labels; or what the model is to call each of them.
    instructions : str, default=None
        How to choose a label, in words.
    examples : int, list of (text, label) or selector, default=0
        Number of labeled texts to show, which :meth:`fit` draws, as many of each class as it can.
        Or the texts and their labels: a few short and clear ones that are written for the purpose
        can be worth more than many drawn ones. Or an object that chooses them for each row: its
        ``fit(X, y)`` takes labeled rows and sets ``positions_``, those of the examples among them;
        its ``choose(X)`` returns which of the examples to show with each row, (n_rows, n_shown).
    prompt : str, default=None
        The message about a text; ``{text}`` in it stands for the text between its tags. None: the
        text between its tags alone. For completions, the lines before a label, in which the text is
        in quotes; None is ``"Text: {text}\nLabel:"``, and better words are worth a lot:
        ``"Review: {text}\nSentiment:"``.
    endpoint : {"chat", "completions"}, default="chat"
        Protocol of the server: a chat, in which the labels and rules are told; or texts that are
        completed: examples with their labels, and one without. Models that are small or not
        instructed are far better at the second, which fewer servers offer.
    score : {"logprobs", "votes"}, default="logprobs"
        Where probabilities are from: from the log-probabilities of tokens that the server returns;
        or from `n_votes` replies, the only way for servers and models without.
    n_votes : int, default=1
        Number of replies per row with ``score="votes"``; each is paid for.
    calibrate : {"batch", "labels"}, default="batch"
        Which bias of log-probabilities is taken off: the mean log-probability of each label over
        the rows that are labeled together [1]_, of which there must be ten, or over the
        unlabeled rows of :meth:`fit`; or that on labeled rows, by :meth:`fit`, together with a
        temperature. None: none, as it must be for votes.
    price_in, price_out : float, default=0
        Price of a million tokens of prompts and of replies.
    max_concurrency : int, default=4
        Number of requests at a time.
    timeout : float, default=60
        Seconds within which a reply must be there.
    retries : int, default=3
        How often a request is sent again, if the server is busy or fails: after the time that it
        asks for (Retry-After), or after pauses that double.
    cache : str or Path, default=None
        A file for replies, by their whole requests: address, model, prompt and parameters. What is
        in it is never paid for again, also after a crash.
    budget : float, default=None
        The most that this object pays, in all of its calls. Rows beyond it are abstained from.
    api_key_env : str, default=None
        Name of the environment variable that holds the server's key, if it wants one.
    parameters : mapping, default=None
        More fields of the request, such as ``{"cache_prompt": False}``; None as a value removes a
        field that is sent otherwise. They are part of the cache's key.
    random_state : int, RandomState or None, default=None
        Seed of the examples and of the votes. None is as 0: other votes would be paid for anew.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    spent_ : float
        What has been paid so far.
    examples_ : list of (str, str)
        All examples and the names of their labels, after :meth:`fit`.

    Notes
    -----
    The probability of a label is the sum of those of all first tokens of a reply that begin it and
    no other label; where labels begin alike, that of the next token counts, and so on. Off the path
    of the reply, where no further tokens are known, such labels have equal parts. They are then
    divided by their sum over the labels.

    A text cannot leave its place in the prompt: in a chat it stands between tags that it does not
    hold; where texts are completed it is a string of JSON, in one line, which ends at its quotes. A
    small model may still believe what is said in it.

    Prices come from the tokens that the server counts. An attempt whose reply is lost on its way
    counts as the dearest that it may have been, as the server may charge; refusals and errors
    (status 429, 500) are taken to be free. Before a request is sent, its largest price must fit
    into the budget: no token is shorter than a byte, and templates add some.

    Two processes that share a cache can pay for the same request if they send it at the same time.

    References
    ----------
    .. [1] Zhou, Wan, Proleev, Mincu, Chen, Heller, Roy, "Batch calibration: rethinking calibration
       for in-context learning and prompt engineering", ICLR 2024,
       :doi:`10.48550/arXiv.2309.17249`. Here the mean is that of the logarithms.

    Examples
    --------
    >>> from skactive.annotators import LLMAnnotator
    >>> annotator = LLMAnnotator(
    ...     "small-model",
    ...     base_url="http://127.0.0.1:8080/v1",
    ...     classes={0: "negative", 1: "positive"},
    ...     instructions="Is this review of a film negative or positive?",
    ...     price_in=0.15,
    ...     price_out=0.6,
    ... )
    >>> texts = [f"A fine film, seen {n} times." for n in range(1000)]
    >>> f"{annotator.estimate_cost(texts):.4f}"  # annotator.annotate(texts) sends the requests
    '0.0144'

    A small model, which completes what a few clear examples begin:

    >>> annotator = LLMAnnotator(
    ...     "small-model",
    ...     base_url="http://127.0.0.1:8080/v1",
    ...     classes=["negative", "positive"],
    ...     endpoint="completions",
    ...     prompt="Review: {text}\nSentiment:",
    ...     examples=[("a dull mess", "negative"), ("a great film", "positive")],
    ... )
    >>> annotator.estimate_cost(texts)  # on a server of your own
    0.0
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "model": [str],
        "base_url": [str],
        "classes": ["array-like", Mapping],
        "instructions": [str, None],
        "examples": [*NONNEGATIVE_INT, list, tuple, HasMethods(["fit", "choose"])],
        "prompt": [str, None],
        "endpoint": [StrOptions({"chat", "completions"})],
        "score": [StrOptions({"logprobs", "votes"})],
        "n_votes": POSITIVE_INT,
        "calibrate": [StrOptions({"batch", "labels"}), None],
        "price_in": NONNEGATIVE_REAL,
        "price_out": NONNEGATIVE_REAL,
        "max_concurrency": POSITIVE_INT,
        "timeout": POSITIVE_REAL,
        "retries": NONNEGATIVE_INT,
        "cache": [str, Path, None],
        "budget": POSITIVE_REAL_OR_NONE,
        "api_key_env": [str, None],
        "parameters": [Mapping, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        classes: Any,
        instructions: str | None = None,
        examples: Any = 0,
        prompt: str | None = None,
        endpoint: str = "chat",
        score: str = "logprobs",
        n_votes: int = 1,
        calibrate: str | None = "batch",
        price_in: float = 0.0,
        price_out: float = 0.0,
        max_concurrency: int = 4,
        timeout: float = 60.0,
        retries: int = 3,
        cache: str | Path | None = None,
        budget: float | None = None,
        api_key_env: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.base_url = base_url
        self.classes = classes
        self.instructions = instructions
        self.examples = examples
        self.prompt = prompt
        self.endpoint = endpoint
        self.score = score
        self.n_votes = n_votes
        self.calibrate = calibrate
        self.price_in = price_in
        self.price_out = price_out
        self.max_concurrency = max_concurrency
        self.timeout = timeout
        self.retries = retries
        self.cache = cache
        self.budget = budget
        self.api_key_env = api_key_env
        self.parameters = parameters
        self.random_state = random_state

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes, sorted."""
        return ClassNames(self.classes).classes

    @property
    def spent_(self) -> float:
        """The sum that has been paid so far."""
        return getattr(self, "_spent", 0.0)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Draw examples, and learn a calibration.

        Labeled rows that are not drawn serve ``calibrate="labels"``, unlabeled ones
        ``calibrate="batch"``: the model is asked about them, which is paid for.

        Parameters
        ----------
        X : texts, or a frame
            Rows.
        y : array-like of shape (n_rows,), default=None
            Their labels, missing where they are not known; None: all are missing.

        Returns
        -------
        Self

        Raises
        ------
        ValueError
            If labels are not among the classes, or there are too few rows.
        BridgeError
            If the server cannot be reached, or refuses.
        """
        names, texts = self._check(), list_texts(X)
        labels = find_positions(y, names.classes, len(texts))
        chosen, examples = choose_examples(X, labels, names, self.examples, self._draw_seed())
        rest = np.setdiff1d(np.arange(len(texts)), chosen)
        rows = rest[(labels[rest] >= 0) == (self.calibrate == "labels")]
        calibration = None
        if self.calibrate == "labels" or (self.calibrate == "batch" and len(rows)):
            self._check_enough(len(rows), "fit")
            scores = self._ask(take_rows(X, rows), names, examples).scores
            answered = ~np.isnan(scores[:, 0])
            self._check_enough(int(answered.sum()), "the rows with answers")
            if self.calibrate == "labels":
                calibration = fit_calibration(scores[answered], labels[rows[answered]])
            else:
                calibration = subtract_mean(scores[answered])
        self.examples_, self._examples = examples.pairs, examples
        self._calibration = calibration
        return self

    def annotate(self, X: Any) -> Annotations:
        """Label rows.

        Parameters
        ----------
        X : texts, or a frame
            The rows.

        Returns
        -------
        Annotations
            `cost` is 0 where the reply is from the cache, or an equal row has paid for it;
            `seconds` are those of its requests.

        Raises
        ------
        BridgeError
            If the server cannot be reached, or refuses the first request. Later failures only leave
            rows without a label, with a warning.
        StoreError
            If the cache cannot be used.
        """
        names, texts = self._check(), list_texts(X)
        calibration = getattr(self, "_calibration", None)
        if self.calibrate == "labels" and calibration is None:
            raise NotFittedError('calibrate="labels" needs labeled rows: call fit first.')
        if self.calibrate == "batch" and calibration is None and texts:
            self._check_enough(len(texts), "annotate")
        replies = self._ask(X, names, self._get_examples())
        if self.score == "votes":
            proba = count_votes(replies.labels, len(names.names))
        else:
            proba = find_proba(replies.scores, self.calibrate, calibration)
        abstained = np.isnan(proba[:, 0])
        labels = np.full(len(texts), None, dtype=object)
        labels[~abstained] = names.classes[proba[~abstained].argmax(axis=1)]
        sources = np.zeros(len(texts), dtype=np.intp)
        if not abstained.any():
            labels = labels.astype(names.classes.dtype)
        return Annotations(labels, proba, replies.cost, replies.seconds, abstained, sources)

    def ask_again(self, X: Any) -> Annotations:
        """Label rows as :meth:`annotate` does, without replies from the cache.

        Parameters
        ----------
        X : texts, or a frame
            The rows.

        Returns
        -------
        Annotations
        """
        afresh = copy(self)
        afresh.cache = None
        try:
            return afresh.annotate(X)
        finally:
            self._spent = afresh.spent_

    def _answer(self, X: Any) -> Opinion:
        answers = self.annotate(X)
        return answers.labels, answers.proba

    def _list_prices(self, X: Any) -> Floats:
        """Estimate prices from characters; what is in the cache costs nothing."""
        names, texts = self._check(), list_texts(X)
        tariff = Tariff(self.price_in, self.price_out)
        n_out = 1.0 + float(np.mean([len(name) for name in names.names])) / 4
        known_replies = Path(self.cache) if self.cache is not None else None
        prices, known = [], set()
        with ReplyCache(
            known_replies if known_replies and known_replies.exists() else None
        ) as cache:
            for body in self._get_form(names).write_all(X, self._get_examples()):
                key = make_key(self.base_url, body)
                is_free = key in known or cache.get(key) is not None
                prices.append(0.0 if is_free else tariff.estimate(body, n_out))
                known.add(key)
        return np.reshape(np.array(prices, dtype=np.float64), (len(texts), self.n_votes)).sum(
            axis=1
        )

    # Checks -------------------------------------------------------------------------------------

    def _check(self) -> ClassNames:
        self._validate_params()
        check_address(self.base_url)
        if self.score == "votes" and self.calibrate is not None:
            raise ValueError(
                f"calibrate={self.calibrate!r} is for log-probabilities: pass calibrate=None with "
                'score="votes".'
            )
        if self.score == "logprobs" and self.n_votes > 1:
            raise ValueError(f'n_votes={self.n_votes} is for score="votes", got "logprobs".')
        if self.prompt is not None and "{text}" not in self.prompt:
            raise ValueError(
                f"prompt must hold {{text}}, where the text goes, got {self.prompt!r}."
            )
        if self.budget is not None and not self.price_in and not self.price_out:
            raise ValueError(
                f"budget={self.budget:g} limits nothing without prices: pass price_in and "
                "price_out, of a million tokens."
            )
        names = ClassNames(self.classes)
        self._get_form(names).check(
            has_budget=self.budget is not None, is_output_priced=bool(self.price_out)
        )
        return names

    def _check_enough(self, n: int, where: str) -> None:
        if n < _LEAST_ROWS:
            kind = "labeled rows that are no examples" if self.calibrate == "labels" else "rows"
            raise ValueError(
                f"calibrate={self.calibrate!r} needs at least {_LEAST_ROWS} {kind}, got {n} in "
                f"{where}: pass more, fit the annotator on others, or pass calibrate=None."
            )

    # Requests -----------------------------------------------------------------------------------

    def _get_examples(self) -> Examples:
        if isinstance(self.examples, int | np.integer) and not self.examples:
            return Examples()
        if isinstance(self.examples, list | tuple):
            return Examples(read_pairs(self.examples, ClassNames(self.classes)))
        if not hasattr(self, "_examples"):
            raise NotFittedError(
                f"This LLMAnnotator is not fitted, but examples={self.examples}: call fit with "
                "labeled rows first."
            )
        return self._examples

    def _draw_seed(self) -> int:
        return draw_seed(0 if self.random_state is None else self.random_state)

    def _get_form(self, names: ClassNames) -> RequestForm:
        return RequestForm(
            self.model,
            self.endpoint,
            names,
            self.instructions,
            self.prompt,
            has_logprobs=self.score == "logprobs",
            n_votes=self.n_votes,
            parameters=self.parameters,
            seed=self._draw_seed(),
        )

    def _ask(self, X: Any, names: ClassNames, examples: Examples) -> Replies:
        account = Account(self.budget, self.spent_)
        with (
            ReplyCache(self.cache) as cache,
            self._connect() as client,
        ):
            sender = Sender(
                client,
                cache,
                account,
                Tariff(self.price_in, self.price_out),
                make_key=partial(make_key, self.base_url),
                read=partial(read_reply, names=names, must_name=self.endpoint == "chat"),
                check_first=self._check_first,
                max_concurrency=self.max_concurrency,
            )
            try:
                outcomes = sender.send_all(self._get_form(names).write_all(X, examples))
            finally:
                self._spent = account.spent
        warn_of_failures(outcomes, sender.error)
        return gather_replies(outcomes, self.n_votes, len(names.names))

    def _connect(self) -> ChatClient:
        return ChatClient(
            self.base_url,
            read_key(self.api_key_env),
            timeout=self.timeout,
            retries=self.retries,
            endpoint=self.endpoint,
        )

    def _check_first(self, reading: Reading) -> None:
        if self.score == "logprobs" and reading.label >= 0 and reading.scores is None:
            raise ValueError(
                f"The server returns no log-probabilities of the labels for {self.model!r}: use "
                'score="votes", calibrate=None.'
            )
