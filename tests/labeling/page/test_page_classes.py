"""Many classes, several labels per row, new classes."""

from skactive.labeling._messages import PICK_CLASSES

MANY = [f"kind {i:02}" for i in range(40)] + ["Ärger", "zebra"]


def test_search(open_page):
    page = open_page(classes=MANY)
    search = page.get_by_role("combobox")
    page.focus_title()
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
    assert page.saved_answers() == {0: "zebra", 1: "kind 11"}


def test_search_leaves_digits_and_actions_to_the_page(open_page):
    page = open_page(classes=MANY)
    page.focus_title()
    page.keyboard.press("3")
    page.keyboard.press("s")
    page.get_by_role("option", name="kind 05").click()
    assert page.saved_answers() == {0: "kind 02", 1: "skip", 2: "kind 05"}


def test_arrows_go_round(open_page):
    page = open_page(classes=MANY)
    page.get_by_role("combobox").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: "zebra"}


def test_very_many_classes(open_page):
    page = open_page(classes=[f"kind {i:04}" for i in range(1500)])
    assert page.get_by_role("option").count() == 100
    assert "1,400 more" in page.locator(".ska-more").inner_text()
    page.get_by_role("combobox").fill("kind 1499")
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: "kind 1499"}


def test_several_labels(open_page):
    page = open_page(state={"multilabel": True})
    page.focus_title()
    for key in ("3", "1", "2", "2"):
        page.keyboard.press(key)
    assert page.item() == "row 0"
    assert page.button("bird").get_attribute("aria-pressed") == "true"
    assert page.button("dog").get_attribute("aria-pressed") == "false"
    page.keyboard.press("Enter")
    assert page.item() == "row 1"
    page.button("dog").click()
    page.keyboard.press("Enter")  # with the focus on a class
    page.button("None").click()
    assert page.saved_answers() == {0: ["cat", "bird"], 1: ["dog"], 2: []}
    page.stop_clock()
    page.keyboard.press("u")
    page.tick()
    page.keyboard.press("u")
    assert page.button("dog").get_attribute("aria-pressed") == "true"
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: ["cat", "bird"], 1: ["cat", "dog"]}


def test_enter_with_nothing_picked_stores_nothing(open_page):
    page = open_page(state={"multilabel": True})
    page.focus_title()
    page.stop_clock()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # it bounces
    assert page.item() == "row 1"
    assert page.get_by_role("alert").inner_text() == ""
    page.tick()
    page.keyboard.press("Enter")  # on purpose
    assert page.get_by_role("alert").inner_text() == PICK_CLASSES.format(key="-")
    page.button("Submit").click()
    assert page.saved_answers() == {0: ["cat"]}
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert page.item() == "row 2"
    assert page.get_by_role("alert").inner_text() == ""
    page.keyboard.press("2")
    page.keyboard.press("-")  # by mistake
    assert "press Enter to store them" in page.get_by_role("alert").inner_text()
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: ["cat"], 1: [], 2: ["dog"]}


def test_none_of_many_classes(open_page):
    page = open_page(classes=MANY, state={"multilabel": True})
    page.get_by_role("combobox").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text() == "Pick classes first, or press None (-)."
    page.keyboard.press("-")
    assert page.saved_answers() == {0: []}
    page = open_page(classes=[*MANY, "-1"], state={"multilabel": True})
    page.get_by_role("combobox").focus()
    page.stop_clock()
    page.keyboard.type("-1")
    page.keyboard.press("Enter")
    assert page.locator(".ska-picked").inner_text() == "Picked: -1"
    page.keyboard.press("Enter")  # it bounces
    assert page.saved_answers() == {}


def test_none_is_for_several_labels_only(open_page):
    page = open_page()
    page.focus_title()
    page.keyboard.press("-")
    assert page.button("None").count() == 0
    assert page.saved_answers() == {}


def test_enter_after_a_click_submits_what_is_picked(open_page):
    page = open_page(state={"multilabel": True})
    page.button("Skip").click()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: "skip", 1: ["cat"]}


def test_picks_of_a_class_that_is_gone_are_said(open_page):
    page = open_page({"retryMs": 10}, state={"multilabel": True})
    page.focus_title()
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.evaluate("stub.classes = ['kitten', 'dog', 'bird']")  # renamed in another tab
    page.wait_for_function("/“cat” is gone/.test(document.querySelector('.ska-error').innerText)")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: ["kitten", "dog"]}


def test_several_labels_of_many_classes(open_page):
    page = open_page(classes=MANY, state={"multilabel": True})
    page.get_by_role("combobox").focus()
    page.stop_clock()
    page.keyboard.type("zeb")
    page.keyboard.press("Enter")
    page.keyboard.type("arg")
    page.keyboard.press("Enter")
    assert page.locator(".ska-picked").inner_text() == "Picked: zebra, Ärger"
    page.tick()
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: ["Ärger", "zebra"]}


def test_new_classes(open_page):
    page = open_page(classes=[])
    field = page.get_by_role("textbox", name="Name of the new class")
    field.fill("s d 1")
    page.keyboard.press("Enter")
    page.button("s d 1").click()
    page.button("New class").click()
    page.keyboard.type("u?")
    page.keyboard.press("Enter")
    page.button("u?").click()
    assert page.saved_answers() == {0: "s d 1", 1: "u?"}
    assert [m["label"] for m in page.messages("add_class")] == ["s d 1", "u?"]


def test_new_classes_of_numbers_are_numbers(open_page):
    page = open_page(classes=[1, 2])
    page.button("New class").click()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    page.button("3").click()
    assert page.saved_answers() == {0: 3}
