"""Undo, and back and forward among earlier items."""

import pytest


@pytest.mark.parametrize("key", ["u", "Control+z"])
def test_undo(open_page, key):
    page = open_page()
    page.focus_title()
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press(key)
    assert page.item() == "row 1"
    assert "Undone: labeled dog" in page.locator(".ska-past").inner_text()
    assert page.saved_answers() == {0: "cat"}
    page.keyboard.press("3")
    assert page.item() == "row 2"
    assert page.saved_answers() == {0: "cat", 1: "bird"}
    first, second = (m["key"] for m in page.messages("label") if m["id"] == 1)
    assert first != second


def test_undo_names_the_class_as_it_is(open_page):
    page = open_page(classes=["Dog", "dog"])
    page.focus_title()
    page.keyboard.press("1")
    page.keyboard.press("u")
    assert page.locator(".ska-past").inner_text() == "Undone: labeled Dog"


def test_undo_of_what_was_not_sent_yet(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate("stub.ms = 500")
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("u")
    page.evaluate("stub.ms = 0")
    assert page.saved_answers() == {0: "cat"}
    assert page.item() == "row 1"
    assert page.messages("undo") == []


def test_undo_of_what_is_under_way(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate("stub.ms = 300")
    page.keyboard.press("1")
    page.keyboard.press("u")
    assert page.item() == "row 0"
    page.evaluate("stub.ms = 0")
    assert page.saved_answers() == {}
    assert len(page.messages("undo")) == 1


def test_undo_of_what_was_answered_before_the_page_was_opened(open_page):
    page = open_page(
        next=3, before="stub.log = [2]; stub.labels.set(2, [{kind: 'label', label: 'dog'}])"
    )
    page.focus_title()
    page.keyboard.press("u")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 2'")
    page.keyboard.press("1")
    assert page.item() == "row 3"
    assert page.saved_answers() == {2: "cat"}
    page.stop_clock()
    for _ in range(2):
        page.tick()
        page.keyboard.press("u")
    page.wait_for_function("/nothing to undo/.test(document.querySelector('.ska-error').innerText)")


def test_back_and_forward(open_page):
    page = open_page()
    page.focus_title()
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.item() == "row 0"
    assert "Labeled cat" in page.locator(".ska-past").inner_text()
    assert page.button("cat").get_attribute("aria-pressed") == "true"
    page.keyboard.press("3")
    assert page.item() == "row 1"
    page.keyboard.press("ArrowRight")
    assert page.item() == "row 2"
    assert page.saved_answers() == {0: "bird", 1: "dog"}
    assert [m["id"] for m in page.messages("relabel")] == [0]
    page.keyboard.press("u")  # takes back the change, not the label
    assert page.item() == "row 0"
    assert page.saved_answers() == {0: "cat", 1: "dog"}
    page.keyboard.press("Escape")
    assert page.item() == "row 2"


def test_back_loads_what_is_no_longer_held(open_page):
    page = open_page(texts=[f"row {i}" for i in range(60)])
    page.focus_title()
    for i in range(30):
        page.keyboard.press("12"[i % 2])
        page.wait_for_function(f"document.querySelector('.ska-item').innerText === 'row {i + 1}'")
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 0'")
    assert page.messages("show")


def test_contents_that_come_when_asked_for(open_page):
    page = open_page(before="stub.withheld = new Set([1, 2])")
    page.focus_title()
    page.keyboard.press("1")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 1'")
    page.keyboard.press("2")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 2'")
    assert page.saved_answers() == {0: "cat", 1: "dog"}


EARLIER = [{"id": i, "kind": "label", "label": "dog"} for i in (5, 4, 3)] + [
    {"id": 2, "kind": "skip", "label": None},
    {"id": 1, "kind": "label", "label": "cat"},
]


def go_back(page, text):
    page.keyboard.press("b")
    page.wait_for_function(f"document.querySelector('.ska-item').innerText === '{text}'")


def test_back_after_a_reload(open_page):
    page = open_page(next=6, earlier=EARLIER)
    page.focus_title()
    page.keyboard.press("1")
    for row in (6, 5, 4, 3):
        go_back(page, f"row {row}")
    assert "4 back. Labeled dog." in page.locator(".ska-past").inner_text()
    assert page.button("dog").get_attribute("aria-pressed") == "true"
    page.keyboard.press("3")
    assert page.item() == "row 4"
    for row in (3, 2, 1):
        go_back(page, f"row {row}")
    page.keyboard.press("b")
    page.wait_for_function(
        "/no earlier answers/.test(document.querySelector('.ska-error').innerText)"
    )
    assert page.button("Back").is_disabled()
    assert page.item() == "row 1"
    assert page.saved_answers() == {6: "cat", 3: "bird"}
    assert [m.get("before") for m in page.messages("history")] == [None, 2, 4]


def test_back_without_earlier_answers(open_page):
    page = open_page()
    page.button("Back").click()
    page.wait_for_function(
        "/no earlier answers/.test(document.querySelector('.ska-error').innerText)"
    )
    assert page.item() == "row 0"
    page.focus_title()
    page.keyboard.press("1")
    page.keyboard.press("b")
    assert page.item() == "row 0"


def test_back_without_a_connection(open_page):
    page = open_page(earlier=EARLIER, next=6)
    page.focus_title()
    page.evaluate("stub.online = false")
    page.keyboard.press("b")
    page.wait_for_function("/No connection/.test(document.querySelector('.ska-error').innerText)")
    page.evaluate("stub.online = true")
    go_back(page, "row 5")


def test_what_was_answered_here_is_not_there_twice(open_page):
    page = open_page(earlier=[{"id": 0, "kind": "label", "label": "cat"}, *EARLIER[2:3]], next=0)
    page.focus_title()
    page.keyboard.press("1")
    page.saved_answers()
    go_back(page, "row 0")
    go_back(page, "row 3")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.item() == "row 1"


@pytest.mark.parametrize("again", [False, True])
def test_undo_when_another_tab_answered_last(open_page, again):
    page = open_page(texts=[f"row {i}" for i in range(30)])
    page.focus_title()
    page.keyboard.press("1")
    page.saved_answers()
    page.evaluate("stub.log.push(20); stub.labels.set(20, [{kind: 'label', label: 'bird'}])")
    if again:
        page.evaluate("stub.ms = 200")
    page.keyboard.press("u")
    if again:
        page.keyboard.press("3")  # before the reply comes
        page.evaluate("stub.ms = 0")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 20'")
    assert "elsewhere" in page.locator(".ska-error").inner_text()
    assert "Undone: labeled bird" in page.locator(".ska-past").inner_text()
    page.keyboard.press("2")
    assert page.item() == "row 1"
    assert page.saved_answers() == {0: "bird" if again else "cat", 20: "dog"}
