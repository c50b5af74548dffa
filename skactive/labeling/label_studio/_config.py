"""What Label Studio shows: the content of a row, and the choices beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from skactive.exceptions import LabelError
from skactive.labeling._validation import plain
from skactive.labeling.page._rendering import take_row
from skactive.labeling.state._events import Ident

__all__ = ["Control", "Render", "content_of", "is_made_here", "kind_of", "make_config"]

Render = Callable[[Any, Ident], Any]

_ENDINGS = {
    "image": {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp"},
    "audio": {".wav", ".mp3", ".ogg", ".flac", ".m4a", ".opus"},
}
_TAGS = {
    "text": '<Text name="item" value="$text" valueType="text"/>',
    "image": '<Image name="item" value="$image"/>',
    "audio": '<Audio name="item" value="$audio"/>',
    "table": '<Table name="item" value="$table"/>',
}


@dataclass(frozen=True)
class Control:
    """The choices of a project, and what is shown beside them.

    Parameters
    ----------
    name : str
        Of the choices.
    value : str
        The field of a task that is shown.
    """

    name: str
    value: str

    @classmethod
    def of(cls, parsed: Mapping[str, Any]) -> Control | None:
        """Find the first choices of a labeling configuration, as the server has parsed it."""
        for name, tag in parsed.items():
            if tag.get("type") == "Choices" and tag.get("inputs"):
                return cls(name, tag["inputs"][0].get("value") or "text")
        return None

    def read(self, result: Sequence[Any], classes: Sequence[Any], *, multilabel: bool) -> Any:
        """Return the label that an annotation gives.

        Parameters
        ----------
        result : sequence of dict
            Of the annotation.
        classes : sequence
            Of the session. Label Studio knows them as texts.
        multilabel : bool
            Whether a label is a list of classes.
        """
        mine = [each for each in result if each.get("from_name") == self.name]
        chosen = [choice for each in mine for choice in each.get("value", {}).get("choices", ())]
        by_name = {str(each): each for each in classes}
        label = [by_name.get(each, each) if isinstance(each, str) else each for each in chosen]
        if multilabel:
            return label
        if len(label) != 1:
            raise LabelError(
                f"it has {len(label)} choices, one is needed: answer it again in Label Studio, or "
                "skip it there"
            )
        return label[0]


def is_made_here(config: str, kind: str, names: Sequence[str], *, multilabel: bool) -> bool:
    """Tell whether a labeling configuration is one of ours, as it was made."""
    return kind in _TAGS and config == make_config(kind, names, multilabel=multilabel)


def make_config(kind: str, classes: Sequence[Any], *, multilabel: bool) -> str:
    """Return a labeling configuration: the item, and a choice for each class."""
    choices = "".join(f"\n    <Choice value={quoteattr(str(each))}/>" for each in classes)
    choice, required = ("multiple", "false") if multilabel else ("single", "true")
    return (
        f"<View>\n  {_TAGS[kind]}\n"
        f'  <Choices name="label" toName="item" choice="{choice}" required="{required}" '
        f'showInLine="true">{choices}\n  </Choices>\n</View>'
    )


def kind_of(content: Any) -> str:
    """Return as what a content is shown: text, image, audio or table."""
    if isinstance(content, Mapping):
        return "table"
    address = urlsplit(content) if content.startswith(("http://", "https://", "/data/")) else None
    if address is not None and not any(sign.isspace() for sign in content):
        ending = PurePosixPath(address.path).suffix.lower()
        for kind, endings in _ENDINGS.items():
            if ending in endings:
                return kind
    return "text"


def content_of(X: Any, position: int, ident: Ident, render: Render | None) -> Any:
    """Return what is shown of a row: a text, an address, or named values.

    Parameters
    ----------
    X : rows in any container
        The pool.
    position : int
        Which row.
    ident : str or int
        Its id.
    render : callable or None
        ``render(row, id)``.
    """
    row = take_row(X, position)
    return _checked(row if render is None else render(row, ident), ident)


def _checked(content: Any, ident: Ident) -> Any:
    content = plain(content)
    if isinstance(content, str):
        return _clean(content)
    if hasattr(content, "to_dict"):  # a row of a pandas frame
        content = content.to_dict()
    if isinstance(content, Mapping):
        return {str(name): _cell(plain(value)) for name, value in content.items()}
    raise ValueError(
        f"Label Studio can show texts, addresses of pictures or sounds, and dicts of values, got a "
        f"{type(content).__name__} for row {ident!r}: pass render=, a function of (row, id) that "
        "returns one of these."
    )


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _clean(str(value))


def _clean(text: str) -> str:
    """Replace what databases and JSON cannot hold."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
