"""Shared by the tests of the page: the page in a browser, with a stub of the backend."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from skactive.labeling.page import asset
from skactive.labeling.page._class_list import ClassList

STUB = Path(__file__).with_name("page_stub.js").read_text(encoding="utf-8")


class OpenPage:
    """The page in a tab of playwright, with shortcuts for what tests often ask."""

    def __init__(self, tab):
        self._tab = tab

    def __getattr__(self, name):
        return getattr(self._tab, name)

    def item(self):
        """Return the text of the item on screen."""
        return self._tab.locator(".ska-item").inner_text()

    def focus_title(self):
        """Move the focus into the page, to no control."""
        self._tab.locator(".ska-title").click()

    def stop_clock(self):
        """Stop the clock by which the page tells bounced keys from others."""
        self._tab.evaluate("window.clock = performance.now()")

    def tick(self, ms=320):
        """Put the stopped clock forward, by default so far that the same key is no bounce."""
        self._tab.evaluate("(ms) => { window.clock += ms }", ms)

    def button(self, name):
        """Return the button with a name."""
        return self._tab.get_by_role("button", name=name, exact=True)

    def messages(self, do):
        """Return the messages of a kind that were sent, lost ones too."""
        return self._tab.evaluate(f"stub.received.filter((message) => message.do === '{do}')")

    def saved_answers(self):
        """Wait until all answers are stored, and return the last answer to each row."""
        is_saved = "!/Saving|kept/.test(document.querySelector('.ska-status').textContent)"
        self._tab.wait_for_function(is_saved)
        self._tab.wait_for_function("!stub.ms")
        return dict(
            self._tab.evaluate(
                "[...stub.labels].map(([row, answers]) => [row, answers.at(-1)])"
                ".filter(([, last]) => last).map(([row, { kind, label }]) => [row, label ?? kind])"
            )
        )


def describe_keys(classes):
    """Return the keys that the backend sends with these classes."""
    listed = ClassList(SimpleNamespace(classes=classes))
    listed.update()
    return listed.describe()["keys"]


@pytest.fixture
def open_page(tab):
    """Return a function that opens the page; keywords are set in the stub before."""
    tab.expose_function("describeKeys", describe_keys)

    def open_with(options=None, before="", **stub):
        tab.set_content(
            '<!doctype html><html lang="en"><head><title>Labeling</title>'
            f"<style>{asset('page.css')}</style></head><body><main><div id='root'></div></main>"
        )
        tab.add_script_tag(content=STUB)
        tab.evaluate("(settings) => Object.assign(stub, settings)", stub)
        if before:
            tab.evaluate(before)
        tab.evaluate(
            "(options) => { window.options = options }", {"retryMs": 20, **(options or {})}
        )
        mounting = "window.page = mount(document.getElementById('root'), send, options)"
        tab.add_script_tag(content=f"{asset('page.js')}\n{mounting};", type="module")
        tab.wait_for_function("document.querySelector('.ska-counts')?.textContent")
        return OpenPage(tab)

    return open_with
