"""Stores of labels, and the check that a file is refused."""

import pytest

from skactive.exceptions import StoreError
from skactive.labeling import SQLiteLabelStore
from skactive.labeling.state._events import Event

SETTINGS = {  # as the command line records them
    "kind": "text", "text": "text", "id": None, "classes": ["good"], "multilabel": False,
    "batch": 10, "model": "logistic", "strategy": "Auto", "audit": 0.1, "files": None,
    "path": "/data.csv", "beside": "data.csv",
}  # fmt: skip


def labels(n, start=0):
    return [
        Event("label", f"e{i}", item=i, value=f"c{i % 3}", annotator="ann", seconds=1.5, time=9.0)
        for i in range(start, start + n)
    ]


def fill(path, n=200):
    store = SQLiteLabelStore(path)
    store.append(labels(n))
    store.close()
    return path.read_bytes()


def check_refused(path, match, before=None):
    before = path.read_bytes() if before is None else before
    with pytest.raises(StoreError, match=match) as caught:
        SQLiteLabelStore(path)
    assert path.name in str(caught.value)
    assert path.read_bytes() == before  # untouched
