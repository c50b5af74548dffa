"""The parts of scikit-learn that are private, new or moving between versions, in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.metaestimators import _BaseComposition

try:  # scikit-learn >= 1.7
    from sklearn.utils._repr_html.estimator import _VisualBlock
except ImportError:  # scikit-learn 1.6
    from sklearn.utils._estimator_html_repr import _VisualBlock

try:  # scikit-learn >= 1.9, experimental
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:
    HAS_CALLBACKS = False

    class _NoContext:
        """A stand-in for a callback context without callbacks."""

        def subcontext(self, **kwargs: Any) -> _NoContext:
            return self

        def call_on_fit_task_begin(self, **kwargs: Any) -> _NoContext:
            return self

        def call_on_fit_task_end(self, **kwargs: Any) -> bool:
            return False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """A stand-in if this scikit-learn has no callbacks."""

        def _init_callback_context(self, **kwargs: Any) -> _NoContext:
            return _NoContext()

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return `method` unchanged."""
        return method


__all__ = [
    "HAS_CALLBACKS",
    "BaseComposition",
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "StrOptions",
    "VisualBlock",
    "check_params",
    "get_target_scale",
    "safe_indexing",
    "with_callbacks",
]

VisualBlock = _VisualBlock
BaseComposition = _BaseComposition
safe_indexing = _safe_indexing
check_params = validate_parameter_constraints


def get_target_scale(process: Any) -> Any:
    """Return the scale that a Gaussian process divided its targets by, a number or (n_outputs,)."""
    return process._y_train_std
