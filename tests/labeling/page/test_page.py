"""The labeling page in a real browser, with a stub of the backend that the test controls."""

import re
from pathlib import Path

import numpy as np
import pytest

from skactive.labeling.page import Renderer, asset

STUB = Path(__file__).with_name("page_stub.js").read_text(encoding="utf-8")
MANY = [f"kind {i:02}" for i in range(40)] + ["Ärger", "zebra"]


@pytest.fixture
def opened(tab):
    """Return a function that opens the page; what it is given is set in the stub before."""

    def open_page(options=None, before="", **stub):
        tab.set_content(
            '<!doctype html><html lang="en"><head><title>Labeling</title>'
            f"<style>{asset('page.css')}</style></head><body><main><div id='root'></div></main>"
        )
        tab.add_script_tag(content=STUB)
        tab.evaluate("(given) => Object.assign(stub, given)", stub)
        if before:
            tab.evaluate(before)
        tab.evaluate(
            "(options) => { window.options = options }", {"retryMs": 20, **(options or {})}
        )
        mounting = "window.page = mount(document.getElementById('root'), send, options)"
        tab.add_script_tag(content=f"{asset('page.js')}\n{mounting};", type="module")
        tab.wait_for_function("document.querySelector('.ska-counts')?.textContent")
        return tab

    return open_page


def item(page):
    return page.locator(".ska-item").inner_text()


def focus(page):
    page.locator(".ska-title").click()


def settled(page):
    """Wait until all answers are stored, and return the last answer to each row."""
    page.wait_for_function("!/Saving|kept/.test(document.querySelector('.ska-status').textContent)")
    page.wait_for_function("!stub.ms")
    return dict(
        page.evaluate(
            "[...stub.labels].map(([row, answers]) => [row, answers.at(-1)])"
            ".filter(([, last]) => last).map(([row, { kind, label }]) => [row, label ?? kind])"
        )
    )


def sent(page, do):
    return page.evaluate(f"stub.received.filter((message) => message.do === '{do}')")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


# Answering ----------------------------------------------------------------------------------------


def test_click(opened):
    page = opened()
    assert item(page) == "row 0"
    button(page, "dog").click()
    assert item(page) == "row 1"
    assert settled(page) == {0: "dog"}
    (message,) = sent(page, "label")
    assert message["ticket"] == "t0"
    assert message["seconds"] >= 0
    assert re.fullmatch("[0-9a-f]{32}", message["key"])


def test_number_keys(opened):
    page = opened()
    focus(page)
    for key in "1329":
        page.keyboard.press(key)
    assert item(page) == "row 3"
    assert settled(page) == {0: "cat", 1: "bird", 2: "dog"}


def test_more_classes_have_letters(opened):
    page = opened(classes=[f"c{i}" for i in range(12)])
    focus(page)
    for key in "9abe":
        page.keyboard.press(key)
    assert settled(page) == {0: "c8", 1: "c9", 2: "c10"}
    assert button(page, "c11").get_attribute("aria-keyshortcuts") == "c"


def test_digits_are_their_own_keys(opened):
    page = opened(classes=list(range(10)))
    focus(page)
    for key in "07":
        page.keyboard.press(key)
    assert settled(page) == {0: 0, 1: 7}
    assert button(page, "7").get_attribute("aria-keyshortcuts") == "7"


def test_labels_keep_their_type(opened):
    page = opened(classes=[0, 10])
    focus(page)
    page.keyboard.press("2")
    assert settled(page) == {0: 10}
    page = opened(classes=[False, True])
    focus(page)
    page.keyboard.press("2")
    assert settled(page)[0] is True


def test_skip_and_dont_know(opened):
    page = opened()
    focus(page)
    page.keyboard.press("s")
    page.keyboard.press("D")
    button(page, "Skip").click()
    button(page, "Don't know").click()
    assert settled(page) == {0: "skip", 1: "unknown", 2: "skip", 3: "unknown"}


def test_a_key_held_down_answers_once(opened):
    page = opened()
    focus(page)
    page.keyboard.down("1")
    for _ in range(5):
        page.keyboard.down("1")  # repeats
    page.keyboard.up("1")
    assert settled(page) == {0: "cat"}


