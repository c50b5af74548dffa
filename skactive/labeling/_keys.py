"""Keys of classes and commands, the same in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["COMMANDS", "Keys"]

# Default key, name on the screen, explanation.
_TABLE = (
    ("s", "skip", "leave this row to others; you are not asked about it again"),
    ("d", "don't know", "mark this row as one that cannot be labeled; nobody is asked again"),
    ("u", "undo", "take back your last answer, and show its row again"),
    ("b", "back", "show the row that you answered before this one, to change its answer"),
    ("?", "suggest", "show what the model predicts for this row"),
    ("n", "new class", "add a class"),
    ("e", "edit classes", "rename a class, or merge it into another"),
    ("-", "none", "answer that none of the classes applies, where a row may have several"),
    ("/", "search", "find a class by its name"),
    ("m", "more", "show the next part of a long row"),
    ("o", "open", "open the file of this row"),
    ("p", "play", "play the sound of this row, or stop it"),
    ("h", "help", "list all keys"),
    ("q", "quit", "stop; all answers are stored"),
)
COMMANDS = {key: name for key, name, _ in _TABLE}
_EXPLANATION_OF = {name: explanation for _, name, explanation in _TABLE}
_CLASS_KEYS = "123456789" + "".join(
    letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in COMMANDS
)
_SPARE_KEYS = "!+=*#$%&@~<>;:"  # of commands whose letter is a class in both cases


class Keys:
    """Assign keys to classes and commands.

    A class whose name is one character of ASCII has this character as its key, so that 0 is never
    1; a command that loses its key to a class moves to the same letter in upper case, or to a sign
    if that is a class too. Other classes get 1 to 9, then letters; further ones have no key, and
    are found by name. The keys of classes stay the same when others are added, renamed or removed,
    unless a class gets the name of another one's key: it takes this key, and the other class moves.
    Commands keep their keys then.

    Parameters
    ----------
    declared : sequence of str
        Classes of the start.
    added : iterable of str, default=()
        Classes that were added later, in order.

    Attributes
    ----------
    names : list of str
        All classes.
    classes : dict
        Class of each key; classes without a key are missing.
    commands : dict
        Command of each key.

    Examples
    --------
    >>> keys = Keys(["sport", "s"])
    >>> keys.classes
    {'s': 's', '1': 'sport'}
    >>> keys.commands["S"]
    'skip'
    >>> keys.list_help(["skip"])
    [('S', 'skip', 'leave this row to others; you are not asked about it again')]
    """

    def __init__(self, declared: Sequence[str], added: Iterable[str] = ()) -> None:
        self.names = list(dict.fromkeys(declared))
        self.classes: dict[str, str] = {name: name for name in self.names if _is_key(name)}
        self.commands: dict[str, str] = {}
        for default, command in COMMANDS.items():
            key = next(filter(self._is_free, (default, default.upper(), *_SPARE_KEYS)), None)
            if key is not None:
                self.commands[key] = command
        for name in self.names:
            if not _is_key(name):
                self._assign(name)
        for name in added:
            self.add(name)

    def add(self, name: str) -> None:
        """Assign a key to another class."""
        if name in self.names:
            return
        self.names.append(name)
        if not self._take_own_key(name):
            self._assign(name)

    def remove(self, name: str) -> None:
        """Forget a class, and free its key."""
        self.names.remove(name)
        self.classes = {key: other for key, other in self.classes.items() if other != name}

    def rename(self, old: str, new: str) -> None:
        """Give a class another name; it keeps its key, unless the name itself is one.

        If there is a class of this name already, the two are merged.
        """
        if new in self.names:
            self.remove(old)
            return
        self.names[self.names.index(old)] = new
        self.classes = {key: new if other == old else other for key, other in self.classes.items()}
        self._take_own_key(new)

    def update(self, names: Sequence[str]) -> None:
        """Add and remove classes, so that they are those named."""
        for gone in set(self.names).difference(names):
            self.remove(gone)
        for name in names:
            self.add(name)

    def _take_own_key(self, name: str) -> bool:
        """Give a class the key that is its name, and return whether it could have it."""
        if not _is_key(name) or name in self.commands:
            return False
        other = self.classes.get(name)
        self.classes = {key: old for key, old in self.classes.items() if old not in {name, other}}
        self.classes[name] = name
        if other not in {name, None}:
            self._assign(other)
        return True

    def _assign(self, name: str) -> None:
        key = next(filter(self._is_free, _CLASS_KEYS), None)
        if key is not None:
            self.classes[key] = name

    def _is_free(self, key: str) -> bool:
        return key not in self.classes and key not in self.commands

    def describe_moved(self, before: Mapping[str, str]) -> str:
        """Return which keys mean another class than before, though the one before still exists.

        Parameters
        ----------
        before : mapping of str to str
            The attribute `classes` as it was.
        """
        key_of = {name: key for key, name in self.classes.items()}
        return " ".join(
            f"The key {key} now means {self.classes[key]}; {name} "
            + (f"has the key {key_of[name]}." if name in key_of else "has no key.")
            for key, name in before.items()
            if name in self.names and self.classes.get(key, name) != name
        )

    def find_command_key(self, command: str) -> str:
        """Return the key of a command; empty if the classes have taken all keys."""
        return next((key for key, name in self.commands.items() if name == command), "")

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

    def search_classes(self, typed: str) -> list[str]:
        """Return the classes of `find_classes`, else those whose names contain what was typed."""
        folded = typed.casefold()
        return self.find_classes(typed) or [
            name for name in self.names if folded in name.casefold()
        ]

    def list_help(
        self, commands: Iterable[str], same: Mapping[str, str] | None = None
    ) -> list[tuple[str, str, str]]:
        """Return the key, the name and the explanation of each command that a place offers.

        Parameters
        ----------
        commands : iterable of str
            Names of the commands, such as "skip"; the order does not matter.
        same : mapping of str to str, default=None
            Commands that do the same as another one here: their keys are listed with its own.

        Returns
        -------
        list of (str, str, str)
            In the order of the table of commands.
        """
        offered, same = set(commands), same or {}
        rows = []
        for key, name in self.commands.items():
            if name in offered and name not in same:
                others = [self.find_command_key(o) for o, target in same.items() if target == name]
                rows.append((", ".join(filter(None, [key, *others])), name, _EXPLANATION_OF[name]))
        return rows


def _is_key(name: str) -> bool:
    """Return whether a class is a character that all keyboards have."""
    return len(name) == 1 and name.isascii() and name.isprintable() and name != " "
