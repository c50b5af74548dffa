"""Prices and budgets of labeling projects: their options, and what was spent."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from skactive._utils.text import pluralize
from skactive.cli._arguments import parse_finite
from skactive.cli._errors import CommandError
from skactive.labeling._spending import Spending

__all__ = ["add_spending_arguments", "format_spending", "resolve_spending"]

# Options, by the field of Spending that they set
_OPTION_OF_FIELD = {
    "price": ("--price", "price of a label"),
    "price_per_hour": ("--price-per-hour", "price of an hour of the people who label"),
    "money": ("--budget", "money that may be spent; a message says when it is"),
    "hours": ("--budget-hours", "hours that people may take; a message says when they are over"),
}


def add_spending_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of prices and budgets, which may change from start to start.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of a command.
    """
    for name, (option, text) in _OPTION_OF_FIELD.items():
        parser.add_argument(option, dest=name, type=parse_finite, metavar="X", help=text)


def resolve_spending(options: Mapping[str, Any], recorded: Spending | None) -> Spending | None:
    """Return the prices and the budget: those recorded, with what the options change.

    Parameters
    ----------
    options : mapping
        Options that were given.
    recorded : Spending or None
        What the store records.

    Returns
    -------
    Spending or None
        None if there are no options.

    Raises
    ------
    CommandError
        If an option is wrong.
    """
    given = {name: options[name] for name in _OPTION_OF_FIELD if name in options}
    if not given:
        return None
    recorded = recorded or Spending()
    known = {name: getattr(recorded, name) for name in _OPTION_OF_FIELD}
    try:
        return Spending(**{**known, **given})
    except (TypeError, ValueError) as error:
        text = str(error)
        for name in sorted(_OPTION_OF_FIELD, key=len, reverse=True):  # say options, not fields
            if text.startswith(name):
                text = text.replace(name, _OPTION_OF_FIELD[name][0], 1)
                break
        raise CommandError(text.rstrip(".")) from error


def format_spending(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines of ``skactive status`` about money and time, and about the rest.

    Parameters
    ----------
    summary : mapping
        The summary of the project.
    """
    spent, limits = summary["spent"], summary["spending"] or {}
    if spent["n_timed"]:
        lacking = f" ({spent['n_untimed']:,} without a time)" if spent["n_untimed"] else ""
        limit = f", of {limits['hours']:g}" if limits.get("hours") else ""
        yield (
            "Hours",
            f"{spent['hours']:.3g}{limit}: {pluralize(spent['n_timed'], 'timed answer')}{lacking}",
        )
    if limits.get("price") or limits.get("price_per_hour") or spent["routed"]:
        limit = f", of {limits['money']:g}" if limits.get("money") else ""
        labels = pluralize(spent["n_labels"], "label")
        if spent["routed"]:
            labels += f" of people, and {spent['routed']:.6g} for answers of the router"
        yield "Money", f"{spent['money']:.6g}{limit}: {labels}"
    if summary["hours_left"]:
        yield "Left", f"about {summary['hours_left']:.3g} hours for the rows without a label"
