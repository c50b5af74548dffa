"""Label in the real JupyterLab, in a real browser: ``python tests/labeling/jupyterlab_check.py``.

Needs jupyterlab, anywidget, playwright and chromium. It starts a server on a free port of the
loopback address in a temporary folder, opens a notebook, runs its cell, labels by click and by
keys, types ``d d`` and other shortcuts into the widget, and compares what is in the store.
``--shots FOLDER`` keeps screenshots, light and dark.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

SETUP = """
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from skactive import ActiveLearner
from skactive.labeling import LabelingSession
from skactive.labeling.widget import LabelingWidget

X, y = load_digits(return_X_y=True)
session = LabelingSession(
    ActiveLearner(LogisticRegression(max_iter=200)), X[:300], store="labels.db",
    classes=list(range(10)), audit_share=0.2, random_state=0,
)
LabelingWidget(
    session, render=lambda row: row.reshape(8, 8), annotator="ann", title="Digits"
)
"""
REPORT = """
import json, pathlib
pathlib.Path("records.json").write_text(json.dumps(session.records()))
"""


def notebook():
    """Return a notebook of three cells, as a file holds it."""
    cells = [
        {
            "cell_type": "code", "id": f"c{i}", "execution_count": None, "metadata": {},
            "outputs": [], "source": source.strip(),
        }
        for i, source in enumerate([SETUP, "'the second cell'", REPORT])
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@contextmanager
def served(folder):
    """Run a server of JupyterLab in a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ip=127.0.0.1", "--IdentityProvider.token=t", f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    environment = os.environ | {
        f"JUPYTER_{kind}_DIR": str(folder / ".jupyter" / kind) for kind in ("CONFIG", "RUNTIME")
    }
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/api/status?token=t")
            yield f"http://127.0.0.1:{port}/lab/tree/demo.ipynb?token=t&reset"
        finally:
            server.terminate()
            server.wait(30)


def wait_for(address):
    """Wait until an address answers."""
    for _ in range(120):
        try:
            urlopen(address, timeout=2).close()
            return
        except (URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError("JupyterLab did not start; see server.log.")


def n_cells(page):
    """Count the cells of the notebook."""
    return page.locator(".jp-NotebookPanel .jp-Cell").count()


def label(page, shots):
    """Run the first cell, and label."""
    page.get_by_text("| Idle").wait_for(timeout=60_000)  # before, a cell runs into the void
    page.locator(".jp-Cell").first.click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".ska-image", timeout=60_000)
    page.wait_for_timeout(500)
    page.locator(".ska-title").click()
    before = n_cells(page)
    for key in ("1", "2", "d", "d", "x", "a", "b", "z", "Escape", "m", "0", "0"):
        page.keyboard.press(key)
    page.keyboard.press("u")
    page.get_by_role("button", name="7", exact=True).click()
    for _ in range(30):
        page.keyboard.press("5")
        page.wait_for_timeout(30)
    page.wait_for_function("document.querySelector('.ska-status').textContent === 'Saved'")
    assert n_cells(page) == before, "a shortcut of the notebook fired"
    if shots:
        page.screenshot(path=str(shots / "jupyterlab-light.png"))
        page.evaluate("document.body.dataset.jpThemeLight = 'false'")
        page.wait_for_timeout(200)
        page.locator(".ska").screenshot(path=str(shots / "jupyterlab-dark-widget.png"))
    return latencies(page)


def latencies(page):
    """Return the milliseconds from a key press to the next item on screen, and its paint."""
    page.evaluate("""() => {
        window.found = [];
        const root = document.querySelector('.ska');
        root.addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
        root.addEventListener('skactive:shown', () => requestAnimationFrame(() => setTimeout(
            () => found.push(performance.now() - pressed))));
    }""")
    for key in "3456" * 10:
        page.keyboard.press(key)
        page.wait_for_timeout(120)
    return sorted(page.evaluate("found"))


def report(page, folder):
    """Run the last cell, and return what the session has."""
    page.locator(".jp-Cell").last.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    path = folder / "records.json"
    for _ in range(60):
        if path.exists():
            return json.loads(path.read_text())
        page.wait_for_timeout(250)
    raise RuntimeError("The last cell did not run.")


def main():
    """Check, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shots", type=Path, help="a folder for screenshots")
    shots = parser.parse_args().shots
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
    # Late: without playwright, too, pytest looks at this file for doctests.
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "demo.ipynb").write_text(json.dumps(notebook()))
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        with served(folder) as address:
            page = chromium.new_page(viewport={"width": 1200, "height": 900})
            page.goto(address)
            page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=90_000)
            try:
                found = label(page, shots)
                records = report(page, folder)
            except BaseException:
                if shots:
                    page.screenshot(path=str(shots / "jupyterlab-failed.png"))
                raise
        chromium.close()
    kinds = [(record["kind"], record["label"]) for record in records]
    # 1, 2, d, d, 0, 0, of which u takes back the last; then a click on 7. Other keys do nothing.
    expected = [("label", 1), ("label", 2), *[("unknown", None)] * 2, ("label", 0), ("label", 7)]
    assert kinds[:6] == expected, kinds[:8]
    assert len(kinds) == 6 + 30 + 40, len(kinds)
    assert {record["annotator"] for record in records} == {"ann"}
    print(f"{len(kinds)} answers, all stored once; no shortcut of the notebook fired")
    print(f"key to next item: median {found[len(found) // 2]:.1f} ms, most {found[-1]:.1f} ms")


if __name__ == "__main__":
    main()
