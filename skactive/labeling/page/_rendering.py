"""Contents of rows for the page, as JSON values."""

from __future__ import annotations

import copy
import os.path
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

from skactive._utils.inputs import has_several_inputs, map_inputs
from skactive._utils.rows import is_from, take_rows
from skactive._utils.stored_rows import StoredRows
from skactive.labeling.page._formats import find_format
from skactive.labeling.page._images import convert_to_array
from skactive.labeling.page._media import show_file
from skactive.labeling.page._media_files import MediaError, escape_name, make_data_uri
from skactive.labeling.page._pixels import FULL, PREVIEW, show_pixels
from skactive.labeling.page._sounds import encode_wav

__all__ = ["CONTENT_MAKERS", "Content", "Renderer", "take_row"]

Content: TypeAlias = dict[str, Any]

_MAX_SHOWN_CELLS = 200  # per table
_MAX_TEXT = 100_000  # characters
_ALT_TEXT = "the image to be labeled"


class Renderer:
    """Make the content that shows a row.

    A content is one of ``{"type": "text", "text"}``, ``{"type": "html", "html"}``,
    ``{"type": "image", "src", "alt"}``, ``{"type": "audio", "src"}``,
    ``{"type": "table", "rows": [[name, value], ...]}`` and, for rows that cannot be shown,
    ``{"type": "problem", "text"}``. Sources are data URIs: the page loads nothing from elsewhere.
    Large images are reduced. The contents of images also have the ``width`` and ``height`` of the
    original, where they are known, and ``reduced``, whether the source has fewer pixels. A
    ``note`` says if only a part is shown: the first page, or the beginning of a long sound.

    Parameters
    ----------
    render : callable or {"text", "image", "audio", "table", "html"}, default=None
        A function of one row that returns a content, or a value whose type decides; or the type of
        all rows. None infers the type: strings are texts; a :class:`pathlib.Path` is an image or
        audio file; an array of 2 or 3 dimensions, or a PIL image, is an image; a tuple of an array
        and its rate is a sound; rows of frames, mappings and arrays of one dimension are tables.
    html : bool, default=False
        Whether to render HTML. If not, its source is shown as text.
    media_root : str or Path, default=None
        The folder that must hold all files; names are relative to it, and strings that name an
        image or audio file in it are shown as that file. Links in the folder are followed, wherever
        they lead; names that lead out of it are refused.
    """

    def __init__(self, render: Any = None, *, html: bool = False, media_root: Any = None) -> None:
        if not callable(render) and render is not None and render not in CONTENT_MAKERS:
            raise ValueError(
                f"render must be a function of a row, None, or one of "
                f"{', '.join(CONTENT_MAKERS)}; got {render!r}."
            )
        if render == "html" and not html:
            raise ValueError('render="html" shows rows as HTML: pass html=True if you trust them.')
        self.html = html
        self.media_root = None if media_root is None else Path(media_root).resolve()
        self._render = render
        self._limits = PREVIEW

    def __call__(self, X: Any, position: int) -> Content:
        """Return the content of a row of any container; an error becomes a problem."""
        try:
            return self.content(take_row(X, position))
        except MediaError as error:
            return {"type": "problem", "text": str(error)}
        except Exception as error:  # The annotator can skip the row
            return {
                "type": "problem",
                "text": f"This row cannot be shown ({type(error).__name__}: {error}).",
            }

    def full(self, X: Any, position: int) -> Content:
        """Return the content of a row, with an image at full size if that has at most 10 MB.

        Parameters
        ----------
        X : container
            All rows.
        position : int
            Position of the row.
        """
        renderer = copy.copy(self)
        renderer._limits = FULL
        return renderer(X, position)

    def content(self, row: Any) -> Content:
        """Return the content of one row."""
        if callable(self._render):
            row = self._render(row)
        elif self._render is not None:
            return CONTENT_MAKERS[self._render](self, row)
        if isinstance(row, Mapping) and callable(self._render) and row.get("type") in _VALIDATORS:
            return self._check_content(dict(row))
        return self._infer_content(row)

    def _infer_content(self, row: Any) -> Content:
        if isinstance(row, str):
            return self._make_text_or_file(row)
        if isinstance(row, PurePath):
            return self._show_file(row)
        if isinstance(row, tuple) and len(row) == 2 and np.ndim(row[0]) in {1, 2}:
            return _make_audio(self, row)
        if _is_pil_image(row) or (not sp.issparse(row) and _ndim(row) in {2, 3}):
            return _make_image(self, row)
        if isinstance(row, Mapping) or hasattr(row, "items") or sp.issparse(row) or _ndim(row) == 1:
            return _make_table(self, row)
        return {"type": "text", "text": _truncate(str(row))}

    def _make_text_or_file(self, text: str) -> Content:
        if self._names_file(text):
            return self._show_file(text)
        return _make_html(self, text) if self.html else _make_text(self, text)

    def _names_file(self, text: str) -> bool:
        """Return whether a text is the name of an image or sound below `media_root`."""
        known = find_format(text) if len(text) < 1000 and "\n" not in text else None
        if self.media_root is None or known is None or known.media not in {"image", "audio"}:
            return False
        return os.path.isfile(self.media_root / text)  # noqa: PTH113 (accepts too long names)

    def _show_file(self, name: Any, media: str | None = None) -> Content:
        """Return the content of a file; `media` is "image", "audio" or None for both."""
        return show_file(self.resolve_path(name), media, self._limits)

    def _show_array(self, image: Any) -> Content:
        """Return the content of an array."""
        return {"type": "image", "alt": _ALT_TEXT, **show_pixels(image, self._limits)}

    def resolve_path(self, name: Any) -> Path:
        """Return the path of a file, or raise if its name leads out of `media_root`.

        Whoever serves the folder has made the links in it, so these are followed.
        """
        if self.media_root is None:
            return Path(name)
        path = self.media_root / name
        is_inside = path.is_relative_to(self.media_root) and ".." not in path.parts
        if not is_inside and not path.resolve().is_relative_to(self.media_root):
            raise ValueError(f"{escape_name(path.name)} is not in the folder of media files")
        return path

    def _check_content(self, content: Content) -> Content:
        """Return a content that a function made, or raise if the page cannot show it."""
        kind = content["type"]
        if kind == "html" and not self.html:
            return {"type": "text", "text": _truncate(str(content["html"]))}
        if not _VALIDATORS[kind](content):
            raise ValueError(f"render returned a content of type {kind!r} with an invalid value")
        return content


