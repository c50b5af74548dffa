"""Labeling configurations of Label Studio, and the content of the tasks that they show."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from skactive.exceptions import LabelError
from skactive.labeling._numbers import ANY_NUMBER, ValueRange
from skactive.labeling._validation import to_builtin
from skactive.labeling.page._rendering import take_row
from skactive.labeling.state._events import Ident

__all__ = [
    "Control", "Render", "infer_kind", "is_generated_config", "is_generated_number_config",
    "make_config", "make_content", "make_number_config",
]  # fmt: skip

Render = Callable[[Any, Ident], Any]

_MEDIA_SUFFIXES = {
    "image": {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp"},
    "audio": {".wav", ".mp3", ".ogg", ".flac", ".m4a", ".opus"},
}
_TAGS = {
    "text": '<Text name="item" value="$text" valueType="text"/>',
    "image": '<Image name="item" value="$image"/>',
    "audio": '<Audio name="item" value="$audio"/>',
    "table": '<Table name="item" value="$table"/>',
}
_LIMIT = re.compile(r' (?:min|max)="[^"]*"')


@dataclass(frozen=True)
class Control:
    """The choices in a labeling configuration, or its field for a number.

    Parameters
    ----------
    name : str
        The name of the control.
    value : str
        The field of a task that is shown beside it.
    shown : str
        The name of what shows this field.
    """

    name: str
    value: str
    shown: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any], kind: str = "Choices") -> Control | None:
        """Return the first control of a kind in a configuration, as parsed by the server."""
        for name, tag in config.items():
            if tag.get("type") == kind and tag.get("inputs"):
                shown = next(iter(tag.get("to_name") or ()), "item")
                return cls(name, tag["inputs"][0].get("value") or "text", shown)
        return None

    def read(self, result: Sequence[Any], classes: Sequence[Any], *, multilabel: bool) -> Any:
        """Return the label in the result of an annotation.

        Parameters
        ----------
        result : sequence of dict
            The result of the annotation.
        classes : sequence
            The classes of the session. Label Studio has them as strings.
        multilabel : bool
            Whether a label is a list of classes.
        """
        values = self._get_values(result)
        choices = [choice for value in values for choice in value.get("choices", ())]
        by_name = {str(label): label for label in classes}
        label = [by_name.get(name, name) if isinstance(name, str) else name for name in choices]
        if multilabel:
            return label
        if len(label) != 1:
            raise LabelError(
                f"expected one choice, got {len(label)}: answer it again in Label Studio, or skip "
                "it there"
            )
        return label[0]

    def read_number(self, result: Sequence[Any]) -> Any:
        """Return the number in the result of an annotation."""
        found = [value["number"] for value in self._get_values(result) if "number" in value]
        if len(found) != 1:
            raise LabelError(
                f"expected one number, got {len(found)}: answer it again in Label Studio, or skip "
                "it there"
            )
        return found[0]

    def write_number(self, number: float) -> dict[str, Any]:
        """Return a number as a part of a result."""
        return {
            "from_name": self.name, "to_name": self.shown, "type": "number",
            "value": {"number": number},
        }  # fmt: skip

    def _get_values(self, result: Sequence[Any]) -> list[Any]:
        return [part.get("value", {}) for part in result if part.get("from_name") == self.name]


def is_generated_config(config: str, kind: str, names: Sequence[str], *, multilabel: bool) -> bool:
    """Return whether a labeling configuration is exactly as :func:`make_config` makes it."""
    return kind in _TAGS and config == make_config(kind, names, multilabel=multilabel)


def make_config(kind: str, classes: Sequence[Any], *, multilabel: bool) -> str:
    """Return a labeling configuration: the item, and one choice per class."""
    choices = "".join(f"\n    <Choice value={quoteattr(str(label))}/>" for label in classes)
    choice, required = ("multiple", "false") if multilabel else ("single", "true")
    return (
        f"<View>\n  {_TAGS[kind]}\n"
        f'  <Choices name="label" toName="item" choice="{choice}" required="{required}" '
        f'showInLine="true">{choices}\n  </Choices>\n</View>'
    )


def is_generated_number_config(config: str, kind: str) -> bool:
    """Return whether a configuration is as :func:`make_number_config` makes it for any range."""
    unlimited = _LIMIT.sub("", config)
    return kind in _TAGS and unlimited == make_number_config(kind, ANY_NUMBER)


def make_number_config(kind: str, value_range: ValueRange) -> str:
    """Return a labeling configuration: the item, and a field for a number.

    It has no step: Label Studio would refuse the numbers between two steps.
    """
    limits = "".join(
        f' {name}="{limit}"'
        for name, limit in zip(("min", "max"), value_range, strict=True)
        if limit is not None
    )
    return (
        f"<View>\n  {_TAGS[kind]}\n"
        f'  <Number name="label" toName="item"{limits} required="true"/>\n</View>'
    )


def infer_kind(content: Any) -> str:
    """Return how a content is shown: as "text", "image", "audio" or "table"."""
    if isinstance(content, Mapping):
        return "table"
    address = urlsplit(content) if content.startswith(("http://", "https://", "/data/")) else None
    if address is not None and not any(character.isspace() for character in content):
        suffix = PurePosixPath(address.path).suffix.lower()
        for kind, suffixes in _MEDIA_SUFFIXES.items():
            if suffix in suffixes:
                return kind
    return "text"


def make_content(X: Any, position: int, ident: Ident, render: Render | None) -> Any:
    """Return the content of a row: a text, an address, or a dict of values.

    Parameters
    ----------
    X : rows in any container
        The pool.
    position : int
        The position of the row.
    ident : str or int
        The id of the row.
    render : callable or None
        ``render(row, id)`` returns what to show; None shows the row itself.
    """
    row = take_row(X, position)
    return _to_json_content(row if render is None else render(row, ident), ident)


def _to_json_content(content: Any, ident: Ident) -> Any:
    content = to_builtin(content)
    if isinstance(content, str):
        return _replace_invalid(content)
    if hasattr(content, "to_dict"):  # a row of a pandas frame
        content = content.to_dict()
    if isinstance(content, Mapping):
        return {str(name): _to_json_value(to_builtin(value)) for name, value in content.items()}
    raise ValueError(
        f"Label Studio can show texts, addresses of images or sounds, and dicts of values, got a "
        f"{type(content).__name__} for row {ident!r}: pass render=, a function of (row, id) that "
        "returns one of these."
    )


def _to_json_value(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _replace_invalid(str(value))


def _replace_invalid(text: str) -> str:
    """Replace null characters and lone surrogates, which databases and JSON cannot hold."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
