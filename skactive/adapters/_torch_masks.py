"""Dropout draws: masks that are the same for all rows, in a module that may be changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn.modules.dropout import _DropoutNd

from skactive.adapters._torch_random import OwnRandomness
from skactive.exceptions import InvalidReadingError

__all__ = ["Masks", "get_first_argument", "list_dropouts"]

Module = torch.nn.Module


def list_dropouts(root: Module) -> list[_DropoutNd]:
    """List the dropout modules that are drawn: with p > 0, and not left out by `fixed_dropout`.

    Parameters
    ----------
    root : Module
        The module; it or a module in it may have an attribute `fixed_dropout`, patterns of the
        names (as its ``named_modules`` gives them) of dropout modules that are left out.

    Returns
    -------
    list of Module
    """
    fixed = {dropout for module in root.modules() for dropout in _list_fixed(module)}
    dropouts = (module for module in root.modules() if isinstance(module, _DropoutNd))
    return [dropout for dropout in dropouts if dropout.p > 0.0 and dropout not in fixed]


def _list_fixed(module: Module) -> list[_DropoutNd]:
    """List the dropout modules that a module's own `fixed_dropout` leaves out."""
    patterns = getattr(module, "fixed_dropout", ())
    patterns = (patterns,) if isinstance(patterns, str) else patterns
    if not isinstance(patterns, Iterable) or not all(isinstance(p, str) for p in patterns):
        raise InvalidReadingError(
            f"fixed_dropout of {type(module).__name__} must be a tuple of patterns such as "
            f"('encoder.*',), got {patterns!r}."
        )
    if not patterns:
        return []
    named = {
        name.replace("_orig_mod.", ""): part  # a compiled module has the names of the original
        for name, part in module.named_modules()
        if isinstance(part, _DropoutNd)
    }
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in named):
            raise InvalidReadingError(
                f"The pattern {pattern!r} in fixed_dropout of {type(module).__name__} matches "
                f"none of its dropout modules: {', '.join(named) or 'it has none'}."
            )
    return [d for name, d in named.items() if any(fnmatchcase(name, p) for p in patterns)]


class Masks:
    """The dropout masks of one draw: one per dropout call in a forward, the same for all rows.

    Given its mask, any kind of dropout ``f`` is affine in each element, so it is applied to rows
    as ``f(0) + rows * (f(1) - f(0))``, with ``f`` drawn for one row.

    Parameters
    ----------
    seed, draw : int
        The seed of the draws, and the number of this one.
    """

    def __init__(self, seed: int, draw: int) -> None:
        self.entropy = (seed, draw)
        self.n_rows: int | None = None
        self.calls: Counter[int] = Counter()
        self.masks: dict[Any, tuple[torch.Tensor, torch.Tensor, bool]] = {}

    @contextmanager
    def apply(self, root: Module) -> Iterator[None]:
        """Apply the masks wherever `root` drops out, inside the context."""
        with ExitStack() as hooks:
            handle = root.register_forward_pre_hook(self._start, with_kwargs=True)
            hooks.callback(handle.remove)
            for index, module in enumerate(list_dropouts(root)):
                drop = partial(self._drop, index)
                hooks.callback(module.register_forward_hook(drop, with_kwargs=True).remove)
            yield

    def _start(self, root: Module, args: Any, kwargs: Any) -> None:
        """Start a batch: its calls get the same masks as those of the batch before."""
        self.calls.clear()
        first = get_first_argument(args, kwargs)
        self.n_rows = len(first) if isinstance(first, torch.Tensor) else None

    def _drop(self, index: int, module: _DropoutNd, args: Any, kwargs: Any, _: Any) -> Any:
        rows, call = get_first_argument(args, kwargs), self.calls[index]
        self.calls[index] += 1
        self._check_first_axis(module, rows.shape)
        # One mask per call, since a module may run several times in a forward.
        key = (index, call, rows.shape[1:], rows.dtype, rows.device)
        if key not in self.masks:
            self.masks[key] = self._draw(module, rows, (*self.entropy, index, call))
        # at_zero and slope, (1, ...), are broadcast over the rows.
        at_zero, slope, in_place = self.masks[key]
        dropped = torch.addcmul(at_zero, rows, slope)
        return rows.copy_(dropped) if in_place else dropped

    def _draw(self, module: _DropoutNd, rows: torch.Tensor, entropy: tuple[int, ...]) -> Any:
        """Return f(0) and f(1) - f(0), each for one row, and whether f works in place."""
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        # Drawn on the CPU, so that the masks are the same on every device.
        dtype = torch.promote_types(rows.dtype, torch.float32)
        zero, one = (torch.full((1, *rows.shape[1:]), x, dtype=dtype) for x in (0.0, 1.0))
        mode, module.training = module.training, True
        try:
            # The same seed gives f(0) and f(1) the same mask.
            at_zero, at_one = (_call_seeded(module, x, seed) for x in (zero, one))
        finally:
            module.training = mode
        slope = at_one - at_zero
        return at_zero.to(rows), slope.to(rows), at_one is one

    def _check_first_axis(self, module: _DropoutNd, shape: torch.Size) -> None:
        """Check that the first axis counts the rows, or parts of the rows."""
        n = self.n_rows
        # Parts of rows, (n * n_parts, ...), may be dropped if no other axis has the rows' length.
        if n is None or shape[0] == n or (shape[0] % n == 0 and n not in shape[1:]):
            return
        raise InvalidReadingError(
            f"{type(module).__name__} in the net works on shape {tuple(shape)}, whose first axis "
            f"is not that of the {n} rows of the batch, so one mask cannot serve every row: let "
            "the net keep rows first (batch_first=True)."
        )


def _call_seeded(module: Module, x: torch.Tensor, seed: int) -> Any:
    # Calling the module instead of its forward would call the hook that draws.
    with OwnRandomness(seed):
        return module.forward(x)


def get_first_argument(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return a forward's first argument, by position or by name."""
    return next(iter((*args, *kwargs.values())), None)
