"""The answers of everybody, for somebody who reviews."""

import pytest


def answer(annotator, label, kind="label"):
    return {"annotator": annotator, "kind": kind, "label": label, "time": 1.7e9}


EARLIER = [
    {"id": 5, "answers": [answer("bob", None, "skip"), answer("ann", "dog")]},
    {"id": 4, "answers": [answer("ann", "cat"), answer("bob", "dog")]},
    {"id": 3, "answers": [answer("bob", "bird"), answer("ann", "bird")]},
    {"id": 2, "kind": "label", "label": "cat",
     "answers": [answer(None, "bird"), answer("eve", "cat"), answer("bob", None, "unknown")]},
]  # fmt: skip
REVIEWS = {"role": "reviews", "annotator": "eve"}


@pytest.fixture
def page(open_page):
    page = open_page(next=6, earlier=EARLIER, state=REVIEWS)
    page.focus_title()
    return page


def go_back(page, row, key="b"):
    page.keyboard.press(key)
    page.wait_for_function(f"document.querySelector('.ska-item').innerText === 'row {row}'")


def given(page):
    return page.locator(".ska-answers").inner_text()


def test_back_shows_who_answered_what(page):
    shown = []
    for row in (5, 4, 3, 2):
        go_back(page, row)
        shown.append((given(page), page.locator(".ska-answers strong").inner_text()))
    assert shown == [
        ("bob: skipped · ann: dog, counts", "ann: dog, counts"),
        ("ann: cat, counts · bob: dog, differs", "ann: cat, counts"),
        ("bob: bird, counts · ann: bird", "bob: bird, counts"),
        ("(no name): bird, counts · eve: cat, differs · bob: don't know",
         "(no name): bird, counts"),
    ]  # fmt: skip
    assert "Labeled cat. Answer again" in page.locator(".ska-past").inner_text()
    assert page.button("bird").get_attribute("aria-pressed") == "true"
    assert "Next: row 2. (no name): bird" in page.locator(".ska-hidden").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".ska-answers").is_hidden()


def test_a_router_says_its_price_and_its_confidence_only_on_request(open_page):
    answers = [answer("ann", "cat"), answer("small-model", "dog") | {"cost": 0.00215}]
    page = open_page(next=6, earlier=[{"id": 5, "answers": answers}], state=REVIEWS)
    routed = {"annotator": "small-model", "label": "dog", "confidence": 0.9612, "cost": 0.00215}
    page.evaluate("routed => { stub.routed = routed }", [routed])
    page.focus_title()
    go_back(page, 5)
    assert given(page) == "ann: cat, counts · small-model (router, cost 0.00215): dog, differs"
    assert "96" not in page.locator(".ska").inner_text()
    page.keyboard.press("?")
    said = page.get_by_text("small-model (router, cost 0.00215) says dog, 96.1 % sure.")
    said.wait_for()


def test_an_answer_there_is_the_reviewer_s_own_and_counts(page):
    page.evaluate("stub.state.n_labeled = 4; stub.state.mine = 1")
    go_back(page, 5)
    go_back(page, 4)
    assert "Answer to label it yourself" in page.locator(".ska-past").inner_text()
    page.evaluate("stub.ms = 10000")
    page.keyboard.press("3")
    assert page.item() == "row 5"
    assert "4 of 30 labeled · 2 by you" in page.locator(".ska-counts").inner_text()
    page.keyboard.press("ArrowLeft")
    assert given(page) == "eve: bird, counts · ann: cat, differs · bob: dog, differs"
    page.keyboard.press("u")
    assert given(page) == "ann: cat, counts · bob: dog, differs"
    page.keyboard.press("2")
    page.keyboard.press("s")  # row 5, of which the label of ann counts as before
    assert "4 of 30 labeled · 2 by you" in page.locator(".ska-counts").inner_text()
    page.evaluate("stub.ms = 0")
    assert page.saved_answers() == {4: "dog", 5: "skip"}
    assert {(m["id"], m["label"]) for m in page.messages("relabel")} == {(4, "bird"), (4, "dog")}


def test_what_others_answered_since_is_there(page):
    go_back(page, 5)
    page.keyboard.press("Escape")
    page.evaluate(
        "stub.earlier[0].answers.unshift({annotator: 'bob', kind: 'label', label: 'cat'})"
    )
    page.evaluate(
        "stub.earlier.unshift({id: 1, answers: [{annotator: 'bob', kind: 'label', label: 'cat'}]})"
    )
    for row in (1, 5, 4, 3, 2):
        go_back(page, row)
    page.keyboard.press("b")
    page.wait_for_function("/no earlier/.test(document.querySelector('.ska-error').innerText)")


def test_an_answer_is_undone_though_the_history_was_loaded_again(page):
    go_back(page, 5)
    page.keyboard.press("3")
    page.saved_answers()
    go_back(page, 5)
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    assert page.item() == "row 5"
    assert given(page) == "bob: skipped · ann: dog, counts"
    assert page.saved_answers() == {}
    page.keyboard.press("ArrowRight")
    assert page.item() == "row 6"


def test_only_rows_with_different_labels(page):
    toggle = page.button("Only rows with different labels")
    assert toggle.get_attribute("aria-pressed") == "false"
    toggle.click()
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 4'")
    assert toggle.get_attribute("aria-pressed") == "true"
    page.keyboard.press("1")  # then the one before is shown
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 2'")
    page.keyboard.press("b")
    page.wait_for_function(
        "/no earlier rows with diff/.test(document.querySelector('.ska-error').innerText)"
    )
    assert page.item() == "row 2"
    toggle.click()
    assert page.item() == "row 6"
    for row in (5, 4, 3):
        go_back(page, row)
    assert [bool(m.get("differ")) for m in page.messages("history")] == [True, False, False]


def test_a_multilabel_row_begins_with_the_classes_that_count(open_page):
    earlier = [{"id": 0, "answers": [answer("ann", ["cat", "bird"]), answer("bob", ["cat"])]}]
    page = open_page(next=1, earlier=earlier, state={**REVIEWS, "multilabel": True})
    page.focus_title()
    go_back(page, 0)
    assert given(page) == "ann: cat, bird, counts · bob: cat, differs"
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: ["cat"]}


def test_names_are_text_that_cannot_hide(open_page):
    earlier = [{"id": 0, "answers": [answer("<b>\u202ebob", "dog")]}]
    page = open_page(next=1, earlier=earlier, state={**REVIEWS, "role": "administers"})
    page.focus_title()
    go_back(page, 0)
    assert given(page) == "<b>⟨U+202E⟩bob: dog, counts"


@pytest.mark.parametrize("role", ["labels", None])
def test_others_are_not_offered_it(open_page, role):
    page = open_page(state={"role": role})
    assert page.button("Only rows with different labels").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page, axe, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": 320, "height": 700})
    page.button("Only rows with different labels").click()
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 4'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.add_script_tag(content=axe)
    found = page.evaluate("axe.run({ rules: { 'page-has-heading-one': { enabled: false } } })")
    assert [each["id"] for each in found["violations"]] == []
