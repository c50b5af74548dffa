"""Label on a console: show a row, read a key, store the answer, show the next row."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skactive._utils.rows import take_rows
from skactive.exceptions import LabelError, StoreError
from skactive.labeling._keys import Keys
from skactive.labeling._session import LabelingSession
from skactive.labeling.state._events import Ident, new_id
from skactive.labeling.terminal._console import (
    END,
    ENTER,
    ESCAPE,
    LEFT,
    PASTED,
    REDRAW,
    RIGHT,
    Console,
)
from skactive.labeling.terminal._screen import (
    MAX_WIDTH,
    Screen,
    describe_label,
    draw_screen,
    format_item,
)
from skactive.labeling.terminal._text import sanitize

__all__ = ["Labeler"]

_ANSWERS_WITHOUT_LABEL = {"skip": "skipped", "unknown": "don't know"}
_MAX_HINT_CLASSES = 12
_MAX_PREDICTED_CLASSES = 5


@dataclass
class Item:
    """A row on the screen.

    Parameters
    ----------
    id : str or int
        Id of the row.
    content : object
        Its content, for `format_item`.
    ticket : str or None
        Ticket of the batch that it was handed out in.
    answer : dict or None
        Its present answer, one of ``LabelingSession.records``.
    """

    id: Ident
    content: Any
    ticket: str | None = None
    answer: dict[str, Any] | None = None


class Labeler:
    """Let one person label on a console.

    Parameters
    ----------
    session : LabelingSession
        Session with declared classes, which are strings.
    console : Console
        Where rows are shown and keys are read.
    annotator : str or None
        Name of the person.
    content : callable
        Takes the rows of a batch of size 1, and returns the content for `format_item`.
    declared : sequence of str, default=None
        Classes of the start; None for all present ones.
    viewer : callable, default=None
        Takes the rows of a batch of size 1, shows it elsewhere, and returns a message to show.
    title : str, default=""
        First line of the screen.
    message : str, default=""
        Message on the first screen.
    """

    def __init__(
        self,
        session: LabelingSession,
        console: Console,
        annotator: str | None,
        content: Callable[[Any], Any],
        *,
        declared: Sequence[str] | None = None,
        viewer: Callable[[Any], str] | None = None,
        title: str = "",
        message: str = "",
    ) -> None:
        self.session, self.console, self.annotator = session, console, annotator
        self._content, self._viewer, self._title = content, viewer, title
        self.keys = Keys(session.classes if declared is None else declared)
        self._item: Item | None = None
        self._postponed: list[Item] = []  # without an answer, while earlier ones are shown again
        self._chosen: list[str] = []
        self._message, self._warning, self._show_all = message, False, False
        self._shown_at = time.monotonic()

    def run(self) -> None:
        """Label until the person quits or the input ends."""
        self._show_next()
        while True:
            self._draw()
            key = self.console.read()
            if key == REDRAW:
                continue
            self._message, self._warning = "", False
            if key == END or self._find_command(key) == "quit":
                return
            try:
                self._act(key)
            except (LabelError, StoreError) as error:
                self._warn(str(error))

    # Screen ---------------------------------------------------------------------------------------

    def _draw(self) -> None:
        width, _ = self.console.size()
        lines: list[str] = []
        n_hidden = 0
        if self._item is not None:
            lines, n_hidden = format_item(
                self._item.content, min(width, MAX_WIDTH), show_all=self._show_all
            )
        for name in self.session.classes:  # others may have added some
            self.keys.add(name)
        if n_hidden:
            lines.append(f"… {n_hidden:,} more lines")
        answer = None if self._item is None else self._item.answer
        screen = Screen(
            self._title,
            self.session.progress(),
            self.keys,
            name=None if self._item is None else sanitize(f"row {self._item.id}"),
            item=lines,
            answer="" if answer is None else _describe_answer(answer),
            chosen=self._chosen,
            multilabel=self.session.multilabel,
            commands=self._list_commands(n_hidden > 0),
            message=" ".join(filter(None, [self._message, self._describe_end()])),
            warning=self._warning,
        )
        text = draw_screen(screen, width, color=self.console.color)
        self.console.show(text if self.console.reads_keys else f"{text}\n", clear=True)

    def _list_commands(self, has_hidden_lines: bool) -> list[str]:
        commands = ["undo", "back", "quit"]
        if self._item is not None:
            commands += ["skip", "don't know", "suggest", "new class"]
            commands += ["more"] * has_hidden_lines + ["open"] * (self._viewer is not None)
            commands += ["search"] * self.console.reads_keys + ["none"] * self.session.multilabel
        return commands

    def _describe_end(self) -> str:
        """Return why no row is shown; empty if one is."""
        if self._item is not None:
            return ""
        if self.session.progress().n_in_flight:
            return "No rows are left except those that others are labeling now."
        return "No rows are left to label."

    def _warn(self, text: str) -> None:
        self._message, self._warning = text, True

    # Keys -----------------------------------------------------------------------------------------

    def _find_command(self, key: str) -> str | None:
        """Return the command of a key, or of a word if lines are read."""
        if key in self.keys.commands:
            return self.keys.commands[key]
        if key == LEFT:
            return "back"
        if self.console.reads_keys or self.keys.find_classes(key):
            return None
        return key if key in self.keys.commands.values() else None

    def _act(self, key: str) -> None:
        command = self._find_command(key)
        if command == "undo":
            self._undo()
        elif command == "back":
            self._back()
        elif self._item is None:
            self._warn("No row is shown: undo, go back, or quit.")
        elif command is not None:
            self._get_row_commands()[command](self._item)
        elif key in {ENTER, ""}:
            self._confirm(self._item)
        elif key in {RIGHT, ESCAPE} and self._item.answer is not None:
            self._show_next()
        elif key == PASTED:
            self._warn("Pasted text is not an answer: nothing was stored.")
        elif self.session.multilabel and not self.console.reads_keys:
            self._choose_many(self._item, key)
        else:
            self._choose_by_key(self._item, key)

    def _get_row_commands(self) -> Mapping[str, Callable[[Item], None]]:
        return {
            "skip": self._skip,
            "don't know": self._mark_unknown,
            "suggest": self._predict,
            "new class": self._add_class,
            "more": self._show_all_lines,
            "open": self._open,
            "search": self._search,
            "none": self._choose_none,
        }

    def _choose_by_key(self, item: Item, key: str) -> None:
        """Choose a class by its key; by its name or the beginning of it if lines are read."""
        if key in self.keys.classes:
            self._choose(item, self.keys.classes[key])
            return
        if self.console.reads_keys and len(key) == 1 and self.keys.find_classes(key):
            self._search(item, key)
            return
        matches = [] if self.console.reads_keys else self.keys.find_classes(key)
        if len(matches) == 1:
            self._choose(item, matches[0])
        elif matches:
            self._warn(f"{key!r} may be {_list_classes(matches)}: type more of it.")
        else:
            pressed = repr(key) if key.isprintable() else "This"
            self._warn(f"{pressed} is not a key here, and no class begins with it.")

    def _search(self, item: Item, typed: str = "") -> None:
        def hint(text: str) -> str:
            return _list_classes(self.keys.find_classes(text))

        name = self.console.ask("Class:", hint, typed)
        matches = self.keys.find_classes(name) if name else []
        if len(matches) == 1:
            self._choose(item, matches[0])
        elif matches:
            self._warn(f"{name!r} may be {_list_classes(matches)}.")
        elif name:
            self._warn(f"Unknown class {name!r}.")

    def _choose(self, item: Item, name: str) -> None:
        if not self.session.multilabel:
            self._label(item, name)
        elif name in self._chosen:
            self._chosen.remove(name)
        else:
            self._chosen.append(name)

    def _choose_many(self, item: Item, line: str) -> None:
        """Store all classes of a row, from keys or names separated by commas or spaces."""
        if line in self.keys.names:
            self._label(item, [line])
            return
        matches = [(word, self._match_word(word)) for word in line.replace(",", " ").split()]
        unclear = next((word for word, classes in matches if len(classes) != 1), None)
        if unclear is None:
            self._label(item, [classes[0] for _, classes in matches])
        else:
            self._warn(f"{unclear!r} is not one class: nothing was stored.")

    def _match_word(self, word: str) -> list[str]:
        if word in self.keys.classes:
            return [self.keys.classes[word]]
        return self.keys.find_classes(word)

    def _confirm(self, item: Item) -> None:
        if self._chosen:
            self._label(item, list(self._chosen))
        elif item.answer is not None:
            self._show_next()
        elif self.session.multilabel:
            self._warn("Choose classes first; if none applies, press the key of none.")
        else:
            self._warn("Press the key of a class.")

    def _choose_none(self, item: Item) -> None:
        if self.session.multilabel:
            self._label(item, [])
        else:
            self._warn("A row has exactly one class: skip it, or press the key of don't know.")

    # Answers --------------------------------------------------------------------------------------

    def _label(self, item: Item, label: Any) -> None:
        seconds = time.monotonic() - self._shown_at
        details: dict[str, Any] = {
            "annotator": self.annotator, "seconds": seconds, "key": new_id()
        }  # fmt: skip
        if item.answer is None:
            self.session.submit({item.id: label}, ticket=item.ticket, **details)
        else:
            self.session.relabel({item.id: label}, **details)
        self._finish(item, describe_label(label))

    def _skip(self, item: Item) -> None:
        self._refuse(item, self.session.skip, "skipped")

    def _mark_unknown(self, item: Item) -> None:
        self._refuse(item, self.session.mark_unknown, "don't know")

    def _refuse(self, item: Item, method: Callable[..., int], words: str) -> None:
        method([item.id], ticket=item.ticket, annotator=self.annotator, key=new_id())
        self._finish(item, words)

    def _finish(self, item: Item, words: str) -> None:
        self._message = f"Row {sanitize(str(item.id))}: {words}."
        self._show_next()

    def _undo(self) -> None:
        answers = self._get_own_answers()
        ident = self.session.undo(self.annotator, key=new_id())
        if ident is None:
            self._warn("You have no answer to undo.")
            return
        self._postpone(unless=ident)
        self._show(ident, self._get_own_answers().get(ident))
        self._message = f"Undone: {_describe_answer(answers[ident])}."

    def _get_own_answers(self) -> dict[Ident, dict[str, Any]]:
        """Return this person's present answers by row, in the order of their storage."""
        records = self.session.records()
        return {record["id"]: record for record in records if record["annotator"] == self.annotator}

    # Rows -----------------------------------------------------------------------------------------

    def _show_next(self) -> None:
        """Show the row that was postponed last, else the next one of the session."""
        if self._postponed:
            self._begin(self._postponed.pop())
            return
        batch = self.session.next_batch(1, annotator=self.annotator)
        if len(batch):
            self._show(batch.ids[0], None, batch.ticket)
        else:
            self._begin(None)

    def _back(self) -> None:
        answers = self._get_own_answers()
        idents = list(answers)
        shown = None if self._item is None else self._item.id
        position = (idents.index(shown) if shown in answers else len(idents)) - 1
        if position < 0:
            self._warn("You have no earlier answer.")
            return
        ident = idents[position]
        self._postpone(unless=ident)
        self._show(ident, answers[ident])

    def _postpone(self, unless: Ident) -> None:
        """Keep the row on the screen for later, unless it has an answer or is the one named."""
        item = self._item
        if item is not None and item.answer is None and item.id != unless:
            self._postponed.append(item)

    def _show(self, ident: Ident, answer: dict[str, Any] | None, ticket: str | None = None) -> None:
        self._begin(Item(ident, self._content(self._take_row(ident)), ticket, answer))

    def _begin(self, item: Item | None) -> None:
        self._item, self._chosen, self._show_all = item, [], False
        if item is not None:
            if self.session.multilabel and item.answer and item.answer["kind"] == "label":
                self._chosen = list(item.answer["label"])
            if self._viewer is not None:
                self._open(item)
        self._shown_at = time.monotonic()

    def _take_row(self, ident: Ident) -> Any:
        return take_rows(self.session.X, [self.session.positions[ident]])

    # On demand ------------------------------------------------------------------------------------

    def _show_all_lines(self, item: Item) -> None:
        self._show_all = True

    def _open(self, item: Item) -> None:
        if self._viewer is None:
            self._warn("Everything is on the screen.")
            return
        self._message = " ".join(
            filter(None, [self._message, self._viewer(self._take_row(item.id))])
        )

    def _predict(self, item: Item) -> None:
        try:
            learner = self.session.learner
        except ValueError as error:
            self._warn(f"No prediction yet: {error}")
            return
        self._message = (
            f"Prediction: {self._describe_prediction(learner, self._take_row(item.id))}."
        )

    def _describe_prediction(self, learner: Any, row: Any) -> str:
        multilabel = self.session.multilabel
        names = sorted(self.session.classes) if multilabel else list(learner.classes_)
        if hasattr(learner, "predict_proba"):
            proba = learner.predict_proba(row)[0]
            best = sorted(zip(proba, names, strict=True), reverse=True)[:_MAX_PREDICTED_CLASSES]
            return ", ".join(f"{sanitize(str(name))} {100 * p:.0f} %" for p, name in best)
        label = learner.predict(row)[0]
        if multilabel:  # one 0 or 1 per class
            label = [name for name, applies in zip(names, label, strict=True) if applies]
        return describe_label(label)

    def _add_class(self, item: Item) -> None:
        name = self.console.ask("Name of the new class:")
        if not name:
            return
        if name in self.keys.names:
            self._warn(f"Class {name!r} exists already.")
        elif not name.isprintable() or "," in name:
            self._warn("A class name must be printable and have no comma.")
        else:
            self.session.add_class(name)
            self.keys.add(name)
            self._message = f"New class: {sanitize(name)}. The row still needs a label."


def _describe_answer(answer: dict[str, Any]) -> str:
    if answer["kind"] == "label":
        return describe_label(answer["label"])
    return _ANSWERS_WITHOUT_LABEL[answer["kind"]]


def _list_classes(names: list[str]) -> str:
    listed = ", ".join(sanitize(name) for name in names[:_MAX_HINT_CLASSES])
    return f"{listed}, …" if len(names) > _MAX_HINT_CLASSES else listed or "none"
