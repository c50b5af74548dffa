"""The screen: rows, progress and colors as text."""

import re

from skactive.labeling._keys import Keys
from skactive.labeling.state._progress import Progress
from skactive.labeling.terminal._screen import Screen, draw_screen, format_item
from skactive.labeling.terminal._text import get_width


def test_very_long_items_are_cut_until_asked_for():
    lines, n_more = format_item("line\n" * 1000, 80, show_all=False)
    assert (len(lines), n_more) == (200, 801)
    assert len(format_item("line\n" * 1000, 80, show_all=True)[0]) == 1001


def test_a_row_of_a_table_is_names_and_values():
    lines, _ = format_item([("length", "1.5"), ("b", "\x1b[2J")], 40, show_all=False)
    assert lines == ["length  1.5", "b       ␛[2J"]


def test_the_screen_tells_accuracy_and_when_to_stop():
    progress = Progress(
        100, 50, 1, 0, 0, 40, 4, classes={"a\x1b": 2}, accuracy=(0.85, 0.62, 0.97),
        stop_reason="models agree", problem="ValueError: \x1b[2J",
    )  # fmt: skip
    screen = Screen("data\x1b", progress, Keys(["a\x1b"]), name="row 1", item=["x"])
    to_builtin = draw_screen(screen, 60, color=False)
    assert "accuracy 85 % (62 to 97 %)" in to_builtin
    assert "You may stop now: models agree" in to_builtin
    assert "The last fit failed" in to_builtin
    assert "\x1b" not in to_builtin
    assert max(map(get_width, to_builtin.split("\n"))) <= 60
    colored = draw_screen(screen, 60, color=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == to_builtin != colored
