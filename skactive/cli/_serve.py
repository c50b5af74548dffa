"""The command ``skactive serve``."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping
from typing import Any

from skactive.cli._errors import CommandError
from skactive.cli._project import add_campaign_arguments, read_campaign

__all__ = ["add_serve_arguments", "run_serve"]

# why not an option: every user of the machine can read the command line.
_LINK_TOKEN = "SKACTIVE_TOKEN"


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    """
    add_campaign_arguments(parser)
    add = parser.add_argument
    add("--title", default="", metavar="TEXT", help="title of the page")
    add("--html", action="store_true", help="show texts as HTML, without scripts")
    add("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (%(default)s)")
    add(
        "--port",
        type=_parse_port,
        default=0,
        metavar="N",
        help="port to listen on (default: a free one)",
    )
    add(
        "--allowed-host",
        dest="allowed_hosts",
        action="append",
        metavar="NAME",
        help="additional host name of the page, for example of a proxy; may be repeated",
    )
    add(
        "--no-browser",
        dest="open_browser",
        action="store_false",
        help="only print the link; its token is random, unless "
        f"{_LINK_TOKEN} is set in the environment",
    )


def run_serve(options: Mapping[str, Any]) -> None:
    """Serve the labeling page until Ctrl+C.

    Parameters
    ----------
    options : mapping
        The options parsed by a parser with :func:`add_serve_arguments`.

    Raises
    ------
    CommandError
        If an option is missing or invalid, or the page cannot be served.
    """
    try:
        from skactive.labeling.server._serve import serve  # late: the web framework is an extra
    except ImportError as error:
        raise CommandError(str(error)) from error
    from skactive.labeling.page import PageBackend

    campaign = read_campaign(options)
    with campaign.open() as session:
        backend = PageBackend(
            session,
            title=options["title"] or campaign.path.name,
            html=options["html"],
            **_choose_rendering(campaign),
        )
        try:
            serve(
                backend,
                host=options["host"],
                port=options["port"],
                token=os.environ.get(_LINK_TOKEN) or None,
                open_browser=options["open_browser"],
                allowed_hosts=options["allowed_hosts"] or (),
                report=lambda line: print(line, flush=True),
            )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
    store = shlex.quote(str(campaign.store))
    print(f"\nStopped. The labels are in {store}; resume with: skactive serve --resume {store}")


def _choose_rendering(campaign: Any) -> dict[str, Any]:
    """Return the options of the backend that say how to show the rows."""
    kind = campaign.source.kind
    if kind in {"images", "audio"}:
        return {"render": "image" if kind == "images" else "audio", "media_root": campaign.path}
    return {}


def _parse_port(text: str) -> int:
    if not text.isdecimal() or not int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)
