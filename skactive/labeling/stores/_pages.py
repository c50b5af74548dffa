"""The rows of a SQLite file, page by page, however damaged the rest of the file is.

Format: https://www.sqlite.org/fileformat2.html. Tables are read without the schema and without the
inner pages of their trees, since each leaf page is complete in itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["count_commits", "iter_records"]

_PAGE_SIZE = 4096  # SQLite's default, which stores have
_TABLE_LEAF = 13
_MAX_LOCAL = _PAGE_SIZE - 35  # bytes of a record on its leaf page; the rest is on other pages
_MIN_LOCAL = (_PAGE_SIZE - 12) * 32 // 255 - 23
_WAL_HEADER, _FRAME_HEADER = 32, 24  # bytes
_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Record = tuple[int, list[Any]]  # its rowid and its values


def iter_records(path: Path) -> Iterator[Record]:
    """Yield the records on all leaf pages of a file, and of the write-ahead log beside it.

    Damaged ones are left out, or are wrong: their checksums have to be compared. One may be yielded
    several times.
    """
    pages = _read_pages(path)
    latest = dict(pages)  # by number
    for _, page in pages:
        yield from _iter_page(page, latest)


def _read_pages(path: Path) -> list[tuple[int, bytes]]:
    """Return numbered pages: those of the file, then those of the log."""
    content = path.read_bytes()
    pages = [
        (number, content[start : start + _PAGE_SIZE])
        for number, start in enumerate(range(0, len(content), _PAGE_SIZE), 1)
    ]
    log = path.with_name(f"{path.name}-wal")
    frames = log.read_bytes()[_WAL_HEADER:] if log.exists() else b""
    for start in range(0, len(frames), _FRAME_HEADER + _PAGE_SIZE):
        number = int.from_bytes(frames[start : start + 4], "big")
        begin = start + _FRAME_HEADER
        pages.append((number, frames[begin : begin + _PAGE_SIZE]))
    return pages


def count_commits(path: Path, n_frames: int) -> int:
    """Return the number of transactions in a write-ahead log after its first frames."""
    log = path.with_name(f"{path.name}-wal")
    content = log.read_bytes() if log.exists() else b""
    size, salts = _FRAME_HEADER + _PAGE_SIZE, content[16:24]
    starts = range(_WAL_HEADER + n_frames * size, len(content) - size + 1, size)
    headers = (content[start : start + _FRAME_HEADER] for start in starts)
    return sum(header[8:16] == salts and any(header[4:8]) for header in headers)


def _iter_page(page: bytes, pages: dict[int, bytes]) -> Iterator[Record]:
    start = 100 if page[:6] == b"SQLite" else 0  # the first page begins with the file's header
    if len(page) < start + 8 or page[start] != _TABLE_LEAF:
        return
    n_cells = int.from_bytes(page[start + 3 : start + 5], "big")
    for pointer in range(start + 8, min(start + 8 + 2 * n_cells, len(page) - 1), 2):
        cell = int.from_bytes(page[pointer : pointer + 2], "big")
        try:
            yield _read_cell(page, cell, pages)
        except (IndexError, ValueError, KeyError):
            continue


def _read_cell(page: bytes, cell: int, pages: dict[int, bytes]) -> Record:
    size, cell = _read_varint(page, cell)
    rowid, cell = _read_varint(page, cell)
    return rowid, _read_record(_read_payload(page, cell, size, pages))


def _read_payload(page: bytes, begin: int, size: int, pages: dict[int, bytes]) -> bytes:
    """Return the bytes of a record, the last of which may be on other pages."""
    if size <= _MAX_LOCAL:
        return page[begin : begin + size]
    n_local = _MIN_LOCAL + (size - _MIN_LOCAL) % (_PAGE_SIZE - 4)
    n_local = n_local if n_local <= _MAX_LOCAL else _MIN_LOCAL
    parts, n_read = [page[begin : begin + n_local]], n_local
    following = page[begin + n_local : begin + n_local + 4]
    while n_read < size:
        other = pages[int.from_bytes(following, "big")]
        following, part = other[:4], other[4:]
        if not part:
            raise ValueError("a page is cut off")
        parts.append(part)
        n_read += len(part)
    return b"".join(parts)[:size]


def _read_record(payload: bytes) -> list[Any]:
    header_size, position = _read_varint(payload, 0)
    kinds = []
    while position < header_size:
        kind, position = _read_varint(payload, position)
        kinds.append(kind)
    values, position = [], header_size
    for kind in kinds:
        size = _get_size(kind)
        content = payload[position : position + size]
        if len(content) != size:
            raise ValueError("a value is cut off")
        values.append(_read_value(kind, content))
        position += size
    return values


def _get_size(kind: int) -> int:
    if kind == 7:
        return 8
    return (kind - 12) // 2 if kind >= 12 else _INTEGER_SIZES.get(kind, 0)


def _read_value(kind: int, content: bytes) -> Any:
    if kind in _INTEGER_SIZES:
        return int.from_bytes(content, "big", signed=True)
    if kind == 7:
        return struct.unpack(">d", content)[0]
    if kind in {8, 9}:
        return kind - 8
    if kind >= 13 and kind % 2:
        return content.decode()
    return content if kind >= 12 else None


def _read_varint(content: bytes, position: int) -> tuple[int, int]:
    """Return an integer of 1 to 9 bytes, and the position after it."""
    value = 0
    for _ in range(8):
        byte = content[position]
        position += 1
        value = value << 7 | byte & 127
        if byte < 128:
            return value, position
    return value << 8 | content[position], position + 1
