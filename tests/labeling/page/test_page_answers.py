"""Answering on the page: clicks, keys, and the next item at once."""

import re


def test_click(open_page):
    page = open_page()
    assert page.item() == "row 0"
    page.button("dog").click()
    assert page.item() == "row 1"
    assert page.saved_answers() == {0: "dog"}
    (message,) = page.messages("label")
    assert message["ticket"] == "t0"
    assert message["seconds"] >= 0
    assert re.fullmatch("[0-9a-f]{32}", message["key"])


def test_number_keys(open_page):
    page = open_page()
    page.focus_title()
    for key in "1329":
        page.keyboard.press(key)
    assert page.item() == "row 3"
    assert page.saved_answers() == {0: "cat", 1: "bird", 2: "dog"}


def test_more_classes_have_letters(open_page):
    page = open_page(classes=[f"c{i}" for i in range(12)])
    page.focus_title()
    for key in "9acx":
        page.keyboard.press(key)
    assert page.saved_answers() == {0: "c8", 1: "c9", 2: "c10"}
    assert page.button("c11").get_attribute("aria-keyshortcuts") == "f"


def test_digits_are_their_own_keys(open_page):
    page = open_page(classes=list(range(10)))
    page.focus_title()
    for key in "07":
        page.keyboard.press(key)
    assert page.saved_answers() == {0: 0, 1: 7}
    assert page.button("7").get_attribute("aria-keyshortcuts") == "7"


def test_labels_keep_their_type(open_page):
    page = open_page(classes=[0, 10])
    page.focus_title()
    page.keyboard.press("1")
    assert page.saved_answers() == {0: 10}
    page = open_page(classes=[False, True])
    page.focus_title()
    page.keyboard.press("2")
    assert page.saved_answers()[0] is True


def test_skip_and_dont_know(open_page):
    page = open_page()
    page.focus_title()
    page.keyboard.press("s")
    page.keyboard.press("D")
    page.button("Skip").click()
    page.button("Don't know").click()
    assert page.saved_answers() == {0: "skip", 1: "unknown", 2: "skip", 3: "unknown"}


def test_a_key_held_down_answers_once(open_page):
    page = open_page()
    page.focus_title()
    page.keyboard.down("1")
    for _ in range(5):
        page.keyboard.down("1")  # repeats
    page.keyboard.up("1")
    assert page.saved_answers() == {0: "cat"}


def test_keys_of_other_keyboards(open_page):
    page = open_page()
    page.focus_title()
    fire = """(about) => document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', {bubbles: true, cancelable: true, ...about}))"""
    page.evaluate(fire, {"key": "é", "code": "Digit2"})  # French
    page.evaluate(fire, {"key": "ы", "code": "KeyS"})  # Russian
    page.evaluate(fire, {"key": "/", "code": "Digit7", "shiftKey": True})  # German
    assert page.saved_answers() == {0: "dog", 1: "skip"}


def test_a_double_click_answers_once(open_page):
    page = open_page()
    page.button("dog").dblclick()
    assert page.item() == "row 1"
    assert page.saved_answers() == {0: "dog"}
    page.wait_for_timeout(600)
    page.button("dog").click()
    assert page.saved_answers() == {0: "dog", 1: "dog"}


def test_the_next_item_does_not_wait_for_the_reply(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate("stub.ms = 1500")
    for key in "1212":
        page.keyboard.press(key)
    assert page.item() == "row 4"
    assert page.evaluate("stub.log.length") == 0
    assert "Saving" in page.locator(".ska-status").inner_text()
    page.evaluate("stub.ms = 0")
    assert page.saved_answers() == {0: "cat", 1: "dog", 2: "cat", 3: "dog"}
    assert page.evaluate("stub.log") == [0, 1, 2, 3]


def test_prefetch_holds_the_next_ones(open_page):
    page = open_page()
    page.focus_title()
    page.wait_for_function("stub.next >= 5")
    for key in "1212121212":
        page.keyboard.press(key)
        page.wait_for_timeout(20)
    assert 14 <= page.evaluate("stub.next") <= 17
    assert page.item() == "row 10"


def test_the_end(open_page):
    page = open_page(texts=["only"])
    page.focus_title()
    page.keyboard.press("1")
    assert "nothing left" in page.item()
    page.keyboard.press("1")
    assert page.saved_answers() == {0: "cat"}
    assert page.button("cat").is_disabled()
    page.evaluate("stub.texts = ['only', 'another']")  # somebody gave one back
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'another'")
