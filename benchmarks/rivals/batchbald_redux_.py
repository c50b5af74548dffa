"""Queries of batchbald_redux, by the authors of BatchBALD."""

from importlib.metadata import version

import torch
from batchbald_redux.batchbald import get_bald_batch, get_batchbald_batch

VERSION = version("batchbald_redux")


def _log_proba(data):
    """Return log-probabilities of shape (n_rows, n_draws, n_classes)."""
    return torch.as_tensor(data.samples.transpose(1, 0, 2).copy()).log()


def bald(data):
    log_proba = _log_proba(data)
    return lambda: get_bald_batch(log_proba, data.k).indices


def batch_bald(data):
    log_proba = _log_proba(data)
    return lambda: get_batchbald_batch(log_proba, data.k, 1000, dtype=torch.double).indices


QUERIES = {"bald": bald, "batch-bald": batch_bald}
