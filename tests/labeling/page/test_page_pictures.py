"""Pictures and sounds on the page: broken ones, thin ones, and the full size."""

import base64
import json

import numpy as np
import pytest

from skactive.labeling.page import Renderer

NO_PICTURE = "data:image/png;base64," + base64.b64encode(b"no picture").decode()
NO_SOUND = "data:audio/wav;base64," + base64.b64encode(b"no sound").decode()
BROKEN = {
    "picture": ({"type": "image", "src": NO_PICTURE, "alt": "a\u202eb.png"},
                "This picture cannot be shown: a⟨U+202E⟩b.png."),
    "sound": ({"type": "audio", "src": NO_SOUND, "name": "a.wav"},
              "This sound cannot be played: a.wav."),
    "problem": ({"type": "problem", "text": "This row cannot be shown (\u200b)."},
                "This row cannot be shown (⟨U+200B⟩)."),
    "error": ({"type": "error", "text": "a.jpg is cut off."}, "a.jpg is cut off."),
    "unknown": ({"type": "film"}, 'This page cannot show the type "film".'),
    "elsewhere": ({"type": "image", "src": "http://example.org/a.png"},
                  "This page cannot show images from other sites."),
}  # fmt: skip


def draw(height, width):
    """Return the content of a picture of random pixels."""
    pixels = np.random.RandomState(0).randint(0, 255, (height, width), dtype=np.uint8)
    return Renderer()([pixels], 0)


def contents(**by_row):
    return f"stub.contents = {json.dumps({name[1:]: content for name, content in by_row.items()})}"


@pytest.mark.parametrize("kind", BROKEN)
def test_a_row_that_is_not_shown_is_not_labeled_by_accident(open_page, kind):
    content, text = BROKEN[kind]
    page = open_page(before=contents(_0=content))
    page.get_by_text(text, exact=True).first.wait_for()
    page.focus_title()
    page.stop_clock()
    page.tick()
    page.keyboard.press("1")
    page.keyboard.press("1")  # it bounces
    page.keyboard.press("2")
    assert page.item() == text
    assert "Don't know (d) or Skip (s)" in page.get_by_role("alert").inner_text()
    page.keyboard.press("d")
    assert page.item() == "row 1"
    assert page.get_by_role("alert").inner_text() == ""
    page.keyboard.press("1")
    assert page.saved_answers() == {0: "unknown", 1: "cat"}


@pytest.mark.parametrize("multilabel", [False, True])
def test_a_row_that_is_not_shown_is_labeled_on_purpose(open_page, multilabel):
    page = open_page(
        before=contents(_0=BROKEN["picture"][0], _1=BROKEN["sound"][0]),
        state={"multilabel": multilabel},
    )
    page.stop_clock()
    for label, row in (("cat", 0), ("dog", 1)):
        page.locator(".ska-problem").wait_for()
        page.button(label).click()
        for _ in range(2):
            if multilabel:
                page.button("Submit").click()
            page.tick()
            if not multilabel and row not in page.saved_answers():
                page.button(label).click()
    expected = {0: ["cat"], 1: ["dog"]} if multilabel else {0: "cat", 1: "dog"}
    assert page.saved_answers() == expected


def test_a_thin_picture_keeps_its_width(open_page):
    page = open_page(before=contents(_0=draw(1000, 30), _1=draw(30, 1000), _2=draw(300, 400)))
    page.focus_title()
    for row, width in enumerate((30, 1000, 400)):
        page.wait_for_function(f"document.querySelector('.ska-image')?.naturalWidth === {width}")
        box = page.locator(".ska-image").bounding_box()
        assert box["width"] == width
        scrolls = page.evaluate(
            "[document.querySelector('.ska-item')].map((e) =>"
            " e.scrollHeight > e.clientHeight || e.scrollWidth > e.clientWidth)[0]"
        )
        assert scrolls == (row < 2)
        page.keyboard.press("12"[row % 2])
    assert len(page.saved_answers()) == 3


def open_viewer(page):
    page.focus_title()
    page.keyboard.press("o")
    page.get_by_role("dialog", name="Picture at full size").wait_for()
    page.wait_for_function(
        "/ at /.test(document.querySelector('.ska-viewer [role=status]').innerText)"
    )
    return page.locator(".ska-viewer [role=status]")


def scale(page):
    return page.evaluate(
        "[document.querySelector('.ska-stage img')].map((i) => i.offsetWidth / i.naturalWidth)[0]"
    )


