"""The command ``skactive label-studio``."""

from __future__ import annotations

import argparse
import os
import shlex
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from skactive.cli._errors import CommandError
from skactive.cli._project import add_campaign_arguments, read_campaign

__all__ = ["add_label_studio_arguments", "run_label_studio"]

# why not only an option: every user of the machine can read the command line.
_API_TOKEN = "LABEL_STUDIO_API_KEY"
_SETTINGS_FACT = "label-studio"


def add_label_studio_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command.

    Parameters
    ----------
    parser : ArgumentParser
        The parser of the command.
    """
    add_campaign_arguments(parser)
    add = parser.add_argument
    add(
        "--url",
        required=True,
        metavar="URL",
        help="address of Label Studio, such as http://localhost:8080",
    )
    add(
        "--token",
        metavar="TOKEN",
        help=f"API token; safer in the environment, as {_API_TOKEN}",
    )
    add(
        "--project",
        type=_parse_count,
        metavar="N",
        help="number of an existing project (default: create one)",
    )
    add("--title", metavar="TEXT", help="title of a new project (default: the name of the data)")
    add("--media", metavar="URL", help="address at which Label Studio finds the files of a folder")
    add(
        "--poll",
        type=_parse_interval,
        default=5.0,
        metavar="S",
        help="seconds between polls (%(default)g)",
    )
    add(
        "--until",
        type=_parse_count,
        metavar="N",
        help="stop at N labels (default: when all rows are answered)",
    )
    add(
        "--ordered",
        type=_parse_count,
        default=50,
        metavar="N",
        help="rows to put in order at a time (%(default)s)",
    )


def run_label_studio(options: Mapping[str, Any]) -> None:
    """Run the loop between a campaign and Label Studio until all is labeled, or Ctrl+C.

    Parameters
    ----------
    options : mapping
        The options parsed by a parser with :func:`add_label_studio_arguments`.

    Raises
    ------
    CommandError
        If an option is missing or invalid, or Label Studio refuses.
    """
    from skactive.labeling.label_studio import LabelStudioBridge  # late: not for the parser

    token, campaign = _read_token(options), read_campaign(options)
    resume = _describe_resume(campaign.store, options["url"])
    with campaign.open() as session, warnings.catch_warnings():
        warnings.showwarning = _print_warning  # one line per warning
        settings = _resolve_settings(session.store, options)
        settings["title"] = settings["title"] or _make_title(campaign.path)
        try:
            bridge = LabelStudioBridge(
                session,
                options["url"],
                token,
                settings["project"],
                title=settings["title"],
                render=_make_render(campaign, settings["media"]),
                n_ordered=options["ordered"],
            )
            session.store.set_fact(_SETTINGS_FACT, settings)
            progress = bridge.run(options["poll"], _make_until(options["until"]), _print_line)
        except (OSError, ValueError) as error:  # a BridgeError or StoreError; an invalid address
            raise CommandError(str(error).rstrip(".")) from error
        except KeyboardInterrupt:
            raise KeyboardInterrupt(resume) from None
    _print_line(f"{progress.n_labeled} of {progress.n_rows} rows have a label; {resume}")


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


def _make_render(campaign: Any, media: str | None) -> Callable[[Any, Any], str] | None:
    """Return a function from the name of a file to its address; None for texts and tables."""
    if campaign.source.kind not in {"images", "audio"}:
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
    path = shlex.quote(str(store))
    command = f"skactive label-studio --resume {path} --url {shlex.quote(url)}"
    return f"the labels are in {path}; resume with: {command}"


def _print_line(line: str) -> None:
    print(line, flush=True)


def _print_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    _print_line(f"Warning: {message}")


def _parse_count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer >= 1, got {text!r}")
    return int(text)


def _parse_interval(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.1 <= number < 86400:
        raise argparse.ArgumentTypeError(f"expected seconds >= 0.1, got {text!r}")
    return number
