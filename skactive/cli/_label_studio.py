"""``skactive label-studio``: label in Label Studio."""

from __future__ import annotations

import argparse
import os
import shlex
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from skactive.cli._arguments import parse_interval, parse_positive_int
from skactive.cli._errors import CommandError
from skactive.cli._project import add_project_arguments, format_resume_command, read_project

__all__ = ["add_label_studio_arguments", "run_label_studio"]

TOKEN = "LABEL_STUDIO_API_KEY"  # the command line can be read by every user of the machine
_FACT = "label-studio"


def add_label_studio_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    add_project_arguments(parser)
    add = parser.add_argument
    add(
        "--url",
        required=True,
        metavar="URL",
        help="address of Label Studio, such as http://localhost:8080",
    )
    add("--token", metavar="TOKEN", help=f"API token; safer in the environment, as {TOKEN}")
    add(
        "--project",
        type=parse_positive_int,
        metavar="N",
        help="id of an existing project (default: create one)",
    )
    add(
        "--title", metavar="TEXT", help="title of a created project (default: the name of the data)"
    )
    add("--media", metavar="URL", help="URL at which Label Studio finds the files of a folder")
    add(
        "--poll",
        type=parse_interval,
        default=5.0,
        metavar="S",
        help="look for annotations every S seconds (%(default)g)",
    )
    add(
        "--until",
        type=parse_positive_int,
        metavar="N",
        help="stop at N labels (default: when all rows are labeled)",
    )
    add(
        "--ordered",
        type=parse_positive_int,
        default=50,
        metavar="N",
        help="number of tasks to order (%(default)s)",
    )


def run_label_studio(options: Mapping[str, Any]) -> None:
    """Run the loop between a campaign and Label Studio, until it is done or Ctrl+C.

    Parameters
    ----------
    options : mapping
        Options of :func:`add_label_studio_arguments`, parsed.

    Raises
    ------
    CommandError
        If an option is missing or wrong, or Label Studio cannot be used.
    """
    from skactive.labeling.label_studio import LabelStudioBridge  # late: not for the parser

    token, campaign = _token(options), read_project(options)
    with campaign.open() as session, warnings.catch_warnings():
        warnings.showwarning = _show  # one line each
        chosen = _chosen(session.store, options)
        chosen["title"] = chosen["title"] or _title(campaign.path)
        try:
            bridge = LabelStudioBridge(
                session,
                options["url"],
                token,
                chosen["project"],
                title=chosen["title"],
                render=_render(campaign, chosen["media"]),
                n_ordered=options["ordered"],
            )
            session.store.set_fact(_FACT, chosen)
            progress = bridge.run(options["poll"], _until(options["until"]), _say)
        except (OSError, ValueError) as error:  # a BridgeError, a StoreError; what is no address
            raise CommandError(str(error).rstrip(".")) from error
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_where(campaign.store, options["url"])) from None
    n_labeled, n_rows = progress.n_labeled, progress.n_rows
    _say(f"{n_labeled} of {n_rows} rows have a label; {_where(campaign.store, options['url'])}")


def _token(options: Mapping[str, Any]) -> str:
    token = options["token"] or os.environ.get(TOKEN)
    if not token:
        raise CommandError(
            f"Label Studio's token is missing: set {TOKEN} in the environment; it is under "
            "Account & Settings there"
        )
    return str(token)


def _chosen(store: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return which project it is: what is not said is as it was the first time."""
    kept = store.fact(_FACT) or {}
    return {name: options[name] or kept.get(name) for name in ("project", "title", "media")}


def _render(campaign: Any, media: str | None) -> Callable[[Any, Any], str] | None:
    """Return what makes an address of the name of a file; None for texts and tables."""
    if campaign.source.kind not in {"images", "audio"}:
        return None
    if media is None:
        raise CommandError(
            "Label Studio shows files by their address: serve the folder (or register it there as "
            "local storage) and name where by --media URL"
        )
    start = media if media.endswith(("/", "=")) else f"{media}/"
    return lambda row, _: start + quote(str(row))


def _until(n: int | None) -> Callable[[Any], bool] | None:
    return None if n is None else lambda progress: bool(progress.n_labeled >= n)


def _title(path: Path) -> str:
    """Return the name of the data, as long as titles of projects may be."""
    return f"{path.resolve().stem[:30]} (active learning)"


def _where(store: Path, url: str) -> str:
    resume = format_resume_command("label-studio", store, "--url", url)
    return f"the labels are in {shlex.quote(str(store))}; continue with: {resume}"


def _say(line: str) -> None:
    print(line, flush=True)


def _show(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    _say(f"Warning: {message}")
