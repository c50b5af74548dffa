"""Options side by side: as few lines as they need, no more than there are."""

from hypothesis import given
from hypothesis import strategies as st

from skactive.labeling.terminal._flow import Option, flow


@given(st.lists(st.integers(1, 20), max_size=40), st.integers(20, 60), st.integers(1, 5))
def test_options_keep_their_order_and_the_lines_their_width(lengths, width, max_lines):
    options = [Option("x" * n, "x" * n) for n in lengths]
    lines = flow(options, width)
    assert max(map(len, lines), default=0) <= width
    assert [len(word) for line in lines for word in line.split()] == lengths
    few = flow(options, width, max_lines, lambda n: f"+{n}")
    assert len(few) <= max_lines
    words = [word for line in few for word in line.split()]
    if len(lines) > max_lines and words[-1].startswith("+"):
        assert len(words) - 1 + int(words[-1]) == len(lengths)


def test_options_of_the_lowest_rank_stay():
    options = [Option("aaaa", "aaaa", 2), Option("bbbb", "bbbb", 1), Option("cccc", "cccc", 0)]
    assert flow(options, 11, 1) == ["bbbb   cccc"]
    assert flow(options, 4, 1) == ["cccc"]
