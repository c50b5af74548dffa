"""Types of command-line arguments: each turns a text into a value, or says what was expected."""

from __future__ import annotations

from argparse import ArgumentTypeError

__all__ = [
    "ESTIMATOR_NAMES",
    "parse_class_names",
    "parse_estimators",
    "parse_interval",
    "parse_n_jobs",
    "parse_port",
    "parse_positive_int",
    "parse_seed",
    "parse_share",
    "parse_strategies",
]

ESTIMATOR_NAMES = ("forest", "logistic", "mlp", "svm")

_MAX_SEED = 2**32 - 1
_MAX_PORT = 2**16 - 1
_MIN_INTERVAL, _MAX_INTERVAL = 0.1, 86400.0  # seconds


def parse_positive_int(text: str) -> int:
    """Return an integer >= 1."""
    if (number := _to_int(text)) is None or number < 1:
        raise ArgumentTypeError(f"expected an integer >= 1, got {text!r}")
    return number


def parse_n_jobs(text: str) -> int:
    """Return an integer other than 0."""
    if not (number := _to_int(text)):
        raise ArgumentTypeError(f"expected an integer other than 0, got {text!r}")
    return number


def parse_seed(text: str) -> int:
    """Return an integer from 0 to 2**32 - 1."""
    if (number := _to_int(text)) is None or not 0 <= number <= _MAX_SEED:
        raise ArgumentTypeError(f"expected an integer from 0 to {_MAX_SEED}, got {text!r}")
    return number


def parse_port(text: str) -> int:
    """Return an integer from 0 to 65535."""
    if (number := _to_int(text)) is None or not 0 <= number <= _MAX_PORT:
        raise ArgumentTypeError(f"expected a port from 0 to {_MAX_PORT}, got {text!r}")
    return number


def parse_share(text: str) -> float:
    """Return a number >= 0 and < 1."""
    if (number := _to_float(text)) is None or not 0 <= number < 1:
        raise ArgumentTypeError(f"expected a number >= 0 and < 1, got {text!r}")
    return number


def parse_interval(text: str) -> float:
    """Return a number of seconds, from 0.1 to below a day."""
    if (number := _to_float(text)) is None or not _MIN_INTERVAL <= number < _MAX_INTERVAL:
        raise ArgumentTypeError(
            f"expected seconds >= {_MIN_INTERVAL} and < {_MAX_INTERVAL:.0f}, got {text!r}"
        )
    return number


def parse_class_names(text: str) -> tuple[str, ...]:
    """Return distinct printable names, separated by commas."""
    names = _split_names(text)
    if not names:
        raise ArgumentTypeError("separate class names by commas")
    for name in names:
        if names.count(name) > 1:
            raise ArgumentTypeError(f"{name!r} occurs more than once")
        if not name.isprintable():
            raise ArgumentTypeError(f"{name!r} contains unprintable characters")
    return names


def parse_strategies(text: str) -> tuple[str, ...]:
    """Return names of strategies, separated by commas."""
    names = _split_names(text)
    if not names:
        raise ArgumentTypeError("name at least one strategy")
    return names


def parse_estimators(text: str) -> tuple[str, ...]:
    """Return distinct names of estimators, separated by commas."""
    names = tuple(dict.fromkeys(_split_names(text)))
    unknown = [name for name in names if name not in ESTIMATOR_NAMES]
    if unknown or not names:
        raise ArgumentTypeError(
            f"invalid choice: {', '.join(map(repr, unknown)) or repr(text)} (choose from "
            f"{', '.join(ESTIMATOR_NAMES)})"
        )
    return names


def _split_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _to_int(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _to_float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
