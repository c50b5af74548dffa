"""The page for everybody: keyboard, focus, screen readers, themes, narrow screens."""

import json

import numpy as np
import pytest

from skactive.labeling.page import Renderer

MANY = [f"kind {i:02}" for i in range(40)] + ["Ärger", "zebra"]


def as_script(row):
    return f"stub.contents = {json.dumps({0: Renderer()([row], 0)})}"


def test_keyboard_alone(open_page):
    page = open_page()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        active = page.evaluate(
            "[document.activeElement.innerText,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        reached.append(active[0].split("\n")[0])
        assert active[1] == "solid", active
    assert reached == [
        "row 0", "cat", "dog", "bird", "Back", "Skip", "Don't know", "Undo", "Suggest",
        "New class", "Edit classes", "Keys",
    ]  # fmt: skip


def test_the_focus_stays(open_page):
    page = open_page()
    page.button("dog").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    page.keyboard.press("1")
    assert page.saved_answers() == {0: "dog", 1: "dog", 2: "cat"}
    assert page.evaluate("document.activeElement.innerText").startswith("dog")
    page.button("Back").focus()
    for _ in range(3):
        page.keyboard.press("Enter")  # then there is nothing to go back to
    page.keyboard.press("3")
    assert page.saved_answers() == {0: "bird", 1: "dog", 2: "cat"}


def test_the_next_item_is_announced(open_page):
    page = open_page()
    page.focus_title()
    page.keyboard.press("2")
    assert page.locator(".ska-hidden").inner_text() == "Labeled dog. Next: row 1"


def test_keys_stay_within(open_page):
    page = open_page()
    page.evaluate(
        "window.leaked = []; document.addEventListener('keydown', (e) => leaked.push(e.key))"
    )
    page.focus_title()
    for key in ("d", "d", "1", "x", "Enter", "Escape", "Control+s"):
        page.keyboard.press(key)
    assert page.evaluate("leaked") == []
    assert page.locator("#root").get_attribute("data-lm-suppress-shortcuts") == "true"


def test_keys_of_the_whole_page(open_page):
    page = open_page({"global": True})
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("2")
    assert page.saved_answers() == {0: "dog"}
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input id=name>')")
    page.locator("#name").focus()
    page.keyboard.type("1sud")
    assert page.saved_answers() == {0: "dog"}


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("body.dataset.jpThemeLight = 'false'", "dark"),
        ("body.dataset.jpThemeLight = 'true'", "light"),
        ("documentElement.dataset.theme = 'dark'", "dark"),
        ("body.className = 'vscode-dark'", "dark"),
        ("body.className = 'light'", "light"), ("body.className = 'darkness'", ""),
    ],
)  # fmt: skip
def test_the_theme_follows_what_is_around(open_page, attribute, expected):
    page = open_page()
    page.evaluate(f"document.{attribute}")
    page.wait_for_function(f"document.getElementById('root').dataset.theme === '{expected}'")


@pytest.mark.parametrize("key", ["h", "e", "o"])
def test_dialogs_are_narrow(open_page, key):
    page = open_page(classes=["a" * 60, "b"], before=as_script(np.eye(300)))
    page.set_viewport_size({"width": 320, "height": 500})
    page.focus_title()
    page.keyboard.press(key)
    box = page.get_by_role("dialog").bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= 320
    assert 0 <= box["y"] <= box["y"] + box["height"] <= 500
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= 320


def test_narrow(open_page):
    page = open_page(texts=["w" * 300, "x"], classes=["a" * 60, "b", "c"])
    page.set_viewport_size({"width": 320, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


STATES = {
    "plain": {},
    "many": {"classes": MANY},
    "several": {"state": {"multilabel": True}},
    "none": {"classes": []},
    "full": {
        "state": {
            "accuracy_text": "Accuracy 80.0 %", "curve": [[10, 0.5], [20, 0.8]],
            "stop_reason": "enough", "problem": "ValueError", "counts": [["cat", 3]],
        },
        "suggestion": [["dog", 0.7], ["cat", 0.3]],
    },
    "image": {"before": as_script(np.eye(8))},
    "audio": {"before": as_script((np.zeros(8000), 8000))},
    "table": {"before": as_script({"a": 1, "b": 2})},
    "html": {"before": "stub.contents = {0: {type: 'html', html: '<p>text</p>'}}"},
    "problem": {"before": "stub.contents = {0: {type: 'problem', text: 'oh'}}"},
    "end": {"texts": []},
    "keys": {"keys": ["h"]},
    "editor": {"keys": ["e"]},
    "many classes to edit": {"classes": MANY, "keys": ["e"]},
    "question": {"keys": ["e", "Tab", "Enter", "x", "Enter"]},
    "viewer": {"before": as_script(np.eye(300)), "keys": ["o"]},
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing(open_page, axe, name, scheme):
    stub = dict(STATES[name])
    keys = stub.pop("keys", [])
    page = open_page({"heading": 1}, **stub)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    if "suggestion" in STATES[name]:
        page.button("Suggest").click()
        page.wait_for_selector(".ska-suggestion li")
        page.focus_title()
        page.keyboard.press("1")
        page.keyboard.press("ArrowLeft")
    if keys:
        page.focus_title()
    for key in keys:
        page.keyboard.press(key)
    assert page.get_by_role("dialog").count() == bool(keys)
    page.add_script_tag(content=axe)
    found = page.evaluate("axe.run()")["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
