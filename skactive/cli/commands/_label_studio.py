"""``skactive label-studio``: label in Label Studio."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from skactive.cli._arguments import parse_interval, parse_positive_int
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli.projects._project_options import add_project_arguments, format_resume_command

__all__ = ["add_label_studio_arguments", "run_label_studio"]

# Not only an option: every user of the machine can read the command line.
_API_TOKEN = "LABEL_STUDIO_API_KEY"
_SETTINGS_FACT = "label-studio"


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
    add("--token", metavar="TOKEN", help=f"API token; safer in the environment, as {_API_TOKEN}")
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
    """Run the loop between a project and Label Studio until all is labeled, or Ctrl+C.

    Parameters
    ----------
    options : mapping
        Options of :func:`add_label_studio_arguments`, parsed.

    Raises
    ------
    CommandError
        If an option is missing or wrong, or Label Studio cannot be used.
    """
    from skactive.cli.projects._project import read_project  # late: the parser must be fast
    from skactive.labeling.label_studio import LabelStudioBridge

    token, project = _read_token(options), read_project(options)
    resume = _describe_resume(project.store, options["url"])
    with project.open(report=print_line) as session:
        settings = _resolve_settings(session.store, options)
        settings["title"] = settings["title"] or _make_title(project.path)
        try:
            bridge = LabelStudioBridge(
                session,
                options["url"],
                token,
                settings["project"],
                title=settings["title"],
                render=_make_render(project, settings["media"]),
                n_ordered=options["ordered"],
            )
            session.store.set_fact(_SETTINGS_FACT, settings)
            progress = bridge.run(options["poll"], _make_until(options["until"]), print_line)
        except (OSError, ValueError) as error:  # a BridgeError or StoreError; an invalid address
            raise CommandError(str(error).rstrip(".")) from error
        except KeyboardInterrupt:
            raise KeyboardInterrupt(resume) from None
    print_line(f"{progress.n_labeled} of {progress.n_rows} rows have a label; {resume}")


def _read_token(options: Mapping[str, Any]) -> str:
    token = options["token"] or os.environ.get(_API_TOKEN)
    if not token:
        raise CommandError(
            f"the token of Label Studio is missing: set {_API_TOKEN} in the environment; copy "
            "it from Account & Settings there"
        )
    return str(token)


def _resolve_settings(store: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the project: from the options, else as in the first run."""
    stored = store.fact(_SETTINGS_FACT) or {}
    return {name: options[name] or stored.get(name) for name in ("project", "title", "media")}


def _make_render(project: Any, media: str | None) -> Callable[[Any, Any], str] | None:
    """Return a function from the name of a file to its address; None for texts and tables."""
    if project.source.kind not in {"images", "audio"}:
        return None
    if media is None:
        raise CommandError(
            "Label Studio shows files by their address: serve the folder (or register it there as "
            "local storage) and pass its address by --media URL"
        )
    prefix = media if media.endswith(("/", "=")) else f"{media}/"
    return lambda row, _: prefix + quote(str(row))


def _make_until(n: int | None) -> Callable[[Any], bool] | None:
    return None if n is None else lambda progress: bool(progress.n_labeled >= n)


def _make_title(path: Path) -> str:
    """Return the name of the data, shortened to the length that titles may have."""
    return f"{path.resolve().stem[:30]} (active learning)"


def _describe_resume(store: Path, url: str) -> str:
    resume = format_resume_command("label-studio", store, "--url", url)
    return f"the labels are in {shlex.quote(str(store))}; continue with: {resume}"
