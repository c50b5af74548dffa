"""TensorBoardHook: curves of a session in TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from skactive.labeling.hooks._base import SessionEvent
from skactive.labeling.hooks._metrics import collect_metrics, get_step

__all__ = ["TensorBoardHook"]


class TensorBoardHook:
    """Hook that writes the metrics of each round as scalars for TensorBoard.

    The step is the number of labels that the model learned from. The scalars are
    ``audit/accuracy`` with ``audit/low`` and ``audit/high`` (95 %, Clopper-Pearson),
    ``labels/all``, ``labels/learned``, ``round/number``, ``round/seconds``, ``seconds/fit``,
    ``seconds/query``, and ``stopping/...`` with the value of each stopping criterion;
    ``stopping/stop`` is 1 at the step at which the criterion says stop.

    Parameters
    ----------
    log_dir : str or Path, default=None
        Folder that is written with tensorboardX, which needs neither torch nor TensorFlow.
    writer : object, default=None
        A writer to use instead, with a method ``add_scalar(tag, value, step)``; for example a
        ``torch.utils.tensorboard.SummaryWriter``. It stays open.

    Raises
    ------
    ImportError
        If a folder is given and tensorboardX is not installed (the extra "tensorboard").
    ValueError
        Unless exactly one of the two is given.

    Examples
    --------
    >>> from skactive.labeling import SessionEvent
    >>> from skactive.labeling.hooks import TensorBoardHook
    >>> class Printer:  # in real life: TensorBoardHook("runs/flowers")
    ...     def add_scalar(self, tag, value, step):
    ...         print(f"{step} labels: {tag} {value:.2f}")
    >>> hook = TensorBoardHook(writer=Printer())
    >>> hook.on_fit_end(SessionEvent("on_fit_end", 2, 11, metrics={"n_learned": 10}, seconds=0.25))
    10 labels: seconds/fit 0.25
    """

    def __init__(self, log_dir: str | Path | None = None, *, writer: Any = None) -> None:
        if (log_dir is None) == (writer is None):
            raise ValueError(
                f"Pass a folder or a writer, one of the two; got log_dir={log_dir!r} and "
                f"writer={writer!r}."
            )
        self._owns_writer = writer is None
        self._writer = _make_writer(str(log_dir)) if writer is None else writer

    def on_fit_end(self, event: SessionEvent) -> None:
        """Write the duration of the fit."""
        self._writer.add_scalar("seconds/fit", event.seconds, get_step(event))

    def on_query_end(self, event: SessionEvent) -> None:
        """Write the duration of the query."""
        self._writer.add_scalar("seconds/query", event.seconds, get_step(event))

    def on_round_end(self, event: SessionEvent) -> None:
        """Write the metrics of the round."""
        for tag, value in collect_metrics(event).items():
            self._writer.add_scalar(tag, value, get_step(event))
        self._flush()

    def on_stop(self, event: SessionEvent) -> None:
        """Mark the step at which to stop, and write the reason if the writer accepts texts."""
        self._writer.add_scalar("stopping/stop", 1.0, get_step(event))
        if hasattr(self._writer, "add_text"):
            self._writer.add_text("stopping/reason", event.reason, get_step(event))
        self._flush()

    def close(self) -> None:
        """Close the writer, unless it was passed."""
        if self._owns_writer:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        if hasattr(self._writer, "flush"):
            self._writer.flush()


def _make_writer(log_dir: str) -> Any:
    try:
        from tensorboardX import SummaryWriter  # late: an extra
    except ImportError as error:
        raise ImportError(
            "TensorBoardHook needs tensorboardX, which is not installed: "
            'pip install "skactive[tensorboard]". Or pass a writer of your own.'
        ) from error
    return SummaryWriter(log_dir)