def test_keys_of_other_keyboards(opened):
    page = opened()
    focus(page)
    fire = """(about) => document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', {bubbles: true, cancelable: true, ...about}))"""
    page.evaluate(fire, {"key": "é", "code": "Digit2"})  # French
    page.evaluate(fire, {"key": "ы", "code": "KeyS"})  # Russian
    page.evaluate(fire, {"key": "/", "code": "Digit7", "shiftKey": True})  # German
    assert settled(page) == {0: "dog", 1: "skip"}


def test_a_double_click_answers_once(opened):
    page = opened()
    button(page, "dog").dblclick()
    assert item(page) == "row 1"
    assert settled(page) == {0: "dog"}
    page.wait_for_timeout(600)
    button(page, "dog").click()
    assert settled(page) == {0: "dog", 1: "dog"}


def test_the_next_item_does_not_wait_for_the_reply(opened):
    page = opened()
    focus(page)
    page.evaluate("stub.ms = 1500")
    for _ in range(4):
        page.keyboard.press("1")
    assert item(page) == "row 4"
    assert page.evaluate("stub.log.length") == 0
    assert "Saving" in page.locator(".ska-status").inner_text()
    page.evaluate("stub.ms = 0")
    assert settled(page) == dict.fromkeys(range(4), "cat")
    assert page.evaluate("stub.log") == [0, 1, 2, 3]


def test_prefetch_holds_the_next_ones(opened):
    page = opened()
    focus(page)
    page.wait_for_function("stub.next >= 5")
    for _ in range(10):
        page.keyboard.press("1")
        page.wait_for_timeout(20)
    assert 14 <= page.evaluate("stub.next") <= 17
    assert item(page) == "row 10"


def test_the_end(opened):
    page = opened(texts=["only"])
    focus(page)
    page.keyboard.press("1")
    assert "nothing left" in item(page)
    page.keyboard.press("1")
    assert settled(page) == {0: "cat"}
    assert button(page, "cat").is_disabled()
    page.evaluate("stub.texts = ['only', 'another']")  # somebody gave one back
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'another'")


# Undo, back, forward ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["u", "Control+z"])
def test_undo(opened, key):
    page = opened()
    focus(page)
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press(key)
    assert item(page) == "row 1"
    assert "Undone: labeled dog" in page.locator(".ska-past").inner_text()
    assert settled(page) == {0: "cat"}
    page.keyboard.press("3")
    assert item(page) == "row 2"
    assert settled(page) == {0: "cat", 1: "bird"}
    first, second = (m["key"] for m in sent(page, "label") if m["id"] == 1)
    assert first != second


def test_undo_of_what_was_not_sent_yet(opened):
    page = opened()
    focus(page)
    page.evaluate("stub.ms = 500")
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("u")
    page.evaluate("stub.ms = 0")
    assert settled(page) == {0: "cat"}
    assert item(page) == "row 1"
    assert sent(page, "undo") == []


def test_undo_of_what_is_under_way(opened):
    page = opened()
    focus(page)
    page.evaluate("stub.ms = 300")
    page.keyboard.press("1")
    page.keyboard.press("u")
    assert item(page) == "row 0"
    page.evaluate("stub.ms = 0")
    assert settled(page) == {}
    assert len(sent(page, "undo")) == 1


def test_undo_of_what_was_answered_before_the_page_was_opened(opened):
    page = opened(
        next=3, before="stub.log = [2]; stub.labels.set(2, [{kind: 'label', label: 'dog'}])"
    )
    focus(page)
    page.keyboard.press("u")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 2'")
    page.keyboard.press("1")
    assert item(page) == "row 3"
    assert settled(page) == {2: "cat"}
    for _ in range(2):
        page.keyboard.press("u")
    page.wait_for_function("/nothing to undo/.test(document.querySelector('.ska-error').innerText)")


