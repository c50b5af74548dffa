"""TensorBoardHook: curves of a session in TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from skactive.labeling.hooks._base import SessionEvent
from skactive.labeling.hooks._metrics import round_numbers, step

__all__ = ["TensorBoardHook"]


class TensorBoardHook:
    """Writes the numbers of each round as scalars that TensorBoard draws.

    Over the labels that the model learned from it shows ``audit/accuracy`` with ``audit/low`` and
    ``audit/high`` (95 %, Clopper-Pearson), ``labels/all``, ``labels/learned``, ``round/number``,
    ``round/seconds``, ``seconds/fit``, ``seconds/query`` and ``stopping/...``, what each stopping
    criterion read; ``stopping/stop`` is 1 where it said stop.

    Parameters
    ----------
    log_dir : str or Path, default=None
        The folder, written by tensorboardX, which needs neither torch nor TensorFlow.
    writer : object, default=None
        Writes instead: any with ``add_scalar(tag, value, step)``, for example a
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
        self._own = writer is None
        self._writer = _summary_writer(str(log_dir)) if writer is None else writer

    def on_fit_end(self, event: SessionEvent) -> None:
        """Write how long the fit took."""
        self._writer.add_scalar("seconds/fit", event.seconds, step(event))

    def on_query_end(self, event: SessionEvent) -> None:
        """Write how long the query took."""
        self._writer.add_scalar("seconds/query", event.seconds, step(event))

    def on_round_end(self, event: SessionEvent) -> None:
        """Write the numbers of the round."""
        for tag, value in round_numbers(event).items():
            self._writer.add_scalar(tag, value, step(event))
        self._flush()

    def on_stop(self, event: SessionEvent) -> None:
        """Mark where to stop, and say why where the writer takes texts."""
        self._writer.add_scalar("stopping/stop", 1.0, step(event))
        if hasattr(self._writer, "add_text"):
            self._writer.add_text("stopping/reason", event.reason, step(event))
        self._flush()

    def close(self) -> None:
        """Close the writer, unless it was passed."""
        if self._own:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        if hasattr(self._writer, "flush"):
            self._writer.flush()


def _summary_writer(log_dir: str) -> Any:
    try:
        from tensorboardX import SummaryWriter  # late: an extra
    except ImportError as error:
        raise ImportError(
            "TensorBoardHook needs tensorboardX, which is not installed: "
            'pip install "skactive[tensorboard]". Or pass a writer that you have.'
        ) from error
    return SummaryWriter(log_dir)
