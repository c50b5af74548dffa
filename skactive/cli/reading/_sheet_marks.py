"""Marks in a worksheet that change how people see it: merged and hidden cells, formulas."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from posixpath import join, normpath
from xml.etree import ElementTree

from skactive._utils.text import pluralize

__all__ = ["read_sheet_marks"]

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([^"]+)"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\s[^>]*?hidden="(?:1|true)"')
_HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col\s[^>]*?hidden="(?:1|true)"')
# A cell with a formula and without a value
_NOT_CALCULATED = re.compile(
    rb'<(?:\w+:)?c\s[^>]*?r="([A-Z]+[0-9]+)"[^>]*>\s*'
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


def read_sheet_marks(path: Path, sheet: str) -> list[str]:
    """Return notes about merged and hidden cells, and formulas without values.

    Parameters
    ----------
    path : Path
        A workbook.
    sheet : str
        Name of its worksheet.
    """
    with zipfile.ZipFile(path) as archive:
        part = _find_part(archive, sheet)
        xml = archive.read(part) if part is not None else b""
    notes = []
    merged = [match.decode() for match in _MERGED.findall(xml)]
    if merged:
        shown = ", ".join(merged[:3]) + (", ..." if len(merged) > 3 else "")
        notes.append(f"merged cells ({shown}) have their value in the first cell only")
    for pattern, noun in ((_HIDDEN_ROW, "hidden row"), (_HIDDEN_COLUMN, "group of hidden columns")):
        count = len(pattern.findall(xml))
        if count:
            what = f"{count} groups of hidden columns" if "group" in noun and count > 1 else ""
            notes.append(f"{what or pluralize(count, noun)} read like the others")
    empty = [match.decode() for match in _NOT_CALCULATED.findall(xml)]
    if empty:
        shown = ", ".join(empty[:3]) + (", ..." if len(empty) > 3 else "")
        notes.append(
            f"{pluralize(len(empty), 'formula')} ({shown}) without a stored value, read as empty: "
            "open the file in a spreadsheet program and save it"
        )
    return notes


def _find_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the name of the part of a workbook that holds a sheet."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in book.iter():
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            target = targets[element.get(_RELATION)]
            return normpath(join("xl", target)).lstrip("/")
    return None
