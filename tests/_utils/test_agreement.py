"""Cohen's kappa, by hand and where it is undefined."""

import math

import numpy as np
import pytest

from skactive._utils.agreement import cohen_kappa


def test_kappa_of_a_table_by_hand():
    first = np.repeat(["yes", "no"], [25, 25])
    second = np.repeat(["yes", "no", "yes", "no"], [20, 5, 10, 15])
    # p_o = 0.7, p_e = 0.5 * 0.6 + 0.5 * 0.4
    assert cohen_kappa(first, second, undefined=0.0) == pytest.approx((0.7 - 0.5) / 0.5)


def test_equal_labelings_have_a_kappa_of_exactly_one():
    labels = np.random.RandomState(0).randint(3, size=101)
    assert cohen_kappa(labels, labels, undefined=0.0) == 1.0


def test_one_label_throughout_gives_what_was_asked_for():
    same = np.ones(5, dtype=int)
    assert cohen_kappa(same, same, undefined=0.0) == 0.0
    assert math.isnan(cohen_kappa(same, same, undefined=np.nan))
    assert cohen_kappa(same, np.zeros(5, dtype=int), undefined=np.nan) == 0.0
