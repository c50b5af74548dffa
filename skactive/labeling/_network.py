"""Checks of addresses and secrets, shared by the server and the Label Studio client."""

from __future__ import annotations

from ipaddress import ip_address

__all__ = ["MIN_LINK_TOKEN", "check_api_token", "check_link_token", "is_loopback"]

MIN_LINK_TOKEN = 16  # characters


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, reachable from nowhere else.

    Parameters
    ----------
    host : str
        An address or a name; ``localhost`` and all names below it are loopback (:rfc:`6761`).

    Returns
    -------
    bool

    Examples
    --------
    >>> from skactive.labeling._network import is_loopback
    >>> [is_loopback(host) for host in ("127.0.0.2", "::1", "localhost", "labels.example")]
    [True, True, True, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        name = host.lower()
        return name == "localhost" or name.endswith(".localhost")


def check_link_token(token: str) -> str:
    """Check the secret of a link to the labeling page.

    Parameters
    ----------
    token : str
        At least 16 ASCII letters, digits, ``-`` or ``_``.

    Returns
    -------
    str
        The token.

    Raises
    ------
    ValueError
        If it is too short to be a secret, or has characters that do not belong in a link.
    """
    if len(token) < MIN_LINK_TOKEN:
        raise ValueError(
            f"The token must have at least {MIN_LINK_TOKEN} characters, got {len(token)}."
        )
    if not all(c.isascii() and (c.isalnum() or c in "-_") for c in token):
        raise ValueError("The token may contain only ASCII letters, digits, '-' and '_'.")
    return token


def check_api_token(token: str) -> str:
    """Check an API token of Label Studio, without showing it in errors.

    Parameters
    ----------
    token : str
        Printable ASCII without spaces; whitespace around it is ignored.

    Returns
    -------
    str
        The token, stripped.

    Raises
    ------
    ValueError
        If it cannot be a token.
    """
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(
            "token is empty or has invalid characters. Copy it from Account & Settings in Label "
            "Studio: a personal access token, or a legacy token."
        )
    return token
