"""The loop: an item, a key, an answer that is on disk, the next item."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skactive._utils.rows import take_rows
from skactive.exceptions import LabelError, StoreError
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
from skactive.labeling.terminal._keys import Keys
from skactive.labeling.terminal._screen import Screen, described_label, drawn, item_lines
from skactive.labeling.terminal._text import harmless

__all__ = ["Labeler"]

_KEPT = {"skip": "skipped", "unknown": "don't know"}
_N_SHOWN = 12  # classes in a hint


@dataclass
class Item:
    """One row on the screen.

    Parameters
    ----------
    id : str or int
        Which.
    content : object
        What `item_lines` takes.
    ticket : str or None
        Under which it was handed out.
    answer : dict or None
        What was said of it before, as of ``LabelingSession.records``.
    """

    id: Ident
    content: Any
    ticket: str | None = None
    answer: dict[str, Any] | None = None


class Labeler:
    """One person who labels on a console.

    Parameters
    ----------
    session : LabelingSession
        Whose classes were declared, as texts.
    console : Console
        Where.
    annotator : str or None
        Who.
    content : callable
        Takes a row, and returns what `item_lines` takes. Rows are such as a batch of one row has.
    declared : sequence of str, default=None
        The classes that there were from the beginning; None: all that there are.
    viewer : callable, default=None
        Takes a row, shows it elsewhere, and returns a line to show here.
    title : str, default=""
        What is labeled.
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
    ) -> None:
        self.session, self.console, self.annotator = session, console, annotator
        self._content, self._viewer, self._title = content, viewer, title
        self.keys = Keys(session.classes if declared is None else declared)
        self._item: Item | None = None
        self._aside: list[Item] = []  # what was on the screen before something older
        self._chosen: list[str] = []
        self._message, self._warning, self._whole = "", False, False
        self._began = time.monotonic()

    def run(self) -> None:
        """Label until the person has enough, or nothing more comes from the console."""
        self._forward()
        while True:
            self._draw()
            key = self.console.read()
            if key == REDRAW:
                continue
            self._message, self._warning = "", False
            if key == END or self._command(key) == "quit":
                return
            try:
                self._act(key)
            except (LabelError, StoreError) as error:
                self._warn(str(error))

    # What is on the screen ------------------------------------------------------------------------

    def _draw(self) -> None:
        width, _ = self.console.size()
        lines: list[str] = []
        n_more = 0
        if self._item is not None:
            lines, n_more = item_lines(self._item.content, min(width, 100), whole=self._whole)
        for name in self.session.classes:  # others may have added some
            self.keys.add(name)
        if n_more:
            lines.append(f"… {n_more:,} more lines")
        screen = Screen(
            self._title,
            self.session.progress(),
            self.keys,
            None if self._item is None else harmless(f"row {self._item.id}"),
            lines,
            self._said(),
            self._chosen,
            self.session.multilabel,
            self._offered(n_more > 0),
            " ".join(filter(None, [self._message, self._nothing_left()])),
            self._warning,
        )
        text = drawn(screen, width, color=self.console.color)
        self.console.show(text if self.console.keys else f"{text}\n", clear=True)

    def _offered(self, cut: bool) -> list[str]:
        offered = ["undo", "back", "quit"]
        if self._item is not None:
            offered += ["skip", "don't know", "prediction", "new class"]
            offered += ["more"] * cut + ["open"] * (self._viewer is not None)
            offered += ["search"] * self.console.keys + ["none"] * self.session.multilabel
        return offered

    def _said(self) -> str:
        if self._item is None or self._item.answer is None:
            return ""
        answer = self._item.answer
        label = described_label(answer["label"])
        return f" · again: it is {label if answer['kind'] == 'label' else _KEPT[answer['kind']]}"

    def _nothing_left(self) -> str:
        if self._item is not None:
            return ""
        if self.session.progress().n_in_flight:
            return "Nothing is left but what others are labeling now."
        return "Nothing is left to label."

    def _warn(self, text: str) -> None:
        self._message, self._warning = text, True

    # Keys -----------------------------------------------------------------------------------------

    def _command(self, key: str) -> str | None:
        """Return the command that a key or word stands for."""
        if key in self.keys.commands:
            return self.keys.commands[key]
        if key == LEFT:
            return "back"
        spelled = key in self.keys.commands.values() and not self.keys.matches(key)
        return key if spelled and not self.console.keys else None

    def _act(self, key: str) -> None:
        command = self._command(key)
        if command == "undo":
            self._undo()
        elif command == "back":
            self._back()
        elif self._item is None:
            self._warn("Nothing is on the screen: undo, go back, or quit.")
        elif command is not None:
            self._commands()[command](self._item)
        elif key in {ENTER, ""}:
            self._enter(self._item)
        elif key in {RIGHT, ESCAPE} and self._item.answer is not None:
            self._forward()
        elif key == PASTED:
            self._warn("Pasted text is no answer: nothing was stored.")
        elif self.session.multilabel and not self.console.keys:
            self._several(self._item, key)
        else:
            self._class(self._item, key)

    def _commands(self) -> Mapping[str, Callable[[Item], None]]:
        return {
            "skip": self._skip,
            "don't know": self._dont_know,
            "prediction": self._predict,
            "new class": self._new_class,
            "more": self._more,
            "open": self._open,
            "search": self._search,
            "none": self._none,
        }

    def _class(self, item: Item, key: str) -> None:
        """Take a key, or a name or the beginning of one, as a class."""
        if key in self.keys.classes:
            self._choose(item, self.keys.classes[key])
            return
        if self.console.keys and len(key) == 1 and self.keys.matches(key):
            self._search(item, key)
            return
        found = [] if self.console.keys else self.keys.matches(key)
        if len(found) == 1:
            self._choose(item, found[0])
        elif found:
            self._warn(f"{key!r} may be {_some(found)}: type more of it.")
        else:
            pressed = repr(key) if key.isprintable() else "This"
            self._warn(f"{pressed} is no key here, and no class begins with it.")

    def _search(self, item: Item, typed: str = "") -> None:
        def hint(text: str) -> str:
            return _some(self.keys.matches(text))

        name = self.console.ask("Class:", hint, typed)
        found = self.keys.matches(name) if name else []
        if len(found) == 1:
            self._choose(item, found[0])
        elif name:
            self._warn(f"{name!r} may be {_some(found)}." if found else f"No class is {name!r}.")

    def _choose(self, item: Item, name: str) -> None:
        if not self.session.multilabel:
            self._label(item, name)
        elif name in self._chosen:
            self._chosen.remove(name)
        else:
            self._chosen.append(name)

    def _several(self, item: Item, line: str) -> None:
        """Take a line of keys or names, parted by commas or blanks, as all classes of an item."""
        names = [name for name in line.replace(",", " ").split() if name]
        found = [self._of_key(name) for name in names]
        if line in self.keys.names:
            self._label(item, [line])
        elif all(len(each) == 1 for each in found):
            self._label(item, [each[0] for each in found])
        else:
            wrong = next(name for name, each in zip(names, found, strict=True) if len(each) != 1)
            self._warn(f"{wrong!r} is not one class: nothing was stored.")

    def _of_key(self, name: str) -> list[str]:
        if name in self.keys.classes:
            return [self.keys.classes[name]]
        return self.keys.matches(name)

    def _enter(self, item: Item) -> None:
        if self._chosen:
            self._label(item, list(self._chosen))
        elif item.answer is not None:
            self._forward()
        elif self.session.multilabel:
            self._warn("Choose classes first; if none applies, press the key of none.")
        else:
            self._warn("Press the key of a class.")

    def _none(self, item: Item) -> None:
        if self.session.multilabel:
            self._label(item, [])
        else:
            self._warn("A row has one class: skip it, or say that you don't know.")

    # Answers --------------------------------------------------------------------------------------

    def _label(self, item: Item, label: Any) -> None:
        seconds = time.monotonic() - self._began
        about: dict[str, Any] = {
            "annotator": self.annotator, "seconds": seconds, "key": new_id()
        }  # fmt: skip
        if item.answer is None:
            self.session.submit({item.id: label}, ticket=item.ticket, **about)
        else:
            self.session.relabel({item.id: label}, **about)
        self._done(item, described_label(label))

    def _skip(self, item: Item) -> None:
        self._refuse(item, self.session.skip, "skipped")

    def _dont_know(self, item: Item) -> None:
        self._refuse(item, self.session.mark_unknown, "don't know")

    def _refuse(self, item: Item, method: Callable[..., int], words: str) -> None:
        method([item.id], ticket=item.ticket, annotator=self.annotator, key=new_id())
        self._done(item, words)

    def _done(self, item: Item, words: str) -> None:
        self._message = f"Row {harmless(str(item.id))}: {words}."
        self._forward()

    def _undo(self) -> None:
        before = self._mine()
        ident = self.session.undo(self.annotator, key=new_id())
        if ident is None:
            self._warn("There is nothing of yours to take back.")
            return
        undone = before[ident]
        words = described_label(undone["label"]) if undone["kind"] == "label" else ""
        self._put_aside(besides=ident)
        self._show(ident, self._mine().get(ident))
        self._message = f"Taken back: {words or _KEPT[undone['kind']]}."

    def _mine(self) -> dict[Ident, dict[str, Any]]:
        """Return what this person said, by row, in the order in which it was said."""
        records = self.session.records()
        return {each["id"]: each for each in records if each["annotator"] == self.annotator}

    # Which item -----------------------------------------------------------------------------------

    def _forward(self) -> None:
        """Show what was put aside, or else the next item."""
        if self._aside:
            self._begin(self._aside.pop())
            return
        batch = self.session.next_batch(1, annotator=self.annotator)
        if len(batch):
            self._show(batch.ids[0], None, batch.ticket)
        else:
            self._begin(None)

    def _back(self) -> None:
        mine = list(self._mine().values())
        places = [place for place, each in enumerate(mine) if self._is_now(each["id"])]
        place = (places[0] if places else len(mine)) - 1
        if place < 0:
            self._warn("You have labeled nothing before this.")
            return
        self._put_aside(besides=mine[place]["id"])
        self._show(mine[place]["id"], mine[place])

    def _is_now(self, ident: Ident) -> bool:
        return self._item is not None and self._item.id == ident

    def _put_aside(self, besides: Ident) -> None:
        """Keep what is on the screen for later, unless it has an answer."""
        item = self._item
        if item is not None and item.answer is None and item.id != besides:
            self._aside.append(item)

    def _show(self, ident: Ident, answer: dict[str, Any] | None, ticket: str | None = None) -> None:
        self._begin(Item(ident, self._content(self._row(ident)), ticket, answer))

    def _begin(self, item: Item | None) -> None:
        self._item, self._chosen, self._whole = item, [], False
        if item is not None:
            if self.session.multilabel and item.answer and item.answer["kind"] == "label":
                self._chosen = list(item.answer["label"])
            if self._viewer is not None:
                self._open(item)
        self._began = time.monotonic()

    def _row(self, ident: Ident) -> Any:
        return take_rows(self.session.X, [self.session.positions[ident]])

    # On demand ------------------------------------------------------------------------------------

    def _more(self, item: Item) -> None:
        self._whole = True

    def _open(self, item: Item) -> None:
        if self._viewer is None:
            self._warn("It is all on the screen.")
            return
        self._message = " ".join(filter(None, [self._message, self._viewer(self._row(item.id))]))

    def _predict(self, item: Item) -> None:
        try:
            learner = self.session.learner
        except ValueError as error:
            self._warn(f"No prediction yet: {error}")
            return
        self._message = f"Prediction: {self._predicted(learner, self._row(item.id))}."

    def _predicted(self, learner: Any, row: Any) -> str:
        several = self.session.multilabel
        names = sorted(self.session.classes) if several else list(learner.classes_)
        if hasattr(learner, "predict_proba"):
            shares = learner.predict_proba(row)[0]
            best = sorted(zip(shares, names, strict=True), reverse=True)[:5]
            return ", ".join(f"{harmless(str(name))} {100 * share:.0f} %" for share, name in best)
        predicted = learner.predict(row)[0]
        if several:
            predicted = [name for name, there in zip(names, predicted, strict=True) if there]
        return described_label(predicted)

    def _new_class(self, item: Item) -> None:
        name = self.console.ask("Name of the new class:")
        if not name:
            return
        if name in self.keys.names:
            self._warn(f"There is a class {name!r} already.")
        elif not name.isprintable() or "," in name:
            self._warn("A name is letters without commas.")
        else:
            self.session.add_class(name)
            self.keys.add(name)
            self._message = f"New class: {harmless(name)}. The row still waits for its label."


def _some(names: list[str]) -> str:
    shown = ", ".join(harmless(name) for name in names[:_N_SHOWN])
    return f"{shown}, …" if len(names) > _N_SHOWN else shown or "none"
