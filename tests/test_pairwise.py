"""All-pairs parametrization: no pair is lost."""

from itertools import combinations, product

import pytest
from pairwise import cover_pairs


@pytest.mark.parametrize("sizes", [[3], [1, 1], [2, 3], [7, 5, 2, 4], [2, 2, 2, 2, 2]])
def test_every_pair_of_values_occurs(sizes):
    rows = cover_pairs(sizes)
    assert len(rows) == len(set(rows))
    for a, b in combinations(range(len(sizes)), 2):
        assert {(row[a], row[b]) for row in rows} == set(product(range(sizes[a]), range(sizes[b])))
    assert {row[0] for row in rows} == set(range(sizes[0]))


def test_it_is_much_less_than_the_grid():
    assert len(cover_pairs([7, 5, 2, 4])) <= 40  # of 280
