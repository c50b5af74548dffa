"""The classes are renamed and merged on the page, after a question."""


def open_editor(page):
    page.focus_title()
    page.keyboard.press("e")
    return page.get_by_role("dialog", name="Edit classes")


COUNTS = {"counts": [["cat", 12], ["dog", 1], ["bird", 0]]}


def test_rename(open_page):
    page = open_page(state=COUNTS)
    page.focus_title()
    page.keyboard.press("1")
    dialog = open_editor(page)
    assert dialog.locator("li").all_inner_texts()[0].split("\n")[:2] == ["cat", "12 labels"]
    page.button("Rename cat").click()
    page.keyboard.type("s")
    page.keyboard.press("Enter")
    assert "Rename “cat” to “s”? 12 labels will follow." in dialog.inner_text()
    page.keyboard.press("Enter")  # it bounces: this is no consent
    assert page.messages("rename_class") == []
    page.button("Rename").click()
    page.get_by_text("“cat” is now “s”.").wait_for()
    (message,) = page.messages("rename_class")
    assert (message["old"], message["new"], len(message["key"])) == ("cat", "s", 32)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    assert "Labeled s." in page.locator(".ska-past").inner_text()
    assert page.button("s").get_attribute("aria-pressed") == "true"


def test_merge(open_page):
    page = open_page(state=COUNTS | {"multilabel": True})
    page.focus_title()
    page.keyboard.press("2")
    dialog = open_editor(page)
    page.button("Rename dog").click()
    page.keyboard.type(" cat ")
    page.button("Continue").click()
    assert "Merge “dog” into “cat”? 1 label will be “cat”" in dialog.inner_text()
    page.button("Cancel").click()
    assert dialog.get_by_role("combobox").input_value() == " cat "
    page.button("Continue").click()
    page.button("Merge").click()
    page.get_by_text("“dog” is merged into “cat”.").wait_for()
    page.button("Close").click()
    page.keyboard.press("Enter")
    assert page.saved_answers() == {0: ["cat"]}  # the pick has followed
    assert page.messages("rename_class")[0]["new"] == "cat"


def test_names_that_do_not_do(open_page):
    page = open_page(
        classes=[1, 2],
        before="stub.refuse = (m) => m.do === 'rename_class' && { error: 'no such \\u202e' }; 0",
    )
    dialog = open_editor(page)
    page.button("Rename 1").click()
    for name, problem in (("", "Type a name."), (" 1 ", "This is the name that it has.")):
        dialog.locator("input").fill(name)
        page.keyboard.press("Enter")
        assert dialog.get_by_role("alert").inner_text() == problem
    dialog.locator("input").fill("3")
    page.keyboard.press("Enter")
    page.button("Rename").click()
    page.get_by_text("no such ⟨U+202E⟩").wait_for()
    assert page.messages("rename_class")[0]["new"] == 3  # numbers stay numbers
    assert dialog.locator("input").input_value() == "3"


def test_many_classes_are_found(open_page):
    page = open_page(classes=[f"kind {i:04}" for i in range(1500)])
    dialog = open_editor(page)
    assert dialog.locator("li").count() == 100
    dialog.get_by_label("Search for a class").fill("1499")
    assert dialog.locator("li").count() == 1
    assert page.evaluate("document.activeElement.className") == "ska-search"


def test_classes_that_others_rename(open_page):
    page = open_page()
    dialog = open_editor(page)
    page.evaluate("stub.classes = ['kitten', 'dog', 'bird']")
    page.wait_for_function("/kitten/.test(document.querySelector('dialog').innerText)")
    page.keyboard.press("Escape")
    assert dialog.count() == 0
    page.button("kitten").click()
    assert page.saved_answers() == {0: "kitten"}


def test_a_rename_whose_reply_is_lost_is_sent_again(open_page):
    page = open_page()
    open_editor(page)
    page.button("Rename cat").click()
    page.keyboard.type("kitten")
    page.keyboard.press("Enter")
    page.evaluate("stub.online = false")
    page.button("Rename").click()
    page.wait_for_function("/kept here/.test(document.querySelector('.ska-status').innerText)")
    page.keyboard.press("Escape")
    page.evaluate("stub.online = true")
    page.button("kitten").wait_for()
    assert len({message["key"] for message in page.messages("rename_class")}) == 1
