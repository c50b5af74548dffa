"""PageBackend: one place to label, whatever carries its messages."""

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
from skactive.labeling.page._suggestions import suggestion
from skactive.labeling.state._events import Ident

__all__ = ["PageBackend"]

Message = Mapping[str, Any]

_SAFE = 2**53 - 1  # browsers know whole numbers up to here; larger ones travel as their digits
_MOST_ITEMS = 20  # that are handed out at once
_MOST_CONTENT = 1_000_000  # characters a reply; a notebook server throttles at a megabyte a second
_MOST_CLASSES = 2_000
_LONGEST_CLASS = 200
_KEPT_KEYS = 5_000
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")

# What each message must hold, and what it may hold besides "do".
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
    """One place to label: takes the messages of a page and gives replies, by whatever transport.

    Messages and replies are dicts that JSON can hold. Messages come from outside and may be
    anything: :meth:`handle` never raises on them. Several threads may call it at a time.

    Parameters
    ----------
    session : LabelingSession
        Of a classifier.
    render : callable or {"text", "image", "audio", "table", "html"}, default=None
        What a row looks like: a function of one row, which returns a text, an image (path, array,
        PIL image), a sound (path, or array with its rate), or a mapping for a table; or how all
        rows are to be taken. None goes by what a row is; see :class:`Renderer`.
    title : str, default=""
        Of the page.
    html : bool, default=False
        Whether texts are shown as HTML, in a frame without scripts.
    media_root : str or Path, default=None
        Files of rows must lie in this folder, and their names are relative to it. None: files
        anywhere, but then only :class:`pathlib.Path` objects count as files.

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
    >>> desk = PageBackend(session)
    >>> item = desk.handle({"do": "next", "n": 1}, "ann")["items"][0]
    >>> item["content"]["type"]
    'text'
    >>> answer = {"id": item["id"], "ticket": item["ticket"], "label": "pos", "key": "a1"}
    >>> desk.handle({"do": "label", **answer}, "ann")["state"]["n_labeled"]
    1
    >>> desk.handle({"do": "label", **answer, "label": "maybe"}, "ann")["ok"]
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
                "The labeling page is for classes, but the learner is a regressor: take its "
                "labels by session.submit."
            )
        self.session, self.title = session, str(title)
        self._render = Renderer(render, html=html, media_root=media_root)
        self._classes: list[Any] = []  # in the order in which this desk came to know them
        self._state: dict[str, Any] = {}  # the last, for when there is no newer one
        self._class_lock, self._once_lock = Lock(), Lock()
        self._done: OrderedDict[tuple[str | None, str], Any] = OrderedDict()

    def handle(self, message: Any, annotator: str | None = None) -> dict[str, Any]:
        """Do what a message asks for.

        Every message is a dict with ``do``:

        - ``next`` (``n``, ``key``): hands out rows, ``items`` of the reply. Where an item's
          content is None, the reply had no room for it: ``show`` gives it.
        - ``label``, ``relabel`` (``id``, ``label``, ``ticket``, ``seconds``, ``key``); a label is
          one of ``classes`` of the reply; a list of them in a session of several labels a row.
        - ``skip``, ``mark_unknown`` (``id``, ``ticket``, ``key``).
        - ``undo`` (``key``): takes back the annotator's last answer; ``item`` is the row, with the
          answer taken back, or None.
        - ``show`` (``id``): ``item`` is a row, with what the annotator said of it.
        - ``suggest`` (``id``): ``suggestion`` is a list of classes with their probabilities, the
          likeliest first, by the last model; None where there is none.
        - ``add_class`` (``label``), ``release`` (``tickets``), ``state``.

        Parameters
        ----------
        message : dict
            As above. The same ``key`` sent again changes nothing, and has the same reply.
        annotator : str, default=None
            From whom; the transport vouches for it.

        Returns
        -------
        dict
            With ``ok``, ``state`` and ``classes``; where ``ok`` is False, ``error`` says why, and
            ``retry`` whether the same message may succeed later.
        """
        try:
            reply = {"ok": True, **self._answer(message, annotator)}
        except StoreError as error:
            reply = {"ok": False, "error": str(error), "retry": True}
        except LabelError as error:
            reply = {"ok": False, "error": str(error), "retry": False}
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            reply = {"ok": False, "error": text, "retry": False}
        state = self._state_for(annotator)
        return {**reply, "state": state, "classes": [_wire(each) for each in self._classes]}

    # Messages -------------------------------------------------------------------------------------

    def _answer(self, message: Any, annotator: str | None) -> dict[str, Any]:
        do = _checked_kind(message)
        _check_fields(do, message)
        return getattr(self, f"_do_{do}")(message, annotator)

    def _do_next(self, message: Message, annotator: str | None) -> dict[str, Any]:
        n = message.get("n", 1)
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _MOST_ITEMS:
            raise LabelError(f"n must be a whole number from 1 to {_MOST_ITEMS}, got {_short(n)}.")

        def hand_out() -> tuple[str, list[Ident]]:
            batch = self.session.next_batch(n, annotator)
            return batch.ticket, batch.ids

        ticket, ids = self._once(message, annotator, hand_out)
        items: list[dict[str, Any]] = []
        room = _MOST_CONTENT
        for ident in ids:
            content = self._content(ident) if room > 0 else None
            room -= _size(content)
            fits = room > 0 or not items
            items.append(_item(ident, ticket, content if fits else None))
        return {"items": items}

    def _do_label(self, message: Message, annotator: str | None) -> dict[str, Any]:
        submit = self.session.submit
        return self._labeled(submit, message, annotator, ticket=_ticket(message))

    def _do_relabel(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._labeled(self.session.relabel, message, annotator)

    def _labeled(
        self, store: Callable[..., int], message: Message, annotator: str | None, **about: Any
    ) -> dict[str, Any]:
        answer = {self._ident(message["id"]): self._label_of(message["label"])}
        seconds, key = _seconds(message), _key(message, annotator)
        return {"stored": store(answer, annotator=annotator, seconds=seconds, key=key, **about)}

    def _do_skip(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._refused(self.session.skip, message, annotator)

    def _do_dont_know(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return self._refused(self.session.mark_unknown, message, annotator)

    def _refused(
        self, store: Callable[..., int], message: Message, annotator: str | None
    ) -> dict[str, Any]:
        ids, key = [self._ident(message["id"])], _key(message, annotator)
        return {"stored": store(ids, ticket=_ticket(message), annotator=annotator, key=key)}

    def _do_undo(self, message: Message, annotator: str | None) -> dict[str, Any]:
        def take_back() -> Any:
            last = self.session.last_answer(annotator)
            taken = self.session.undo(annotator, key=_key(message, annotator))
            # A key that was used before this desk was there takes nothing back.
            was_taken = last is not None and taken == last.item
            return last if was_taken and self.session.last_answer(annotator) != last else None

        last = self._once(message, annotator, take_back)
        if last is None:
            return {"item": None}
        said = self._said(last)
        return {"item": _item(last.item, last.ticket, self._content(last.item), **said)}

    def _do_show(self, message: Message, annotator: str | None) -> dict[str, Any]:
        ident = self._ident(message["id"])
        answer = self.session.get_answer(ident, annotator)
        return {"item": _item(ident, None, self._content(ident), **self._said(answer))}

    def _do_suggest(self, message: Message, annotator: str | None) -> dict[str, Any]:
        found = suggestion(self.session, self.session.positions[self._ident(message["id"])])
        if found is None:
            return {"suggestion": None}
        return {"suggestion": [[_wire(label), share] for label, share in found]}

    def _do_add_class(self, message: Message, annotator: str | None) -> dict[str, Any]:
        label = message["label"]
        _check_new_class(label, self._known_classes())
        if not any(_same(known, label) for known in self._classes):
            self.session.add_class(label.strip() if isinstance(label, str) else label)
        self._known_classes()
        return {}

    def _do_release(self, message: Message, annotator: str | None) -> dict[str, Any]:
        tickets = message["tickets"]
        if not isinstance(tickets, list) or not all(isinstance(t, str) for t in tickets):
            raise LabelError(f"tickets must be a list of texts, got {_short(tickets)}.")
        for ticket in tickets:
            self.session.release(ticket)
        return {}

    def _do_state(self, message: Message, annotator: str | None) -> dict[str, Any]:
        return {}

    # What a client may name -----------------------------------------------------------------------

    def _ident(self, sent: Any) -> Ident:
        """Return the id that a client means; whole numbers too large for it come as digits."""
        if isinstance(sent, str | int) and not isinstance(sent, bool):
            if sent in self.session.positions:
                return sent
            if isinstance(sent, str) and re.fullmatch(r"-?[0-9]{16,40}", sent):
                number = int(sent)
                if abs(number) > _SAFE and number in self.session.positions:
                    return number
        raise LabelError(f"There is no row {_short(sent)} in the pool. Nothing was stored.")

    def _label_of(self, sent: Any) -> Any:
        if not self.session.multilabel:
            return self._class_of(sent)
        if not isinstance(sent, list):
            raise LabelError(f"A label is a list of classes here, got {_short(sent)}.")
        return [self._class_of(each) for each in sent]

    def _class_of(self, sent: Any) -> Any:
        """Return the class that a client means, as the session knows it."""
        meant = [known for known in self._classes if _same(known, sent)]
        meant = meant or [known for known in self._known_classes() if _same(known, sent)]
        if meant:
            return meant[0]
        raise LabelError(
            f"{_short(sent)} is not among the classes. Nothing was stored. Add it as a class first."
        )

    def _known_classes(self) -> list[Any]:
        """Ask the session anew; classes known keep their places, and so their keys."""
        found = self.session.classes
        with self._class_lock:
            self._classes = [*self._classes, *(c for c in found if c not in self._classes)]
            return self._classes

    # What goes out --------------------------------------------------------------------------------

    def _content(self, ident: Ident) -> dict[str, Any]:
        return self._render(self.session.X, self.session.positions[ident])

    def _said(self, answer: Any) -> dict[str, Any]:
        """Return what an answer says, as a client takes it."""
        if answer is None:
            return {}
        label = answer.value
        sent = [_wire(each) for each in label] if isinstance(label, list) else _wire(label)
        return {"kind": answer.kind, "label": sent}

    def _once(self, message: Message, annotator: str | None, work: Callable[[], Any]) -> Any:
        """Do what a key stands for, or return what came of it the first time."""
        key = _key(message, annotator)
        if key is None:
            return work()
        name = (message["do"], key)
        with self._once_lock:
            if name not in self._done:
                self._done[name] = work()
                while len(self._done) > _KEPT_KEYS:
                    self._done.popitem(last=False)
            return self._done[name]

    def _state_for(self, annotator: str | None) -> dict[str, Any]:
        try:
            self._state = state = self._found_state()
        except Exception as error:  # the reply says what can be said
            state = {**self._state, "problem": f"{type(error).__name__}: {error}"}
        annotators = state.get("annotators", {})
        shown = {name: value for name, value in state.items() if name != "annotators"}
        return {**shown, "mine": annotators.get(annotator, 0)}

    def _found_state(self) -> dict[str, Any]:
        """Return what all clients are told."""
        progress, classes = self.session.progress(), self._known_classes()
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
            "counts": [[_wire(c), progress.classes.get(c, 0)] for c in classes],
            "accuracy": None if progress.accuracy is None else [*map(float, progress.accuracy)],
            "curve": self._curve(),
            "stop_reason": progress.stop_reason,
            "problem": progress.problem,
            "fitting": progress.fitting,
            "annotators": progress.annotators,
        }

    def _curve(self) -> list[list[float]]:
        """Return the learning curve: labels learned from, and the share of the audit got right."""
        return [
            [value["n_labels"], value["audit"][0] / value["audit"][1]]
            for value in self.session.rounds
            if value["audit"]
        ]


def _checked_kind(message: Any) -> str:
    if not isinstance(message, Mapping):
        raise LabelError(f"A message is an object with 'do', got {_short(message)}.")
    do = message.get("do")
    if not isinstance(do, str) or do not in _FIELDS:
        raise LabelError(f"'do' must be one of {', '.join(_FIELDS)}, got {_short(do)}.")
    return do


def _check_fields(do: str, message: Message) -> None:
    needed, allowed = _FIELDS[do]
    missing = needed - message.keys()
    if missing:
        raise LabelError(f"The message {do!r} lacks {', '.join(sorted(missing))}.")
    unknown = message.keys() - needed - allowed - {"do"}
    if unknown:
        raise LabelError(f"The message {do!r} takes no {_short(next(iter(unknown)))}.")


def _key(message: Message, annotator: str | None) -> str | None:
    """Return the key as it is stored: nobody can use up the key of another, or of a plan."""
    key = message.get("key")
    if key is None:
        return None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise LabelError(f"key must be 1 to 64 letters, digits, '-' or '_', got {_short(key)}.")
    return f"page:{annotator or ''}:{key}"


def _ticket(message: Message) -> str | None:
    ticket = message.get("ticket")
    if ticket is not None and not isinstance(ticket, str):
        raise LabelError(f"ticket must be a text, got {_short(ticket)}. Nothing was stored.")
    return ticket


def _seconds(message: Message) -> float | None:
    seconds = message.get("seconds")
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise LabelError(f"seconds must be a number, got {_short(seconds)}. Nothing was stored.")
    if not 0 <= seconds <= 1e9 or not math.isfinite(seconds):
        raise LabelError(f"seconds must be 0 or more, got {_short(seconds)}. Nothing was stored.")
    return float(seconds)


def _check_new_class(label: Any, classes: list[Any]) -> None:
    if not isinstance(label, str | int | float) or label == "":
        raise LabelError(f"A class is a text, a number or a truth value, got {_short(label)}.")
    if isinstance(label, str) and not _is_line(label):
        raise LabelError(
            f"The name of a class is a line of 1 to {_LONGEST_CLASS} characters, got "
            f"{_short(label)}."
        )
    if classes and get_label_type(label) != get_label_type(classes[0]):
        raise LabelError(
            f"{_short(label)} is a {get_label_type(label)}, but the classes of this session are of "
            f"kind {get_label_type(classes[0])}."
        )
    if len(classes) >= _MOST_CLASSES:
        raise LabelError(f"There are {len(classes)} classes already; the page takes no more.")


def _is_line(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _LONGEST_CLASS and text.isprintable()


def _same(known: Any, sent: Any) -> bool:
    """Tell whether a client means this class; to it 1.0 and 1 are the same number."""
    if not isinstance(sent, str | int | float):
        return False
    if get_label_type(known) == get_label_type(sent):
        return bool(known == sent)
    return isinstance(sent, str) and sent == _wire(known)


def _wire(value: Any) -> Any:
    """Return an id or class as a browser can hold it."""
    too_large = isinstance(value, int) and abs(value) > _SAFE
    return str(value) if too_large else value


def _item(ident: Ident, ticket: str | None, content: Any, **more: Any) -> dict[str, Any]:
    return {"id": _wire(ident), "ticket": ticket, "content": content, **more}


def _size(content: dict[str, Any] | None) -> int:
    """Return about how many characters a content takes."""
    if content is None:
        return 0
    return sum(len(value) if isinstance(value, str) else 100 for value in content.values())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
