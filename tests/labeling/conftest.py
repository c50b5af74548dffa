"""Fixtures for tests of labeling: sessions, and a browser, if one is installed."""

import os
import shutil
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearner
from skactive.labeling import LabelingSession


@pytest.fixture
def open_session(tmp_path):
    """Return a function that opens sessions on one store; all are closed at the end."""
    sessions = []
    X, _ = load_iris(return_X_y=True)

    def make(rows=X, *, learner=None, strategy=None, model=None, **options):
        if learner is None:
            learner = ActiveLearner(GaussianNB() if model is None else model, strategy)
        options = {
            "store": tmp_path / "labels.db", "background": False, "random_state": 0
        } | options  # fmt: skip
        sessions.append(LabelingSession(learner, rows, **options))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def browser():
    """Return Chromium, driven by playwright; tests that need it are skipped without it."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs chromium")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def tab(browser):
    """Return a new tab; a script that fails in it fails the test."""
    context = browser.new_context(viewport={"width": 900, "height": 800})
    page = context.new_page()
    page.set_default_timeout(10_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


@pytest.fixture(scope="session")
def axe():
    """Return axe-core, a checker of accessibility; it is not part of this project."""
    path = os.environ.get("AXE_CORE")
    if not path:
        pytest.skip("AXE_CORE does not name an axe.min.js (npm pack axe-core)")
    return Path(path).read_text(encoding="utf-8")
