"""The report of an application, as lines of text, and its picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.files import write_atomically
from skactive._utils.rows import take_rows
from skactive.applications._application import Task
from skactive.applications._play import Batch
from skactive.comparison import StrategyComparison
from skactive.display import LabelCurveDisplay

__all__ = ["describe_batch", "describe_record", "draw_curves", "tabulate_curves"]

_MAX_ROWS = 12  # of the table of scores
_MAX_CHARACTERS = 100  # of a text that is quoted


def tabulate_curves(comparison: StrategyComparison, unit: str) -> Iterator[str]:
    """Yield the mean scores over the cost of labels, as lines of a table.

    Parameters
    ----------
    comparison : StrategyComparison
        The curves.
    unit : str
        Unit of the costs.
    """
    curves = comparison.curves()
    counts = next(iter(curves.values()))[0]
    width, first = max(9, *map(len, curves)), max(7, len(unit))
    yield f"{unit:>{first}}  " + "  ".join(f"{name:>{width}}" for name in curves)
    for i in np.unique(np.linspace(0, len(counts) - 1, _MAX_ROWS).round().astype(int)):
        cells = (f"{scores.mean(axis=0)[i]:{width}.3f}" for _, scores in curves.values())
        yield f"{counts[i]:{first}.0f}  " + "  ".join(cells)


def describe_record(record: dict[str, Any]) -> Iterator[str]:
    """Yield what each strategy costs, and the conclusion, as lines.

    Parameters
    ----------
    record : dict
        As :func:`make_record` returns it.
    """
    width = max(len(row["name"]) for row in record["strategies"])
    yield (
        f"to reach {record['target']:.3f} {record['score']}, the final one of random labeling "
        f"({record['n_repeats']} paired seeds):"
    )
    for row in record["strategies"]:
        cost = "not reached" if row["cost"] is None else f"{row['cost']:.0f} {record['unit']}"
        yield f"{row['name']:<{width}}  {cost:>18}{_describe_saving(row)}" + (
            f"; {row['round_seconds']:.2f} s per round"
        )
    yield record["summary"]


def _describe_saving(row: dict[str, Any]) -> str:
    if row["saved"] is None:
        return ""
    ends = ["?" if row[end] is None else f"{100 * row[end]:.0f}" for end in ("low", "high")]
    bound = "" if row["bound"] == "exact" else f"{row['bound']} "
    return f", saves {bound}{100 * row['saved']:.0f} % ({ends[0]} to {ends[1]})"


def describe_batch(batch: Batch, task: Task, n_shown: int = 3) -> Iterator[str]:
    """Yield why the first rows of a batch were asked for, as lines.

    Parameters
    ----------
    batch : Batch
        The rows.
    task : Task
        The data.
    n_shown : int, default=3
        Number of rows.
    """
    for position, explanation in zip(
        batch.positions[:n_shown], batch.explanations[:n_shown], strict=True
    ):
        (row,) = take_rows(task.X, [position])
        quoted = f"{row[:_MAX_CHARACTERS]!r}" if isinstance(row, str) else f"row {position}"
        yield f"{quoted}: {explanation}"


def draw_curves(comparison: StrategyComparison, title: str, unit: str, path: Path) -> None:
    """Draw the learning curves with 95 % intervals into a file.

    Parameters
    ----------
    comparison : StrategyComparison
        The curves.
    title : str
        Title of the picture.
    unit : str
        Unit of the costs of labels.
    path : Path
        A PNG file.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    from matplotlib.figure import Figure  # late: it is an extra

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    display = LabelCurveDisplay.from_comparison(comparison).plot(ax=figure.add_subplot())
    display.ax_.set(title=title, xlabel=unit)
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=150))
