"""What a row looks like on the page, as contents that JSON can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

from skactive.labeling.page._media import MEDIA, data_uri, file_content, png, scaled, wav

__all__ = ["RENDERS", "Content", "Renderer", "single_row"]

Content: TypeAlias = dict[str, Any]

_MOST_CELLS = 200  # of a table
_LONGEST_TEXT = 100_000  # characters
_ALT = "the image to be labeled"


class Renderer:
    """Makes contents of rows.

    A content is one of ``{"type": "text", "text"}``, ``{"type": "html", "html"}``,
    ``{"type": "image", "src", "alt"}``, ``{"type": "audio", "src"}``,
    ``{"type": "table", "rows": [[name, value], ...]}`` and, where a row cannot be shown,
    ``{"type": "problem", "text"}``. Sources are data URIs: a page asks nobody else for anything.

    Parameters
    ----------
    render : callable or {"text", "image", "audio", "table", "html"}, default=None
        A function of one row that returns a content, or what is taken as without it; or how all
        rows are taken. None goes by type: texts are texts; a :class:`pathlib.Path` is a file with
        an image or a sound; an array of 2 or 3 dimensions, or an image of Pillow's, is an image;
        a tuple of an array and a rate is a sound; rows of frames, mappings and arrays of one
        dimension are tables.
    html : bool, default=False
        Whether HTML is shown as such. If not, it is shown as the text that it is.
    media_root : str or Path, default=None
        Files must lie in this folder, and their names are relative to it; then texts that name a
        file with an image or a sound in it count as one too.
    """

    def __init__(self, render: Any = None, *, html: bool = False, media_root: Any = None) -> None:
        if not callable(render) and render is not None and render not in RENDERS:
            raise ValueError(
                f"render must be a function of a row, None, or one of {', '.join(RENDERS)}; got "
                f"{render!r}."
            )
        if render == "html" and not html:
            raise ValueError('render="html" shows rows as HTML: pass html=True if you trust them.')
        self.html = html
        self.media_root = None if media_root is None else Path(media_root).resolve()
        self._render = render

    def __call__(self, X: Any, position: int) -> Content:
        """Return the content of a row of any container; one that fails says so."""
        try:
            return self.content(single_row(X, position))
        except Exception as error:  # labeling goes on
            return {
                "type": "problem",
                "text": f"This row cannot be shown ({type(error).__name__}: {error}).",
            }

    def content(self, row: Any) -> Content:
        """Return the content of one row."""
        if callable(self._render):
            row = self._render(row)
        elif self._render is not None:
            return RENDERS[self._render](self, row)
        if isinstance(row, Mapping) and callable(self._render) and row.get("type") in _CHECKS:
            return self._checked(dict(row))
        return self._by_type(row)

    def _by_type(self, row: Any) -> Content:
        if isinstance(row, str):
            return self._text_or_file(row)
        if isinstance(row, PurePath):
            return file_content(self.allowed(row))
        if isinstance(row, tuple) and len(row) == 2 and np.ndim(row[0]) in {1, 2}:
            return _audio(self, row)
        if _is_picture(row) or (not sp.issparse(row) and _ndim(row) in {2, 3}):
            return _image(self, row)
        if isinstance(row, Mapping) or hasattr(row, "items") or sp.issparse(row) or _ndim(row) == 1:
            return _table(self, row)
        return {"type": "text", "text": _cut(str(row))}

    def _text_or_file(self, text: str) -> Content:
        if self.media_root is not None and len(text) < 1000 and "\n" not in text:
            path = self.media_root / text
            if path.suffix.lower() in MEDIA and path.is_file():
                return file_content(self.allowed(text))
        return _html(self, text) if self.html else _text(self, text)

    def allowed(self, name: Any) -> Path:
        """Return the path of a file, if it lies where files may lie."""
        if self.media_root is None:
            return Path(name)
        path = (self.media_root / name).resolve()
        if not path.is_relative_to(self.media_root):
            raise ValueError(f"{Path(name).name} is not in the folder of the media")
        return path

    def _checked(self, content: Content) -> Content:
        """Take a content that a function made, if it holds what the page can show."""
        kind = content["type"]
        if kind == "html" and not self.html:
            return {"type": "text", "text": _cut(str(content["html"]))}
        if not _CHECKS[kind](content):
            raise ValueError(f"render returned a content of type {kind!r} that has no right value")
        return content


def single_row(X: Any, position: int) -> Any:
    """Return one row of any container, as its kind has them.

    Of a pandas frame it is a Series, of a polars frame a dict, of a sparse matrix one of one row,
    of a torch tensor an array.
    """
    if hasattr(X, "iloc"):
        return X.iloc[position]
    if type(X).__module__.split(".")[0] == "polars":
        return X.row(position, named=True) if len(X.shape) == 2 else X[position]
    if sp.issparse(X):
        return sp.csr_matrix(X[[position]]) if X.format == "csr" else X.tocsr()[[position]]
    row = X[position]
    return row.detach().cpu().numpy() if hasattr(row, "detach") else row


def _text(renderer: Renderer, row: Any) -> Content:
    if isinstance(row, str):
        return {"type": "text", "text": _cut(row)}
    if _ndim(row) == 1 or hasattr(row, "items"):
        cells = _cells(row)
        text = cells[0][1] if len(cells) == 1 else "\n".join(f"{n}: {v}" for n, v in cells)
        return {"type": "text", "text": _cut(text)}
    return {"type": "text", "text": _cut(str(row))}


def _html(renderer: Renderer, row: Any) -> Content:
    return {"type": "html", "html": _text(renderer, row)["text"]}


def _image(renderer: Renderer, row: Any) -> Content:
    if isinstance(row, str | PurePath):
        return file_content(renderer.allowed(row), "image")
    return {"type": "image", "src": data_uri("image/png", png(scaled(row))), "alt": _ALT}


def _audio(renderer: Renderer, row: Any) -> Content:
    if isinstance(row, str | PurePath):
        return file_content(renderer.allowed(row), "audio")
    if not isinstance(row, tuple) or len(row) != 2:
        raise ValueError("a sound is a path, or a tuple of an array and its rate in hertz")
    return {"type": "audio", "src": data_uri("audio/wav", wav(*row))}


def _table(renderer: Renderer, row: Any) -> Content:
    return {"type": "table", "rows": _cells(row)}


def _cells(row: Any) -> list[list[str]]:
    """Return names and values; of a sparse row those that are not zero."""
    if sp.issparse(row):
        row = sp.csr_matrix(row)
        pairs = list(zip(row.indices.tolist(), row.data.tolist(), strict=True))
    elif hasattr(row, "items"):
        pairs = list(row.items())
    else:
        pairs = list(enumerate(np.ravel(row).tolist()))
    cells = [[str(name), _value(value)] for name, value in pairs[:_MOST_CELLS]]
    if len(pairs) > _MOST_CELLS:
        cells.append(["…", f"{len(pairs) - _MOST_CELLS:,} more"])
    return cells


def _value(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return _cut(str(value))


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]}… ({len(text) - _LONGEST_TEXT:,} more characters)"


def _ndim(row: Any) -> int:
    if isinstance(row, list):
        return int(np.ndim(row)) if row and isinstance(row[0], int | float | list) else 1
    return int(getattr(row, "ndim", 0))


def _is_picture(row: Any) -> bool:
    """Tell whether this is an image of Pillow's, without importing it."""
    return type(row).__module__.split(".")[0] == "PIL" and hasattr(row, "convert")


def _is_pairs(rows: Any) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, list | tuple) and len(row) == 2 and all(isinstance(v, str) for v in row)
        for row in rows
    )


RENDERS: dict[str, Callable[[Renderer, Any], Content]] = {
    "text": _text,
    "image": _image,
    "audio": _audio,
    "table": _table,
    "html": _html,
}

_CHECKS: dict[str, Callable[[Content], bool]] = {
    "text": lambda content: isinstance(content.get("text"), str),
    "html": lambda content: isinstance(content.get("html"), str),
    "image": lambda content: str(content.get("src", "")).startswith("data:image/"),
    "audio": lambda content: str(content.get("src", "")).startswith("data:audio/"),
    "table": lambda content: _is_pairs(content.get("rows")),
}