def test_back_and_forward(opened):
    page = opened()
    focus(page)
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert item(page) == "row 0"
    assert "Labeled cat" in page.locator(".ska-past").inner_text()
    assert button(page, "cat").get_attribute("aria-pressed") == "true"
    page.keyboard.press("3")
    assert item(page) == "row 1"
    page.keyboard.press("ArrowRight")
    assert item(page) == "row 2"
    assert settled(page) == {0: "bird", 1: "dog"}
    assert [m["id"] for m in sent(page, "relabel")] == [0]
    page.keyboard.press("u")  # takes back the change, not the label
    assert item(page) == "row 0"
    assert settled(page) == {0: "cat", 1: "dog"}
    page.keyboard.press("Escape")
    assert item(page) == "row 2"


def test_back_loads_what_is_no_longer_held(opened):
    page = opened(texts=[f"row {i}" for i in range(60)])
    focus(page)
    for i in range(30):
        page.keyboard.press("1")
        page.wait_for_function(f"document.querySelector('.ska-item').innerText === 'row {i + 1}'")
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 0'")
    assert sent(page, "show")


def test_contents_that_come_when_asked_for(opened):
    page = opened(before="stub.withheld = new Set([1, 2])")
    focus(page)
    page.keyboard.press("1")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 1'")
    page.keyboard.press("1")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 2'")
    assert settled(page) == {0: "cat", 1: "cat"}


# Trouble ------------------------------------------------------------------------------------------


def test_a_lost_connection_keeps_the_answers(opened):
    page = opened()
    focus(page)
    page.evaluate("stub.online = false")
    for _ in range(3):
        page.keyboard.press("2")
    page.wait_for_function(
        "/3 answers are kept/.test(document.querySelector('.ska-status').innerText)"
    )
    assert "Connection lost" in page.locator(".ska-status").inner_text()
    assert item(page) == "row 3"
    page.evaluate("stub.online = true")
    page.wait_for_function("stub.log.length === 3")
    assert settled(page) == {0: "dog", 1: "dog", 2: "dog"}
    assert page.evaluate("stub.log") == [0, 1, 2]


def test_a_reply_that_never_comes(opened):
    page = opened({"timeoutMs": 100})
    focus(page)
    page.evaluate("stub.mute = true")
    page.keyboard.press("2")
    page.wait_for_function("/kept here/.test(document.querySelector('.ska-status').innerText)")
    page.evaluate("stub.mute = false")
    page.wait_for_function("stub.log.length === 1")
    assert settled(page) == {0: "dog"}
    assert len({m["key"] for m in sent(page, "label")}) == 1


def test_a_full_disk_is_tried_again(opened):
    page = opened()
    focus(page)
    page.evaluate(
        "stub.refuse = (m) => m.do === 'label' && { error: 'the disk is full', retry: true }; 0"
    )
    page.keyboard.press("2")
    page.wait_for_function("/disk is full/.test(document.querySelector('.ska-status').innerText)")
    page.evaluate("stub.refuse = null")
    page.wait_for_function("stub.log.length === 1")
    assert settled(page) == {0: "dog"}


def test_an_answer_that_is_refused_is_asked_again(opened):
    page = opened()
    focus(page)
    page.evaluate(
        "stub.refuse = (m) => m.do === 'label' && m.id === 0 && { error: 'no such class' }; 0"
    )
    page.keyboard.press("2")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 0'")
    assert "no such class" in page.locator(".ska-error").inner_text()
    page.evaluate("stub.refuse = null")
    page.keyboard.press("1")
    assert item(page) == "row 1"
    assert settled(page) == {0: "cat"}
    assert page.locator(".ska-error").inner_text() == ""


def test_what_is_held_is_given_back(opened):
    page = opened()
    page.wait_for_function("stub.next >= 5")
    page.evaluate("window.page.destroy()")
    (message,) = sent(page, "release")
    assert message["tickets"][:2] == ["t0", "t1"]
    assert page.locator("#root").inner_html() == ""


def test_answers_under_way_survive_the_end_of_the_page(opened):
    page = opened()
    focus(page)
    page.evaluate("stub.ms = 100")
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.evaluate("window.page.destroy()")
    page.wait_for_function("stub.log.length === 2")


# Contents -----------------------------------------------------------------------------------------


EVIL = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'><b>bold</b>"


