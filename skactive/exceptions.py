"""Errors and warnings of skactive.

::

    SkactiveError
    ├── BridgeError (OSError)                another labeling tool cannot be reached, or refuses
    ├── CapabilityError (TypeError)          the model cannot give what the strategy needs
    ├── InvalidReadingError (ValueError)     probabilities that are none, too few columns, NaN
    ├── LabelError (ValueError)              an answer that cannot be right; nothing was stored
    ├── PoolChangedError (ValueError)        the rows are not those that the store was made for
    ├── PoolExhaustedError (ValueError)      more rows asked for than the pool holds
    ├── PoolTooLargeError (ValueError)       a strategy that does not scale was given too many rows
    ├── SelectionError (ValueError)          a strategy answered with rows that cannot be right
    ├── StoreError (OSError)                 labels cannot be read or written; the file is untouched
    └── TeachError (RuntimeError)            the refit failed; the learner is as it was before

    SkactiveWarning (UserWarning)
    ├── FrozenModelWarning                   teaching does not change this model
    └── TiedScoresWarning                    every row scores the same: the choice is random

Each error is also the builtin that one would expect, so ``except ValueError`` goes on working.
"""

from __future__ import annotations

__all__ = [
    "BridgeError",
    "CapabilityError",
    "FrozenModelWarning",
    "InvalidReadingError",
    "LabelError",
    "PoolChangedError",
    "PoolExhaustedError",
    "PoolTooLargeError",
    "SelectionError",
    "SkactiveError",
    "SkactiveWarning",
    "StoreError",
    "TeachError",
    "TiedScoresWarning",
]


class SkactiveError(Exception):
    """Base of every error that skactive raises on its own account."""


class BridgeError(SkactiveError, OSError):
    """Another labeling tool cannot be reached, or refuses what it was asked.

    Parameters
    ----------
    message : str
        What happened, and what to do.
    status : int, default=None
        The status of the answer; None where there was none.
    passing : bool, default=False
        Whether it may go by itself: the server is down, or overloaded.
    """

    def __init__(self, message: str, *, status: int | None = None, passing: bool = False) -> None:
        super().__init__(message)
        self.status, self.passing = status, passing


class CapabilityError(SkactiveError, TypeError):
    """The model cannot give a reading that the strategy needs."""


class InvalidReadingError(SkactiveError, ValueError):
    """What was read from a model cannot be used: no probabilities, wrong columns, not finite."""


class LabelError(SkactiveError, ValueError):
    """An answer about a row that is not in the pool, or of a class that there is not."""


class PoolChangedError(SkactiveError, ValueError):
    """A store of labels was opened with other rows than those that it was made for."""


class PoolExhaustedError(SkactiveError, ValueError):
    """More rows were asked for than the pool holds."""


class PoolTooLargeError(SkactiveError, ValueError):
    """A strategy whose cost grows faster than the pool was given more rows than it can take."""


class SelectionError(SkactiveError, ValueError):
    """A strategy's answer is not as many distinct positions of the pool as were asked for."""


class StoreError(SkactiveError, OSError):
    """A store of labels cannot be opened, read or written; what it held, it holds."""


class TeachError(SkactiveError, RuntimeError):
    """The model could not be refitted; the learner is as it was before the call."""


class SkactiveWarning(UserWarning):
    """Base of every warning that skactive raises on its own account."""


class FrozenModelWarning(SkactiveWarning):
    """The model is frozen: its labeled rows grow, the model does not change."""


class TiedScoresWarning(SkactiveWarning):
    """Every row of the pool has the same score: the rows chosen are random."""
