"""Suggestions, progress and problems on the page."""


def test_suggestions_only_when_asked_for(open_page):
    page = open_page(suggestion=[["dog", 0.7], ["cat", 0.3]])
    page.focus_title()
    page.wait_for_timeout(100)
    assert page.messages("suggest") == []
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


def test_progress_accuracy_curve_and_stop(open_page):
    page = open_page(
        state={
            "title": "Animals", "n_rows": 2000, "n_labeled": 500, "mine": 20, "n_skipped": 3,
            "accuracy_text": "Accuracy 80.0 % (95 % interval 75.0 % to 85.0 %)",
            "curve": [[10, 0.5], [20, 0.8]],
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


def test_a_problem_of_the_model_is_said_and_labeling_goes_on(open_page):
    page = open_page(state={"problem": "ValueError: too odd"})
    assert "too odd" in page.get_by_role("alert").inner_text()
    page.focus_title()
    page.keyboard.press("1")
    assert "too odd" in page.get_by_role("alert").inner_text()
    assert page.saved_answers() == {0: "cat"}


def counts(page):
    return page.locator(".ska-counts").inner_text()


def test_counters_follow_at_once(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate("stub.ms = 10000")
    page.keyboard.press("1")
    assert counts(page) == "1 of 30 labeled · 1 by you"
    assert page.get_by_role("progressbar").evaluate("bar => bar.value") == 1
    page.keyboard.press("s")
    assert counts(page) == "1 of 30 labeled · 1 by you · 1 skipped"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("2")  # the skipped row gets a label
    assert counts(page) == "2 of 30 labeled · 2 by you"
    page.keyboard.press("d")
    assert counts(page) == "2 of 30 labeled · 2 by you · 1 unknown"
    page.stop_clock()
    for expected in ("2 of 30 labeled · 2 by you", "1 of 30 labeled · 1 by you · 1 skipped"):
        page.tick()
        page.keyboard.press("u")
        assert counts(page) == expected


def test_counters_are_corrected_by_the_reply(open_page):
    page = open_page()
    page.focus_title()
    page.evaluate("stub.state.n_labeled = 17")  # others label too
    page.keyboard.press("1")
    page.saved_answers()
    assert counts(page) == "17 of 30 labeled · 1 by you"
    page.evaluate("stub.refuse = (m) => m.do === 'label' && { error: 'no' }; 0")
    page.keyboard.press("2")
    page.wait_for_function("document.querySelector('.ska-error').innerText === 'no'")
    assert counts(page) == "17 of 30 labeled · 1 by you"


def test_accuracy_is_what_the_backend_says(open_page):
    page = open_page(state={"fitting": True, "accuracy_text": ""})
    accuracy = page.locator(".ska-accuracy")
    assert accuracy.inner_text() == "A model is being fitted…"
    page.evaluate("stub.state.accuracy_text = 'Accuracy: after 20 audit rows; 3 so far'")
    page.focus_title()
    page.keyboard.press("1")
    page.wait_for_function("/3 so far/.test(document.querySelector('.ska-accuracy').innerText)")
