"""Keys: which one stands for which class or command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["COMMANDS", "Keys"]

# By their usual keys; what they are called on the screen.
COMMANDS = {
    "s": "skip",
    "?": "don't know",
    "u": "undo",
    "b": "back",
    "p": "prediction",
    "n": "new class",
    "m": "more",
    "o": "open",
    "/": "search",
    "-": "none",
    "q": "quit",
}
_ORDER = "123456789" + "".join(
    letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in COMMANDS
)


class Keys:
    """Keys of classes and commands; those of classes stay as they are when others are added.

    A class whose name is one character has this as its key, so that 0 is never 1; a command that
    loses its key to one is on the same letter in upper case. Other classes have 1 to 9, then
    letters; those beyond have none, and are found by their names.

    Parameters
    ----------
    declared : sequence of str
        The classes that there are from the beginning.
    added : iterable of str, default=()
        Those that were added, in order.

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
        for usual, command in COMMANDS.items():
            key = next((k for k in (usual, usual.upper(), "") if k not in self.classes), "")
            if key:
                self.commands[key] = command
        for name in declared:
            if len(name) > 1:
                self._give(name)
        for name in added:
            self.add(name)

    def add(self, name: str) -> None:
        """Give a further class a key."""
        if name in self.names:
            return
        self.names.append(name)
        if len(name) == 1 and self._is_free(name):
            self.classes[name] = name
        else:
            self._give(name)

    def _give(self, name: str) -> None:
        key = next(filter(self._is_free, _ORDER), None)
        if key is not None:
            self.classes[key] = name

    def _is_free(self, key: str) -> bool:
        return key not in self.classes and key not in self.commands

    def key_of(self, name: str) -> str | None:
        """Return the key of a class or command."""
        both = [*self.classes.items(), *self.commands.items()]
        return next((key for key, what in both if what == name), None)

    def matches(self, typed: str) -> list[str]:
        """Return the classes that a name or the beginning of one may mean: itself, where there is.

        Parameters
        ----------
        typed : str
            What was typed; the case of letters counts where two classes differ by it.
        """
        if typed in self.names:
            return [typed]
        folded = typed.casefold()
        same = [name for name in self.names if name.casefold() == folded]
        if len(same) == 1:
            return same
        return [name for name in self.names if name.casefold().startswith(folded)]
