"""Simple features of texts, images and sounds, computed once for the whole pool."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from skactive._utils.array_types import Floats
from skactive.cli._errors import CommandError
from skactive.labeling.page._images import load_gray
from skactive.labeling.page._media_files import MediaError, identify_file
from skactive.labeling.page._sounds import read_sound

__all__ = [
    "PoolFeatures",
    "make_image_featurizer",
    "make_sound_featurizer",
    "make_text_featurizer",
    "make_topic_featurizer",
]


_THUMBNAIL_SIDE = 16  # pixels
_N_BANDS, _N_SPANS = 32, 4  # of a spectrum: bands of frequency, spans of time
_MAX_SAMPLES = 10 * 60 * 48_000
_MAX_LEVEL = 1e6  # sounds of floats should not exceed 1, but may
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
        Folder of the files; one that cannot be read gets the mean of the others.

    Raises
    ------
    CommandError
        If Pillow is missing.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise CommandError(
            'learning from images needs Pillow: pip install "skactive[images]"'
        ) from error

    size = (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE)

    def make_thumbnail(path: Path) -> Floats:
        gray = load_gray(path, identify_file(path, "image"), 4 * _THUMBNAIL_SIDE)
        small = gray.resize(size, Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float64).ravel() / 255.0

    blank = np.full(_THUMBNAIL_SIDE * _THUMBNAIL_SIDE, 0.5)
    return lambda names: _featurize_files(folder, names, make_thumbnail, blank)


def make_sound_featurizer(folder: Path) -> Callable[[Any], Floats]:
    """Return a function that computes log spectra of sounds, (n_rows, 128), as a baseline.

    Each file, but no more than 10 minutes at 48 kHz, is divided into 4 spans of equal length; the
    features are the mean energies per span in 32 bands from 50 Hz to 8 kHz, of equal width in
    octaves.

    Parameters
    ----------
    folder : Path
        Folder of the files; one that cannot be read gets the mean of the others.
    """
    blank = np.full(_N_BANDS * _N_SPANS, -10.0)
    return lambda names: _featurize_files(folder, names, _compute_spectrum, blank)


def _featurize_files(
    folder: Path, names: Sequence[str], featurize: Callable[[Path], Floats], blank: Floats
) -> Floats:
    """Return the features of files, and warn of those that turn out to be broken."""
    found: list[Floats | None] = []
    faults: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about oddities in the metadata of files
        for name in names:
            try:
                found.append(featurize(folder / name))
            except MediaError as error:
                found.append(None)
                faults.append(str(error))
    if faults:
        warnings.warn(_describe_faults(faults), stacklevel=3)
    known = [features for features in found if features is not None]
    mean = np.mean(known, axis=0) if known else blank
    return np.array([mean if features is None else features for features in found])


def _describe_faults(faults: Sequence[str]) -> str:
    n = f"{len(faults):,} files" if len(faults) > 1 else "1 file"
    return f"{n} cannot be learned from and count as average: {' '.join(faults[:3])}" + (
        " ..." if len(faults) > 3 else ""
    )


def _compute_spectrum(path: Path) -> Floats:
    """Return the logarithmic energies of a file, (n_spans * n_bands,)."""
    from scipy.signal import spectrogram  # late: only sounds need it

    samples, rate, _ = read_sound(path, identify_file(path, "audio"), _MAX_SAMPLES)
    mono = np.nan_to_num(samples.mean(axis=1, dtype=np.float64), posinf=0.0, neginf=0.0)
    mono = np.clip(mono, -_MAX_LEVEL, _MAX_LEVEL)
    frequencies, _, power = spectrogram(mono, rate, nperseg=min(1024, len(mono)))
    spans = np.array_split(power, _N_SPANS, axis=1)  # power: (n_frequencies, n_times)
    edges = np.geomspace(50.0, 8000.0, _N_BANDS + 1)
    bands = np.searchsorted(edges, frequencies) - 1  # (n_frequencies,)
    energy = [
        span[bands == band].mean() if span[bands == band].size else 0.0
        for span in spans
        for band in range(_N_BANDS)
    ]
    return np.log10(np.array(energy) + 1e-10)
