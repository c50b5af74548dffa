"""Label in real notebooks, in a real browser: ``python tests/labeling/notebooks_check.py``.

Requires chromium, anywidget, playwright, jupyterlab, notebook, voila and marimo. For each of the
four kinds of notebooks, start a server on a free loopback port in a temporary folder, run a
notebook, label by clicks and keys, type ``d d`` and other shortcuts into the widget, and check the
store. ``--only NAME`` checks one kind; ``--shots FOLDER`` stores screenshots, light and dark.
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
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from skactive.cli.projects._stored_project import read_store

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
""".strip()
MARIMO = f"""
import marimo
app = marimo.App()

@app.cell
def _():
{"".join(f"    {line}" for line in SETUP.splitlines(keepends=True))}
    return

@app.cell
def _():
    "the second cell"
    return
""".strip()


def notebook():
    """Return a notebook of two cells, in the format of notebook files."""
    cells = [
        {
            "cell_type": "code", "id": f"c{i}", "execution_count": None, "metadata": {},
            "outputs": [], "source": source,
        }
        for i, source in enumerate([SETUP, "'the second cell'"])
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


class Frontend(NamedTuple):
    """A kind of notebook: the command of its server, the address, and how to use the page."""

    command: list[str]
    address: str
    start: Callable  # runs the first cell
    cells: str  # a selector
    dark: str  # JavaScript that switches the page around the widget to dark


def press_in_lab(page):
    """Run the first cell with the keyboard."""
    page.locator(".jp-Cell").first.click()
    page.keyboard.press("Shift+Enter")


def click_in_marimo(page):
    """Run the first cell with its button."""
    page.get_by_test_id("run-button").first.click()


def run(page, start):
    """Run the first cell, again if the kernel was not ready, until the widget is shown."""
    from playwright.sync_api import TimeoutError as TooLate

    for _ in range(4):
        start(page)
        with suppress(TooLate):
            page.locator(".ska").wait_for(timeout=30_000)
            return


JUPYTER = [
    "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port={port}",
    "--IdentityProvider.token=t", "--ServerApp.root_dir={folder}",
]  # fmt: skip
LAB_DARK = "document.body.dataset.jpThemeLight = 'false'"
FRONTENDS = {
    "jupyterlab": Frontend(
        ["jupyterlab", *JUPYTER], "/lab/tree/demo.ipynb?token=t&reset", press_in_lab, ".jp-Cell",
        LAB_DARK,
    ),
    "notebook": Frontend(
        ["notebook", *JUPYTER], "/notebooks/demo.ipynb?token=t", press_in_lab, ".jp-Cell", LAB_DARK,
    ),
    "voila": Frontend(
        ["voila", "demo.ipynb", "--no-browser", "--Voila.ip=127.0.0.1", "--port={port}"],
        "/", lambda page: None, ".jp-Cell", LAB_DARK,
    ),
    "marimo": Frontend(
        ["marimo", "-q", "edit", "demo.py", "--headless", "--no-token", "--host=127.0.0.1",
         "--port={port}", "--skip-update-check"],
        "/", click_in_marimo, ".marimo-cell",
        "document.documentElement.classList.replace('light', 'dark');"
        "document.body.classList.replace('light', 'dark')",
    ),
}  # fmt: skip


@contextmanager
def run_server(frontend, folder):
    """Run a server in a folder and yield the address of its notebook."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [part.format(port=port, folder=folder) for part in frontend.command]
    environment = os.environ | {
        f"JUPYTER_{kind}_DIR": str(folder / ".jupyter" / kind) for kind in ("CONFIG", "RUNTIME")
    }
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, stdout=log, stderr=log, env=environment
        )
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}{frontend.address}"
        finally:
            server.terminate()
            server.wait(30)


def wait_for(port, server):
    """Wait until the server listens on its port."""
    for _ in range(120):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
            return
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.5)
    raise RuntimeError("The server did not start; see server.log.")


def label(page, frontend, shots):
    """Label by clicks and keys, press notebook shortcuts, and return the latencies."""
    page.wait_for_selector(".ska-image", timeout=90_000)
    page.wait_for_timeout(500)
    page.locator(".ska-title").click()
    before = page.locator(frontend.cells).count()
    for key in ("1", "2", "d", "d", "x", "a", "b", "z", "Escape", "m", "0", "0"):
        page.keyboard.press(key, delay=350)  # so that the same key twice is no bounce
    page.keyboard.press("u")
    page.get_by_role("button", name="7", exact=True).click()
    for key in ("h", "e"):  # dialogs, in which no shortcut of the notebook fires either
        page.keyboard.press(key)
        page.locator("dialog[open]").wait_for()
        for other in ("a", "b", "3", "Escape"):
            page.keyboard.press(other)
        page.locator("dialog").wait_for(state="detached")
    for n in range(30):
        page.keyboard.press("56"[n % 2])
        page.wait_for_timeout(30)
    page.locator(".ska-status").filter(has_text="Saved").wait_for()
    assert page.locator(frontend.cells).count() == before, "a shortcut of the notebook fired"
    if shots:
        page.screenshot(path=f"{shots}-light.png")
        page.evaluate(frontend.dark)
        page.wait_for_timeout(200)
        page.locator(".ska").screenshot(path=f"{shots}-dark-widget.png")
    return measure_latencies(page)


def measure_latencies(page):
    """Return the milliseconds from each key press until the next item is painted, sorted."""
    page.locator(".ska").evaluate("""(root) => {
        window.latencies = [];
        root.addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
        root.addEventListener('skactive:shown', () => requestAnimationFrame(() => setTimeout(
            () => latencies.push(performance.now() - pressed))));
    }""")
    for key in "3456" * 10:
        page.keyboard.press(key)
        page.wait_for_timeout(120)
    return sorted(page.evaluate("latencies"))


def check(name, chromium, shots):
    """Label in one kind of notebook, check the store, and return the latencies."""
    frontend = FRONTENDS[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "demo.ipynb").write_text(json.dumps(notebook()))
        (folder / "demo.py").write_text(MARIMO)
        with run_server(frontend, folder) as address:
            page = chromium.new_page(viewport={"width": 1200, "height": 900})
            page.goto(address)
            try:
                run(page, frontend.start)
                latencies = label(page, frontend, shots and shots / name)
            except BaseException:
                if shots:
                    page.screenshot(path=f"{shots / name}-failed.png")
                raise
            page.close()
        records = read_store(folder / "labels.db").records()
    # 1, 2, d, d, 0, 0, of which u retracts the last; then a click on 7. Other keys do nothing.
    expected = [("label", 1), ("label", 2), *[("unknown", None)] * 2, ("label", 0), ("label", 7)]
    kinds = [(record["kind"], record["label"]) for record in records]
    assert kinds[:6] == expected, kinds[:8]
    assert len(kinds) == 6 + 30 + 40, len(kinds)
    assert len({record["id"] for record in records}) == len(records), "a row was answered twice"
    assert {record["annotator"] for record in records} == {"ann"}
    return latencies


def main():
    """Check the selected notebooks and print the latencies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=FRONTENDS, help="check one kind only")
    parser.add_argument("--shots", type=Path, help="folder for screenshots")
    options = parser.parse_args()
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)
    # Why here: pytest collects doctests of this file, also without playwright.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name in [options.only] if options.only else FRONTENDS:
            latencies = check(name, chromium, options.shots)
            print(
                f"{name}: all answers stored once; no shortcut fired; key to next item: "
                f"median {latencies[len(latencies) // 2]:.1f} ms, maximum {latencies[-1]:.1f} ms"
            )
        chromium.close()


if __name__ == "__main__":
    main()
