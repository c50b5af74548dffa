"""Simple features of texts, images and sounds, computed once for the whole pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from skactive._utils.array_types import Floats
from skactive.cli._errors import CommandError

__all__ = [
    "PoolFeatures",
    "make_image_featurizer",
    "make_sound_featurizer",
    "make_text_featurizer",
    "make_topic_featurizer",
]


_THUMBNAIL_SIDE = 16  # pixels
_N_BANDS, _N_SPANS = 32, 4  # of a spectrum: bands of frequency, spans of time
_MAX_SUBWORD_CHARACTERS = 2_000_000  # subwords of that many characters take some seconds
_N_TOPICS = 64  # dimensions in which texts are compared


class PoolFeatures(TransformerMixin, BaseEstimator):
    """Look up the features of rows of the pool; compute those of other rows.

    The features of the pool do not depend on labels, so clones share them.

    Parameters
    ----------
    kind : str
        Kind of the rows; names the features in descriptions of the model.
    rows : sequence of str
        Rows of the pool.
    featurize : callable
        Takes rows, and returns their features: an array or sparse matrix of shape
        (n_rows, n_features).
    """

    def __init__(self, kind: str, rows: Sequence[str], featurize: Callable[[Any], Any]) -> None:
        self.kind = kind
        self._featurize, self._features = featurize, featurize(rows)
        self._positions = {row: position for position, row in enumerate(rows)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the kind alone: sessions record the pool elsewhere."""
        return {"kind": self.kind}

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Self:
        """Do nothing: the features do not depend on labels."""
        return self

    def transform(self, X: Any) -> Any:
        """Return the features of rows, (n_rows, n_features)."""
        positions = [self._positions.get(row) for row in X]
        return self._featurize(list(X)) if None in positions else self._features[positions]


# Texts ------------------------------------------------------------------------------------------


def make_text_featurizer(texts: Sequence[str]) -> Callable[[Any], Any]:
    """Return a function that computes TF-IDF features of words and subwords.

    Subwords match words despite endings and misspellings, and replace words in languages that do
    not separate them. As they are slow, only words are used if the pool has more than 2,000,000
    characters.

    Parameters
    ----------
    texts : sequence of str
        The pool, which the weights are fitted to.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # late: only texts need it
    from sklearn.pipeline import make_union

    features = TfidfVectorizer(sublinear_tf=True)
    if sum(map(len, texts)) <= _MAX_SUBWORD_CHARACTERS:
        min_df = 2 if len(texts) > 1000 else 1  # A subword of one text relates it to no other
        subwords = TfidfVectorizer(
            sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5), min_df=min_df
        )
        features = make_union(features, subwords)
    try:
        return features.fit(texts).transform
    except ValueError:  # no text has a word of two letters or more
        return TfidfVectorizer(analyzer="char").fit([*texts, "-"]).transform


def make_topic_featurizer(
    texts: Sequence[str], featurize: Callable[[Any], Any]
) -> Callable[[Any], Any] | None:
    """Return a function that computes a few dense features, as embedding of texts (LSA).

    In a trial, strategies were ten times as fast with them, and their picks no worse.

    Parameters
    ----------
    texts : sequence of str
        The pool.
    featurize : callable
        Computes TF-IDF features.

    Returns
    -------
    callable or None
        None if there are too few texts.
    """
    from sklearn.decomposition import TruncatedSVD  # late: only texts need it
    from sklearn.preprocessing import normalize

    features = featurize(texts)
    n_topics = min(_N_TOPICS, *(length - 1 for length in features.shape))
    if n_topics < 2:
        return None
    # The seed is fixed: the next queries must depend on the store alone.
    topics = TruncatedSVD(n_topics, n_iter=2, random_state=0).fit(features)
    return lambda rows: normalize(topics.transform(featurize(rows)))


# Images and sounds ------------------------------------------------------------------------------


def make_image_featurizer(folder: Path) -> Callable[[Any], Floats]:
    """Return a function that computes gray thumbnails of images, (n_rows, 256), as a baseline.

    They show brightness and its rough distribution, but no objects.

    Parameters
    ----------
    folder : Path
        Folder of the files; one that cannot be read counts as gray.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise CommandError(
            'learning from images needs Pillow: pip install "skactive[images]"'
        ) from error

    size = (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE)

    def make_thumbnail(name: str) -> Floats:
        try:
            with Image.open(folder / name) as image:
                image.draft("L", (4 * _THUMBNAIL_SIDE, 4 * _THUMBNAIL_SIDE))  # faster for JPEG
                small = image.convert("L").resize(size, Image.Resampling.BOX)
                return np.asarray(small, dtype=np.float64).ravel() / 255.0
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return np.full(_THUMBNAIL_SIDE * _THUMBNAIL_SIDE, 0.5)

    return lambda names: np.array([make_thumbnail(name) for name in names])


def make_sound_featurizer(folder: Path) -> Callable[[Any], Floats]:
    """Return a function that computes log spectra of WAV files, (n_rows, 128), as a baseline.

    Each file is divided into 4 spans of equal length; the features are the mean energies per span
    in 32 bands from 50 Hz to 8 kHz, of equal width in octaves.

    Parameters
    ----------
    folder : Path
        Folder of the files; one that cannot be read counts as silent.
    """
    return lambda names: np.array([_compute_spectrum(folder / name) for name in names])


def _compute_spectrum(path: Path) -> Floats:
    """Return the logarithmic energies of a file, (n_spans * n_bands,)."""
    import warnings

    from scipy.io import wavfile  # late: only sounds need it
    from scipy.signal import spectrogram

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about chunks that other programs wrote
            rate, samples = wavfile.read(path)
        mono = _mix_to_mono(samples)
        frequencies, _, power = spectrogram(mono, rate, nperseg=min(1024, len(mono)))
    except (OSError, ValueError, EOFError, ZeroDivisionError):
        return np.full(_N_BANDS * _N_SPANS, -10.0)
    spans = np.array_split(power, _N_SPANS, axis=1)  # power: (n_frequencies, n_times)
    edges = np.geomspace(50.0, 8000.0, _N_BANDS + 1)
    bands = np.searchsorted(edges, frequencies) - 1  # (n_frequencies,)
    energy = [
        span[bands == band].mean() if span[bands == band].size else 0.0
        for span in spans
        for band in range(_N_BANDS)
    ]
    return np.log10(np.array(energy) + 1e-10)


def _mix_to_mono(samples: NDArray[Any]) -> Floats:
    """Return the mean of the channels, scaled to absolute values of at most 1."""
    scale = float(np.iinfo(samples.dtype).max) if samples.dtype.kind in "iu" else 1.0
    center = 128.0 if samples.dtype == np.uint8 else 0.0
    mixed = (samples.astype(np.float64) - center) / scale
    return np.nan_to_num(mixed if mixed.ndim == 1 else mixed.mean(axis=1))
