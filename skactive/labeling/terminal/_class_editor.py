"""Questions about classes: find one by its name, add, rename or merge one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from skactive._utils.sanitizing import sanitize
from skactive._utils.text import pluralize
from skactive.exceptions import LabelError
from skactive.labeling._keys import Keys
from skactive.labeling.terminal._text import truncate

__all__ = ["ClassEditor", "list_classes"]

_MAX_HINT_CLASSES = 12
_MAX_NAME_CHARACTERS = 200  # characters, as on the page
_QUESTION_WIDTH = 20  # columns of a name in a question


class _Ask(Protocol):
    def __call__(
        self, question: str, hint: Callable[[str], str] | None = None, typed: str = ""
    ) -> str: ...


class ClassEditor:
    """Ask for classes, and change them.

    Each method returns a message, empty if a question was dismissed, and raises a `LabelError` if
    the answer cannot be used.

    Parameters
    ----------
    session : LabelingSession
        The session.
    keys : Keys
        Keys of the classes; they follow the changes.
    annotator : str or None
        The person who asks for the changes.
    ask : callable
        Asks a question, as ``Console.ask`` does.
    """

    def __init__(self, session: Any, keys: Keys, annotator: str | None, ask: _Ask) -> None:
        self._session, self._keys, self._annotator, self._ask = session, keys, annotator, ask

    def find(self, question: str, typed: str = "") -> str | None:
        """Ask for a class by a part of its name, or by its key.

        Parameters
        ----------
        question : str
            The question.
        typed : str, default=""
            The first characters of the answer.

        Returns
        -------
        str or None
            The class; None if the question was dismissed.

        Raises
        ------
        LabelError
            If no class or several classes match.
        """
        name = self._ask(question, self._list_matches, typed)
        if not name:
            return None
        matches = self._match(name)
        if len(matches) > 1:
            raise LabelError(f"{name!r} may be {list_classes(matches)}: type more of it.")
        if not matches:
            raise LabelError(f"No class matches {name!r}.")
        return matches[0]

    def add(self) -> str:
        """Ask for the name of a new class, and add it."""
        name = self._ask("Name of the new class:")
        if not name:
            return ""
        if name in self._keys.names:
            raise LabelError(f"Class {name!r} exists already.")
        _check_class_name(name)
        self._session.add_class(name)
        self._keys.add(name)
        return f"Class {name} added."

    def edit(self) -> tuple[str, str, str] | None:
        """Ask for a class and for its new name, and rename it or merge it into another one.

        Returns
        -------
        (str, str, str) or None
            The old name, the new name, and a message; None if a question was dismissed.

        Raises
        ------
        LabelError
            If a name cannot be used; nothing was changed.
        """
        old = self.find("Class to rename or merge:")
        if old is None:
            return None
        shown = _shorten(old)
        new = self._ask(f"New name of {shown}, or a class to merge it into:", self._describe_merge)
        if not new or new == old:
            return None
        labels = pluralize(self._session.progress().classes.get(old, 0), "label")
        is_merge = new in self._keys.names
        if not is_merge:
            _check_class_name(new)
        elif not self._confirm(f"Merge {shown} with its {labels} into {_shorten(new)}? y or n:"):
            return None
        self._session.rename_class(old, new, annotator=self._annotator)
        self._keys.rename(old, new)
        done = f"was merged into {new}" if is_merge else f"is {new} now"
        return old, new, f"Class {old} with its {labels} {done}."

    def _confirm(self, question: str) -> bool:
        return self._ask(question).casefold() in {"y", "yes"}

    def _match(self, typed: str) -> list[str]:
        matches = self._keys.find_classes(typed)
        if not matches and typed in self._keys.classes:
            return [self._keys.classes[typed]]
        return matches or self._keys.search_classes(typed)

    def _list_matches(self, typed: str) -> str:
        return list_classes(self._match(typed)) or "no matching class"

    def _describe_merge(self, typed: str) -> str:
        if typed.strip() in self._keys.names:
            return f"merge into {_shorten(typed.strip())}"
        return f"classes: {list_classes(self._keys.find_classes(typed)) or 'no matching class'}"


def list_classes(names: list[str]) -> str:
    """Return the first classes of a list, separated by commas."""
    listed = ", ".join(sanitize(name) for name in names[:_MAX_HINT_CLASSES])
    return f"{listed}, …" if len(names) > _MAX_HINT_CLASSES else listed


def _shorten(name: str) -> str:
    return truncate(sanitize(name), _QUESTION_WIDTH)


def _check_class_name(name: str) -> None:
    if not name.isprintable() or len(name) > _MAX_NAME_CHARACTERS:
        raise LabelError(
            f"The name of a class must be one line of 1 to {_MAX_NAME_CHARACTERS} printable "
            f"characters, got {name[:_MAX_NAME_CHARACTERS]!r}."
        )
