"""Label on a console: show a row, read a key, store the answer, show the next row."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from skactive._utils.sanitizing import sanitize
from skactive.exceptions import LabelError, StoreError
from skactive.labeling._keys import Keys
from skactive.labeling._messages import (
    NOTHING_LEFT,
    NOTHING_TO_UNDO,
    PICK_CLASSES,
    TYPE_NUMBER,
    UNOPENED_FILE,
    describe_answer,
    describe_label,
)
from skactive.labeling._numbers import begins_number, describe_range, parse_number
from skactive.labeling._session import LabelingSession
from skactive.labeling.state._events import new_id
from skactive.labeling.terminal._class_editor import ClassEditor, list_classes
from skactive.labeling.terminal._console import (
    END,
    ENTER,
    ESCAPE,
    LEFT,
    PAGE_DOWN,
    PAGE_UP,
    PASTED,
    REDRAW,
    RIGHT,
    Console,
)
from skactive.labeling.terminal._display import Display
from skactive.labeling.terminal._repeats import KeyRepeats
from skactive.labeling.terminal._rows import Item, Rows
from skactive.labeling.terminal._screen import Screen
from skactive.labeling.terminal._suggestion import describe_suggestion
from skactive.labeling.terminal._viewer import UnopenedFileError, Viewer

__all__ = ["Labeler"]

_COMMANDS_OF_NAMED_KEYS = {LEFT: "back", PAGE_UP: "more", PAGE_DOWN: "more", " ": "more"}
_OF_CLASSES = {"new class", "edit classes", "search", "none"}  # commands that numbers leave out
_SAME_COMMANDS = {"play": "open"}  # the program that opens a sound plays it


class Labeler:
    """Let one person label on a console.

    Parameters
    ----------
    session : LabelingSession
        Session with declared classes, which are strings, or of numbers.
    console : Console
        Where rows are shown and keys are read.
    annotator : str or None
        Name of the person.
    content : callable
        Takes the rows of a batch of size 1, and returns the content for `format_content`.
    declared : sequence of str, default=None
        Classes of the start; None for all present ones.
    viewer : Viewer, default=None
        Shows the files of rows elsewhere.
    title : str, default=""
        First line of the screen.
    message : str, default=""
        Message on the first screen.
    clock : callable, default=time.monotonic
        Returns the time in seconds.
    """

    def __init__(
        self,
        session: LabelingSession,
        console: Console,
        annotator: str | None,
        content: Callable[[Any], Any],
        *,
        declared: Sequence[str] | None = None,
        viewer: Viewer | None = None,
        title: str = "",
        message: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session, self.console, self.annotator = session, console, annotator
        self._viewer, self._title, self._clock = viewer, title, clock
        self.keys = Keys(session.classes if declared is None else declared)
        self._shown_keys = dict(self.keys.classes)
        self._rows = Rows(session, annotator, content)
        self._display = Display(console, self.keys)
        self._editor = ClassEditor(session, self.keys, annotator, self._ask)
        self._repeats = KeyRepeats(clock)
        self._key = ""  # the last one
        self._changes = False  # whether it changes the screen, so that its repetitions must wait
        self._chosen: list[str] = []
        self._message, self._warning = message, False
        self._is_open = self._is_confirmed = True  # the file of the row; labeling without it
        self._shown_at = clock()

    def run(self) -> None:
        """Label until the person quits or the input ends."""
        self._rows.advance()
        self._begin()
        while True:
            self._draw()
            self._key = key = self._read()
            if key == REDRAW:
                continue
            self._message, self._warning = "", False
            is_helping = self._display.is_helping
            if key == END or (not is_helping and self._find_command(key) == "quit"):
                return
            try:
                self._act(key)
            except (LabelError, StoreError) as error:
                self._warn(str(error))

    # Screen ---------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self.keys.update(self.session.classes)  # others may have changed them
        moved = self.keys.describe_moved(self._shown_keys)
        self._shown_keys = dict(self.keys.classes)
        self._message = _join_sentences(self._message, moved)
        self._chosen = [name for name in self.keys.names if name in self._chosen]
        item = self._rows.current
        screen = Screen(
            self._title,
            self.session.progress(),
            self.keys,
            self.annotator,
            len(self.session.audit_ids),
            name=None if item is None else f"row {item.id}",
            answer="" if item is None else _describe_present_answer(item),
            chosen=self._chosen,
            multilabel=self.session.multilabel,
            numbers=self._describe_numbers(),
            message=_join_sentences(self._message, self._describe_end()),
            warning=self._warning,
        )
        self._display.draw(screen, item, self.keys.list_help(self._list_commands(), _SAME_COMMANDS))

    def _list_commands(self) -> list[str]:
        commands = ["undo", "back", "edit classes", "more", "help", "quit"]
        if self._rows.current is not None:
            commands += ["skip", "don't know", "suggest", "new class"]
            commands += ["open", "play"] * (self._viewer is not None)
            commands += ["search"] * self.console.reads_keys + ["none"] * self.session.multilabel
        return [command for command in commands if self._is_offered(command)]

    def _is_offered(self, command: str | None) -> bool:
        return not (self.session.labels_are_numbers and command in _OF_CLASSES)

    def _describe_numbers(self) -> str:
        """Return which numbers may be typed; empty if labels are classes."""
        if not self.session.labels_are_numbers:
            return ""
        return f"number {describe_range(self.session.value_range)}".strip()

    def _describe_end(self) -> str:
        """Return why no row is shown; empty if one is."""
        if self._rows.current is not None:
            return ""
        if self.session.progress().n_in_flight:
            return "No rows are left except those that others are labeling now."
        return NOTHING_LEFT

    def _warn(self, text: str) -> None:
        self._message, self._warning = text, True

    # Keys -----------------------------------------------------------------------------------------

    def _read(self) -> str:
        """Return the next key that is no repetition of the one that changed the screen."""
        if self._changes:
            self._repeats.note_change(self._key)
            self._changes = False
        key = self.console.read()
        if self.console.reads_keys:
            while key not in {REDRAW, END} and self._repeats.is_repeated(key):
                key = self.console.read()
        return key

    def _ask(self, question: str, hint: Callable[[str], str] | None = None, typed: str = "") -> str:
        return self.console.ask(question, hint, typed, redraw=self._draw)

    def _find_command(self, key: str) -> str | None:
        """Return the command of a key, or of a word if lines are read."""
        command = self.keys.commands.get(key)
        if command is None and key in _COMMANDS_OF_NAMED_KEYS:
            command = _COMMANDS_OF_NAMED_KEYS[key]
        elif command is None and not self.console.reads_keys:
            word = key.casefold()
            is_class = any(name.casefold() == word for name in self.keys.names)
            command = word if word in self.keys.commands.values() and not is_class else None
        if command is None or not self._is_offered(command):  # "-" begins a number
            return None
        return _SAME_COMMANDS.get(command, command)

    def _act(self, key: str) -> None:
        command = self._find_command(key)
        if self._display.turn_page(key, command):
            return
        if self._display.is_helping:
            self._display.close_help()
        elif command in (general := self._get_general_commands()):
            general[command]()
        elif self._rows.current is None:
            self._warn("No row is shown: undo, go back, or quit.")
        elif command is not None:
            self._get_row_commands()[command](self._rows.current)
        else:
            self._answer(self._rows.current, key)

    def _get_general_commands(self) -> Mapping[str | None, Callable[[], None]]:
        return {
            "undo": self._undo,
            "back": self._back,
            "edit classes": self._edit_classes,
            "more": self._show_more,
            "help": self._show_help,
        }

    def _get_row_commands(self) -> Mapping[str, Callable[[Item], None]]:
        return {
            "skip": self._skip,
            "don't know": self._mark_unknown,
            "suggest": self._suggest,
            "new class": self._add_class,
            "open": self._open,
            "search": self._search,
            "none": self._choose_none,
        }

    def _answer(self, item: Item, key: str) -> None:
        if key in {ENTER, ""}:
            self._confirm(item)
        elif key in {RIGHT, ESCAPE} and item.answer is not None:
            self._show_next()
        elif key == PASTED:
            self._warn("Pasted text is not an answer: nothing was stored.")
        elif self.session.labels_are_numbers:
            self._enter_number(item, key)
        elif self.session.multilabel and not self.console.reads_keys:
            self._choose_many(item, key)
        else:
            self._choose_by_key(item, key)

    # Numbers --------------------------------------------------------------------------------------

    def _enter_number(self, item: Item, typed: str) -> None:
        """Store the number of a line; a key begins a line."""
        if self.console.reads_keys:
            if not begins_number(typed):
                self._warn(f"{_name_key(typed)} is not a key here. {TYPE_NUMBER}")
                return
            typed = self._ask("Number:", typed=typed)
            self._key = ENTER  # which ends the line, and may bounce
            if not typed:
                return
        self._label(item, parse_number(typed, self.session.value_range))

    # Classes --------------------------------------------------------------------------------------

    def _choose_by_key(self, item: Item, key: str) -> None:
        """Choose a class by its key; by its name or the beginning of it if lines are read."""
        if key in self.keys.classes:
            self._choose(item, self.keys.classes[key])
            return
        matches = self.keys.find_classes(key)
        if self.console.reads_keys:
            if len(key) == 1 and matches:
                self._search(item, key)
                return
            matches = []
        if len(matches) == 1:
            self._choose(item, matches[0])
        elif matches:
            self._warn(f"{key!r} may be {list_classes(matches)}: type more of it.")
        else:
            self._warn(f"{_name_key(key)} is not a key here, and no class begins with it.")

    def _search(self, item: Item, typed: str = "") -> None:
        name = self._editor.find("Class:", typed)
        if name is not None:
            self._choose(item, name)

    def _choose(self, item: Item, name: str) -> None:
        if not self.session.multilabel:
            self._label(item, name)
        elif name in self._chosen:
            self._chosen.remove(name)
        else:
            self._chosen.append(name)

    def _choose_many(self, item: Item, line: str) -> None:
        """Store all classes of a row, from keys or names separated by commas or spaces."""
        matches = {word: self._match_word(word) for word in self._split_line(line)}
        unclear = [word for word, classes in matches.items() if len(classes) != 1]
        if unclear:
            self._warn(f"{unclear[0]!r} is not one class: nothing was stored.")
        else:
            self._label(item, list(dict.fromkeys(classes[0] for classes in matches.values())))

    def _split_line(self, line: str) -> list[str]:
        if len(self._match_word(line)) == 1:  # a name may have spaces and commas
            return [line]
        if "," in line:
            words = next(csv.reader([line], skipinitialspace=True))
            return [word.strip() for word in words if word.strip()]
        return line.split()

    def _match_word(self, word: str) -> list[str]:
        if word in self.keys.classes:
            return [self.keys.classes[word]]
        return self.keys.find_classes(word)

    def _confirm(self, item: Item) -> None:
        """Store the chosen classes, or keep an answer that is shown again."""
        answer = item.answer
        if self._chosen:
            self._label(item, list(self._chosen))
        elif answer is not None and not (self.session.multilabel and answer.value):
            self._show_next()
        elif self.session.multilabel:
            self._warn(PICK_CLASSES.format(key=self.keys.find_command_key("none")))
        else:
            is_number = self.session.labels_are_numbers
            self._warn(TYPE_NUMBER if is_number else "Press the key of a class.")

    def _choose_none(self, item: Item) -> None:
        if self.session.multilabel:
            self._label(item, [])
        else:
            self._warn("A row has exactly one class: skip it, or press the key of don't know.")

    def _add_class(self, item: Item) -> None:
        self._message = self._editor.add()

    def _edit_classes(self) -> None:
        changed = self._editor.edit()
        if changed is not None:
            old, new, self._message = changed
            self._chosen = [new if name == old else name for name in self._chosen]
            self._rows.refresh()

    # Answers --------------------------------------------------------------------------------------

    def _label(self, item: Item, label: Any) -> None:
        if not self._check_file():
            return
        seconds = self._clock() - self._shown_at
        details: dict[str, Any] = {
            "annotator": self.annotator, "seconds": seconds, "key": new_id()
        }  # fmt: skip
        if item.answer is None:
            self.session.submit({item.id: label}, ticket=item.ticket, **details)
        else:
            self.session.relabel({item.id: label}, **details)
        self._finish(item, describe_label(label))

    def _skip(self, item: Item) -> None:
        self._refuse(item, "skip", self.session.skip)

    def _mark_unknown(self, item: Item) -> None:
        self._refuse(item, "unknown", self.session.mark_unknown)

    def _refuse(self, item: Item, kind: str, method: Callable[..., int]) -> None:
        method([item.id], ticket=item.ticket, annotator=self.annotator, key=new_id())
        self._finish(item, describe_answer(kind, None))

    def _finish(self, item: Item, words: str) -> None:
        item.answer = self.session.get_answer(item.id, self.annotator)  # should no other row come
        self._message, self._changes = f"Row {item.id}: {words}.", True
        self._show_next()

    def _undo(self) -> None:
        undone = self._rows.undo()
        if undone is None:
            self._warn(NOTHING_TO_UNDO)
            return
        self._begin()
        self._changes = True
        undone_text = f"Undone: {describe_answer(undone.kind, undone.value)}."
        self._message = _join_sentences(undone_text, self._message)

    # Rows -----------------------------------------------------------------------------------------

    def _show_next(self) -> None:
        self._rows.advance()
        self._begin()

    def _back(self) -> None:
        if self._rows.go_back():
            self._begin()
        else:
            self._warn("You have no earlier answer.")

    def _begin(self) -> None:
        """Prepare for the row that has just come to the screen."""
        item = self._rows.current
        self._display.begin()
        self._chosen = []
        self._is_open, self._is_confirmed = True, False
        if item is not None:
            if self.session.multilabel and item.answer and item.answer.kind == "label":
                self._chosen = list(item.answer.value)
            if self._viewer is not None:
                self._open(item)
        self._shown_at = self._clock()

    # Files ----------------------------------------------------------------------------------------

    def _open(self, item: Item) -> None:
        if self._viewer is None:
            self._warn("Everything is on the screen.")
            return
        self._is_open = True
        try:
            self._message = _join_sentences(self._message, self._viewer.open(item.row))
        except UnopenedFileError as error:
            self._is_open = False
            self._warn(_join_sentences(self._message, str(error)))

    def _check_file(self) -> bool:
        """Return whether the row may be labeled: its file was opened, or it is labeled anyway."""
        if self._viewer is None or self._is_confirmed:
            return True
        try:
            self._viewer.check()
        except UnopenedFileError:
            self._is_open = False
        if not self._is_open:
            self._is_confirmed = self._changes = True
            self._warn(UNOPENED_FILE)
        return self._is_open

    # On demand ------------------------------------------------------------------------------------

    def _show_more(self) -> None:
        self._message = "Everything is on the screen."

    def _show_help(self) -> None:
        self._display.show_help(
            multilabel=self.session.multilabel, numbers=self.session.labels_are_numbers
        )

    def _suggest(self, item: Item) -> None:
        self._message = describe_suggestion(self.session, self.session.positions[item.id])


def _name_key(key: str) -> str:
    return repr(key) if key.isprintable() else "This"


def _join_sentences(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _describe_present_answer(item: Item) -> str:
    if item.answer is None:
        return ""
    if item.answer.kind == "label":
        return sanitize(describe_label(item.answer.value))
    return describe_answer(item.answer.kind, None)
