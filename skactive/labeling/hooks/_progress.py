"""ProgressBar: number of labels, on standard error or in the notebook's cell."""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any, Self

from skactive.labeling.hooks._base import SessionEvent

__all__ = ["ProgressBar"]


class ProgressBar:
    """Hook that shows a tqdm bar with the number of labels, the round and the accuracy.

    Parameters
    ----------
    total : int, default=None
        Number of labels at the end of the bar: the size of the pool, or the budget. None shows the
        count and the speed without an end.
    file : file, default=None
        Where to write; None means standard error.

    Raises
    ------
    ImportError
        If tqdm is not installed (the extra "progress").

    Examples
    --------
    >>> import io
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive import ActiveLearner
    >>> from skactive.labeling import LabelingSession
    >>> from skactive.labeling.hooks import ProgressBar
    >>> X, y = load_iris(return_X_y=True)
    >>> with ProgressBar(total=150, file=io.StringIO()) as bar:
    ...     with LabelingSession(ActiveLearner(GaussianNB()), X, hooks=[bar]) as session:
    ...         stored = session.submit({row: int(y[row]) for row in range(0, 150, 10)})
    ...     print(bar.n_labels)
    15
    """

    def __init__(self, total: int | None = None, *, file: Any = None) -> None:
        self.total, self.n_labels = total, 0
        self._file, self._lock = file, Lock()
        self._tqdm, self._bar = _import_tqdm(), None

    def on_labels(self, event: SessionEvent) -> None:
        """Move the bar to the number of labels."""
        with self._lock:
            self._get_bar(event).update(event.n_labels - self.n_labels)
            self.n_labels = event.n_labels

    def on_round_end(self, event: SessionEvent) -> None:
        """Show the round, and with an audit the accuracy."""
        text = f"round {event.round}"
        if event.metrics.get("audit_n"):
            score, n = event.metrics["audit_score"], event.metrics["audit_n"]
            text += f", accuracy {score:.3f} of {n:.0f}"
        with self._lock:
            self._get_bar(event).set_postfix_str(text)

    def on_stop(self, event: SessionEvent) -> None:
        """Show the reason to stop; labels that come later still move the bar."""
        with self._lock:
            self._get_bar(event).set_postfix_str(f"stop: {event.reason}")

    def close(self) -> None:
        """Close the bar; labels that come later open another one."""
        with self._lock:
            if self._bar is not None:
                self._bar.close()
                self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _get_bar(self, event: SessionEvent) -> Any:
        """Return the bar, opened if need be; labels from before do not count for its speed."""
        if self._bar is None:
            self.n_labels = max(0, event.n_labels - len(event.labels))
            self._bar = self._tqdm(
                total=self.total,
                initial=self.n_labels,
                desc="labeling",
                unit="label",
                file=sys.stderr if self._file is None else self._file,
            )
        return self._bar


def _import_tqdm() -> Any:
    try:
        from tqdm import tqdm  # late: an extra
    except ImportError as error:
        raise ImportError(
            'ProgressBar needs tqdm, which is not installed: pip install "skactive[progress]".'
        ) from error
    return tqdm
