"""Cost of labels that active learning saves, in each of the applications.

    python benchmarks/applications.py                    miniatures, as ``make applications``
    python benchmarks/applications.py --data DIR         full sets, as ``make bench-applications``
    python benchmarks/applications.py --data DIR speech_recognition named_entities
    python benchmarks/applications.py --write            only the tables, from the results

Each set is one process, ``applications/NAME/run.py``; ``--jobs`` of them play at once, with one
thread each. Results are JSON files: those of full sets are kept in ``benchmarks/applications``,
and ``--write`` makes the tables of ``README.md`` and ``benchmarks/README.md`` of them. A run that
was interrupted continues.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from skactive.applications import find_applications

BENCHMARKS = Path(__file__).resolve().parent
RESULTS = BENCHMARKS / "applications"
README, LONG_README = BENCHMARKS.parent / "README.md", BENCHMARKS / "README.md"


class FullSet(NamedTuple):
    """A set of the folder of data: its place, and its own options, if it has any."""

    place: str
    options: tuple[str, ...] = ()


_LARGE_IMAGES = ("--initial", "8", "--batch-size", "8", "--budget", "147456")
_MANY_CLASSES = ("--initial", "40", "--batch-size", "40", "--budget", "600", "--pool", "4000")
FULL_SETS = {  # by application, and name
    "audio_classification": {"fsdd": FullSet("fsdd")},
    "enhancement": {"fsdd": FullSet("fsdd")},
    "image_classification": {"mnist": FullSet("mnist")},
    "named_entities": {"wnut17": FullSet("sequence")},
    "object_detection": {"bccd": FullSet("bccd")},
    "segmentation": {"nuclei": FullSet("nuclei"), "camvid": FullSet("camvid", _LARGE_IMAGES)},
    "sentiment": {"sst2": FullSet("text/sst2"), "rt_polarity": FullSet("text/rt_polarity")},
    "speech_recognition": {"fsdd": FullSet("fsdd")},
    "text_classification": {
        "ag_news": FullSet("text/ag_news"),
        "trec": FullSet("text/trec"),
        "20newsgroups": FullSet("text/20newsgroups", _MANY_CLASSES),
    },
    "translation": {"multi30k": FullSet("translation", ("--pool", "6000"))},
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


class Job(NamedTuple):
    """An application on one set of data."""

    application: str
    name: str
    data: Path | None
    result: Path
    options: tuple[str, ...] = ()

    def run(self, n_seeds: int) -> tuple[float, float, str | None]:
        """Play it; return seconds, the peak of memory in MiB, and what it printed if it failed."""
        command = [sys.executable, str(find_applications()[self.application] / "run.py")]
        command += ["--json", str(self.result), "--seeds", str(n_seeds), *self.options]
        if self.data is not None:
            campaigns = self.result.parent / "campaigns" / self.result.stem
            command += ["--data", str(self.data), "--folder", str(campaigns)]
        began = time.perf_counter()
        log = self.result.with_suffix(".log")
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=os.environ | ONE_THREAD
            )
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds, peak = time.perf_counter() - began, usage.ru_maxrss / 1024
        error = None if process.returncode == 0 else log.read_text(errors="replace")
        return seconds, peak, error


def main() -> int:
    parser = argparse.ArgumentParser(description="Cost of labels saved, by application.")
    parser.add_argument("names", nargs="*", help="applications; default: all")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the full sets")
    parser.add_argument("--jobs", type=int, default=2, help="sets that are played at once (2)")
    parser.add_argument("--seeds", type=int, default=5, help="paired seeds (5)")
    parser.add_argument("--write", action="store_true", help="write the tables from the results")
    parser.add_argument("--folder", type=Path, help="where results and unfinished runs go")
    options = parser.parse_args()
    if options.write:
        write_tables()
        return 0
    names = options.names or list(find_applications())
    folder = options.folder or (RESULTS if options.data else Path(tempfile.mkdtemp()))
    folder.mkdir(parents=True, exist_ok=True)
    return play_all(list_jobs(names, options.data, folder), options.jobs, options.seeds)


def list_jobs(names: Iterable[str], data: Path | None, folder: Path) -> list[Job]:
    """List the applications, and each of their full sets if there is a folder of data."""
    if data is None:
        return [Job(name, "miniature", None, folder / f"{name}.json") for name in names]
    return [
        Job(name, label, data / full.place, folder / f"{name}.{label}.json", full.options)
        for name in names
        for label, full in FULL_SETS[name].items()
    ]


def play_all(jobs: list[Job], n_jobs: int, n_seeds: int) -> int:
    """Play the jobs, some at a time; print a line for each, and return the exit code."""
    failed = 0
    with ThreadPoolExecutor(n_jobs) as executor:
        runs = [executor.submit(job.run, n_seeds) for job in jobs]
        for job, run in zip(jobs, runs, strict=True):
            seconds, peak, error = run.result()
            print(f"{job.application:<22}{job.name:<14}{seconds:7.1f} s{peak:7.0f} MiB", flush=True)
            if error is None:
                print(f"  {json.loads(job.result.read_text())['summary']}", flush=True)
            else:
                failed = 1
                print(error, file=sys.stderr)
    return failed


# The tables -------------------------------------------------------------------------------------


def write_tables() -> None:
    """Write the tables into the files, between their marks, from the results."""
    records = [
        (path.name.split(".")[0], json.loads(path.read_text()))
        for path in sorted(RESULTS.glob("*.json"))
    ]
    replace_between_marks(README, make_table(records))
    replace_between_marks(LONG_README, make_long_tables(records))


def make_table(records: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Return one line per set: what the chosen strategy costs to equal random labeling."""
    lines = [
        "| application | data | model | random labeling | chosen strategy | saved (95 %) |",
        "|---|---|---|---|---|---|",
    ]
    for name, record in records:
        rows = {row["name"]: row for row in record["strategies"]}
        chosen, random = rows[record["chosen"]], rows["Random"]
        title = f"[{record['title']}](applications/{name})"
        random_cost = f"{format_cost(random, record)}: {record['target']:.3f} {record['score']}"
        cells = [title, record["source"], record["model"], random_cost]
        cells += [f"{record['chosen']}: {format_cost(chosen, record)}", format_saving(chosen)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def make_long_tables(records: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Return a table per set, with all strategies."""
    lines = []
    for _, record in records:
        lines += [
            f"**{record['title']}**: {record['source']}. {record['model']}; {record['n_repeats']} "
            f"paired seeds, pools of {record['n_pool']} rows, {record['n_test']} test rows; "
            f"{record['n_initial']} rows at the start, {record['batch_size']} per round, up to "
            f"{record['budget']:g} {record['unit']}.",
            "",
            f"| strategy | {record['unit']} to {record['target']:.3f} {record['score']} | saved "
            f"(95 %) | mean {record['score']} - Random's (95 %) | at the end | s per round |",
            "|---|---|---|---|---|---|",
        ]
        for row in record["strategies"]:
            cells = [row["name"], format_cost(row, None), format_saving(row)]
            cells += [format_difference(row), f"{row['final_score']:.3f}"]
            lines.append(f"| {' | '.join(cells)} | {row['round_seconds']:.2f} |")
        lines.append("")
    return lines


def format_cost(row: dict[str, Any], record: dict[str, Any] | None) -> str:
    unit = "" if record is None else f" {record['unit']}"
    return "not reached" if row["cost"] is None else f"{row['cost']:,.0f}{unit}"


def format_saving(row: dict[str, Any]) -> str:
    if row["saved"] is None:
        return ""
    low = "-" if row["low"] is None else f"{100 * row['low']:.0f}"
    high = "-" if row["high"] is None else f"{100 * row['high']:.0f}"
    bound = "" if row["bound"] == "exact" else f"{row['bound']} "
    return f"{bound}{100 * row['saved']:.0f} % ({low} to {high})"


def format_difference(row: dict[str, Any]) -> str:
    if row["name"] == "Random":
        return ""
    ends = (row["difference_low"], row["difference_high"])
    return f"{row['difference']:+.4f} ({ends[0]:+.4f} to {ends[1]:+.4f})"


def replace_between_marks(path: Path, lines: list[str]) -> None:
    """Replace the lines between the two marks of a file."""
    first, last = "<!-- applications: written by benchmarks/applications.py -->", "<!-- end -->"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(first)
    _, after = rest.split(last, 1)
    body = "\n".join(lines).strip()
    path.write_text(f"{before}{first}\n{body}\n{last}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
