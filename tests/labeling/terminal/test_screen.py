"""The screen: never taller or wider than the terminal; progress, the row and the keys in view."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skactive.labeling._keys import Keys
from skactive.labeling.state._progress import Progress
from skactive.labeling.terminal._screen import Screen, draw_screen
from skactive.labeling.terminal._text import get_width

COMMANDS = [("s", "skip"), ("u", "undo"), ("/", "search"), ("m", "more"), ("h", "help"),
            ("q", "quit")]  # fmt: skip


def make_screen(n_lines=40, classes=("ham", "spam"), progress=None, **options):
    if progress is None:
        progress = Progress(100, 50, 1, 2, 0, 40, 4, annotators={"ann": 7})
    lines = [f"line {i}" for i in range(1, n_lines + 1)]
    options = {"name": "row r17", "lines": lines, "commands": COMMANDS} | options
    return Screen("data.csv", progress, Keys(classes), "ann", **options)


@given(
    st.integers(10, 120),
    st.integers(4, 60),
    st.integers(0, 80),
    st.integers(1, 60),
    st.booleans(),
    st.text(max_size=300),
    st.integers(0, 100),
)
def test_no_screen_is_taller_or_wider_than_the_terminal(
    width, height, n_lines, n_classes, multilabel, text, first
):
    """Whatever the names and messages are."""
    names = [f"{i}{text}" for i in range(n_classes)]
    progress = Progress(10**6, 5, 1, 2, 0, 40, 4, stop_reason=text or "x", problem=text)
    screen = Screen(
        text, progress, Keys(names), "ann", name=text, lines=["x"] * n_lines, first=first,
        answer="x" * 50, chosen=names[-2:], multilabel=multilabel, commands=COMMANDS, message=text,
    )  # fmt: skip
    drawing = draw_screen(screen, width, height, color=False)
    lines = drawing.text.split("\n")
    assert len(lines) <= height
    assert max(map(get_width, lines)) <= width
    assert 0 <= drawing.first <= n_lines
    if n_lines:
        assert "x" in lines[1:]  # a line of the row


@pytest.mark.parametrize(("width", "height"), [(80, 23), (40, 9), (100, 12), (200, 50)])
@pytest.mark.parametrize("message", ["", "Row r16: ham."])
def test_progress_the_name_and_the_keys_stay_in_view(width, height, message):
    text = draw_screen(make_screen(90, message=message), width, height, color=False).text
    for part in ("data.csv", "50 of 100 labeled", "row r17 · lines 1-", "1 ham", "2 spam",
                 "m more", "h help", message):  # fmt: skip
        assert part in text


def test_the_smallest_terminal_has_progress_a_name_a_line_and_a_class():
    lines = draw_screen(make_screen(), 20, 4, color=False).text.split("\n")
    assert lines == ["50 of 100 labeled ·…", "row r17 1-1 of 40", "line 1", "1 ham   h help"]


def test_a_text_of_15_lines_fits_on_24_lines():
    drawing = draw_screen(make_screen(15), 80, 23, color=False)
    assert drawing.n_shown == 15
    assert "lines 1" not in drawing.text


def test_a_part_of_a_long_row_never_begins_after_the_last_page():
    drawing = draw_screen(make_screen(first=39), 80, 23, color=False)
    assert drawing.first + drawing.n_shown == 40
    assert f"lines {drawing.first + 1}-40 of 40" in drawing.text


def test_of_many_classes_some_are_shown_and_the_chosen_ones():
    names = [f"class number {i}" for i in range(50)]
    screen = make_screen(classes=names, chosen=names[45:47], multilabel=True)
    text = draw_screen(screen, 80, 23, color=False).text
    n_more = int(re.search(r"… (\d+) more: / to search or h", text)[1])
    shown = re.findall(r"\[[ x]\] class number (\d+)", text)
    assert n_more + len(shown) == 50
    assert len(shown) > 5
    assert shown[-2:] == ["45", "46"]
    assert shown[:4] == ["0", "1", "2", "3"]
    whole = draw_screen(screen, 80, color=False).text
    assert all(f"[ ] {name}" in whole or f"[x] {name}" in whole for name in names)


def test_the_screen_names_accuracy_and_when_to_stop():
    progress = Progress(
        100, 50, 1, 0, 0, 40, 4, classes={"a\x1b": 2}, accuracy=(0.85, 0.62, 0.97), n_audited=20,
        stop_reason="models agree \x1b[2J", problem="ValueError: \x1b[2J",
    )  # fmt: skip
    screen = make_screen(3, ["a\x1b"], progress)
    plain = draw_screen(screen, 60, color=False).text
    assert "Accuracy 85.0 % (95 % interval 62.0 % to 97.0 %)" in plain
    assert "You may stop now: models agree ␛[2J" in plain
    assert "Problem with the model: ValueError" in plain
    assert "\x1b" not in plain
    colored = draw_screen(screen, 60, color=True).text
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == plain != colored
