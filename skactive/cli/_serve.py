"""What ``skactive serve`` does."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping
from typing import Any

from skactive.cli._errors import CommandError
from skactive.cli._project import add_campaign_arguments, read_campaign

__all__ = ["add_serve_arguments", "run_serve"]

TOKEN = "SKACTIVE_TOKEN"  # the command line can be read by every user of the machine


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command.

    Parameters
    ----------
    parser : ArgumentParser
        Of the command.
    """
    add_campaign_arguments(parser)
    add = parser.add_argument
    add("--title", default="", metavar="TEXT", help="what the page is called")
    add("--html", action="store_true", help="show texts as HTML, without its scripts")
    add("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (%(default)s)")
    add("--port", type=_port, default=0, metavar="N", help="where to listen (one that is free)")
    add(
        "--allowed-host",
        dest="allowed_hosts",
        action="append",
        metavar="NAME",
        help="another name under which the page is reached, through a proxy say; may be repeated",
    )
    add(
        "--no-browser",
        dest="open_browser",
        action="store_false",
        help=f"only print the link; {TOKEN} in the environment gives its token, else it is random",
    )


def run_serve(options: Mapping[str, Any]) -> None:
    """Serve the labeling page until Ctrl+C.

    Parameters
    ----------
    options : mapping
        What a parser with :func:`add_serve_arguments` parsed.

    Raises
    ------
    CommandError
        If something is missing, or is not what it should be.
    """
    try:
        from skactive.labeling.server._serve import serve  # late: the web framework is an extra
    except ImportError as error:
        raise CommandError(str(error)) from error
    from skactive.labeling.page import PageBackend

    campaign = read_campaign(options)
    with campaign.open() as session:
        desk = PageBackend(
            session,
            title=options["title"] or campaign.path.name,
            html=options["html"],
            **_look(campaign),
        )
        try:
            serve(
                desk,
                host=options["host"],
                port=options["port"],
                token=os.environ.get(TOKEN) or None,
                open_browser=options["open_browser"],
                allowed_hosts=options["allowed_hosts"] or (),
                report=lambda line: print(line, flush=True),
            )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
    store = shlex.quote(str(campaign.store))
    print(f"\nStopped. The labels are in {store}; go on with: skactive serve --resume {store}")


def _look(campaign: Any) -> dict[str, Any]:
    """Return how the desk is to show the rows."""
    kind = campaign.source.kind
    if kind in {"images", "audio"}:
        return {"render": "image" if kind == "images" else "audio", "media_root": campaign.path}
    return {}


def _port(text: str) -> int:
    if not text.isdecimal() or not int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"a port from 0 to 65535 is needed, got {text!r}")
    return int(text)
