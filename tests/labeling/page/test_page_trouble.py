"""Lost connections, refusals, and the end of the page: no answer is lost."""


def test_a_lost_connection_keeps_the_answers(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate("stub.online = false")
    for key in "212":
        page.keyboard.press(key)
    page.wait_for_function(
        "/3 answers are kept/.test(document.querySelector('.ska-status').innerText)"
    )
    assert "Connection lost" in page.locator(".ska-status").inner_text()
    assert page.item() == "row 3"
    page.evaluate("stub.online = true")
    page.wait_for_function("stub.log.length === 3")
    assert page.saved_answers() == {0: "dog", 1: "cat", 2: "dog"}
    assert page.evaluate("stub.log") == [0, 1, 2]


def test_a_reply_that_never_comes(open_page):
    page = open_page({"timeoutMs": 100})
    page.focus_title()
    page.evaluate("stub.mute = true")
    page.keyboard.press("2")
    page.wait_for_function("/kept here/.test(document.querySelector('.ska-status').innerText)")
    page.evaluate("stub.mute = false")
    page.wait_for_function("stub.log.length === 1")
    assert page.saved_answers() == {0: "dog"}
    assert len({m["key"] for m in page.messages("label")}) == 1


def test_a_full_disk_is_tried_again(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate(
        "stub.refuse = (m) => m.do === 'label' && { error: 'the disk is full', retry: true }; 0"
    )
    page.keyboard.press("2")
    page.wait_for_function("/disk is full/.test(document.querySelector('.ska-status').innerText)")
    page.evaluate("stub.refuse = null")
    page.wait_for_function("stub.log.length === 1")
    assert page.saved_answers() == {0: "dog"}


def test_an_answer_that_is_refused_is_asked_again(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate(
        "stub.refuse = (m) => m.do === 'label' && m.id === 0 && { error: 'no such class' }; 0"
    )
    page.keyboard.press("2")
    page.wait_for_function("document.querySelector('.ska-item').innerText === 'row 0'")
    assert "no such class" in page.locator(".ska-error").inner_text()
    page.evaluate("stub.refuse = null")
    page.keyboard.press("1")
    assert page.item() == "row 1"
    assert page.saved_answers() == {0: "cat"}
    assert page.locator(".ska-error").inner_text() == ""


def test_what_is_held_is_given_back(open_page):
    page = open_page()
    page.wait_for_function("stub.next >= 5")
    page.evaluate("window.page.destroy()")
    (message,) = page.messages("release")
    assert message["tickets"][:2] == ["t0", "t1"]
    assert page.locator("#root").inner_html() == ""


def test_answers_under_way_survive_the_end_of_the_page(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate("stub.ms = 100")
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.evaluate("window.page.destroy()")
    page.wait_for_function("stub.log.length === 2")
