"""The command line, ``skactive``."""

from __future__ import annotations

TYPE_CHECKING = False  # without typing: interrupts are handled after these lines only
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None for those of the process, whose streams and interrupts are then prepared,
        too.

    Returns
    -------
    int
        0 on success, 1 for a failure that is no mistake in the command (a full disk, say), 2 for a
        mistake in the command, 130 if interrupted, 141 if the reader of the output has gone away.
    """
    owns_process = argv is None
    try:
        from skactive.cli._interrupts import Interrupts

        with Interrupts(owns_process=owns_process):
            from skactive.cli._process import run_guarded

            return run_guarded(lambda: _parse_and_run(argv), owns_process=owns_process)
    except KeyboardInterrupt:  # before or after the run, which handles its own
        return 130


def _parse_and_run(argv: Sequence[str] | None) -> None:
    from skactive.cli._main import run_command

    run_command(argv)
