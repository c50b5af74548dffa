"""Keys of the page: one table with the terminal, all keys on `h`, and keys that bounce."""

import pytest

from skactive.labeling._keys import Keys


def test_a_class_of_one_letter_takes_the_key_of_a_command(open_page):
    classes = ["s", "sport", "0"]
    page = open_page(classes=classes)
    page.focus_title()
    for key in ("s", "Shift+S", "1", "0"):
        page.keyboard.press(key)
    assert page.saved_answers() == {0: "s", 1: "skip", 2: "sport", 3: "0"}
    assert Keys(classes).find_command_key("skip") == "S"
    assert page.button("Skip").get_attribute("aria-keyshortcuts") == "Shift+S"
    assert "⇧S" in page.button("Skip").inner_text()


def test_caps_lock_does_not_matter(open_page):
    page = open_page()
    page.focus_title()
    page.keyboard.press("Shift+S")
    assert page.saved_answers() == {0: "skip"}


def test_classes_of_one_letter_have_keys_even_if_there_are_many(open_page):
    page = open_page(classes=[*"ABCDEFGHIJKLM", "Another", "bread"])
    page.focus_title()
    page.keyboard.press("Shift+B")
    page.keyboard.press("s")  # a command wins over the search
    page.keyboard.press("r")  # no key of a class here: it begins a search
    assert page.get_by_role("combobox").input_value() == "r"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("sh")  # in the field, letters are text
    assert page.get_by_role("combobox").input_value() == "sh"
    assert page.saved_answers() == {0: "B", 1: "skip"}


def test_all_keys_are_shown(open_page):
    page = open_page(classes=["cat", "h"], state={"multilabel": True})
    page.focus_title()
    page.keyboard.press("Shift+H")
    dialog = page.get_by_role("dialog", name="Keys")
    lines = [line.split("\t") for line in dialog.locator("tr").all_inner_texts()]
    shown = {line[1]: line[0] for line in lines}
    expected = Keys(["cat", "h"])
    assert shown["cat"] == "1" == next(k for k, name in expected.classes.items() if name == "cat")
    assert shown["h"] == "h"
    assert shown["Keys"] == "⇧H"
    assert (shown["None"], shown["Undo"], shown["Submit"]) == ("-", "uCtrl+Z", "Enter")
    page.keyboard.press("1")  # no answer while the dialog is open
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.item() == "row 0"
    assert page.evaluate("document.activeElement.id") == "root"
    page.keyboard.press("s")
    assert page.saved_answers() == {0: "skip"}


def test_the_focus_returns_from_a_dialog(open_page):
    page = open_page()
    page.button("Keys").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    for _ in range(5):
        page.keyboard.press("Tab")
        inside = (
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
        assert page.evaluate(inside)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.innerText").startswith("Keys")


@pytest.mark.parametrize("key", ["1", "s", "d"])
def test_a_key_that_bounces_answers_once(open_page, key):
    page = open_page()
    page.focus_title()
    page.stop_clock()
    page.keyboard.press(key)
    page.tick(280)
    page.keyboard.press(key)
    assert page.item() == "row 1"
    page.tick(40)
    page.keyboard.press(key)
    assert page.item() == "row 2"
    assert len(page.saved_answers()) == 2


@pytest.mark.parametrize("key", ["u", "Enter", "Control+z"])
def test_an_undo_that_bounces_undoes_once(open_page, key):
    page = open_page(before="stub.log = [7]; stub.labels.set(7, [{kind: 'label', label: 'dog'}])")
    page.focus_title()
    page.stop_clock()
    page.keyboard.press("1")
    page.keyboard.press("2")
    if key == "Enter":
        page.button("Undo").focus()
    modifier, _, letter = key.rpartition("+")
    if modifier:
        page.keyboard.down(modifier)
    for ms in (0, 280, 10):
        page.tick(ms)
        page.keyboard.press(letter)
    assert page.item() == "row 1"
    assert page.saved_answers() == {0: "cat", 7: "dog"}
    for _ in range(2):
        page.tick()
        page.keyboard.press(letter)
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 7'")
    page.tick(280)
    page.keyboard.press(letter)  # the reply came, and this is a bounce of what asked for it
    page.tick()
    if modifier:
        page.keyboard.up(modifier)
    assert page.saved_answers() == {}
    assert len(page.messages("undo")) == 3


def test_two_clicks_on_undo_undo_once(open_page):
    page = open_page()
    page.focus_title()
    for key in "12":
        page.keyboard.press(key)
    page.button("Undo").dblclick()
    assert page.saved_answers() == {0: "cat"}


def test_keys_that_move_are_told(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate("stub.classes = ['cat', 'dog', 'bird', '3']")  # somebody else adds a class
    page.keyboard.press("1")
    page.wait_for_function("/3/.test(document.querySelector('.ska-error').textContent)")
    told = page.locator(".ska-error").inner_text()
    assert told == "The key 3 now means “3”; “bird” has the key 4."
    page.keyboard.press("3")
    page.keyboard.press("4")
    assert page.saved_answers() == {0: "cat", 1: "3", 2: "bird"}


def test_who_types_fast_is_served(open_page):
    page = open_page()
    page.focus_title()
    page.stop_clock()
    for key in "123s213d":
        page.keyboard.press(key)
    answers = list(page.saved_answers().values())
    assert answers == ["cat", "dog", "bird", "skip", "dog", "cat", "bird", "unknown"]


@pytest.mark.parametrize("key", ["Enter", "Space"])
@pytest.mark.parametrize("name", ["dog", "Skip"])
def test_a_button_answers_once_for_a_key_that_is_held_or_bounces(open_page, key, name):
    page = open_page()
    page.button(name).focus()
    page.stop_clock()
    page.keyboard.down(key)
    for _ in range(3):
        page.tick(160)
        page.keyboard.down(key)
    page.keyboard.up(key)
    page.keyboard.press("Shift")
    assert len(page.saved_answers()) == 1
    page.tick()
    page.keyboard.press(key)
    page.keyboard.press(key)
    assert len(page.saved_answers()) == 2


def test_two_taps_on_one_button_answer_once(open_page):
    page = open_page()
    tap = "new MouseEvent('click', { bubbles: true, detail: 1 })"
    page.evaluate(
        f"[1, 1].forEach((n) => document.querySelectorAll('.ska-class')[n].dispatchEvent({tap}))"
    )
    assert page.saved_answers() == {0: "dog"}


@pytest.mark.parametrize(
    ("role", "offered"), [("labels", 0), ("reviews", 0), ("administers", 1), (None, 1)]
)
def test_classes_are_edited_by_those_who_may(open_page, role, offered):
    page = open_page(state={"role": role})
    assert page.button("New class").count() == offered
    assert page.button("Edit classes").count() == offered
    page.focus_title()
    page.keyboard.press("e")
    assert page.get_by_role("dialog").count() == offered
