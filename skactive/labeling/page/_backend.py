"""PageBackend: answers the messages of a labeling page, whatever transports them."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from skactive.exceptions import LabelError, StoreError
from skactive.labeling._validation import get_label_type
from skactive.labeling.page._rendering import Renderer
from skactive.labeling.page._suggestions import suggest_classes
from skactive.labeling.state._events import Ident

__all__ = ["PageBackend"]

Message = Mapping[str, Any]

_MAX_SAFE_INTEGER = 2**53 - 1  # of JavaScript; larger integers are sent as strings of digits
_MAX_ITEMS = 20  # per `next`
_MAX_REPLY_CHARACTERS = 1_000_000  # A notebook server throttles at a megabyte per second
_MAX_CLASSES = 2_000
_MAX_CLASS_NAME = 200  # characters
_MAX_STORED_KEYS = 5_000  # the oldest are forgotten
_KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")

# The required and the optional fields of each message, besides "do".
_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "next": (set(), {"n", "key"}),
    "label": ({"id", "label"}, {"ticket", "seconds", "key"}),
    "relabel": ({"id", "label"}, {"ticket", "seconds", "key"}),
    "skip": ({"id"}, {"ticket", "key"}),
    "dont_know": ({"id"}, {"ticket", "key"}),
    "undo": (set(), {"key"}),
    "show": ({"id"}, set()),
    "suggest": ({"id"}, set()),
    "add_class": ({"label"}, {"key"}),
    "release": ({"tickets"}, {"key"}),
    "state": (set(), set()),
}


class PageBackend:
    """Answer the messages of a labeling page, whatever transports them.

    Messages and replies are dicts that JSON can hold. Messages come from outside and may be
    anything: :meth:`handle` never raises on them. Several threads may call it at the same time.

    Parameters
    ----------
    session : LabelingSession
        The session of a classifier.
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
    ) -> None:
        if not session.is_classifier:
            raise TypeError(
                "The labeling page needs a classifier, but the learner is a regressor: submit its "
                "labels with session.submit."
            )
        self.session, self.title = session, str(title)
        self._render = Renderer(render, html=html, media_root=media_root)
        self._classes: list[Any] = []  # in the order of their first appearance
        self._last_state: dict[str, Any] = {}  # sent again if a new one cannot be read
        self._class_lock, self._results_lock = Lock(), Lock()
        self._results: OrderedDict[tuple[str | None, str], Any] = OrderedDict()

    def handle(self, message: Any, annotator: str | None = None) -> dict[str, Any]:
        """Carry out a message and return the reply.

        Every message is a dict with ``do``:

        - ``next`` (``n``, ``key``): lease rows; the reply has them as ``items``. An item whose
          content is None did not fit into the reply: request it with ``show``.
        - ``label``, ``relabel`` (``id``, ``label``, ``ticket``, ``seconds``, ``key``): a label is
          one of ``classes`` of the reply, or a list of them in a multilabel session.
        - ``skip``, ``dont_know`` (``id``, ``ticket``, ``key``).
        - ``undo`` (``key``): undo the annotator's last answer; ``item`` is the row, with the answer
          that was undone, or None.
        - ``show`` (``id``): ``item`` is a row, with the annotator's answer.
        - ``suggest`` (``id``): ``suggestion`` is a list of classes with their probabilities under
          the latest model, most probable first, or None without a model.
        - ``add_class`` (``label``), ``release`` (``tickets``), ``state``.

        Parameters
        ----------
        message : dict
            As above. Repeating a ``key`` changes nothing, and gets the same reply.
        annotator : str, default=None
            Who sent it; the transport vouches for the name.

        Returns
        -------
        dict
            With ``ok``, ``state`` and ``classes``; if ``ok`` is False, also with ``error``, the
            reason, and ``retry``, whether the same message may succeed later.
        """
        try:
            reply = {"ok": True, **self._dispatch(message, annotator)}
        except StoreError as error:
            reply = {"ok": False, "error": str(error), "retry": True}
        except LabelError as error:
            reply = {"ok": False, "error": str(error), "retry": False}
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            reply = {"ok": False, "error": text, "retry": False}
        state = self._make_state(annotator)
        return {**reply, "state": state, "classes": [_to_json(label) for label in self._classes]}

    # Messages -------------------------------------------------------------------------------------

    def _dispatch(self, message: Any, annotator: str | None) -> dict[str, Any]:
        do = _check_kind(message)
        _check_fields(do, message)
        return getattr(self, f"_do_{do}")(message, annotator)

    def _do_next(self, message: Message, annotator: str | None) -> dict[str, Any]:
        n = message.get("n", 1)
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _MAX_ITEMS:
            raise LabelError(f"n must be an integer from 1 to {_MAX_ITEMS}, got {_quote(n)}.")

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
        return self._store_label(submit, message, annotator, ticket=_parse_ticket(message))

    def _do_relabel(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._store_label(self.session.relabel, message, annotator)

    def _store_label(
        self, store: Callable[..., int], message: Message, annotator: str | None, **options: Any
    ) -> dict[str, Any]:
        answer = {self._parse_id(message["id"]): self._parse_label(message["label"])}
        seconds, key = _parse_seconds(message), _parse_key(message, annotator)
        return {"stored": store(answer, annotator=annotator, seconds=seconds, key=key, **options)}

    def _do_skip(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._store_refusal(self.session.skip, message, annotator)

    def _do_dont_know(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._store_refusal(self.session.mark_unknown, message, annotator)

    def _store_refusal(
        self, store: Callable[..., int], message: Message, annotator: str | None
    ) -> dict[str, Any]:
        ids, key = [self._parse_id(message["id"])], _parse_key(message, annotator)
        return {"stored": store(ids, ticket=_parse_ticket(message), annotator=annotator, key=key)}

    def _do_undo(self, message: Message, annotator: str | None) -> dict[str, Any]:
        def undo() -> Any:
            last = self.session.last_answer(annotator)
            undone = self.session.undo(annotator, key=_parse_key(message, annotator))
            # Nothing is undone by a key that an earlier backend has used already.
            is_undone = last is not None and undone == last.item
            return last if is_undone and self.session.last_answer(annotator) != last else None

        last = self._run_once(message, annotator, undo)
        if last is None:
            return {"item": None}
        content, answer = self._render_row(last.item), _describe_answer(last)
        return {"item": _make_item(last.item, last.ticket, content, **answer)}

    def _do_show(self, message: Message, annotator: str | None) -> dict[str, Any]:
        ident = self._parse_id(message["id"])
        answer = _describe_answer(self.session.get_answer(ident, annotator))
        return {"item": _make_item(ident, None, self._render_row(ident), **answer)}

    def _do_suggest(self, message: Message, annotator: str | None) -> dict[str, Any]:
        position = self.session.positions[self._parse_id(message["id"])]
        suggestion = suggest_classes(self.session, position)
        if suggestion is None:
            return {"suggestion": None}
        return {"suggestion": [[_to_json(label), proba] for label, proba in suggestion]}

    def _do_add_class(self, message: Message, annotator: str | None) -> dict[str, Any]:
        label = message["label"]
        _check_new_class(label, self._update_classes())
        if not any(_is_same_class(other, label) for other in self._classes):
            self.session.add_class(label.strip() if isinstance(label, str) else label)
        self._update_classes()
        return {}

    def _do_release(self, message: Message, annotator: str | None) -> dict[str, Any]:
        tickets = message["tickets"]
        if not isinstance(tickets, list) or not all(isinstance(t, str) for t in tickets):
            raise LabelError(f"tickets must be a list of strings, got {_quote(tickets)}.")
        for ticket in tickets:
            self.session.release(ticket)
        return {}

    def _do_state(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return {}

    # Ids and labels from a client -----------------------------------------------------------------

    def _parse_id(self, sent: Any) -> Ident:
        """Return the id that a client named; integers too large for JavaScript come as digits."""
        if isinstance(sent, str | int) and not isinstance(sent, bool):
            if sent in self.session.positions:
                return sent
            if isinstance(sent, str) and re.fullmatch(r"-?[0-9]{16,40}", sent):
                number = int(sent)
                if abs(number) > _MAX_SAFE_INTEGER and number in self.session.positions:
                    return number
        raise LabelError(f"Row {_quote(sent)} is not in the pool. Nothing was stored.")

    def _parse_label(self, sent: Any) -> Any:
        if not self.session.multilabel:
            return self._parse_class(sent)
        if not isinstance(sent, list):
            raise LabelError(
                f"In a multilabel session a label is a list of classes, got {_quote(sent)}."
            )
        return [self._parse_class(label) for label in sent]

    def _parse_class(self, sent: Any) -> Any:
        """Return the session's class that a client named."""
        same = [label for label in self._classes if _is_same_class(label, sent)]
        # Another backend may have added the class: look again before refusing it.
        same = same or [label for label in self._update_classes() if _is_same_class(label, sent)]
        if same:
            return same[0]
        raise LabelError(
            f"{_quote(sent)} is not among the classes. Nothing was stored. Add it as a class first."
        )

    def _update_classes(self) -> list[Any]:
        """Append new classes of the session; the others keep their order, and so their keys."""
        classes = self.session.classes
        with self._class_lock:
            self._classes = [*self._classes, *(c for c in classes if c not in self._classes)]
            return self._classes

    # Replies --------------------------------------------------------------------------------------

    def _render_row(self, ident: Ident) -> dict[str, Any]:
        return self._render(self.session.X, self.session.positions[ident])

    def _run_once(self, message: Message, annotator: str | None, work: Callable[[], Any]) -> Any:
        """Do the work of a message, or return its earlier result if the key is known."""
        key = _parse_key(message, annotator)
        if key is None:
            return work()
        name = (message["do"], key)
        with self._results_lock:
            if name not in self._results:
                self._results[name] = work()
                while len(self._results) > _MAX_STORED_KEYS:
                    self._results.popitem(last=False)
            return self._results[name]

    def _make_state(self, annotator: str | None) -> dict[str, Any]:
        try:
            self._last_state = state = self._read_state()
        except Exception as error:  # the reply still goes out, with the last state
            state = {**self._last_state, "problem": f"{type(error).__name__}: {error}"}
        annotators = state.get("annotators", {})
        public = {name: value for name, value in state.items() if name != "annotators"}
        return {**public, "mine": annotators.get(annotator, 0)}

    def _read_state(self) -> dict[str, Any]:
        """Return the state that all clients share."""
        progress, classes = self.session.progress(), self._update_classes()
        return {
            "title": self.title,
            "multilabel": self.session.multilabel,
            "lease_seconds": self.session.lease_seconds,
            "n_rows": progress.n_rows,
            "n_labeled": progress.n_labeled,
            "n_unknown": progress.n_unknown,
            "n_skipped": progress.n_skipped,
            "n_in_flight": progress.n_in_flight,
            "n_learned": progress.n_learned,
            "n_rounds": progress.n_rounds,
            "counts": [[_to_json(c), progress.classes.get(c, 0)] for c in classes],
            "accuracy": None if progress.accuracy is None else [*map(float, progress.accuracy)],
            "curve": self._learning_curve(),
            "stop_reason": progress.stop_reason,
            "problem": progress.problem,
            "fitting": progress.fitting,
            "annotators": progress.annotators,
        }

    def _learning_curve(self) -> list[list[float]]:
        """Return the learning curve: the number of labels and the accuracy on the audit sample."""
        return [
            [record["n_labels"], record["audit"][0] / record["audit"][1]]
            for record in self.session.rounds
            if record["audit"]
        ]


def _check_kind(message: Any) -> str:
    if not isinstance(message, Mapping):
        raise LabelError(f"A message must be an object with 'do', got {_quote(message)}.")
    do = message.get("do")
    if not isinstance(do, str) or do not in _FIELDS:
        raise LabelError(f"'do' must be one of {', '.join(_FIELDS)}, got {_quote(do)}.")
    return do


def _check_fields(do: str, message: Message) -> None:
    needed, allowed = _FIELDS[do]
    missing = needed - message.keys()
    if missing:
        raise LabelError(f"The message {do!r} is missing {', '.join(sorted(missing))}.")
    unknown = message.keys() - needed - allowed - {"do"}
    if unknown:
        name = _quote(next(iter(unknown)))
        raise LabelError(f"The message {do!r} has an unexpected field {name}.")


def _parse_key(message: Message, annotator: str | None) -> str | None:
    """Return the key as it is stored: distinct from those of other annotators and of plans."""
    key = message.get("key")
    if key is None:
        return None
    if not isinstance(key, str) or not _KEY_PATTERN.fullmatch(key):
        raise LabelError(f"key must be 1 to 64 letters, digits, '-' or '_', got {_quote(key)}.")
    return f"page:{annotator or ''}:{key}"


def _parse_ticket(message: Message) -> str | None:
    ticket = message.get("ticket")
    if ticket is not None and not isinstance(ticket, str):
        raise LabelError(f"ticket must be a string, got {_quote(ticket)}. Nothing was stored.")
    return ticket


def _parse_seconds(message: Message) -> float | None:
    seconds = message.get("seconds")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise LabelError(f"seconds must be a number, got {_quote(seconds)}. Nothing was stored.")
    if not 0 <= seconds <= 1e9 or not math.isfinite(seconds):
        raise LabelError(f"seconds must be 0 or more, got {_quote(seconds)}. Nothing was stored.")
    return float(seconds)


def _check_new_class(label: Any, classes: list[Any]) -> None:
    if not isinstance(label, str | int | float) or label == "":
        raise LabelError(f"A class must be a string, a number or a boolean, got {_quote(label)}.")
    if isinstance(label, str) and not _is_single_line(label):
        raise LabelError(
            f"The name of a class must be one line of 1 to {_MAX_CLASS_NAME} characters, got "
            f"{_quote(label)}."
        )
    if classes and get_label_type(label) != get_label_type(classes[0]):
        raise LabelError(
            f"{_quote(label)} is a {get_label_type(label)}, but the classes of this session are of "
            f"kind {get_label_type(classes[0])}."
        )
    if len(classes) >= _MAX_CLASSES:
        raise LabelError(
            f"The page supports at most {_MAX_CLASSES} classes, and there are {len(classes)}."
        )


def _is_single_line(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _MAX_CLASS_NAME and text.isprintable()


def _is_same_class(label: Any, sent: Any) -> bool:
    """Return whether a client named this class; to JavaScript 1.0 and 1 are the same number."""
    if not isinstance(sent, str | int | float):
        return False
    if get_label_type(label) == get_label_type(sent):
        return bool(label == sent)
    return isinstance(sent, str) and sent == _to_json(label)


def _to_json(value: Any) -> Any:
    """Return an id or class as a JSON value that JavaScript reads exactly."""
    too_large = isinstance(value, int) and abs(value) > _MAX_SAFE_INTEGER
    return str(value) if too_large else value


def _describe_answer(answer: Any) -> dict[str, Any]:
    """Return the kind and the label of an answer as JSON values."""
    if answer is None:
        return {}
    label = answer.value
    value = [_to_json(c) for c in label] if isinstance(label, list) else _to_json(label)
    return {"kind": answer.kind, "label": value}


def _make_item(ident: Ident, ticket: str | None, content: Any, **answer: Any) -> dict[str, Any]:
    return {"id": _to_json(ident), "ticket": ticket, "content": content, **answer}


def _count_characters(content: dict[str, Any] | None) -> int:
    """Return the approximate size of a content."""
    if content is None:
        return 0
    return sum(len(value) if isinstance(value, str) else 100 for value in content.values())


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