def take_row(X: Any, position: int) -> Any:
    """Return one row of any container.

    The row of a pandas frame is a Series, of a polars frame or a table a dict, of a sparse matrix a
    matrix of one row, of a torch tensor an array, of several inputs a dict or list with one row of
    each. Of rows that are loaded by their paths it is the path.
    """
    if isinstance(X, StoredRows):
        if X.source.names is not None:
            return take_row(X.source.names, int(X.list_positions()[position]))
        X, position = take_rows(X, [position]), 0
    if has_several_inputs(X):
        return map_inputs(lambda values: take_row(values, position), X)
    if is_from("pyarrow", X) and hasattr(X, "schema"):
        return X.slice(position, 1).to_pylist()[0]
    if hasattr(X, "iloc"):
        return X.iloc[position]
    if type(X).__module__.split(".")[0] == "polars":
        return X.row(position, named=True) if len(X.shape) == 2 else X[position]
    if sp.issparse(X):
        return sp.csr_matrix(X[[position]]) if X.format == "csr" else X.tocsr()[[position]]
    row = X[position]
    return row.detach().cpu().numpy() if hasattr(row, "detach") else row


def _make_text(renderer: Renderer, row: Any) -> Content:
    if isinstance(row, str):
        return {"type": "text", "text": _truncate(row)}
    if _ndim(row) == 1 or hasattr(row, "items"):
        cells = _format_cells(row)
        text = cells[0][1] if len(cells) == 1 else "\n".join(f"{n}: {v}" for n, v in cells)
        return {"type": "text", "text": _truncate(text)}
    return {"type": "text", "text": _truncate(str(row))}


def _make_html(renderer: Renderer, row: Any) -> Content:
    return {"type": "html", "html": _make_text(renderer, row)["text"]}


def _make_image(renderer: Renderer, row: Any) -> Content:
    if isinstance(row, str | PurePath):
        return renderer._show_file(row, "image")
    return renderer._show_array(convert_to_array(row) if _is_pil_image(row) else row)


def _make_audio(renderer: Renderer, row: Any) -> Content:
    if isinstance(row, str | PurePath):
        return renderer._show_file(row, "audio")
    if not isinstance(row, tuple) or len(row) != 2:
        raise ValueError("a sound must be a path, or a tuple of an array and its rate in hertz")
    return {"type": "audio", "src": make_data_uri("audio/wav", encode_wav(*row))}


def _make_table(renderer: Renderer, row: Any) -> Content:
    return {"type": "table", "rows": _format_cells(row)}


def _format_cells(row: Any) -> list[list[str]]:
    """Return pairs of names and values; of a sparse row only the nonzero ones."""
    if sp.issparse(row):
        row = sp.csr_matrix(row)
        pairs = list(zip(row.indices.tolist(), row.data.tolist(), strict=True))
    elif hasattr(row, "items"):
        pairs = list(row.items())
    else:
        pairs = list(enumerate(np.ravel(row).tolist()))
    cells = [[str(name), _format_value(value)] for name, value in pairs[:_MAX_SHOWN_CELLS]]
    if len(pairs) > _MAX_SHOWN_CELLS:
        cells.append(["…", f"{len(pairs) - _MAX_SHOWN_CELLS:,} more"])
    return cells


def _format_value(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return _truncate(str(value))


def _truncate(text: str) -> str:
    if len(text) <= _MAX_TEXT:
        return text
    return f"{text[:_MAX_TEXT]}… ({len(text) - _MAX_TEXT:,} more characters)"


def _ndim(row: Any) -> int:
    if isinstance(row, list):
        return int(np.ndim(row)) if row and isinstance(row[0], int | float | list) else 1
    return int(getattr(row, "ndim", 0))


def _is_pil_image(row: Any) -> bool:
    """Return whether a row is a PIL image, without importing Pillow."""
    return type(row).__module__.split(".")[0] == "PIL" and hasattr(row, "convert")


def _is_pairs(rows: Any) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, list | tuple) and len(row) == 2 and all(isinstance(v, str) for v in row)
        for row in rows
    )


CONTENT_MAKERS: dict[str, Callable[[Renderer, Any], Content]] = {
    "text": _make_text,
    "image": _make_image,
    "audio": _make_audio,
    "table": _make_table,
    "html": _make_html,
}

_VALIDATORS: dict[str, Callable[[Content], bool]] = {
    "text": lambda content: isinstance(content.get("text"), str),
    "html": lambda content: isinstance(content.get("html"), str),
    "image": lambda content: str(content.get("src", "")).startswith("data:image/"),
    "audio": lambda content: str(content.get("src", "")).startswith("data:audio/"),
    "table": lambda content: _is_pairs(content.get("rows")),
}
