"""``skactive serve``: label in a browser."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from skactive.cli._arguments import parse_port
from skactive.cli._errors import CommandError
from skactive.cli._output import print_line
from skactive.cli.projects._project_options import add_project_arguments, format_resume_command

__all__ = ["add_serve_arguments", "run_serve"]

# Not an option: every user of the machine can read the command line.
_LINK_TOKEN = "SKACTIVE_TOKEN"


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of the command.
    """
    add_project_arguments(parser)
    add = parser.add_argument
    add(
        "--title",
        default="",
        metavar="TEXT",
        help="title of the page (default: the name of the data)",
    )
    add("--html", action="store_true", help="render texts as HTML, without scripts")
    add("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (%(default)s)")
    add(
        "--port",
        type=parse_port,
        default=0,
        metavar="N",
        help="port to listen on (default: a free one)",
    )
    add(
        "--allowed-host",
        dest="allowed_hosts",
        action="append",
        metavar="NAME",
        help="another host name of the page, such as that of a proxy; may be repeated",
    )
    add(
        "--no-browser",
        dest="open_browser",
        action="store_false",
        help=f"only print the link; its token is random unless {_LINK_TOKEN} is set",
    )
    add(
        "--person",
        dest="people",
        action="append",
        metavar="NAME[:ROLE]",
        help="make a link for this person, who labels (the default), reviews or administers; may "
        f"be repeated; no browser is opened; the links stay valid while {_LINK_TOKEN} is the same",
    )


def run_serve(options: Mapping[str, Any]) -> None:
    """Serve the labeling page until Ctrl+C.

    Parameters
    ----------
    options : mapping
        Options of :func:`add_serve_arguments`, parsed.

    Raises
    ------
    CommandError
        If an option is missing or wrong, or the server cannot start.
    """
    try:
        from skactive.labeling.server._serve import serve  # late: the web framework is an extra
    except ImportError as error:
        raise CommandError(str(error)) from error
    from skactive.cli.projects._project import read_project
    from skactive.labeling.page import PageBackend

    people = _parse_people(options["people"])
    project = read_project(options)
    with project.open(report=print_line) as session:
        backend = PageBackend(
            session,
            title=options["title"] or project.path.name,
            html=options["html"],
            **_choose_rendering(project),
        )
        try:
            serve(
                backend,
                host=options["host"],
                port=options["port"],
                token=os.environ.get(_LINK_TOKEN) or None,
                open_browser=options["open_browser"],
                allowed_hosts=options["allowed_hosts"] or (),
                people=people,
                report=print_line,
            )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
    store = shlex.quote(str(project.store))
    resume = format_resume_command("serve", project.store)
    print_line(f"\nStopped. The labels are in {store}; continue with: {resume}")


def _parse_people(sent: Sequence[str] | None) -> dict[str, str] | None:
    """Return the role of each person, by name; None without people."""
    if not sent:
        return None
    from skactive.labeling.server._access import ROLES, check_people  # late: few need it

    people: dict[str, str] = {}
    for text in sent:
        name, separator, role = text.rpartition(":")
        name, role = (name, role) if separator else (text, ROLES[0])
        if name in people:
            raise CommandError(f"--person: {name} is named twice: name each person once.")
        people[name] = role
    try:
        return check_people(people)
    except ValueError as error:
        raise CommandError(f"--person: {error}") from error


def _choose_rendering(project: Any) -> dict[str, Any]:
    """Return the options of the backend that say how to show the rows."""
    kind = project.source.kind
    if kind in {"images", "audio"}:
        return {"render": "image" if kind == "images" else "audio", "media_root": project.path}
    return {}
