"""``skactive status``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skactive._utils.sanitizing import sanitize
from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli.projects._project_options import format_resume_command
from skactive.cli.projects._spending_options import format_spending

__all__ = ["add_status_arguments", "run_status"]


def add_status_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``skactive status``.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    parser.add_argument(
        "store", type=Path, metavar="DB", help="file of the labels, such as labels.db"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--salvage",
        action="store_true",
        help="copy what can still be read of a damaged store, which stays as it is",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="COPY",
        help="with --salvage: the new store (default: the name of DB with -salvaged)",
    )


def run_status(options: dict[str, Any]) -> None:
    """Print the progress of a labeling project.

    Parameters
    ----------
    options : dict
        Parsed options.

    Raises
    ------
    CommandError
        If the store cannot be read.
    """
    from skactive.cli.commands._salvage import salvage  # late: the parser must be fast
    from skactive.cli.projects._stored_project import read_store

    if options.get("salvage"):
        salvage(options["store"], options.get("output"), as_json=bool(options.get("json")))
        return
    if options.get("output") is not None:
        raise CommandError("--output names a copy of what --salvage reads: pass both, or neither")
    with read_store(options["store"]) as project:
        summary = project.summary()
    if options.get("json"):
        print_line(json.dumps(summary, indent=2))
        return
    for name, text in _format_status(options["store"], summary):
        print_line(f"{name:<10} {text}")


def _format_status(store: Path, summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines of ``skactive status``: pairs of name and text."""
    yield "Labels", _count_rows(summary)
    if summary["classes"]:
        counts = (f"{sanitize(name)} {n:,}" for name, n in summary["classes"].items())
        yield "Classes", ", ".join(counts)
    people = {n: c for n, c in summary["annotators"].items() if n not in summary["routed"]}
    for index, (name, counts) in enumerate(people.items()):
        seconds = counts["seconds"]
        speed = "" if seconds is None else f", {seconds:.1f} s each (median)"
        person = sanitize(name) or "(no name)"
        yield "" if index else "People", f"{person}: {_count_answers(counts)}{speed}"
    yield from _format_routing(summary)
    if summary["last_model"]:
        when = summary["last_model"].replace("T", " ").replace("+00:00", " UTC")
        yield "Model", f"last fitted to {summary['n_learned']:,} labels, {when}"
    yield from format_spending(summary)
    yield from _format_audit(summary)
    if summary["stop_reason"]:
        yield "Stop?", f"You may stop now: {sanitize(summary['stop_reason'])}"
    if summary["made_with"]:
        yield "Data", sanitize(summary["made_with"]["path"])
        yield "Continue", format_resume_command("label", store)


def _format_routing(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield lines about what a router labeled, and what it promises."""
    for index, (name, n_labels) in enumerate(summary["routed"].items()):
        yield "" if index else "Router", f"{sanitize(name)}: {pluralize(n_labels, 'label')}"
    if summary["certificate"]:
        yield "Promise", sanitize(summary["certificate"])
    if summary["n_asked"]:
        rows = pluralize(summary["n_asked"], "row")
        yield "Audit", f"{rows} of the router's audit to be labeled by people first"


def _format_audit(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a line about how good the model is, or when that will be known."""
    measure = "Accuracy" if summary["has_classes"] else "Mean error"
    is_enough = summary["n_audited"] >= summary["min_audited"]
    if summary["accuracy"] and is_enough:
        share, low, high = (f"{100 * value:.0f}" for value in summary["accuracy"])
        yield measure, f"{share} % on the audit (95 % interval {low} to {high} %)"
    elif summary["error"] and is_enough:
        error, low, high = (f"{value:.3g}" for value in summary["error"])
        yield measure, f"{error} on the audit (95 % interval {low} to {high})"
    elif audit_share := (summary["made_with"] or {}).get("audit"):
        needed, n_audit_rows = summary["min_audited"], round(audit_share * summary["n_rows"])
        if n_audit_rows < needed:
            yield measure, f"needs {needed} audit rows; there are only {n_audit_rows}"
        else:
            yield measure, f"after {needed} audit rows; {summary['n_audited']:,} so far"


def _count_answers(counts: dict[str, Any]) -> str:
    """Return how many labels an annotator gave, and how many answers, if there were others."""
    labels = pluralize(counts["labels"], "label")
    n_other = counts["answers"] - counts["labels"]
    return f"{labels} and {n_other:,} without" if n_other else labels


def _count_rows(summary: dict[str, Any]) -> str:
    parts = [f"{summary['n_labeled']:,} of {summary['n_rows']:,} rows"]
    for name, words in (
        ("unknown", "unknown"),
        ("skipped", "skipped"),
        ("in_flight", "being labeled"),
    ):
        if summary[f"n_{name}"]:
            parts.append(f"{summary[f'n_{name}']:,} {words}")
    return ", ".join(parts)
