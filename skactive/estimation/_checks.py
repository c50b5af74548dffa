"""What several estimates are asked for, checked."""

from __future__ import annotations

__all__ = ["checked_confidence"]


def checked_confidence(confidence: float) -> float:
    """Return a confidence, if it is one."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(
            f"confidence must lie between 0 and 1, got {confidence!r}: 0.95 stands for 95 %."
        )
    return float(confidence)
