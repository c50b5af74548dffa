"""A classifier without a base class, as people write them."""

from sklearn.naive_bayes import GaussianNB


class HomeMade:
    """A classifier of no base class, which can only be cloned."""

    def __init__(self, smoothing=1e-9):
        self.smoothing = smoothing

    def get_params(self, deep=True):
        return {"smoothing": self.smoothing}

    def set_params(self, **params):
        self.__dict__.update(params)
        return self

    def fit(self, X, y):
        self.inner_ = GaussianNB(var_smoothing=self.smoothing).fit(X, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X):
        return self.inner_.predict(X)

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)