def test_the_full_size(open_page):
    page = open_page(before=contents(_0=draw(300, 400)), full=draw(600, 800) | {"reduced": True})
    page.wait_for_function("document.querySelector('.ska-image').naturalWidth === 400")
    status = open_viewer(page)
    page.wait_for_function("document.querySelector('.ska-stage img').naturalWidth === 800")
    assert page.messages("full") == [{"do": "full", "id": 0}]
    assert "800 \N{MULTIPLICATION SIGN} 600 pixels" in status.inner_text()
    assert "reduced" in status.inner_text()
    fitting = scale(page)
    page.keyboard.press("1")
    assert scale(page) == 1
    page.keyboard.press("+")
    assert scale(page) == 1.25
    page.keyboard.press("0")
    assert scale(page) == pytest.approx(fitting, abs=0.01)
    page.keyboard.press("2")  # no answer
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    page.keyboard.press("2")
    assert page.saved_answers() == {0: "dog"}


def test_zoom_and_pan_with_the_mouse(open_page):
    page = open_page(before=contents(_0=draw(600, 900)))
    page.locator(".ska-image").click()
    page.get_by_role("dialog").wait_for()
    page.wait_for_function(
        "/ at /.test(document.querySelector('.ska-viewer [role=status]').innerText)"
    )
    before = scale(page)
    box = page.locator(".ska-stage").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    point = """([x, y]) => [document.querySelector('.ska-stage img').getBoundingClientRect()]
        .map((r) => [(x - r.left) / r.width, (y - r.top) / r.height])[0]"""
    for _ in range(3):
        page.mouse.wheel(0, -100)
    page.wait_for_function(
        f"document.querySelector('.ska-stage img').offsetWidth > {before * 900 * 1.9}"
    )
    at = [box["x"] + 100, box["y"] + 100]
    assert page.evaluate(point, at)[0] == pytest.approx(100 / box["width"], abs=0.05)
    left = page.evaluate("document.querySelector('.ska-stage').scrollLeft")
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 80, steps=4)
    page.mouse.up()
    page.mouse.move(box["x"] + 10, box["y"] + 10)  # the button is up: it stays
    moved = page.evaluate("document.querySelector('.ska-stage').scrollLeft") - left
    assert moved == pytest.approx(40, abs=2)


def test_what_is_left_out_of_a_file_is_said(open_page):
    page = open_page(before=contents(_0=draw(30, 40) | {"note": "Only page 1 of 3 is shown."}))
    page.locator(".ska-item").get_by_text("Only page 1 of 3 is shown.").wait_for()


def test_a_thin_picture_opens_at_its_size(open_page):
    page = open_page(before=contents(_0=draw(500, 15)), full=draw(1000, 30))
    open_viewer(page)
    page.wait_for_function("document.querySelector('.ska-stage img').naturalHeight === 1000")
    assert scale(page) == 1


def test_a_full_size_that_does_not_come(open_page):
    page = open_page(
        before=contents(_0=draw(30, 40))
        + "; stub.refuse = (m) => m.do === 'full' && { error: 'a\u202eb.png is gone' }; 0"
    )
    assert "a⟨U+202E⟩b.png is gone" in open_viewer(page).inner_text()
    page.keyboard.press("Escape")
    page.evaluate("stub.online = false")
    assert "No connection" in open_viewer(page).inner_text()


def test_only_pictures_open(open_page):
    page = open_page(before=contents(_1=BROKEN["picture"][0]))
    page.focus_title()
    page.keyboard.press("o")
    page.keyboard.press("1")
    page.locator(".ska-problem").wait_for()
    assert page.button("Open").count() == 0
    page.keyboard.press("o")
    assert page.get_by_role("dialog").count() == 0
    assert page.messages("full") == []


def test_more_of_a_long_text(open_page):
    page = open_page(texts=["line\n" * 200, "short"])
    page.focus_title()
    assert page.locator(".ska-item").bounding_box()["height"] < 600
    page.keyboard.press("m")
    assert page.locator(".ska-item").bounding_box()["height"] > 3000
    page.button("Less").click()
    assert page.locator(".ska-item").bounding_box()["height"] < 600
    page.keyboard.press("m")
    page.keyboard.press("1")
    assert page.locator(".ska-item").bounding_box()["height"] < 600
    assert page.button("More").count() == page.button("Less").count() == 0
