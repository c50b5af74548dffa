"""PageBackend: answers the messages of a labeling page, whatever transports them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from skactive.exceptions import LabelError, StoreError
from skactive.labeling._numbers import check_number
from skactive.labeling.page._campaign import CampaignReport
from skactive.labeling.page._class_list import ClassList, check_new_class
from skactive.labeling.page._protocol import (
    Message,
    check_message,
    is_unicode,
    parse_count,
    parse_cursor,
    parse_differ,
    parse_key,
    parse_large_integer,
    parse_seconds,
    parse_ticket,
    quote,
    to_json,
)
from skactive.labeling.page._rendering import Renderer
from skactive.labeling.page._shared_state import SharedState
from skactive.labeling.page._suggestions import make_suggestion
from skactive.labeling.state._events import Event, Ident

__all__ = ["PageBackend"]

_MAX_REPLY_CHARACTERS = 1_000_000  # A notebook server throttles at a megabyte per second
_MAX_STORED_KEYS = 5_000  # the oldest are forgotten
_REVIEWED = ("history", "show", "suggest")  # messages with other replies for somebody who reviews


class PageBackend:
    """Answer the messages of a labeling page, whatever transports them.

    Messages and replies are dicts that JSON can hold. Messages come from outside and may be
    anything: :meth:`handle` never raises on them. Several threads may call it at the same time.

    Parameters
    ----------
    session : LabelingSession
        The session; people choose among its classes, or enter numbers if its learner is a
        regressor.
    render : callable or {"text", "image", "audio", "table", "html"}, default=None
        How to show a row: a function of one row that returns a text, an image (path, array, PIL
        image), a sound (path, or array with its rate) or a mapping for a table; or the type of all
        rows. None infers it from the type of each row; see :class:`Renderer`.
    title : str, default=""
        The title of the page.
    html : bool, default=False
        Whether to show texts as HTML, in a frame without scripts.
    media_root : str or Path, default=None
        The folder that holds the files of the rows; names are relative to it, and files outside
        are refused. None allows files anywhere, but only as :class:`pathlib.Path` objects.
    watches : sequence of PoolDrift, default=()
        Watches of new rows that the campaign page shows, beside those of the session's hooks.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skactive import ActiveLearner
    >>> from skactive.labeling import LabelingSession
    >>> from skactive.labeling.page import PageBackend
    >>> texts = ["good", "bad", "good fun", "bad luck"]
    >>> learner = ActiveLearner(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    >>> session = LabelingSession(learner, texts, classes=["neg", "pos"], random_state=0)
    >>> backend = PageBackend(session)
    >>> item = backend.handle({"do": "next", "n": 1}, "ann")["items"][0]
    >>> item["content"]["type"]
    'text'
    >>> answer = {"id": item["id"], "ticket": item["ticket"], "label": "pos", "key": "a1"}
    >>> backend.handle({"do": "label", **answer}, "ann")["state"]["n_labeled"]
    1
    >>> backend.handle({"do": "label", **answer, "label": "maybe"}, "ann")["ok"]
    False
    >>> session.close()
    """

    def __init__(
        self,
        session: Any,
        *,
        render: Any = None,
        title: str = "",
        html: bool = False,
        media_root: Any = None,
        watches: Sequence[Any] = (),
    ) -> None:
        if session.multilabel and not session.is_classifier:
            raise TypeError(
                "The labeling page cannot ask for several numbers per row: pass a classifier, or "
                "leave out multilabel."
            )
        self.session, self.title = session, str(title)
        self._render = Renderer(render, html=html, media_root=media_root)
        self._classes = ClassList(session)
        self._state = SharedState(session, self._classes, self.title)
        self._report = CampaignReport(session, self.title, watches=watches)
        self._results_lock = Lock()
        self._results: OrderedDict[tuple[str | None, str], Any] = OrderedDict()

    def handle(
        self, message: Any, annotator: str | None = None, *, reviews: bool = False
    ) -> dict[str, Any]:
        """Carry out a message and return the reply.

        Every message is a dict with ``do``:

        - ``next`` (``n``, ``key``): lease rows; the reply has them as ``items``. An item whose
          content is None did not fit into the reply: request it with ``show``.
        - ``label``, ``relabel`` (``id``, ``label``, ``ticket``, ``seconds``, ``key``): a label is
          one of ``classes`` of the reply, a list of them in a multilabel session, or a number if
          the state has ``numbers``.
        - ``skip``, ``dont_know`` (``id``, ``ticket``, ``key``).
        - ``undo`` (``key``): undo the annotator's last answer; ``item`` is the row, with the answer
          that was undone, or None.
        - ``history`` (``n``, ``before``): ``items`` are rows that the annotator answered, newest
          first, with the answers but without contents; ``before`` of the reply gets earlier ones,
          unless it is None. For somebody who reviews, they are rows that anybody answered; with
          ``differ``, only those to which people gave different labels, and on which the reviewer
          has not had the last word.
        - ``show`` (``id``): ``item`` is a row, with the annotator's answer. For somebody who
          reviews, items of ``show`` and ``history`` also have ``answers``: the ``annotator``, the
          ``kind``, the ``label`` and the ``time`` of everybody's answer, latest first; those that a
          router accepted have a ``cost``. The first label among them is the one that counts.
        - ``full`` (``id``): ``content`` is the row's picture at full size.
        - ``suggest`` (``id``): ``suggestion`` is a list of classes with their probabilities under
          the latest model, most probable first, or None without a model; of a number, a sentence.
          For somebody who reviews, ``routed`` lists the answers of a router's annotators, with
          ``annotator``, ``label``, ``confidence`` (or None) and ``cost``.
        - ``add_class`` (``label``, ``key``), ``release`` (``tickets``), ``state``.
        - ``rename_class`` (``old``, ``new``, ``key``): if ``new`` is a class already, the two are
          merged.

        Parameters
        ----------
        message : dict
            As above. Repeating a ``key`` changes nothing, and gets the same reply.
        annotator : str, default=None
            Who sent it; the transport vouches for the name.
        reviews : bool, default=False
            Whether they see the answers of others.

        Returns
        -------
        dict
            With ``ok``, ``state``, ``classes`` and ``keys`` (``classes``: the key of each class, or
            None; ``commands``: the command of each key; ``help``: the explanation of each command;
            ``search``: whether classes are found by searching); if ``ok`` is False, also with
            ``error``, the reason, and ``retry``, whether the same message may succeed later.
        """
        try:
            reply = {"ok": True, **self._dispatch(message, annotator, reviews)}
        except StoreError as error:
            reply = {"ok": False, "error": str(error), "retry": True}
        except LabelError as error:
            reply = {"ok": False, "error": str(error), "retry": False}
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            reply = {"ok": False, "error": text, "retry": False}
        state = self._state.read(annotator)
        return {**reply, "state": state, **self._classes.describe()}

    def describe_campaign(self) -> dict[str, Any]:
        """Return what the campaign page shows: progress, accuracy, people, costs and routing.

        Returns
        -------
        dict
            With ``ok``, and as JSON can hold it: see ``CampaignReport``. If it cannot be read,
            ``ok`` is False, and ``error`` the reason.
        """
        try:
            return {"ok": True, **self._report.read()}
        except Exception as error:  # the page shows it, and asks again
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def may_answer(self, message: Message, annotator: str | None) -> bool:
        """Return whether somebody who only labels may answer the row of a message.

        Parameters
        ----------
        message : dict
            The answer, for :meth:`handle`.
        annotator : str or None
            Who sent it.

        Returns
        -------
        bool
            Whether the row was handed to them under the ticket of the message, or they have
            answered it before.
        """
        try:
            ident, ticket = self._parse_id(message.get("id")), parse_ticket(message)
        except LabelError:
            return False
        if self.session.has_answered(ident, annotator):
            return True
        return ticket is not None and self.session.was_handed_out(ticket, ident, annotator)

    # Messages -------------------------------------------------------------------------------------

    def _dispatch(self, message: Any, annotator: str | None, reviews: bool) -> dict[str, Any]:
        do = check_message(message)
        prefix = "review" if reviews and do in _REVIEWED else "do"
        return getattr(self, f"_{prefix}_{do}")(message, annotator)

    def _do_next(self, message: Message, annotator: str | None) -> dict[str, Any]:
        n = parse_count(message, default=1)

        def lease_rows() -> tuple[str, list[Ident]]:
            batch = self.session.next_batch(n, annotator)
            return batch.ticket, batch.ids

        ticket, ids = self._run_once(message, annotator, lease_rows)
        items: list[dict[str, Any]] = []
        n_left = _MAX_REPLY_CHARACTERS
        for ident in ids:
            content = self._render_row(ident) if n_left > 0 else None
            n_left -= _count_characters(content)
            fits = n_left > 0 or not items  # the first item is sent whatever its size
            items.append(_make_item(ident, ticket, content if fits else None))
        return {"items": items}

    def _do_label(self, message: Message, annotator: str | None) -> dict[str, Any]:
        submit = self.session.submit
        return self._store_label(submit, message, annotator, ticket=parse_ticket(message))

    def _do_relabel(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._store_label(self.session.relabel, message, annotator)

    def _store_label(
        self, store: Callable[..., int], message: Message, annotator: str | None, **options: Any
    ) -> dict[str, Any]:
        answer = {self._parse_id(message["id"]): self._parse_label(message["label"])}
        seconds, key = parse_seconds(message), parse_key(message, annotator)
        return {"stored": store(answer, annotator=annotator, seconds=seconds, key=key, **options)}

    def _do_skip(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._store_refusal(self.session.skip, message, annotator)

    def _do_dont_know(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._store_refusal(self.session.mark_unknown, message, annotator)

    def _store_refusal(
        self, store: Callable[..., int], message: Message, annotator: str | None
    ) -> dict[str, Any]:
        ids, key = [self._parse_id(message["id"])], parse_key(message, annotator)
        return {"stored": store(ids, ticket=parse_ticket(message), annotator=annotator, key=key)}

    def _do_undo(self, message: Message, annotator: str | None) -> dict[str, Any]:
        undone = self.session.retract(annotator, key=parse_key(message, annotator))
        if undone is None or undone.item not in self.session.positions:
            return {"item": None}
        content, answer = self._render_row(undone.item), _describe_answer(undone)
        return {"item": _make_item(undone.item, undone.ticket, content, **answer)}

    def _do_history(self, message: Message, annotator: str | None) -> dict[str, Any]:
        n, before = parse_count(message, default=20), parse_cursor(message)
        if parse_differ(message):
            raise LabelError("Only somebody who reviews sees the answers of others: omit differ.")
        answers: list[Event] = self.session.answers_of(annotator, n, before=before)
        items = [
            _make_item(answer.item, None, None, **_describe_answer(answer))
            for answer in answers
            if answer.item is not None and answer.item in self.session.positions
        ]
        return {"items": items, "before": answers[-1].seq if len(answers) == n else None}

    def _review_history(self, message: Message, annotator: str | None) -> dict[str, Any]:
        n, before = parse_count(message, default=20), parse_cursor(message)
        differ = parse_differ(message)
        latest: list[Event] = self.session.latest_answers(n, before, differ=differ)
        items = [
            self._make_reviewed_item(answer.item, None, annotator)
            for answer in latest
            if answer.item is not None and answer.item in self.session.positions
            if not (differ and answer.annotator == annotator)
        ]
        return {"items": items, "before": latest[-1].seq if len(latest) == n else None}

    def _review_show(self, message: Message, annotator: str | None) -> dict[str, Any]:
        ident = self._parse_id(message["id"])
        return {"item": self._make_reviewed_item(ident, self._render_row(ident), annotator)}

    def _do_show(self, message: Message, annotator: str | None) -> dict[str, Any]:
        ident = self._parse_id(message["id"])
        answer = _describe_answer(self.session.get_answer(ident, annotator))
        return {"item": _make_item(ident, None, self._render_row(ident), **answer)}

    def _do_full(self, message: Message, annotator: str | None) -> dict[str, Any]:
        position = self.session.positions[self._parse_id(message["id"])]
        return {"content": self._render.full(self.session.X, position)}

    def _do_suggest(self, message: Message, annotator: str | None) -> dict[str, Any]:
        position = self.session.positions[self._parse_id(message["id"])]
        return {"suggestion": make_suggestion(self.session, position)}

    def _review_suggest(self, message: Message, annotator: str | None) -> dict[str, Any]:
        given = self.session.get_answers(self._parse_id(message["id"]))
        known = [(answer, self.session.find_routed(answer)) for answer in given]
        routed = [
            {"annotator": answer.annotator, "label": to_json(answer.value), **found._asdict()}
            for answer, found in known
            if found is not None
        ]
        return {**self._do_suggest(message, annotator), "routed": routed}

    def _do_add_class(self, message: Message, annotator: str | None) -> dict[str, Any]:
        if self._classes.find(message["label"]) is None:
            label = check_new_class(message["label"], self._classes.labels)
            self.session.add_class(label, key=parse_key(message, annotator))
        return {}

    def _do_rename_class(self, message: Message, annotator: str | None) -> dict[str, Any]:
        sent_old, sent_new = message["old"], message["new"]
        old = self._classes.find(sent_old)
        if old is None:  # the session knows whether this key has renamed it already
            if not isinstance(sent_old, str | int | float):
                raise LabelError(f"{quote(sent_old)} is not among the classes.")
            old = sent_old
        new = self._classes.find(sent_new)
        if new is None:
            new = check_new_class(sent_new, self._classes.labels[:1])
        key = parse_key(message, annotator)
        self.session.rename_class(old, new, annotator=annotator, key=key)
        return {}

    def _do_release(self, message: Message, annotator: str | None) -> dict[str, Any]:
        tickets = message["tickets"]
        if not isinstance(tickets, list) or not all(isinstance(t, str) for t in tickets):
            raise LabelError(f"tickets must be a list of strings, got {quote(tickets)}.")
        for ticket in tickets:
            self.session.release(ticket)
        return {}

    def _do_state(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return {}

    # Ids and labels from a client -----------------------------------------------------------------

    def _parse_id(self, sent: Any) -> Ident:
        """Return the id that a client named; integers too large for JavaScript come as digits."""
        positions = self.session.positions
        if isinstance(sent, str | int) and not isinstance(sent, bool):
            if sent in positions and (isinstance(sent, int) or is_unicode(sent)):
                return sent
            number = parse_large_integer(sent) if isinstance(sent, str) else None
            if number is not None and number in positions:
                return number
        raise LabelError(f"Row {quote(sent)} is not in the pool. Nothing was stored.")

    def _parse_label(self, sent: Any) -> Any:
        if self.session.labels_are_numbers:
            return check_number(sent, self.session.value_range)
        if not self.session.multilabel:
            return self._parse_class(sent)
        if not isinstance(sent, list):
            raise LabelError(
                f"In a multilabel session a label is a list of classes, got {quote(sent)}."
            )
        return [self._parse_class(label) for label in sent]

    def _parse_class(self, sent: Any) -> Any:
        """Return the session's class that a client named."""
        label = self._classes.find(sent)
        if label is None or (isinstance(label, str) and not is_unicode(label)):
            raise LabelError(
                f"{quote(sent)} is not among the classes. Nothing was stored. Add it as a class "
                "first."
            )
        return label

    # Replies --------------------------------------------------------------------------------------

    def _render_row(self, ident: Ident) -> dict[str, Any]:
        return self._render(self.session.X, self.session.positions[ident])

    def _make_reviewed_item(
        self, ident: Ident, content: Any, annotator: str | None
    ) -> dict[str, Any]:
        """Return a row with the answers of everybody, and with the annotator's as their own."""
        given: list[Event] = self.session.get_answers(ident)
        own = next((answer for answer in given if answer.annotator == annotator), None)
        answers = [
            {
                "annotator": answer.annotator,
                **_describe_answer(answer),
                "time": answer.time,
                **self._describe_routed(answer),
            }
            for answer in given
        ]
        return _make_item(ident, None, content, **_describe_answer(own), answers=answers)

    def _describe_routed(self, answer: Event) -> dict[str, Any]:
        """Return the cost of an answer that a router accepted; its confidence is for `suggest`."""
        routed = self.session.find_routed(answer)
        return {} if routed is None else {"cost": routed.cost}

    def _run_once(self, message: Message, annotator: str | None, work: Callable[[], Any]) -> Any:
        """Do the work of a message, or return its earlier result if the key is known."""
        key = parse_key(message, annotator)
        if key is None:
            return work()
        name = (message["do"], key)
        with self._results_lock:
            if name not in self._results:
                self._results[name] = work()
                while len(self._results) > _MAX_STORED_KEYS:
                    self._results.popitem(last=False)
            return self._results[name]


def _describe_answer(answer: Any) -> dict[str, Any]:
    """Return the kind and the label of an answer as JSON values."""
    if answer is None:
        return {}
    label = answer.value
    value = [to_json(c) for c in label] if isinstance(label, list) else to_json(label)
    return {"kind": answer.kind, "label": value}


def _make_item(ident: Ident, ticket: str | None, content: Any, **answer: Any) -> dict[str, Any]:
    return {"id": to_json(ident), "ticket": ticket, "content": content, **answer}


def _count_characters(content: dict[str, Any] | None) -> int:
    """Return the approximate size of a content."""
    if content is None:
        return 0
    return sum(len(value) if isinstance(value, str) else 100 for value in content.values())
