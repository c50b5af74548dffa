"""Assets of the page: each file is a part of one of them."""

from importlib.resources import files

import pytest

from skactive.labeling.page import asset


@pytest.mark.parametrize(("name", "folder"), [("page.js", "script"), ("page.css", "style")])
def test_every_file_is_a_part(name, folder):
    parts = [path.read_text() for path in (files("skactive.labeling.page") / folder).iterdir()]
    text = asset(name)
    assert all(text.count(part) == 1 for part in parts)
    assert len(text) == sum(map(len, parts)) + len(parts) - 1
