"""ClassList: the classes of a session as the page shows them, and the keys that stand for them."""

from __future__ import annotations

from threading import Lock
from typing import Any

from skactive.exceptions import LabelError
from skactive.labeling._keys import COMMANDS, Keys
from skactive.labeling._validation import get_label_type
from skactive.labeling.page._protocol import is_unicode, quote, to_json

__all__ = ["ClassList", "check_new_class"]

_MAX_BUTTONS = 12  # more classes than that are found by searching
_MAX_CLASSES = 2_000
_MAX_CLASS_NAME = 200  # characters


class ClassList:
    """The classes of a session in a steady order, and their keys.

    Parameters
    ----------
    session : LabelingSession
        The session, whose classes may change at any time.
    """

    def __init__(self, session: Any) -> None:
        self._session, self._lock = session, Lock()
        self._labels: list[Any] = []  # in the order of their first appearance
        self._keys = Keys([])
        self._read: list[Any] = []  # as the session had them at the last update
        self._described: dict[str, Any] | None = None

    @property
    def labels(self) -> list[Any]:
        """The classes as they were at the last update."""
        return self._labels

    def update(self) -> list[Any]:
        """Read the classes of the session; those that stay keep their order and their keys."""
        classes = self._session.classes
        with self._lock:
            if classes == self._read:
                return self._labels
            self._described = None
            self._read, present, known = list(classes), set(classes), set(self._labels)
            gone = [label for label in self._labels if label not in present]
            new = [label for label in classes if label not in known]
            if gone and len(gone) == len(new):  # renamed
                for old, label in zip(gone, new, strict=True):
                    self._replace(old, label)
            elif gone or new:
                self._remove(gone)
                self._add(new)
            return self._labels

    def find(self, sent: Any) -> Any:
        """Return the class that a client named; None without one."""
        found = _find_same(self._labels, sent)
        # Another backend may have added the class: look again before it is refused.
        return _find_same(self.update(), sent) if found is None else found

    def describe(self) -> dict[str, Any]:
        """Return the classes and the keys as JSON values.

        The keys have four parts: ``classes``, the key of each class or None; ``commands``, the
        command of each key; ``help``, the explanation of each command; and ``search``, whether the
        classes are too many for a button each. Then letters begin a search, and are not keys of
        classes with longer names.
        """
        with self._lock:
            if self._described is None:
                self._described = {
                    "classes": [to_json(label) for label in self._labels],
                    "keys": self._describe_keys(),
                }
            return self._described

    def _describe_keys(self) -> dict[str, Any]:
        key_of = {name: key for key, name in self._keys.classes.items()}
        search = len(self._labels) > _MAX_BUTTONS

        def find_key(name: str) -> str | None:
            key = key_of.get(name)
            is_active = key is not None and (not search or key.isdigit() or key == name)
            return key if is_active else None

        return {
            "classes": [find_key(to_name(label)) for label in self._labels],
            "commands": dict(self._keys.commands),
            "help": {name: text for _, name, text in self._keys.list_help(COMMANDS.values())},
            "search": search,
        }

    def _add(self, labels: list[Any]) -> None:
        names = [to_name(label) for label in labels]
        if not self._labels:
            self._keys = Keys(names)
        for name in names:
            self._keys.add(name)
        self._labels = [*self._labels, *labels]

    def _remove(self, labels: list[Any]) -> None:
        self._labels = [label for label in self._labels if label not in labels]
        for label in labels:
            self._keys.remove(to_name(label))

    def _replace(self, old: Any, new: Any) -> None:
        self._labels = [new if label == old else label for label in self._labels]
        self._keys.rename(to_name(old), to_name(new))


def to_name(label: Any) -> str:
    """Return the name of a class as the page shows it, so by the rules of JavaScript."""
    if isinstance(label, bool):
        return str(label).lower()
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)


def is_same_class(label: Any, sent: Any) -> bool:
    """Return whether a client named this class; to JavaScript 1.0 and 1 are the same number."""
    if not isinstance(sent, str | int | float):
        return False
    if get_label_type(label) == get_label_type(sent):
        return bool(label == sent)
    return isinstance(sent, str) and sent == to_json(label)


def _find_same(labels: list[Any], sent: Any) -> Any:
    return next((label for label in labels if is_same_class(label, sent)), None)


def check_new_class(label: Any, classes: list[Any]) -> Any:
    """Return a class as it is stored, or raise if it cannot be added to the others."""
    if not isinstance(label, str | int | float) or label == "":
        raise LabelError(f"A class must be a string, a number or a boolean, got {quote(label)}.")
    if isinstance(label, str) and not _is_single_line(label):
        raise LabelError(
            f"The name of a class must be one line of 1 to {_MAX_CLASS_NAME} visible characters, "
            f"got {quote(label)}."
        )
    if classes and get_label_type(label) != get_label_type(classes[0]):
        raise LabelError(
            f"{quote(label)} is a {get_label_type(label)}, but the classes of this session are of "
            f"kind {get_label_type(classes[0])}."
        )
    if len(classes) >= _MAX_CLASSES:
        raise LabelError(
            f"The page supports at most {_MAX_CLASSES} classes, and there are {len(classes)}."
        )
    return label.strip() if isinstance(label, str) else label


def _is_single_line(text: str) -> bool:
    fits = bool(text.strip()) and len(text) <= _MAX_CLASS_NAME
    return fits and text.isprintable() and is_unicode(text)
