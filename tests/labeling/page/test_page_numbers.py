"""The page of a session of numbers: one field in place of the classes."""

import re

import pytest
from number_cases import READ, REFUSED

from skactive.labeling.page import asset

ANY = {"low": None, "high": None, "range": ""}
SHARE = {"low": 0, "high": 100, "range": "from 0 to 100"}


@pytest.fixture
def open_numbers(open_page):
    """Return a function that opens the page of a session of numbers, with the focus in the page."""

    def open_with(numbers=ANY, options=None, **stub):
        state = {"title": "Prices", "multilabel": False, "lease_seconds": 1800, "numbers": numbers}
        page = open_page({"autofocus": True, **(options or {})}, classes=[], state=state, **stub)
        page.wait_for_function("document.activeElement.matches('.ska-number')")
        return page

    return open_with


def field(page):
    return page.get_by_role("textbox", name="Number")


def enter(page, text):
    field(page).fill(text)
    page.keyboard.press("Enter")


def error(page):
    return page.get_by_role("alert").inner_text()


def test_texts_are_read_as_in_python(tab):
    read = """async ({ script, texts, range }) => {
        const { readNumber } = await import("data:text/javascript," + encodeURIComponent(script));
        return texts.map((text) => {
            try { return [readNumber(text), ""]; } catch (error) { return [null, error.message]; }
        });
    }"""
    arguments = {"script": asset("page.js"), "texts": [*READ, *REFUSED]}
    found = tab.evaluate(read, arguments)
    for (text, expected), (number, message) in zip(READ.items(), found, strict=False):
        assert (number, message) == (expected, ""), text
    for (text, phrase), (number, message) in zip(REFUSED.items(), found[len(READ) :], strict=True):
        assert number is None, text
        assert phrase in message
        assert len(message) < 300


def test_numbers_are_stored_and_the_field_is_ready_for_the_next(open_numbers):
    page = open_numbers()
    assert page.locator(".ska-classes").is_hidden()
    assert page.button("New class").count() == 0
    for text in ("3.7", "-2", "1e3", "3,5"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        assert field(page).input_value() == ""
    assert page.saved_answers() == {0: 3.7, 1: -2, 2: 1000, 3: 3.5}
    assert field(page).evaluate("field => field === document.activeElement")
    assert [m["seconds"] >= 0 for m in page.messages("label")] == [True] * 4


def test_a_submit_button_stores_too(open_numbers):
    page = open_numbers()
    field(page).fill("12")
    page.button("Submit").click()
    assert page.saved_answers() == {0: 12}
    assert field(page).evaluate("field => field === document.activeElement")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("", "Type a number"),
        ("5 kg", "without units"),
        ("1,234", "write 1234"),
        ("120", "out of range"),
    ],
)
def test_what_is_refused_stays_in_the_field(open_numbers, text, phrase):
    page = open_numbers(SHARE)
    enter(page, text)
    assert phrase in error(page)
    assert field(page).input_value() == text
    assert field(page).get_attribute("aria-invalid") == "true"
    assert page.item() == "row 0"
    enter(page, "5")
    assert error(page) == ""
    assert field(page).get_attribute("aria-invalid") is None
    assert page.saved_answers() == {0: 5}


def test_a_bounced_enter_neither_stores_nor_complains(open_numbers):
    page = open_numbers()
    page.stop_clock()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert error(page) == ""
    page.tick()
    page.keyboard.press("Enter")
    assert error(page) == "Type a number."
    assert page.saved_answers() == {0: 5}


def test_letters_are_no_commands_while_a_number_is_typed(open_numbers):
    page = open_numbers()
    page.keyboard.type("sdub?h-/5")
    assert field(page).input_value() == "sdub?h-/5"
    assert page.get_by_role("dialog").count() == 0
    page.keyboard.press("Enter")
    assert "is not a number" in error(page)
    assert page.saved_answers() == {}


def test_outside_of_the_field_letters_are_keys_and_digits_lead_back(open_numbers):
    page = open_numbers()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("Escape")
    page.keyboard.type("-41")
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: "skip", 1: "unknown", 2: -41}


