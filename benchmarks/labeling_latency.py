"""Measure the time from a key press to the next item on screen, while the model is refitted.

    python benchmarks/labeling_latency.py --texts 100000 --presses 200

A server in its own process serves generated texts of 20 words with a logistic regression on TF-IDF;
after every 5 labels the model is refitted and scores all texts. Chromium opens the real page, and
the script presses keys at the pace of a quick person. Requires the extras ``serve`` and
``browser``, and Chromium on the PATH.

The latencies are measured in the page: from the key event to the frame after the next item is shown
(the page loads some items ahead), and from the request to the reply of the server that the answer
is on disk.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MEASURE_SCRIPT = """() => {
    window.shown = [];
    const root = document.querySelector('.ska');
    root.addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
    root.addEventListener('skactive:shown', () => requestAnimationFrame(() => setTimeout(
        () => shown.push(performance.now() - pressed))));
    const originalFetch = window.fetch;
    window.stored = [];
    window.fetch = async (...request) => {
        const began = performance.now();
        const reply = await originalFetch(...request);
        const answer = String(request[1]?.body).includes('"do":"label"');
        if (answer) stored.push(performance.now() - began);
        return reply;
    };
}"""


def make_texts(n):
    rng = np.random.RandomState(0)
    words = np.array([f"w{i}" for i in range(20_000)])
    frequency = 1 / np.arange(1, len(words) + 1)
    positions = rng.choice(len(words), size=(n, 20), p=frequency / frequency.sum())
    return [" ".join(words[row]) for row in positions]


def serve_texts(store, n):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from skactive import ActiveLearner
    from skactive.labeling import LabelingSession
    from skactive.labeling.page import PageBackend
    from skactive.labeling.server import serve

    learner = ActiveLearner(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    with LabelingSession(
        learner, make_texts(n), store=store, classes=["no", "yes"], refit_every=5, random_state=0
    ) as session:
        session.peek()
        serve(PageBackend(session), open_browser=False, report=lambda line: print(line, flush=True))
        print("models", session.progress().n_rounds, flush=True)


def measure_latencies(link, n_presses, pause_ms):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(link)
        page.get_by_label("Your name").fill("Ann")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="yes").wait_for()
        page.evaluate(MEASURE_SCRIPT)
        for press in range(n_presses):
            page.keyboard.press("12"[press * 7 % 3 % 2])
            page.wait_for_timeout(pause_ms)
        page.wait_for_timeout(1000)
        latencies = page.evaluate("[shown, stored]")
        browser.close()
    return latencies


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--pause", type=int, default=250, help="milliseconds between key presses")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_texts(options.serve, options.texts)
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--serve", Path(folder) / "labels.db"]
        server = subprocess.Popen(
            [*command, "--texts", str(options.texts)], stdout=subprocess.PIPE, text=True
        )
        link = next(line.split()[-1] for line in server.stdout if "#token=" in line)
        shown, stored = measure_latencies(link, options.presses, options.pause)
        server.terminate()
        n_models = next((line.split()[-1] for line in server.stdout if "models" in line), "?")
        server.wait()
    for name, latencies in (("next item on screen", shown), ("answer on disk", stored)):
        median, high = np.percentile(latencies, [50, 95])
        print(
            f"{name}: median {median:.1f} ms, 95 % {high:.1f} ms, maximum {max(latencies):.1f} ms "
            f"({len(latencies)} presses)"
        )
    print(f"{n_models} models scored {options.texts} texts meanwhile (the first one before that)")


if __name__ == "__main__":
    main()