def test_texts_are_never_markup(opened):
    page = opened(
        texts=[EVIL, EVIL], classes=[EVIL, "b"], suggestion=[[EVIL, 0.5]],
        state={"title": EVIL, "stop_reason": EVIL, "problem": EVIL},
        before="stub.contents = {1: {type: 'table', rows: [[stub.texts[0], stub.texts[0]]]}}",
    )  # fmt: skip
    assert item(page) == EVIL
    button(page, "Suggest").click()
    page.wait_for_selector(".ska-suggestion li")
    focus(page)
    page.keyboard.press("1")
    assert EVIL in item(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(100)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#root script, #root b, #root img").count() == 0


def test_html_runs_no_script_and_asks_nobody(opened):
    asked = []
    markup = f"{EVIL}<img src='http://example.org/a.png'><i id='i'>slanted</i>"
    page = opened(before=f"stub.contents = {{0: {{type: 'html', html: {markup!r}}}}}")
    page.on("request", lambda request: asked.append(request.url))
    frame = page.frame_locator(".ska-frame")
    assert frame.locator("#i").inner_text() == "slanted"
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.locator(".ska-frame").get_attribute("sandbox") == ""
    assert [url for url in asked if "example.org" in url] == []


def test_keys_work_after_a_click_into_html(opened):
    page = opened(before="stub.contents = {0: {type: 'html', html: '<p>text</p>'}}")
    focus(page)
    page.frame_locator(".ska-frame").locator("p").click()
    page.wait_for_timeout(50)
    page.keyboard.press("1")
    assert settled(page) == {0: "cat"}


@pytest.mark.parametrize("html", ["<a href='#'>link</a>", "<p>line</p>" * 200])
def test_frames_can_be_reached_by_tab(opened, html):
    page = opened(before=f"stub.contents = {{0: {{type: 'html', html: {html!r}}}}}")
    page.frame_locator(".ska-frame").locator("a, p").first.wait_for()
    focus(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.tagName") == "IFRAME"


def as_script(row):
    return f"stub.contents = {{0: {Renderer()([row], 0)!r}}}"


def test_images(opened):
    page = opened(before=as_script(np.eye(8)))
    page.wait_for_function("document.querySelector('.ska-image').naturalWidth === 8")
    page.wait_for_function("document.querySelector('.ska-image').classList.contains('ska-tiny')")
    assert page.locator(".ska-image").bounding_box()["height"] > 150


def test_sounds(opened):
    tone = 0.01 * np.sin(np.arange(16_000) / 10)
    page = opened(before=as_script((tone, 16_000)))
    page.wait_for_function("document.querySelector('audio').duration === 1")
    focus(page)
    page.keyboard.press("p")
    page.wait_for_function("!document.querySelector('audio').paused")
    page.evaluate("window.sound = document.querySelector('audio')")
    page.keyboard.press("1")
    assert page.evaluate("window.sound.paused")


def test_sources_from_elsewhere_are_not_loaded(opened):
    page = opened(before="stub.contents = {0: {type: 'image', src: 'http://example.org/a.png'}}")
    assert "cannot show" in item(page)


# Many classes, several labels, new classes --------------------------------------------------------


def test_search(opened):
    page = opened(classes=MANY)
    search = page.get_by_role("combobox")
    focus(page)
    page.keyboard.press("z")  # letters go to the field by themselves
    assert search.input_value() == "z"
    page.keyboard.press("Enter")
    assert search.input_value() == ""
    page.keyboard.type("kind 1")
    assert page.get_by_role("option").count() == 10
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{search.get_attribute('aria-activedescendant')}")
    assert active.inner_text().startswith("kind 11")
    page.keyboard.press("Enter")
    page.keyboard.type("arg")
    page.keyboard.press("Enter")
    page.keyboard.type("none")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    assert settled(page) == {0: "zebra", 1: "kind 11"}


def test_search_leaves_digits_and_actions_to_the_page(opened):
    page = opened(classes=MANY)
    focus(page)
    page.keyboard.press("3")
    page.keyboard.press("s")
    page.get_by_role("option", name="kind 05").click()
    assert settled(page) == {0: "kind 02", 1: "skip", 2: "kind 05"}


def test_arrows_go_round(opened):
    page = opened(classes=MANY)
    page.get_by_role("combobox").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert settled(page) == {0: "zebra"}


def test_very_many_classes(opened):
    page = opened(classes=[f"kind {i:04}" for i in range(1500)])
    assert page.get_by_role("option").count() == 100
    assert "1,400 more" in page.locator(".ska-more").inner_text()
    page.get_by_role("combobox").fill("kind 1499")
    page.keyboard.press("Enter")
    assert settled(page) == {0: "kind 1499"}


def test_several_labels(opened):
    page = opened(state={"multilabel": True})
    focus(page)
    for key in ("3", "1", "2", "2"):
        page.keyboard.press(key)
    assert item(page) == "row 0"
    assert button(page, "bird").get_attribute("aria-pressed") == "true"
    assert button(page, "dog").get_attribute("aria-pressed") == "false"
    page.keyboard.press("Enter")
    assert item(page) == "row 1"
    button(page, "dog").click()
    page.keyboard.press("Enter")  # with the focus on a class
    button(page, "Submit").click()
    assert settled(page) == {0: ["cat", "bird"], 1: ["dog"], 2: []}
    page.keyboard.press("u")
    page.keyboard.press("u")
    assert button(page, "dog").get_attribute("aria-pressed") == "true"
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert settled(page) == {0: ["cat", "bird"], 1: ["cat", "dog"]}


def test_several_labels_of_many_classes(opened):
    page = opened(classes=MANY, state={"multilabel": True})
    page.get_by_role("combobox").focus()
    page.keyboard.type("zeb")
    page.keyboard.press("Enter")
    page.keyboard.type("arg")
    page.keyboard.press("Enter")
    assert page.locator(".ska-picked").inner_text() == "Picked: zebra, Ärger"
    page.keyboard.press("Enter")
    assert settled(page) == {0: ["Ärger", "zebra"]}


def test_new_classes(opened):
    page = opened(classes=[])
    field = page.get_by_role("textbox", name="Name of the new class")
    field.fill("s d 1")
    page.keyboard.press("Enter")
    button(page, "s d 1").click()
    button(page, "New class").click()
    page.keyboard.type("u?")
    page.keyboard.press("Enter")
    button(page, "u?").click()
    assert settled(page) == {0: "s d 1", 1: "u?"}
    assert [m["label"] for m in sent(page, "add_class")] == ["s d 1", "u?"]


def test_new_classes_of_numbers_are_numbers(opened):
    page = opened(classes=[1, 2])
    button(page, "New class").click()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    button(page, "3").click()
    assert settled(page) == {0: 3}


# What is known ------------------------------------------------------------------------------------


def test_suggestions_only_when_asked_for(opened):
    page = opened(suggestion=[["dog", 0.7], ["cat", 0.3]])
    focus(page)
    page.wait_for_timeout(100)
    assert sent(page, "suggest") == []
    assert page.locator(".ska-suggestion").inner_text() == ""
    page.keyboard.press("?")
    page.wait_for_selector(".ska-suggestion li")
    shown = page.locator(".ska-suggestion li").all_inner_texts()
    assert [line.split() for line in shown] == [["dog", "70", "%"], ["cat", "30", "%"]]
    page.keyboard.press("1")
    assert page.locator(".ska-suggestion").inner_text() == ""
    page.evaluate("stub.suggestion = null")
    page.keyboard.press("?")
    page.wait_for_function(
        "/no model yet/.test(document.querySelector('.ska-suggestion').innerText)"
    )


def test_progress_accuracy_curve_and_stop(opened):
    page = opened(
        state={
            "title": "Animals", "n_rows": 2000, "n_labeled": 500, "mine": 20, "n_skipped": 3,
            "accuracy": [0.8, 0.75, 0.85], "curve": [[10, 0.5], [20, 0.8]],
            "counts": [["cat", 300], ["dog", 200], ["bird", 0]], "stop_reason": "it is good enough",
        }
    )  # fmt: skip
    text = page.locator("#root").inner_text()
    assert "500 of 2,000 labeled · 20 by you · 3 skipped" in text
    assert "Accuracy 80.0 % (95 % interval 75.0 % to 85.0 %)" in text
    assert "You may stop now: it is good enough" in text
    assert "cat: 300 · dog: 200" in text
    assert page.get_by_role("img").get_attribute("aria-label").endswith("80.0 % with 20")
    assert page.get_by_role("progressbar").evaluate("bar => bar.position") == 0.25


def test_a_problem_of_the_model_is_said_and_labeling_goes_on(opened):
    page = opened(state={"problem": "ValueError: too odd"})
    assert "too odd" in page.get_by_role("alert").inner_text()
    focus(page)
    page.keyboard.press("1")
    assert "too odd" in page.get_by_role("alert").inner_text()
    assert settled(page) == {0: "cat"}


# Everybody ----------------------------------------------------------------------------------------


def test_keyboard_alone(opened):
    page = opened()
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        active = page.evaluate(
            "[document.activeElement.innerText,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        reached.append(active[0].split("\n")[0])
        assert active[1] == "solid", active
    assert reached == [
        "row 0", "cat", "dog", "bird", "Skip", "Don't know", "Undo", "Suggest", "New class",
    ]  # fmt: skip


def test_the_focus_stays(opened):
    page = opened()
    button(page, "dog").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    page.keyboard.press("1")
    assert settled(page) == {0: "dog", 1: "dog", 2: "cat"}
    assert page.evaluate("document.activeElement.innerText").startswith("dog")
    button(page, "Back").focus()
    for _ in range(3):
        page.keyboard.press("Enter")  # then there is nothing to go back to
    page.keyboard.press("3")
    assert settled(page) == {0: "bird", 1: "dog", 2: "cat"}


def test_the_next_item_is_announced(opened):
    page = opened()
    focus(page)
    page.keyboard.press("2")
    assert page.locator(".ska-hidden").inner_text() == "Labeled dog. Next: row 1"


def test_keys_stay_within(opened):
    page = opened()
    page.evaluate(
        "window.leaked = []; document.addEventListener('keydown', (e) => leaked.push(e.key))"
    )
    focus(page)
    for key in ("d", "d", "1", "x", "Enter", "Escape", "Control+s"):
        page.keyboard.press(key)
    assert page.evaluate("leaked") == []
    assert page.locator("#root").get_attribute("data-lm-suppress-shortcuts") == "true"


def test_keys_of_the_whole_page(opened):
    page = opened({"global": True})
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("2")
    assert settled(page) == {0: "dog"}
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input id=name>')")
    page.locator("#name").focus()
    page.keyboard.type("1sud")
    assert settled(page) == {0: "dog"}


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
def test_the_theme_follows_what_is_around(opened, attribute, expected):
    page = opened()
    page.evaluate(f"document.{attribute}")
    page.wait_for_function(f"document.getElementById('root').dataset.theme === '{expected}'")


def test_narrow(opened):
    page = opened(texts=["w" * 300, "x"], classes=["a" * 60, "b", "c"])
    page.set_viewport_size({"width": 320, "height": 600})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


STATES = {
    "plain": {},
    "many": {"classes": MANY},
    "several": {"state": {"multilabel": True}},
    "none": {"classes": []},
    "full": {
        "state": {
            "accuracy": [0.8, 0.7, 0.9], "curve": [[10, 0.5], [20, 0.8]], "stop_reason": "enough",
            "problem": "ValueError", "counts": [["cat", 3]],
        },
        "suggestion": [["dog", 0.7], ["cat", 0.3]],
    },
    "image": {"before": as_script(np.eye(8))},
    "audio": {"before": as_script((np.zeros(8000), 8000))},
    "table": {"before": as_script({"a": 1, "b": 2})},
    "html": {"before": "stub.contents = {0: {type: 'html', html: '<p>text</p>'}}"},
    "problem": {"before": "stub.contents = {0: {type: 'problem', text: 'oh'}}"},
    "end": {"texts": []},
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing(opened, axe, name, scheme):
    page = opened({"heading": 1}, **STATES[name])
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    if "suggestion" in STATES[name]:
        button(page, "Suggest").click()
        page.wait_for_selector(".ska-suggestion li")
        focus(page)
        page.keyboard.press("1")
        page.keyboard.press("ArrowLeft")
    page.add_script_tag(content=axe)
    found = page.evaluate("axe.run()")["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
