"""Print the offers per second of scikit-activeml's stream strategies, for `streams.py speed`."""

from __future__ import annotations

import time
import warnings

import numpy as np
from skactiveml.classifier import SklearnClassifier
from skactiveml.stream import Split, StreamDensityBasedAL, VariableUncertainty
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier

N_START, N = 20, 3000
X, y = make_classification(N + N_START, 20, random_state=0)
warnings.simplefilter("ignore")
for strategy in (
    VariableUncertainty(budget=0.1, random_state=0),
    Split(budget=0.1, random_state=0),
    StreamDensityBasedAL(budget=0.1, random_state=0),
):
    model = SklearnClassifier(SGDClassifier(loss="log_loss"), classes=[0, 1], random_state=0)
    model.partial_fit(X[:N_START], y[:N_START])
    n_bought, began = 0, time.process_time()
    for i in range(N_START, N + N_START):
        row = X[i : i + 1]
        bought, utilities = strategy.query(candidates=row, clf=model, return_utilities=True)
        strategy.update(candidates=row, queried_indices=bought)
        if len(bought):
            n_bought += 1
            model.partial_fit(row, y[i : i + 1])
    seconds = time.process_time() - began
    name = type(strategy).__name__
    print(f"scikit-activeml {name}: {N / seconds:.0f} offers per second, {n_bought} bought")
    assert np.isfinite(utilities).all()
