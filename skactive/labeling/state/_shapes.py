"""Shapes of what stores hold as JSON, and the check whether a value has one.

Checksums find damage. What somebody wrote on purpose has checksums that fit, so that values are
checked before they are used.
"""

from __future__ import annotations

from types import UnionType
from typing import Any, TypeAlias, get_args

from skactive.exceptions import StoreError

__all__ = [
    "ASK",
    "IDENT",
    "MAX_SEED",
    "PLAN",
    "POOL",
    "RENAME",
    "ROUTE",
    "check_seed",
    "check_shape",
    "has_shape",
]

# A type; a list of one shape; a dict of shapes by name, where "name?" may be missing; or a tuple of
# alternatives.
Shape: TypeAlias = "type | UnionType | list[Shape] | dict[str, Shape] | tuple[Shape, ...]"

IDENT = str | int
_NOTHING = type(None)
POOL: Shape = {
    "n_rows": int, "ids": str, "rows": str, "added?": [IDENT], "changed?": [IDENT],
}  # fmt: skip
PLAN: Shape = {
    "by": str, "upto": int, "n_labels": int, "ids": [IDENT],
    "scores": (_NOTHING, [int | float | None]), "audit?": (_NOTHING, [int]), "stop?": str,
    "audit_error?": (_NOTHING, [int | float]), "n_audited?": int, "again?": [IDENT],
}  # fmt: skip
ROUTE: Shape = {
    "certificate": str, "items": [IDENT], "confidence": [int | float | None],
    "cost": [int | float], "other_cost": int | float,
}  # fmt: skip
ASK: Shape = {"items": [IDENT], "said": str}
RENAME: Shape = {"old": str | int | float | bool, "new": str | int | float | bool}
MAX_SEED = 2**32 - 1  # of NumPy's RandomState


def check_shape(source: str, value: Any, shape: Shape) -> Any:
    """Return a value of a fact or an event, or raise an error if it has another shape."""
    if has_shape(value, shape):
        return value
    raise StoreError(
        f"The {source} of the store has a content that no session stores. Use a backup of the "
        "store, or another one."
    )


def check_seed(value: Any) -> int:
    """Return the fact that is the seed, or raise an error if it is none."""
    is_seed = has_shape(value, int) and 0 <= value <= MAX_SEED
    return int(check_shape("fact seed", value, int if is_seed else ()))


def has_shape(value: Any, shape: Shape) -> bool:
    """Return whether a value has a shape."""
    if isinstance(shape, tuple):
        return any(has_shape(value, alternative) for alternative in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(has_shape(part, shape[0]) for part in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            has_shape(value[name.rstrip("?")], part)
            if name.rstrip("?") in value
            else name.endswith("?")
            for name, part in shape.items()
        )
    return isinstance(value, shape) and (not isinstance(value, bool) or _takes_booleans(shape))


def _takes_booleans(shape: Any) -> bool:
    return shape is bool or bool in get_args(shape)
