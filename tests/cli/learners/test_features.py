"""Features of a pool of texts: the same as computed for the rows alone."""

import numpy as np
import pytest

from skactive.cli.learners._features import (
    PoolFeatures,
    make_text_featurizer,
    make_topic_featurizer,
)

GOOD, BAD = ["good", "fine", "warm", "kind"], ["bad", "poor", "cold", "rude"]


def texts(n=60):
    random = np.random.RandomState(0)
    return [" ".join(random.choice(BAD if i % 3 else GOOD, 6)) + f" n{i}" for i in range(n)]


def test_features_of_the_pool_equal_recomputed_ones():
    pool = texts(40)
    make = make_text_featurizer(pool)
    features = PoolFeatures("text", pool, make)
    assert (features.transform(pool[3:5]) != make(pool[3:5])).nnz == 0
    mixed = [pool[7], "something else"]
    assert (features.transform(mixed) != make(mixed)).nnz == 0
    assert features.transform(mixed).shape[1] == features.transform(pool).shape[1]


@pytest.mark.parametrize("pool", [["", ""], ["a", "b"], ["?", "!"], ["同意", "反对", "同意"]])
def test_texts_of_no_words_have_features(pool):
    make = make_text_featurizer(pool)
    assert make(pool).shape[0] == len(pool)
    topics = make_topic_featurizer(pool, make)
    assert topics is None or np.isfinite(topics(pool)).all()
