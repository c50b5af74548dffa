"""Contents on the page: never markup, never from elsewhere."""

import json

import numpy as np
import pytest

from skactive.labeling.page import Renderer

EVIL = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'><b>bold</b>"


def test_texts_are_never_markup(open_page):
    page = open_page(
        texts=[EVIL, EVIL], classes=[EVIL, "b"], suggestion=[[EVIL, 0.5]],
        state={"title": EVIL, "stop_reason": EVIL, "problem": EVIL},
        before="stub.contents = {1: {type: 'table', rows: [[stub.texts[0], stub.texts[0]]]}}",
    )  # fmt: skip
    assert page.item() == EVIL
    page.button("Suggest").click()
    page.wait_for_selector(".ska-suggestion li")
    page.focus_title()
    page.keyboard.press("1")
    assert EVIL in page.item()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(100)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#root script, #root b, #root img").count() == 0


HIDDEN = "ca\u202et\u200b\u00ad\u3164\u00a0\x1b\ud800"
VISIBLE = "ca⟨U+202E⟩t⟨U+200B⟩⟨U+00AD⟩⟨U+3164⟩⟨U+00A0⟩⟨U+001B⟩⟨U+D800⟩"


def test_hidden_characters_of_names_are_seen(open_page):
    names = [HIDDEN, EVIL, "b\u200cc"]
    page = open_page(
        classes=names, suggestion=[[HIDDEN, 0.5], [EVIL, None]],
        state={"title": HIDDEN, "stop_reason": HIDDEN, "problem": HIDDEN, "counts": [[HIDDEN, 2]]},
    )  # fmt: skip
    assert page.button(VISIBLE).count() == page.button("b⟨U+200C⟩c").count() == 1
    page.focus_title()
    page.keyboard.press("?")
    page.wait_for_selector(".ska-suggestion li")
    page.keyboard.press("1")
    page.keyboard.press("ArrowLeft")
    assert f"Labeled {VISIBLE}." in page.locator(".ska-past").inner_text()
    page.keyboard.press("h")
    assert VISIBLE in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.button(f"Rename {VISIBLE}").click()
    page.locator("dialog input").fill(EVIL)
    page.keyboard.press("Enter")
    assert f"Merge “{VISIBLE}” into “{EVIL}”?" in page.get_by_role("dialog").inner_text()
    page.keyboard.press("Escape")
    text = page.evaluate("document.getElementById('root').innerText + document.body.innerHTML")
    assert not set(HIDDEN) - {*"cat"} & set(text)
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    "name",
    [  # Persian, Sinhala, emoji, Hebrew, French
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0d9a\u0dca\u200d\u0dc2",
        "\U0001f469\u200d\U0001f4bb", "\u2764\ufe0f\u200d\U0001f525", "\u05e9\u05dc\u05d5\u05dd",
        "na\u00efve",
    ],
)  # fmt: skip
def test_names_that_need_joiners_stay_as_they_are(open_page, name):
    page = open_page(classes=[name, "b"])
    assert page.button(name).count() == 1


def test_html_runs_no_script_and_asks_nobody(open_page):
    asked = []
    markup = f"{EVIL}<img src='http://example.org/a.png'><i id='i'>slanted</i>"
    page = open_page(before=f"stub.contents = {{0: {{type: 'html', html: {markup!r}}}}}")
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda r: None if r.failure == "csp" else asked.append(r.url))
    frame = page.frame_locator(".ska-frame")
    assert frame.locator("#i").inner_text() == "slanted"
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.locator(".ska-frame").get_attribute("sandbox") == ""
    assert [url for url in asked if "example.org" in url] == []


def test_keys_work_after_a_click_into_html(open_page):
    page = open_page(before="stub.contents = {0: {type: 'html', html: '<p>text</p>'}}")
    page.focus_title()
    page.frame_locator(".ska-frame").locator("p").click()
    page.wait_for_timeout(50)
    page.keyboard.press("1")
    assert page.saved_answers() == {0: "cat"}


@pytest.mark.parametrize("html", ["<a href='#'>link</a>", "<p>line</p>" * 200])
def test_frames_can_be_reached_by_tab(open_page, html):
    page = open_page(before=f"stub.contents = {{0: {{type: 'html', html: {html!r}}}}}")
    page.frame_locator(".ska-frame").locator("a, p").first.wait_for()
    page.focus_title()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)
    assert page.evaluate("document.activeElement.tagName") == "IFRAME"


def as_script(row):
    return f"stub.contents = {json.dumps({0: Renderer()([row], 0)})}"


def test_images(open_page):
    page = open_page(before=as_script(np.eye(8)))
    page.wait_for_function("document.querySelector('.ska-image').naturalWidth === 8")
    page.wait_for_function("document.querySelector('.ska-image').classList.contains('ska-tiny')")
    assert page.locator(".ska-image").bounding_box()["height"] > 150


def test_sounds(open_page):
    tone = 0.01 * np.sin(np.arange(16_000) / 10)
    page = open_page(before=as_script((tone, 16_000)))
    page.wait_for_function("document.querySelector('audio').duration === 1")
    page.focus_title()
    page.keyboard.press("p")
    page.wait_for_function("!document.querySelector('audio').paused")
    page.evaluate("window.sound = document.querySelector('audio')")
    page.keyboard.press("1")
    assert page.evaluate("window.sound.paused")


def test_sources_from_elsewhere_are_not_loaded(open_page):
    page = open_page(before="stub.contents = {0: {type: 'image', src: 'http://example.org/a.png'}}")
    assert "cannot show" in page.item()
