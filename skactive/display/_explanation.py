"""Drawing of explanations: rows beside their nearest labeled rows, classes, and ranks of parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill, shorten
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from skactive._utils.rows import take_rows
from skactive._utils.sanitizing import sanitize
from skactive.display._axes import BLUE, VERMILION, new_axes
from skactive.display._row_contents import (
    ColumnDifference,
    RowKind,
    compare_columns,
    find_row_kind,
    read_image,
    read_new_words,
)
from skactive.explanation import Explanation
from skactive.explanation._sentence import write_value

if TYPE_CHECKING:
    from skactive import ActiveLearner

__all__ = ["ExplanationDisplay", "RowContent"]

_N_COLUMNS = 5
_MAX_DRAWN = 240  # characters of a text that are drawn
_BAND_HEIGHT, _WIDTH, _SMALL_CHARACTER_WIDTH = 2.3, 10.0, 0.075  # inches
_SMALL = {"fontsize": "small", "parse_math": False}  # a label may contain $


@dataclass(frozen=True)
class RowContent:
    """Content of a row and of its nearest labeled rows, to be drawn.

    Attributes
    ----------
    kind : {"image", "text", "table", "none"}
        What the row is drawn as; "none" draws its explanation alone.
    images : tuple of ndarray
        The row and its nearest labeled rows, as pictures.
    texts : tuple of str
        The row and its nearest labeled row, as texts.
    new_words : tuple of str
        Words of the row that its nearest labeled row has not.
    differences : tuple of ColumnDifference
        Columns in which the row differs most from its nearest labeled row.
    """

    kind: RowKind
    images: tuple[NDArray[Any], ...] = ()
    texts: tuple[str, ...] = ()
    new_words: tuple[str, ...] = ()
    differences: tuple[ColumnDifference, ...] = ()


class ExplanationDisplay:
    """Explanations of rows, drawn beside their nearest labeled rows.

    Use :meth:`from_learner` to make one, and :meth:`plot` to draw it. Pictures are drawn as they
    are, texts with the words that the nearest labeled row has not, and rows of a table by the
    columns in which they differ most from it.

    Parameters
    ----------
    explanations : list of Explanation
        As :meth:`ActiveLearner.explain <skactive.ActiveLearner.explain>` returns them.
    contents : list of RowContent, default=None
        What to draw of each row; None draws the explanations alone.

    Attributes
    ----------
    explanations, contents : lists
        As passed.
    figsize : tuple of float
        Width and height, in inches, that a drawing needs.
    ax_ : matplotlib Axes
        The axes of the drawing, after `plot`.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    sentences_ : list of matplotlib Text
        The sentence of each row.
    content_axes_ : list of lists of matplotlib Axes
        For each row, the axes of its pictures, of its text or of its columns.
    class_axes_, rank_axes_ : lists of matplotlib Axes or None
        For each row, the axes of its probabilities and of the ranks of its parts.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.display import ExplanationDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> learner = ActiveLearner(LogisticRegression(max_iter=1000), random_state=0)
    >>> learner = learner.fit(X[:50], y[:50])
    >>> pool = X[50:]
    >>> display = ExplanationDisplay.from_learner(learner, pool, learner.query(pool, batch_size=2))
    >>> [content.kind for content in display.contents]
    ['image', 'image']
    """

    def __init__(
        self, explanations: Sequence[Explanation], contents: Sequence[RowContent] | None = None
    ) -> None:
        self.explanations = explanations
        self.contents = [RowContent("none")] * len(explanations) if contents is None else contents

    @classmethod
    def from_learner(
        cls, learner: ActiveLearner, X_pool: Any, positions: Any, *, kind: RowKind | None = None
    ) -> Self:
        """Make a display of the explanations of some rows.

        Parameters
        ----------
        learner : ActiveLearner
            The learner that was queried.
        X_pool : rows in any container
            The pool that was passed to `query`.
        positions : array-like of int, shape (n,)
            Positions that `query` returned; any others are explained too.
        kind : {"image", "text", "table", "none"}, default=None
            What rows are. None finds out: rows with two or three axes are pictures, and so are
            rows of a square number of whole numbers from 0 to 255, or of numbers from 0 to 1;
            strings are texts; frames and other rows of numbers are tables.

        Returns
        -------
        ExplanationDisplay
        """
        kind, explanations = kind or find_row_kind(X_pool), learner.explain(X_pool, positions)
        X_labeled = getattr(learner, "X_labeled_", None)
        return cls(
            explanations, [_read_content(kind, X_pool, X_labeled, row) for row in explanations]
        )

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height, in inches, that a drawing needs."""
        return _WIDTH, max(1.0, _BAND_HEIGHT * len(self.explanations))

    def plot(self, ax: Any = None) -> Self:
        """Draw the explanations, one below the other.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        self : ExplanationDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes(*self.figsize) if ax is None else ax
        ax.set_axis_off()
        self.sentences_, self.content_axes_ = [], []
        self.class_axes_, self.rank_axes_ = [], []
        n = max(1, len(self.explanations))
        for i, row in enumerate(self.explanations):
            bottom, height = 1 - (i + 1) / n, 1 / n
            self.sentences_.append(_write_sentence(ax, row, bottom + height))
            box = bottom + 0.16 * height, 0.5 * height  # room for the sentence, and between bands
            self.content_axes_.append(_draw_content(ax, row, self.contents[i], *box))
            classes = {write_value(label): p for label, p in row.probabilities.items()}
            self.class_axes_.append(_draw_bars(ax, "probability", classes, 0.61, *box))
            ranks = {sanitize(name): rank for name, rank in row.ranks.items()}
            self.rank_axes_.append(_draw_bars(ax, "share of the pool below", ranks, 0.86, *box))
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _read_content(kind: RowKind, X: Any, X_labeled: Any, row: Explanation) -> RowContent:
    """Read what is drawn of a row and of its nearest labeled rows."""
    nearest = [neighbor.position for neighbor in row.nearest]
    if kind == "image":
        images = [read_image(X, row.position), *(read_image(X_labeled, i) for i in nearest)]
        return RowContent(kind, images=tuple(images))
    if kind == "text":
        texts = [_read_text(X, row.position), *(_read_text(X_labeled, i) for i in nearest[:1])]
        words = read_new_words(*texts) if nearest else []
        return RowContent(kind, texts=tuple(texts), new_words=tuple(words))
    if kind == "table" and nearest:
        pairs = compare_columns(X, row.position, X_labeled, nearest[0], _N_COLUMNS)
        return RowContent(kind, differences=tuple(pairs))
    return RowContent("none")


def _read_text(X: Any, position: int) -> str:
    return str(next(iter(take_rows(X, np.array([position])))))


# Drawing ----------------------------------------------------------------------------------------


def _measure_line(ax: Any, share: float) -> int:
    """Return how many characters of a small font fit into a share of the width of the axes."""
    width = ax.get_position().width * ax.figure.get_figwidth()
    return max(12, int(share * width / _SMALL_CHARACTER_WIDTH))


def _write_sentence(ax: Any, row: Explanation, top: float) -> Any:
    sentence = str(row).replace(" %", "\u00a0%")  # on one line with its number
    width = _measure_line(ax, 1.0)
    text = fill(f"Row {row.position}. {sentence}", width, max_lines=3, placeholder=" …")
    return ax.text(0, top, text, va="top", transform=ax.transAxes, **_SMALL)


def _draw_content(
    ax: Any, row: Explanation, content: RowContent, bottom: float, height: float
) -> list[Any]:
    if content.kind == "image":
        return _draw_images(ax, row, content.images, bottom, height)
    if content.kind == "text":
        return [_draw_texts(ax, row, content, bottom, height)]
    if content.differences:
        return [_draw_differences(ax, row, content.differences, bottom, height)]
    return []


def _draw_images(
    ax: Any, row: Explanation, images: Sequence[NDArray[Any]], bottom: float, height: float
) -> list[Any]:
    """Draw the row, then its nearest labeled rows, on one scale of brightness."""
    titles = ["this row", *(f"label {write_value(row.label)}" for row in row.nearest)]
    low, high = min(map(np.min, images)), max(map(np.max, images))
    scale = float(high) - float(low) or 1.0
    insets = []
    for k, (image, title) in enumerate(zip(images, titles, strict=True)):
        inset = ax.inset_axes([0.13 * k, bottom, 0.12, height])
        inset.imshow((image - float(low)) / scale, cmap="gray", vmin=0, vmax=1)
        inset.set_title(shorten(title, 16, placeholder="…"), color=BLUE if k else "black", **_SMALL)
        inset.set_xticks([])
        inset.set_yticks([])
        insets.append(inset)
    return insets


def _draw_texts(
    ax: Any, row: Explanation, content: RowContent, bottom: float, height: float
) -> Any:
    inset = ax.inset_axes([0.0, bottom, 0.5, height])
    inset.set_axis_off()
    width = _measure_line(ax, 0.5)
    parts = [_fill_text(f"This row: {content.texts[0]}", width)]
    if row.nearest:
        label = write_value(row.nearest[0].label)
        parts.append(_fill_text(f"Nearest labeled ({label}): {content.texts[1]}", width))
        words = ", ".join(content.new_words) or "none"
        parts.append(_fill_text(f"Words that it lacks: {words}", width))
    inset.text(0, 1, "\n".join(parts), va="top", transform=inset.transAxes, **_SMALL)
    return inset


def _fill_text(text: str, width: int) -> str:
    return fill(shorten(sanitize(text), min(_MAX_DRAWN, 2 * width), placeholder=" …"), width)


def _draw_differences(
    ax: Any, row: Explanation, pairs: Sequence[ColumnDifference], bottom: float, height: float
) -> Any:
    """Draw the differences from the nearest labeled row, in standard deviations of the pool."""
    inset = ax.inset_axes([0.27, bottom, 0.22, height])
    names = [
        f"{write_value(pair.name)}: {write_value(pair.value)}, there "
        f"{write_value(pair.labeled_value)}"
        for pair in pairs
    ]
    lengths = np.nan_to_num([pair.difference for pair in pairs])
    colors = [VERMILION if length > 0 else BLUE for length in lengths]
    inset.barh(np.arange(len(pairs)), lengths, color=colors)
    inset.axvline(0, color="black", linewidth=0.8)
    inset.set_yticks(
        np.arange(len(pairs)), [shorten(n, 36, placeholder="…") for n in names], **_SMALL
    )
    inset.invert_yaxis()
    label = write_value(row.nearest[0].label)
    title = (
        f"this row minus nearest labeled row ({shorten(label, 16, placeholder='…')}), in spreads"
    )
    inset.set_title(title, **_SMALL)
    _clear_frame(inset)
    return inset


def _draw_bars(
    ax: Any, title: str, shares: Mapping[str, float], left: float, bottom: float, height: float
) -> Any:
    """Draw shares from 0 to 1 as bars; None if there are none."""
    if not shares:
        return None
    inset = ax.inset_axes([left, bottom, 0.12, height])
    places = np.arange(len(shares))
    inset.barh(places, list(shares.values()), height=0.6, color=BLUE)
    inset.set_yticks(places, [shorten(name, 18, placeholder="…") for name in shares], **_SMALL)
    inset.set_ylim(max(2.5, len(shares) - 0.5), -0.5)  # bars of one height, whatever their number
    inset.set_xlim(0, 1)
    inset.set_xticks([0, 1])
    inset.set_title(title, **_SMALL)
    _clear_frame(inset)
    return inset


def _clear_frame(ax: Any) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize="small")
