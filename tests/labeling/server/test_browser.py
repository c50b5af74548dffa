"""The labeling page of the server in a real browser."""

import os
import re
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.page import PageBackend

TOKEN = "the-secret-of-these-tests"
JSON = ("content-type", "application/json")


@contextmanager
def page_of(browser, **about):
    """A page with nothing stored; its errors, and what it asks of others, are in `trouble`."""
    context = browser.new_context(**about)
    page = context.new_page()
    page.trouble = []
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("console", lambda m: m.type == "error" and page.trouble.append(m.text))
    page.on("request", lambda request: page.trouble.extend(_foreign(request.url)))
    yield page
    context.close()


def _foreign(url):
    return [] if url.startswith(("http://127.0.0.1:", "data:", "about:")) else [url]


@pytest.fixture
def site(session, start_server):
    site = start_server(PageBackend(session, title="Reviews"))
    site.session, site.link = session, f"http://{site.host}/#token={TOKEN}"
    return site


def enter(page, link, name):
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="pos").wait_for()


def wait_for_saved(page, n):
    page.get_by_text(re.compile(rf"\b{n} by you")).wait_for()  # at once, before it is stored
    page.get_by_text("Saved", exact=True).wait_for()


def wait_for_given(page, text):
    page.locator(".ska-answers", has_text=text).wait_for()  # it is also said to screen readers


def picture(page, name):
    """Keep a screenshot where somebody wants to look at it."""
    if folder := os.environ.get("SKACTIVE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_rows_are_labeled_in_a_browser(browser, site):
    with page_of(browser, color_scheme="light") as page:
        enter(page, site.link, "Ann")
        assert page.url == f"http://{site.host}/"  # the token is gone from the address
        assert page.title() == "Reviews"
        page.keyboard.press("1")
        page.keyboard.press("2")
        for name in ("pos", "neg"):
            page.get_by_role("button", name=name).click()
        wait_for_saved(page, 4)
        picture(page, "serve-light")
        page.keyboard.press("u")
        wait_for_saved(page, 3)
        page.reload()  # neither token nor name is asked for again
        page.get_by_role("button", name="pos").wait_for()
        page.keyboard.press("2")
        wait_for_saved(page, 4)
        assert page.context.cookies() == []
        page.get_by_role("button", name="Somebody else").click()
        page.get_by_label("Your name").fill("Bob")
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("button", name="pos").wait_for()
        page.keyboard.press("2")
        wait_for_saved(page, 1)
        assert page.trouble == []
    said = [(r["annotator"], r["label"]) for r in site.session.records()]
    assert said == [("Ann", x) for x in ("neg", "pos", "pos", "pos")] + [("Bob", "pos")]


def test_a_name_that_is_none_is_asked_for_again(browser, site):
    with page_of(browser, color_scheme="dark") as page:
        page.goto(site.link)
        page.get_by_label("Your name").fill("a\u202eb")
        picture(page, "serve-name-dark")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("cannot be seen").wait_for()
        assert page.get_by_label("Your name").input_value() == "a\u202eb"
        page.get_by_label("Your name").fill("Ann")
        page.locator("form").evaluate("form => { form.requestSubmit(); form.requestSubmit(); }")
        page.get_by_role("button", name="pos").wait_for()
        page.wait_for_timeout(300)
        assert site.session.progress().n_in_flight <= 6  # one page holds rows, not two
        assert page.get_by_role("alert").filter(has_text="control").count() == 0
        page.keyboard.press("1")
        wait_for_saved(page, 1)
    assert len(site.session.records()) == 1


def test_without_a_token_the_page_says_what_to_do(browser, site):
    with page_of(browser) as page:
        page.goto(f"http://{site.host}/")
        page.get_by_role("alert").get_by_text("contains no token").wait_for()
        page.goto(f"http://{site.host}/#token={TOKEN[::-1]}")
        page.get_by_label("Your name").fill("Ann")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("no longer valid").wait_for()
        page.goto(site.link)  # in the same tab: only what follows the # differs
        page.get_by_label("Your name").fill("Ann")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="pos").wait_for()


def test_an_answer_outlives_a_link_that_grew_old(browser, site):
    with page_of(browser) as page:
        enter(page, site.link, "Ann")
        page.evaluate(f"location.hash = 'token={TOKEN[::-1]}'")
        page.wait_for_timeout(100)
        page.keyboard.press("1")
        page.get_by_role("alert").get_by_text("no longer valid").wait_for()
        assert site.session.records() == []
        page.evaluate(f"location.hash = 'token={TOKEN}'")
        wait_for_saved(page, 1)
        page.get_by_text("no longer valid").first.wait_for(state="hidden")
    assert len(site.session.records()) == 1


@pytest.mark.parametrize("html", [False, True])
def test_rows_with_scripts_and_foreign_pictures_do_nothing(browser, html, start_server):
    elsewhere = socket.create_server(("127.0.0.1", 0))
    elsewhere.setblocking(False)
    picture = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/x.png"
    evil = f"<img src='{picture}' onerror='top.evil=1'><script>top.evil=1</script>"
    rows = [f"<b style='color:red'>row {n}</b>{evil}" for n in range(6)]
    learner = ActiveLearner(make_pipeline(CountVectorizer(), LogisticRegression()))
    with LabelingSession(learner, rows, classes=["neg", "pos"], random_state=0) as session:
        running = start_server(PageBackend(session, html=html))
        with page_of(browser) as page:
            enter(page, f"http://{running.host}/#token={TOKEN}", "Ann")
            page.keyboard.press("1")
            wait_for_saved(page, 1)
            page.wait_for_timeout(200)
            assert page.evaluate("window.evil") is None
            assert page.locator("iframe").count() == html
            if html:  # its own styles hold
                text = page.frame_locator("iframe").get_by_text("row")
                assert text.evaluate("e => getComputedStyle(e).color") == "rgb(255, 0, 0)"
        running.stop()
    with elsewhere, pytest.raises(BlockingIOError):
        elsewhere.accept()  # nobody came


