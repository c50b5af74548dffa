"""Small models of structured labels: a logistic regression of each element of a row."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from skactive.adapters import StructuredAdapter


class ElementModel(BaseEstimator):
    """Predicts each element of a row, (..., n_features), from its features.

    Labels that are None, NaN or `ignored` are left out of the fit. Rows are arrays of any shapes,
    (n_tokens, n_features) or (height, width, n_features), and their labels lists or arrays.
    """

    def __init__(self, element="token", ignored=None, takes_missing_labels=False):
        self.element = element
        self.ignored = ignored
        self.takes_missing_labels = takes_missing_labels

    def fit(self, X, y):
        features = np.concatenate([row.reshape(-1, row.shape[-1]) for row in X])
        labels = [label for row in y for label in np.ravel(np.array(row, dtype=object)).tolist()]
        known = [i for i, label in enumerate(labels) if self._is_known(label)]
        self.model_ = LogisticRegression().fit(features[known], [int(labels[i]) for i in known])
        self.classes_ = self.model_.classes_
        return self

    def _is_known(self, label):
        return label is not None and label == label and label != self.ignored

    def predict_elements(self, X):
        for row in X:
            flat = row.reshape(-1, row.shape[-1])
            yield self.model_.predict_proba(flat) if len(flat) else np.empty((0, 2))

    def predict(self, X):
        maps = []
        for row, proba in zip(X, self.predict_elements(X), strict=True):
            tags = self.classes_[proba.argmax(axis=1)].reshape(row.shape[:-1])
            maps.append(tags.tolist() if tags.ndim == 1 else tags)
        return maps

    def __skactive_adapter__(self):
        return _ElementAdapter(self)


class _ElementAdapter(StructuredAdapter):
    def __init__(self, model):
        super().__init__(model)
        self.element = model.element

    def proba(self, Z):
        return self.model.predict_elements(Z)


def element_accuracy(model, X, y):
    """Return the share of the elements of all rows that are predicted."""
    pairs = zip(model.predict(X), y, strict=True)
    return float(np.mean([np.mean(np.equal(p, t)) for p, t in pairs if np.size(t)]))


def make_sentences(n_rows, random_state):
    """Return rows of 0 to 6 tokens with 3 features, and their tags in lists, 0 or 1."""
    rows = [random_state.normal(size=(random_state.randint(7), 3)) for _ in range(n_rows)]
    return rows, [(row @ [1.0, -1.0, 0.5] > 0.3).astype(int).tolist() for row in rows]


def make_images(n_rows, random_state):
    """Return images, (4, 5, 3), and maps of their pixels, (4, 5), 0 or 1."""
    X = random_state.normal(size=(n_rows, 4, 5, 3))
    return list(X), list((X @ [1.0, -1.0, 0.5] > 0.3).astype(int))
