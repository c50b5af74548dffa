"""Descriptions and digests of settings, models and rows that are the same in every process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b, sha256
from itertools import pairwise
from operator import itemgetter
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from skactive._utils.inputs import has_several_inputs, list_inputs
from skactive._utils.matrices import tensor_to_array
from skactive._utils.rows import column_names, is_from, iter_blocks, n_rows, type_name
from skactive._utils.stored_rows import StoredRows, open_rows

__all__ = ["describe", "describe_model", "describe_rows", "digest", "hash_rows"]

_NO_HASHES = np.empty(0, dtype=np.uint64)


def digest(description: Any) -> str:
    """Return the SHA-256 digest of a description, 64 hexadecimal characters."""
    return sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def describe(value: Any) -> Any:
    """Describe a value by what JSON can hold; estimators by their class and parameters."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if isinstance(value, type) or (callable(value) and hasattr(value, "__code__")):
        return _qualify_name(value)
    if hasattr(value, "get_params"):
        return {"type": _qualify_name(type(value)), **describe(value.get_params(deep=False))}
    return describe_rows(value)


def _qualify_name(value: Any) -> str:
    """Return the qualified name of a class or function; a function's with a hash of its code.

    Lambdas all have one name: only their code tells them apart.
    """
    name = f"{value.__module__}.{value.__qualname__}"
    code = getattr(value, "__code__", None)
    if code is None:
        return name
    constants = [const for const in code.co_consts if not hasattr(const, "co_code")]
    parts = (code.co_code, code.co_names, constants, value.__defaults__)
    return f"{name} {sha256(repr(parts).encode()).hexdigest()[:16]}"


def describe_model(learner: Any) -> Any:
    """Describe a learner without its strategy; a prefit one with its fitted estimator."""
    params = {k: v for k, v in learner.get_params(deep=False).items() if k != "strategy"}
    fitted = _hash(learner.estimator) if getattr(learner, "prefit", False) else None
    return {"type": _qualify_name(type(learner)), **describe(params), "fitted": fitted}


def describe_rows(rows: Any) -> str:
    """Describe rows in any container by their type, shape and values."""
    if isinstance(rows := open_rows(rows), StoredRows):
        if not (rows.is_whole and isinstance(rows.source.rows, np.ndarray)):
            return f"{type_name(rows)} {len(rows)} {sha256(hash_rows(rows).tobytes()).hexdigest()}"
        rows = rows.source.rows  # a memory map, whose description does not depend on its size
    rows = tensor_to_array(rows)
    values: Any
    if has_several_inputs(rows):
        values = sorted((str(name), describe_rows(part)) for name, part in list_inputs(rows))
        return f"{type_name(rows)} {n_rows(rows)} {_hash(values)}"
    names = column_names(rows)
    if names is not None and not isinstance(rows, np.ndarray):
        columns = _list_columns(rows)
        pairs = zip(names, columns, strict=True)
        values = [(str(name), _to_hashable(column)) for name, column in pairs]
    elif hasattr(rows, "tocoo"):
        coo = rows.tocoo()
        values = [coo.shape, coo.row, coo.col, coo.data]
    else:
        values = _to_hashable(rows) if hasattr(rows, "__array__") else rows
    shape: Any = ""
    if hasattr(rows, "shape"):
        shape = tuple(rows.shape)
    elif hasattr(rows, "__len__"):
        shape = len(rows)
    return f"{type_name(rows)} {shape} {_hash(values)}"


def _list_columns(frame: Any) -> list[Any]:
    """List the columns of a pandas or polars frame, or of a pyarrow table, by position."""
    if hasattr(frame, "iloc"):  # names may repeat
        return [frame.iloc[:, i] for i in range(frame.shape[1])]
    return list(frame.columns if is_from("pyarrow", frame) else frame.get_columns())


def hash_rows(rows: Any) -> NDArray[np.uint64]:
    """Return a hash of each row of any container, the same in every process.

    Rows that are not in memory are read block by block.
    """
    if isinstance(rows := open_rows(rows), StoredRows):
        known = rows.source.hash_rows(rows.list_positions())
        if known is not None:
            return known
        return np.concatenate([_NO_HASHES, *map(hash_rows, iter_blocks(rows))])
    hashes = (blake2b(content, digest_size=8).digest() for content in _iter_contents(rows))
    return np.frombuffer(b"".join(hashes), dtype="<u8").astype(np.uint64)


def _iter_contents(rows: Any) -> Iterator[bytes]:
    """Yield the content of each row, as bytes."""
    rows = tensor_to_array(rows)
    if has_several_inputs(rows):
        parts = sorted(((str(name), part) for name, part in list_inputs(rows)), key=itemgetter(0))
        for row in np.column_stack([hash_rows(part) for _, part in parts]):
            yield row.astype("<u8").tobytes()
        return
    if hasattr(rows, "tocsr"):
        csr = rows.tocsr().sorted_indices()
        for begin, end in pairwise(csr.indptr):
            yield csr.indices[begin:end].astype("<i8").tobytes() + csr.data[begin:end].tobytes()
    elif hasattr(rows, "itertuples"):
        for row in rows.itertuples(index=False, name=None):
            yield repr(row).encode(errors="surrogatepass")
    elif hasattr(rows, "iter_rows"):  # polars
        for row in rows.iter_rows():
            yield repr(row).encode(errors="surrogatepass")
    elif is_from("pyarrow", rows):
        yield from map(_to_bytes, rows.to_pylist())
    elif getattr(rows, "dtype", np.dtype(object)).kind in "biufc":
        for row in np.ascontiguousarray(rows):
            yield row.tobytes()
    else:
        yield from map(_to_bytes, rows.tolist() if hasattr(rows, "tolist") else rows)


def _to_bytes(row: Any) -> bytes:
    if isinstance(row, str):
        return row.encode(errors="surrogatepass")
    if isinstance(row, np.ndarray) and row.ndim and row.dtype == object:
        row = row.tolist()
    if isinstance(row, Mapping | list | tuple) and _holds_arrays(row):
        parts = row.items() if isinstance(row, Mapping) else row
        contents = [_to_bytes(tensor_to_array(part)) for part in parts]
        return b"".join(f"{len(content)} ".encode() + content for content in contents)
    if hasattr(row, "tobytes") and hasattr(row, "dtype"):
        return repr((row.dtype, row.shape)).encode() + row.tobytes()
    if row is None or isinstance(row, bool | int | float | tuple | list | dict | bytes):
        return repr(row).encode(errors="surrogatepass")
    return _hash(row).encode()


def _holds_arrays(value: Any) -> bool:
    """Return whether a value is an array or holds one, whose text may leave out its middle."""
    if isinstance(value, Mapping):
        return any(map(_holds_arrays, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_arrays, value))
    return bool(getattr(value, "shape", ()))


def _to_hashable(values: Any) -> Any:
    """Return a contiguous array, or a list if its elements are objects."""
    array = np.asarray(values)
    return array.tolist() if array.dtype == object else np.ascontiguousarray(array)


def _hash(value: Any) -> str:
    from joblib import hash as joblib_hash  # late: only comparisons and sessions need joblib

    try:
        return str(joblib_hash(value))
    except Exception:  # cannot be pickled, so it equals nothing: its run never counts as finished
        return uuid4().hex