def test_a_page_elsewhere_reads_and_changes_nothing(browser, site, running):
    """The stub's server stands for a page elsewhere: another port is another origin."""
    attempt = """async ([url, token]) => {
        const options = {method: "POST", body: JSON.stringify({annotator: "x", message: {do:
            "label", id: 0, label: "pos"}}), headers: {"Content-Type": "text/plain"}};
        const told = [];
        for (const more of [{}, {mode: "no-cors"}, {headers: {"Content-Type": "application/json",
                                                             Authorization: `Bearer ${token}`}}]) {
            try { told.push((await fetch(url, {...options, ...more})).type); }
            catch (error) { told.push(error.name); }
        }
        return told;
    }"""
    with page_of(browser, bypass_csp=True) as page:
        page.goto(f"http://{running.host}/")
        told = page.evaluate(attempt, [f"http://{site.host}/api/message", TOKEN])
        framed = f"http://{site.host}/"
        page.set_content(f"<iframe src='{framed}'></iframe>")
        page.wait_for_timeout(300)
        assert "Your name" not in (page.frames[-1].content() if len(page.frames) > 1 else "")
    assert told == ["TypeError"] * 3
    assert site.session.records() == []


def test_axe_finds_nothing(browser, axe, site):
    for scheme in ("light", "dark"):
        with page_of(browser, color_scheme=scheme, bypass_csp=True) as page:

            def violations(page=page):
                page.evaluate(axe)
                return [v["id"] for v in page.evaluate("axe.run()")["violations"]]

            page.goto(f"http://{site.host}/")
            page.get_by_role("alert").wait_for()
            assert violations() == []
            page.goto(site.link)
            page.get_by_label("Your name").wait_for()
            assert violations() == []
            page.get_by_label("Your name").fill(f"Ann {scheme}")
            page.keyboard.press("Enter")
            page.get_by_role("button", name="pos").wait_for()
            page.keyboard.press("1")
            wait_for_saved(page, 1)
            picture(page, f"serve-{scheme}")
            assert violations() == []


def test_a_link_of_ones_own_asks_for_no_name(browser, session, start_server):
    site = start_server(PageBackend(session), people={"Ann Lee": "labels"})
    with page_of(browser) as page:
        page.goto(f"http://{site.host}/#token={site.access.tokens['Ann Lee']}")
        page.get_by_role("button", name="pos").click()
        page.get_by_text("Labeling as Ann Lee").wait_for()
        wait_for_saved(page, 1)
        assert page.get_by_role("button", name="Somebody else").is_hidden()
        assert page.trouble == []
    assert [record["annotator"] for record in session.records()] == ["Ann Lee"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 1000), ("light", 360)])
def test_who_reviews_walks_through_the_answers_of_all(
    browser, session, start_server, scheme, width
):
    people = {"ann": "labels", "bob": "labels", "Eve Long-Lastname": "reviews"}
    site = start_server(PageBackend(session, title="Reviews"), people=people)
    for row, answers in enumerate([("pos", "pos"), ("neg", "pos"), ("pos", "neg"), ("neg", None)]):
        session.submit({row: answers[0]}, annotator="ann")
        if answers[1]:
            session.submit({row: answers[1]}, annotator="bob")
    session.skip([3], annotator="bob")
    viewport = {"width": width, "height": 800}
    with page_of(browser, color_scheme=scheme, viewport=viewport) as page:
        page.goto(f"http://{site.host}/#token={site.access.tokens['Eve Long-Lastname']}")
        page.get_by_role("button", name="pos").wait_for()
        page.keyboard.press("b")
        wait_for_given(page, "bob: skipped · ann: neg, counts")
        page.get_by_role("button", name="Only rows with different labels").click()
        wait_for_given(page, "bob: neg, counts · ann: pos, differs")
        page.get_by_text("good row 1", exact=True).wait_for()
        picture(page, f"review-{scheme}-{width}")
        page.get_by_role("button", name="pos").click()
        wait_for_given(page, "bob: pos, counts · ann: neg, differs")  # the one before
        wait_for_saved(page, 1)
        page.keyboard.press("b")
        page.get_by_text("There are no earlier rows with different labels.").wait_for()
        page.get_by_role("button", name="Only rows with different labels").click()
        page.keyboard.press("b")
        wait_for_given(page, "Eve Long-Lastname: pos, counts · bob: neg, differs · ann: pos")
        page.get_by_text("good row 1", exact=True).wait_for()
        picture(page, f"review-own-{scheme}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.trouble == []
    assert [(e.annotator, e.value) for e in session.get_answers(2)] == [
        ("Eve Long-Lastname", "pos"), ("bob", "neg"), ("ann", "pos")
    ]  # fmt: skip
