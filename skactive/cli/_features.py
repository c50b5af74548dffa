"""Features of texts, images and sounds: plain ones, made once of the whole pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from skactive.cli._errors import CommandError

__all__ = ["PoolFeatures", "image_features", "sound_features", "text_features", "topic_features"]

Floats = NDArray[np.float64]

_SIDE = 16  # pixels of a thumbnail
_N_BANDS, _N_SPANS = 32, 4  # of a spectrum: bands of frequency, spans of time
_MANY_CHARACTERS = 2_000_000  # pieces of words take some seconds for so many
_N_TOPICS = 64  # dimensions in which texts are compared


class PoolFeatures(TransformerMixin, BaseEstimator):
    """Looks up the features of rows of the pool; makes those of other rows.

    What it knows was made without labels, so that it is the same in each fit: clones share it.

    Parameters
    ----------
    kind : str
        What the rows are; it names the features in descriptions of the model.
    rows : sequence of str
        The pool.
    make : callable
        Takes rows, and returns their features: an array or sparse matrix of shape
        (n_rows, n_features).
    """

    def __init__(self, kind: str, rows: Sequence[str], make: Callable[[Any], Any]) -> None:
        self.kind = kind
        self._make, self._features = make, make(rows)
        self._places = {row: place for place, row in enumerate(rows)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return what tells these features from others; the pool is known by other means."""
        return {"kind": self.kind}

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Self:
        """Do nothing: the features are made."""
        return self

    def transform(self, X: Any) -> Any:
        """Return the features of rows."""
        places = [self._places.get(row) for row in X]
        return self._make(list(X)) if None in places else self._features[places]


# Texts ------------------------------------------------------------------------------------------


def text_features(texts: Sequence[str]) -> Callable[[Any], Any]:
    """Return what makes weighted counts (TF-IDF) of words, and of pieces of them.

    The pieces see through endings and misspellings, and stand in for words in languages that do
    not part them. They take long: of very much text it is the words alone.

    Parameters
    ----------
    texts : sequence of str
        The pool, from which the weights are learned.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # late: only texts need it
    from sklearn.pipeline import make_union

    features = TfidfVectorizer(sublinear_tf=True)
    if sum(map(len, texts)) <= _MANY_CHARACTERS:
        few = 2 if len(texts) > 1000 else 1  # what is there once tells nothing of other texts
        pieces = TfidfVectorizer(
            sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5), min_df=few
        )
        features = make_union(features, pieces)
    try:
        return features.fit(texts).transform
    except ValueError:  # no text has a word of two letters
        return TfidfVectorizer(analyzer="char").fit([*texts, "-"]).transform


def topic_features(texts: Sequence[str], make: Callable[[Any], Any]) -> Callable[[Any], Any] | None:
    """Return what makes few numbers of texts, by which strategies compare them (LSA).

    In a trial strategies chose ten times as fast by them, and no worse.

    Parameters
    ----------
    texts : sequence of str
        The pool.
    make : callable
        What makes their features.

    Returns
    -------
    callable or None
        None where the texts are too few.
    """
    from sklearn.decomposition import TruncatedSVD  # late: only texts need it
    from sklearn.preprocessing import normalize

    features = make(texts)
    n_topics = min(_N_TOPICS, *(length - 1 for length in features.shape))
    if n_topics < 2:
        return None
    # The seed is fixed: what is asked next must follow from the store alone.
    topics = TruncatedSVD(n_topics, n_iter=2, random_state=0).fit(features)
    return lambda rows: normalize(topics.transform(make(rows)))


# Images and sounds ------------------------------------------------------------------------------


def image_features(folder: Path) -> Callable[[Any], Floats]:
    """Return what makes small gray thumbnails of images, (n_rows, 256): a plain baseline.

    It tells bright from dark and left from right; not what is to be seen.

    Parameters
    ----------
    folder : Path
        Where the files are; one that cannot be read is all gray.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise CommandError(
            'learning from images needs Pillow: pip install "skactive[images]"'
        ) from error

    def thumbnail(name: str) -> Floats:
        try:
            with Image.open(folder / name) as image:
                image.draft("L", (4 * _SIDE, 4 * _SIDE))  # JPEG files are read faster
                small = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
                return np.asarray(small, dtype=np.float64).ravel() / 255.0
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return np.full(_SIDE * _SIDE, 0.5)

    return lambda names: np.array([thumbnail(name) for name in names])


def sound_features(folder: Path) -> Callable[[Any], Floats]:
    """Return what makes logarithmic spectra of WAV files, (n_rows, 128): a plain baseline.

    Each file is cut into 4 spans of equal length, of each the mean energy in 32 bands that are
    equally wide in octaves, from 50 Hz to 8 kHz, is taken.

    Parameters
    ----------
    folder : Path
        Where the files are; one that cannot be read is silent.
    """
    return lambda names: np.array([_spectrum(folder / name) for name in names])


def _spectrum(path: Path) -> Floats:
    import warnings

    from scipy.io import wavfile  # late: only sounds need it
    from scipy.signal import spectrogram

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # chunks of other programs in the file
            rate, samples = wavfile.read(path)
        mono = _mono(samples)
        frequencies, _, power = spectrogram(mono, rate, nperseg=min(1024, len(mono)))
    except (OSError, ValueError, EOFError, ZeroDivisionError):
        return np.full(_N_BANDS * _N_SPANS, -10.0)
    spans = np.array_split(power, _N_SPANS, axis=1)
    edges = np.geomspace(50.0, 8000.0, _N_BANDS + 1)
    band = np.searchsorted(edges, frequencies) - 1
    energy = [
        span[band == each].mean() if span[band == each].size else 0.0
        for span in spans
        for each in range(_N_BANDS)
    ]
    return np.log10(np.array(energy) + 1e-10)


def _mono(samples: NDArray[Any]) -> Floats:
    """Return one channel, at most 1 in size."""
    scale = float(np.iinfo(samples.dtype).max) if samples.dtype.kind in "iu" else 1.0
    center = 128.0 if samples.dtype == np.uint8 else 0.0
    mixed = (samples.astype(np.float64) - center) / scale
    return np.nan_to_num(mixed if mixed.ndim == 1 else mixed.mean(axis=1))
