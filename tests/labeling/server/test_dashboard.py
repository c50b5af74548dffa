"""The campaign page: who may see it, and how it looks in a real browser."""

import re

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from skactive.labeling.page import PageBackend
from skactive.labeling.server import make_app
from skactive.labeling.server._access import Access

TOKEN = "the-secret-of-these-tests"
HOST = "127.0.0.1:8000"
JSON = ("content-type", "application/json")
PEOPLE = {"ann": "labels", "bob": "reviews", "eve": "administers"}


def request_campaign(ask, app, token):
    headers = [JSON, ("authorization", f"Bearer {token}")] if token else [JSON]
    return ask(app, "POST", "/api/campaign", headers, [b"{}"])


@pytest.mark.parametrize(
    ("name", "status"), [("ann", 403), ("bob", 200), ("eve", 200), (None, 401), ("", 401)]
)
def test_the_campaign_is_for_those_who_review(ask, session, name, status):
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST], people=PEOPLE)
    token = {"": TOKEN, None: ""}.get(name) or Access(TOKEN, PEOPLE).tokens.get(name, "")
    reply = request_campaign(ask, app, TOKEN if name == "" else token)
    assert reply.status == status
    assert reply.json()["ok"] == (status == 200)
    assert ("people" in reply.json()) == (status == 200)


def test_a_shared_link_shows_the_campaign_and_no_row(ask, session):
    session.submit({0: "pos"}, annotator="ann")
    app = make_app(PageBackend(session), token=TOKEN, hosts=[HOST])
    reply = request_campaign(ask, app, TOKEN)
    assert reply.json()["progress"]["n_labeled"] == 1
    assert b"good row" not in reply.body


def test_the_page_is_served_to_all_and_holds_nothing(ask, session):
    app = make_app(PageBackend(session, title="Secret title"), token=TOKEN, hosts=[HOST])
    for path, kind in (
        ("/dashboard", "text/html"),
        ("/dashboard.js", "text/javascript"),
        ("/charts.js", "text/javascript"),
        ("/link.js", "text/javascript"),
        ("/dashboard.css", "text/css"),
    ):
        reply = ask(app, "GET", path)
        assert reply.status == 200
        assert reply.headers["content-type"].startswith(kind)
        assert b"Secret" not in reply.body
    page = ask(app, "GET", "/dashboard").body.decode()
    assert "//" not in page
    assert page.count("<script") == page.count('<script type="module" src=') == 1


def test_a_failure_is_logged_and_not_shown(ask, post, caplog):
    class Broken:
        def describe_campaign(self):
            raise RuntimeError("a secret path")

    app = make_app(Broken(), token=TOKEN, hosts=[HOST])
    reply = request_campaign(ask, app, TOKEN)
    assert (reply.status, "secret" in reply.body.decode()) == (500, False)
    assert "a secret path" in caplog.text


# In a browser -------------------------------------------------------------------------------------


@pytest.fixture
def campaign(session, start_server):
    """Return a server whose session was labeled by three people, one of whom has a strange name."""
    for i in range(20):
        labels = {i: "pos" if i % 2 == 0 else "neg"}
        session.submit(labels, annotator="ann", seconds=3.0)
        if i < 8:
            session.submit(labels, annotator="<b>bob</b>", seconds=4.0)
    session.submit({0: "neg"}, annotator="eve")
    site = start_server(PageBackend(session, title="Reviews <i>"))
    site.session, site.link = session, f"http://{site.host}/dashboard#token={TOKEN}"
    return site


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
def test_the_campaign_is_shown(browser, campaign, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    trouble = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda m: m.type == "error" and trouble.append(m.text))
    page.goto(campaign.link)
    page.get_by_text("Krippendorff's alpha").wait_for()
    assert page.url == f"http://{campaign.host}/dashboard"  # the token is gone from the address
    assert page.title() == "Reviews <i>: campaign"
    assert page.get_by_role("heading", level=1).inner_text() == "Reviews <i>"
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert headings == [
        "Progress", "Labels over time", "Accuracy", "Routing", "Classes", "People", "Agreement",
        "Costs", "Drift",
    ]  # fmt: skip
    assert page.get_by_role("row", name=re.compile("bob.* 8 4.0 s")).is_visible()
    assert page.get_by_text("<b>bob</b>", exact=True).is_visible()
    chart = page.get_by_role("img", name="Labeled by people: 20, Left: 20")
    assert chart.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert trouble == []
    context.close()


def test_the_page_follows_the_session_and_says_when_it_cannot(browser, campaign):
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(campaign.link)
    page.get_by_text("20 of 40").wait_for()
    page.get_by_text("Numbers").first.click()
    campaign.session.submit({21: "pos"}, annotator="ann", seconds=1.0)
    page.clock.run_for(11_000)
    page.get_by_text("21 of 40").wait_for()
    assert page.locator("details[open]").count() == 1  # what was opened stays open
    campaign.stop()
    page.clock.run_for(11_000)
    page.get_by_text("The server cannot be reached").wait_for()
    assert page.get_by_text("21 of 40").is_visible()
    context.close()


def test_links_lead_from_one_page_to_the_other(browser, campaign):
    context = browser.new_context()
    page = context.new_page()
    page.goto(campaign.link)
    page.get_by_role("link", name="Label").click()
    page.get_by_label("Your name").fill("ann")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Campaign").click()
    page.get_by_text("Krippendorff's alpha").wait_for()
    context.close()


def test_who_labels_gets_the_reason_and_no_link(browser, session, start_server):
    site = start_server(PageBackend(session), people=PEOPLE)
    context = browser.new_context()
    page = context.new_page()
    token = site.access.tokens["ann"]
    page.goto(f"http://{site.host}/dashboard#token={token}")
    page.get_by_text("ann labels here: the campaign is for those who review.").wait_for()
    page.goto(f"http://{site.host}/")
    page.get_by_role("button", name="pos").wait_for()
    assert page.get_by_role("link", name="Campaign").is_hidden()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, campaign, axe, scheme):
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(campaign.link)
    page.get_by_text("Krippendorff's alpha").wait_for()
    page.add_script_tag(content=axe)
    found = page.evaluate("axe.run()")["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
    context.close()
