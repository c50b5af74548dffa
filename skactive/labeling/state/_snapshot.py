"""A state as bytes, so that a session with many labels need not read all of their events."""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from skactive.exceptions import StoreError
from skactive.labeling.state._events import Event
from skactive.labeling.state._open_leases import Lease
from skactive.labeling.state._state import SessionState

__all__ = ["load_state", "save_state"]

_FORMAT = 1
_COUNTERS = ("_n_rows_of_label", "_n_rows_refused", "_n_rows_labeled_by")
_PLAIN = ("position", "classes", "n_labels_lost", "_n_labels", "_n_audited")


def save_state(state: SessionState, made_for: str) -> bytes:
    """Return a state as compressed bytes: a line of JSON, then the columns.

    Parameters
    ----------
    state : SessionState
        The state.
    made_for : str
        Digest of all that it depends on besides the events.
    """
    columns = _get_columns(state)
    plan = None if state.plan is None else state.plan.seq
    leases = [asdict(lease) for lease in state.open_leases]
    renames = [list(codes.items()) for codes in state._changes.renames]
    header = {
        "format": _FORMAT,
        "made_for": made_for,
        "byteorder": sys.byteorder,
        "columns": [[column.typecode, column.itemsize, len(column)] for column in columns],
        "plain": {name: getattr(state, name) for name in _PLAIN},
        "plan": [plan, state.plan_positions],
        "renamed": list(state.renamed.items()),
        "rows": state._rows.other_ids,
        "labels": state._labels.to_list(),
        "annotators": list(state._annotators),
        "refusals": [[row, sorted(codes)] for row, codes in state._refusals.items()],
        "counters": [list(getattr(state, name).items()) for name in _COUNTERS],
        "leases": [lease | {"released": list(lease["released"])} for lease in leases],
        "routing": state.routing.to_record(),
        "log": [state._changes.n_changes, state._changes.due, renames],
    }
    compressor = zlib.compressobj(1)
    parts = [compressor.compress(json.dumps(header).encode() + b"\n")]
    parts += [compressor.compress(memoryview(column)) for column in columns]
    return b"".join([*parts, compressor.flush()])


def load_state(
    state: SessionState, content: bytes, made_for: str, get_event: Callable[[int], Event]
) -> bool:
    """Fill an empty state with a saved one, and return whether it was made for the same.

    Parameters
    ----------
    state : SessionState
        A state to which no event was applied.
    content : bytes
        What `save_state` returned.
    made_for : str
        Digest of all that it depends on besides the events.
    get_event : callable
        Returns the event at a position.

    Raises
    ------
    StoreError
        If it is not what `save_state` returns.
    """
    try:
        content = zlib.decompress(content)
        end = content.index(b"\n")
        header = json.loads(content[:end])
        sizes = [[column.typecode, column.itemsize] for column in _get_columns(state)]
        found = header["format"], header["made_for"], header["byteorder"]
        expected = _FORMAT, made_for, sys.byteorder
        if found != expected or sizes != [column[:2] for column in header["columns"]]:
            return False
        _load_columns(state, memoryview(content)[end + 1 :], header["columns"])
        _load_header(state, header, get_event)
    except (AttributeError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise StoreError(
            "The saved state of the store has a content that no session saves "
            f"({type(error).__name__}: {error}). Copy what is intact by "
            "`skactive status --salvage`."
        ) from error
    return True


def _load_header(
    state: SessionState, header: dict[str, Any], get_event: Callable[[int], Event]
) -> None:
    for name in _PLAIN:
        setattr(state, name, header["plain"][name])
    plan, state.plan_positions = header["plan"]
    state.renamed = dict(header["renamed"])
    for ident in header["rows"]:
        state._rows.add(ident)
    for label in header["labels"]:
        state._labels.add(label)
    state._annotators = {name: code for code, name in enumerate(header["annotators"])}
    state._refusals = {row: frozenset(codes) for row, codes in header["refusals"]}
    for name, items in zip(_COUNTERS, header["counters"], strict=True):
        setattr(state, name, Counter(dict(items)))
    state._changes.n_changes, due, renames = header["log"]
    state._changes.due = due[0], due[1]
    state._changes.renames = [dict(items) for items in renames]
    if "routing" in header:  # not in what earlier versions saved
        state.routing.load(header["routing"], state._annotators)
    state.check_codes()
    if plan is not None:
        state.set_plan(get_event(plan))
    for lease in header["leases"]:  # some are about rows that the plan asks about again
        _add_lease(state, lease)


def _get_columns(state: SessionState) -> list[array[int]]:
    """Return the columns of a state, which are changed in place."""
    return [
        *state._answers.columns(),
        state._changes.row,
        state._changes.label,
        state._label_of_row,
    ]


def _load_columns(
    state: SessionState, content: memoryview, sizes: list[tuple[str, int, int]]
) -> None:
    begin = 0
    for column, (_, itemsize, length) in zip(_get_columns(state), sizes, strict=True):
        column.frombytes(content[begin : begin + itemsize * length])
        begin += itemsize * length
    if begin != len(content):
        raise ValueError("its columns are cut off")


def _add_lease(state: SessionState, saved: dict[str, Any]) -> None:
    lease = Lease(**saved | {"items": tuple(saved["items"]), "released": set(saved["released"])})
    state.open_leases.add(lease)
