"""The pool of a session: whether it is the one that a store was made for, or has grown."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skactive._utils.array_types import Positions
from skactive._utils.fingerprint import describe_rows, digest, hash_rows
from skactive._utils.rows import take_rows
from skactive._utils.seeding import derived_seed
from skactive._utils.text import pluralize
from skactive.exceptions import PoolChangedError, PoolChangedWarning
from skactive.labeling._facts import iter_parts, name_part
from skactive.labeling.state._events import Event, Ident, new_id
from skactive.labeling.state._shapes import POOL, check_shape
from skactive.labeling.stores import LabelStore
from skactive.simulation._audit_sample import draw_audit_rows

__all__ = ["check_pool", "draw_audit", "read_pools"]

_FACT = "pool"  # the first pool; those after it are "pool 1", "pool 2" and so on
_HASHES = "row hashes"  # name of the snapshot
_GROWTH_STREAM = 0xA0D17


@dataclass(frozen=True)
class _Change:
    """How a pool differs from the one before.

    Parameters
    ----------
    added, changed : list of str or int
        Rows that are new; rows that have other contents.
    problem : str
        Why the pool cannot be accepted; empty if it can.
    """

    added: Sequence[Ident]
    changed: Sequence[Ident]
    problem: str = ""


def check_pool(
    store: LabelStore, ids: list[Ident], X: Any, *, accept_changes: bool
) -> tuple[str, list[set[Ident]]]:
    """Check that a store was made for these rows, or that rows were only added.

    Parameters
    ----------
    store : LabelStore
        The store; a new one records the rows.
    ids : list of str or int
        Ids of the rows.
    X : rows in any container
        The rows.
    accept_changes : bool
        Whether rows may have other contents than before.

    Returns
    -------
    digest : str
        Digest of the ids.
    grown : list of set
        The rows that were added, each time that the pool grew.

    Raises
    ------
    PoolChangedError
        If rows are missing or in another order, or have other contents without `accept_changes`.
    """
    with store.exclusive():
        pools = read_pools(store)
        now = {"n_rows": len(ids), "ids": digest(ids), "rows": describe_rows(X)}
        if not pools:
            _record(store, now, 0, ids, X)
        elif all(pools[-1][name] == now[name] for name in now):
            if store.read_snapshot(_HASHES) is None:  # of a store of version 1
                _record(store, pools[-1], len(pools) - 1, ids, X)
        else:
            change = _compare(store, pools, ids, X)
            _check_change(change, accept_changes)
            pools.append(now | {"added": change.added, "changed": change.changed})
            _record(store, pools[-1], len(pools) - 1, ids, X)
            _warn_of_change(change)
    return str(now["ids"]), [set(pool["added"]) for pool in pools[1:] if pool["added"]]


def draw_audit(ids: Sequence[Ident], grown: list[set[Ident]], share: float, seed: int) -> Positions:
    """Draw the audit rows: a share of the first pool, then of the rows that were added each time.

    Parameters
    ----------
    ids : sequence of str or int
        Ids of the rows.
    grown : list of set
        The rows that were added, each time that the pool grew.
    share : float
        Share of the rows.
    seed : int
        Seed of the draw.

    Returns
    -------
    ndarray of int
        Positions of the audit rows, in the order in which they are handed out.
    """
    batch_of = {item: number for number, added in enumerate(grown, 1) for item in added}
    number = np.array([batch_of.get(item, 0) for item in ids] if batch_of else np.zeros(len(ids)))
    drawn = []
    for batch in range(len(grown) + 1):
        rows = np.flatnonzero(number == batch)
        batch_seed = seed if batch == 0 else derived_seed(seed, _GROWTH_STREAM + batch)
        drawn.append(
            rows[draw_audit_rows(np.arange(len(rows)), round(share * len(rows)), batch_seed)]
        )
    return np.concatenate(drawn)


def read_pools(store: LabelStore) -> list[dict[str, Any]]:
    """Return the pools that a store records, in order."""
    first = store.fact(_FACT)
    pools = [] if first is None else [first, *iter_parts(store, _FACT)]
    for number, pool in enumerate(pools):
        check_shape(f"fact {_name_fact(number)}", pool, POOL)
    return pools


def _name_fact(number: int) -> str:
    return _FACT if number == 0 else name_part(_FACT, number)


def _record(
    store: LabelStore, pool: dict[str, Any], number: int, ids: Sequence[Ident], X: Any
) -> None:
    """Record a pool: a fact, an event for the history, and the hashes of its rows."""
    store.set_fact(_name_fact(number), pool)
    counts = {name: len(pool.get(name, ())) for name in ("added", "changed")}
    event = store.append([Event("pool", new_id(), value={"n_rows": pool["n_rows"], **counts})])[0]
    store.save_snapshot(_HASHES, event.seq, _hash_pool(ids, X).tobytes())


def _hash_pool(ids: Sequence[Ident], X: Any) -> NDArray[np.uint64]:
    """Return the hashes of ids and rows, of shape (n_rows, 2)."""
    return np.column_stack([hash_rows(list(ids)), hash_rows(X)])


def _compare(
    store: LabelStore, pools: list[dict[str, Any]], ids: Sequence[Ident], X: Any
) -> _Change:
    """Find out which rows were added or changed since the last pool."""
    snapshot, last = store.read_snapshot(_HASHES), pools[-1]
    if snapshot is None or len(snapshot[1]) % 16:  # bytes per row
        return _compare_beginning(last, ids, X)
    before = np.frombuffer(snapshot[1], dtype=np.uint64).reshape(-1, 2)
    now = _hash_pool(ids, X)
    position_before = {ident: position for position, ident in enumerate(before[:, 0].tolist())}
    known = np.array([position_before.get(ident, -1) for ident in now[:, 0].tolist()])
    is_old = known >= 0
    if is_old.sum() < len(before):
        missing = pluralize(len(before) - int(is_old.sum()), "row")
        counts = f"it has {len(before)} rows, these are {len(ids)}"
        return _Change([], [], f"{counts}; the ids differ, {missing} of it is not among them")
    if np.any(np.diff(known[is_old]) < 0):
        return _Change([], [], "the rows are in another order")
    changed = is_old.copy()
    changed[is_old] = before[known[is_old], 1] != now[is_old, 1]
    return _Change(
        [ids[position] for position in np.flatnonzero(~is_old).tolist()],
        [ids[position] for position in np.flatnonzero(changed).tolist()],
    )


def _compare_beginning(last: dict[str, Any], ids: Sequence[Ident], X: Any) -> _Change:
    """Compare with a pool of which only digests are known: it has to be the beginning."""
    n = last["n_rows"]
    if n > len(ids):
        return _Change([], [], f"it has {n} rows, these are {len(ids)}")
    if digest(list(ids[:n])) != last["ids"]:
        return _Change([], [], "the ids differ, or their order does")
    if describe_rows(take_rows(X, np.arange(n))) != last["rows"]:
        return _Change([], [], "the ids are the same, but the rows are not")
    return _Change(ids[n:], [])


def _check_change(change: _Change, accept_changes: bool) -> None:
    problem = change.problem
    advice = "Pass the rows unchanged, or use another store"
    if not problem and change.changed and not accept_changes:
        first = ", ".join(map(repr, change.changed[:3]))
        rows = pluralize(len(change.changed), "row")
        problem = (
            f"the ids are the same, but the rows are not: {rows} with other contents (ids {first}"
            f"{', ...' if len(change.changed) > 3 else ''})"
        )
        advice = "If they are still the same rows, pass accept_changes=True; or use another store"
    if problem:
        raise PoolChangedError(
            f"The store was made for another pool: {problem}. {advice}; to take the labels of this "
            "one along, export them and pass them as labels=."
        )


def _warn_of_change(change: _Change) -> None:
    parts = [
        f"{pluralize(len(rows), 'row')} {what}"
        for rows, what in ((change.added, "added"), (change.changed, "with other contents"))
        if rows
    ]
    what = " and ".join(parts) or "rows of another type"
    warnings.warn(
        f"The pool is not the one of the last session: {what}. The store records it.",
        PoolChangedWarning,
        stacklevel=4,
    )
