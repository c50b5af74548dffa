"""Keys of classes and commands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["COMMANDS", "Keys"]

# Default key: name on the screen. The same in the terminal and on the page.
COMMANDS = {
    "s": "skip",
    "d": "don't know",
    "u": "undo",
    "b": "back",
    "?": "suggest",
    "n": "new class",
    "e": "edit classes",
    "-": "none",
    "/": "search",
    "m": "more",
    "o": "open",
    "p": "play",
    "h": "help",
    "q": "quit",
}
_CLASS_KEYS = "123456789" + "".join(
    letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in COMMANDS
)


class Keys:
    """Assign keys to classes and commands.

    A class whose name is one character has this character as its key, so that 0 is never 1; a
    command that loses its key to a class moves to the same letter in upper case. Other classes get
    1 to 9, then letters; further ones have no key, and are found by name. The keys of classes stay
    the same when others are added.

    Parameters
    ----------
    declared : sequence of str
        Classes of the start.
    added : iterable of str, default=()
        Classes that were added later, in order.

    Examples
    --------
    >>> keys = Keys(["sport", "s"])
    >>> keys.classes
    {'s': 's', '1': 'sport'}
    >>> keys.commands["S"]
    'skip'
    """

    def __init__(self, declared: Sequence[str], added: Iterable[str] = ()) -> None:
        self.names = list(declared)
        self.classes: dict[str, str] = {name: name for name in declared if len(name) == 1}
        self.commands: dict[str, str] = {}
        for default, command in COMMANDS.items():
            key = next((k for k in (default, default.upper(), "") if k not in self.classes), "")
            if key:
                self.commands[key] = command
        for name in declared:
            if len(name) > 1:
                self._assign(name)
        for name in added:
            self.add(name)

    def add(self, name: str) -> None:
        """Assign a key to another class."""
        if name in self.names:
            return
        self.names.append(name)
        if len(name) == 1 and self._is_free(name):
            self.classes[name] = name
        else:
            self._assign(name)

    def _assign(self, name: str) -> None:
        key = next(filter(self._is_free, _CLASS_KEYS), None)
        if key is not None:
            self.classes[key] = name

    def _is_free(self, key: str) -> bool:
        return key not in self.classes and key not in self.commands

    def find_key(self, name: str) -> str | None:
        """Return the key of a class or command; None if it has none."""
        pairs = [*self.classes.items(), *self.commands.items()]
        return next((key for key, other in pairs if other == name), None)

    def find_classes(self, typed: str) -> list[str]:
        """Return the class of a name, else those whose names begin with it.

        Parameters
        ----------
        typed : str
            A name or its beginning; case matters only if two classes differ by it alone.
        """
        if typed in self.names:
            return [typed]
        folded = typed.casefold()
        equal = [name for name in self.names if name.casefold() == folded]
        if len(equal) == 1:
            return equal
        return [name for name in self.names if name.casefold().startswith(folded)]
