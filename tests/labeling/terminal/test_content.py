"""Lines of a row."""

from skactive.labeling.terminal._content import format_content


def test_a_row_of_a_table_is_names_and_values():
    lines = format_content([("length", "1.5"), ("b", "\x1b[2J")], 40)
    assert lines == ["length  1.5", "b       ␛[2J"]


def test_a_text_keeps_its_lines():
    assert format_content("a\n\nb\x1b", 40) == ["a", "", "b␛"]
    assert format_content(" \n", 40) == ["(empty)"]
