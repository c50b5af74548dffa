"""What a loop between a session and Label Studio says of itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from skactive.exceptions import BridgeError, SkactiveWarning
from skactive.labeling._summary import Progress
from skactive.labeling.bridges._inbox import Pulled

__all__ = ["Teller"]


class Teller:
    """Says what a loop does, each thing once."""

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        self._say = tell or _silent
        self._warn = tell or _warn
        self._problems: set[str] = set()
        self._reasons: set[str] = set()
        self.is_down = False

    def pushed(self, n: int, project: int | None) -> None:
        self._say(f"Project {project}: {n} rows added as tasks.")

    def pulled(self, pulled: Pulled) -> None:
        if pulled.n_new:
            self._say(
                f"{pulled.n_labels} labels, {pulled.n_skips} skipped, {pulled.n_changed} changed, "
                f"{pulled.n_withdrawn} taken back."
            )
        for problem in pulled.problems.values():
            if problem not in self._problems:
                self._problems.add(problem)
                self._warn(f"Not taken over: {problem}.")

    def ordered(self, n: int) -> None:
        self._say(f"{n} rows in order.")

    def down(self, error: BridgeError) -> None:
        if not self.is_down:
            self._warn(f"{error} Waiting for it.")
        self.is_down = True

    def progress(self, progress: Progress) -> None:
        for reason in (progress.stop_reason, progress.problem):
            if reason and reason not in self._reasons:
                self._reasons.add(reason)
                self._say(reason)


def _silent(line: str) -> None:
    """Say nothing."""


def _warn(line: str) -> None:
    warnings.warn(line, SkactiveWarning, stacklevel=5)