def test_a_number_is_gone_back_to_corrected_and_kept(open_numbers):
    page = open_numbers()
    for text in ("10", "20"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    assert "1 back. Labeled 20." in page.locator(".ska-past").inner_text()
    assert field(page).input_value() == "20"
    page.keyboard.press("ArrowLeft")  # nothing was typed, so it is no movement in the field
    assert field(page).input_value() == "10"
    page.keyboard.type("11")  # replaces the number
    page.keyboard.press("Enter")
    assert field(page).input_value() == "20"
    page.stop_clock()
    page.tick()
    page.keyboard.press("Enter")
    assert page.item() == "row 2"
    assert page.saved_answers() == {0: 11, 1: 20}
    assert [m["label"] for m in page.messages("relabel")] == [11, 20]


def test_arrows_move_in_a_number_that_is_typed(open_numbers):
    page = open_numbers()
    enter(page, "5")
    page.keyboard.type("12")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("0")
    assert field(page).input_value() == "102"
    assert page.item() == "row 1"


def test_undo_brings_the_number_back(open_numbers):
    page = open_numbers()
    page.stop_clock()
    enter(page, "37")
    page.tick()
    page.keyboard.press("Control+z")
    assert page.item() == "row 0"
    assert field(page).input_value() == "37"
    assert "Undone: labeled 37" in page.locator(".ska-past").inner_text()
    page.tick()
    page.keyboard.type("38")
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: 38}


def test_undo_leaves_a_typed_number_to_the_field(open_numbers):
    page = open_numbers()
    enter(page, "37")
    page.keyboard.type("4")
    page.keyboard.press("Control+z")
    assert page.item() == "row 1"
    assert page.saved_answers() == {0: 37}


def test_a_number_that_the_session_refuses_comes_back(open_numbers):
    page = open_numbers()
    page.evaluate("stub.refuse = message => message?.label === 7 ? { error: 'Not 7.' } : undefined")
    enter(page, "7")
    page.wait_for_function("document.querySelector('.ska-error').textContent === 'Not 7.'")
    assert page.item() == "row 0"
    assert field(page).input_value() == "7"


def test_replies_do_not_disturb_what_is_typed(open_numbers):
    page = open_numbers()
    page.keyboard.type("12")
    page.evaluate("page && send({ do: 'state' })")
    page.evaluate("stub.state.problem = 'no memory'")
    page.wait_for_function("document.querySelector('.ska-error').textContent.includes('memory')")
    page.keyboard.type("3")
    assert field(page).input_value() == "123"


def test_the_model_predicts_on_demand_only(open_numbers):
    page = open_numbers(suggestion="The model predicts 3.71 (standard deviation 0.41).")
    suggestion = page.locator(".ska-suggestion")
    assert suggestion.inner_text() == ""
    page.button("Suggest").click()
    assert suggestion.inner_text() == "The model predicts 3.71 (standard deviation 0.41)."
    enter(page, "4")
    assert suggestion.inner_text() == ""
    page.evaluate("stub.suggestion = null")
    page.button("Suggest").click()
    assert suggestion.inner_text() == "There is no model yet to predict a number."


def test_who_reviews_sees_the_numbers_of_others(open_numbers):
    given = [
        {"annotator": "bob", "kind": "label", "label": 4.5},
        {"annotator": "cy", "kind": "label", "label": 5},
    ]
    earlier = [{"id": 29, "kind": "label", "label": 4.5, "answers": given}]
    page = open_numbers(earlier=earlier)
    page.evaluate("Object.assign(stub.state, { role: 'reviews', annotator: 'ann' })")
    page.wait_for_function("page && document.querySelector('[aria-pressed]')?.hidden === false")
    page.keyboard.press("ArrowLeft")
    answers = page.locator(".ska-answers")
    answers.wait_for()
    assert answers.inner_text() == "bob: 4.5, counts · cy: 5, differs"
    assert field(page).input_value() == "4.5"


def test_phones_have_a_sign_and_a_keyboard_of_digits(browser, open_numbers):
    page = open_numbers()
    assert field(page).get_attribute("inputmode") == "decimal"
    sign = page.locator(".ska-sign")
    assert sign.get_attribute("aria-label") == "Change the sign"
    page.keyboard.type("5")
    sign.evaluate("button => button.click()")
    assert field(page).input_value() == "-5"
    sign.evaluate("button => button.click()")
    assert field(page).input_value() == "5"


def test_no_sign_is_offered_where_numbers_are_positive(open_numbers):
    page = open_numbers(SHARE)
    assert page.locator(".ska-sign").evaluate("button => button.hidden")
    assert page.locator(".ska-entry").inner_text().split() == ["Number", "from", "0", "to", "100"]


def test_all_keys_of_numbers_are_explained(open_numbers):
    page = open_numbers()
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    text = page.get_by_role("dialog", name="Keys").inner_text()
    assert re.search(r"Enter\s+Submit\s+Store the number that is typed", text)
    assert re.search(r"Esc\s+Leave the field", text)
    assert "classes" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_numbers, axe, scheme):
    page = open_numbers(SHARE, {"heading": 1})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    enter(page, "120")
    page.add_script_tag(content=axe)
    found = page.evaluate("axe.run()")["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
