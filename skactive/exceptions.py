"""Errors and warnings of skactive.

::

    SkactiveError
    ├── BridgeError (OSError)                another labeling tool is unreachable, or refuses
    ├── CapabilityError (TypeError)          the model does not provide what the strategy needs
    │   └── UnreadableModelError (InvalidReadingError)   ... its method fails, or gives others
    ├── InvalidReadingError (ValueError)     not probabilities, too few columns, or NaN
    ├── LabelError (ValueError)              an answer that cannot be right; nothing was stored
    ├── PoolChangedError (ValueError)        the rows are not those that the store was made for
    ├── PoolExhaustedError (ValueError)      more rows asked for than the pool has
    ├── PoolTooLargeError (ValueError)       too many rows for a strategy that does not scale
    ├── SelectionError (ValueError)          a strategy returned invalid positions
    ├── StoreError (OSError)                 labels cannot be read or written; the file is untouched
    └── TeachError (RuntimeError)            the refit failed; the learner is as it was before
        └── TeachValueError (ValueError)     ... because of the rows: other features, bad labels

    SkactiveWarning (UserWarning)
    ├── AnnotatorChangedWarning              its answers are not those that a router audited
    ├── FrozenModelWarning                   teaching does not change this model
    ├── PoolChangedWarning                   rows were added to the pool of a store, or changed
    ├── RelaxedRuleWarning                   too few rows keep the rule of a batch: others fill it
    ├── TiedScoresWarning                    all rows have the same score: the choice is random
    ├── UnansweredRowsWarning                a server did not answer some rows: people label them
    └── WaitingClassesWarning                some classes have too few rows to fit the model

Each error is also the builtin that one would expect, so ``except ValueError`` keeps working.
"""

from __future__ import annotations

__all__ = [
    "AnnotatorChangedWarning",
    "BridgeError",
    "CapabilityError",
    "FrozenModelWarning",
    "InvalidReadingError",
    "LabelError",
    "PoolChangedError",
    "PoolChangedWarning",
    "PoolExhaustedError",
    "PoolTooLargeError",
    "RelaxedRuleWarning",
    "SelectionError",
    "SkactiveError",
    "SkactiveWarning",
    "StoreError",
    "TeachError",
    "TeachValueError",
    "TiedScoresWarning",
    "UnansweredRowsWarning",
    "UnreadableModelError",
    "WaitingClassesWarning",
]


class SkactiveError(Exception):
    """Base class of the errors that skactive defines."""


class BridgeError(SkactiveError, OSError):
    """Another labeling tool cannot be reached, or refuses a request.

    Parameters
    ----------
    message : str
        What happened and what to do.
    status : int, default=None
        HTTP status of the response; None if there was no response.
    passing : bool, default=False
        Whether retrying may help: the server is down or overloaded.
    """

    def __init__(self, message: str, *, status: int | None = None, passing: bool = False) -> None:
        super().__init__(message)
        self.status, self.passing = status, passing


class CapabilityError(SkactiveError, TypeError):
    """The model does not provide a reading that the strategy needs."""


class InvalidReadingError(SkactiveError, ValueError):
    """A reading of the model cannot be used: not probabilities, wrong columns, not finite."""


class UnreadableModelError(CapabilityError, InvalidReadingError):
    """A method of the model fails, or gives no probabilities; also an `InvalidReadingError`."""


class LabelError(SkactiveError, ValueError):
    """An answer about a row that is not in the pool, or with an unknown class."""


class PoolChangedError(SkactiveError, ValueError):
    """A label store was opened with other rows than those that it was made for."""


class PoolExhaustedError(SkactiveError, ValueError):
    """More rows were asked for than the pool has."""


class PoolTooLargeError(SkactiveError, ValueError):
    """The pool is too large for a strategy whose cost grows faster than the pool."""


class SelectionError(SkactiveError, ValueError):
    """A strategy did not return the requested number of distinct positions in the pool."""


class StoreError(SkactiveError, OSError):
    """A label store cannot be opened, read or written; its contents are unchanged."""


class TeachError(SkactiveError, RuntimeError):
    """The model could not be refitted; the learner is as it was before the call."""


class TeachValueError(TeachError, ValueError):
    """The rows cannot be taught: other features, invalid labels, or refused by the model."""


class SkactiveWarning(UserWarning):
    """Base class of the warnings that skactive defines."""


class AnnotatorChangedWarning(SkactiveWarning):
    """An annotator answers otherwise than when a router audited it."""


class FrozenModelWarning(SkactiveWarning):
    """The model is frozen: labeled rows are added, but the model does not change."""


class PoolChangedWarning(SkactiveWarning):
    """The pool of a label store has more rows than before, or rows with other contents."""


class RelaxedRuleWarning(SkactiveWarning):
    """Too few rows of the pool keep the rule of a batch: others fill it."""


class TiedScoresWarning(SkactiveWarning):
    """All rows of the pool have the same score: the choice is random."""


class UnansweredRowsWarning(SkactiveWarning):
    """A server did not answer some rows, or a budget was too small for them: people label them."""


class WaitingClassesWarning(SkactiveWarning):
    """Some classes have too few labeled rows for the model to be fitted with them."""
