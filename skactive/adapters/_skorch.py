"""Adapter for skorch's nets; besides the demo, the only module that imports torch and skorch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet, NeuralNetBinaryClassifier
from torch.nn.modules.dropout import _DropoutNd

from skactive._utils.array_types import Floats
from skactive.adapters._base import ModelAdapter, register
from skactive.exceptions import InvalidReadingError

__all__: list[str] = []

Module = torch.nn.Module


@register(NeuralNet)
class NetAdapter(ModelAdapter):
    """A net: probabilities, the input of its last linear layer, and dropout draws.

    No reading changes the net or the global random state: modules are in evaluation mode, except
    for a dropout module while its mask is drawn, and get back the modes that they had before.

    Notes
    -----
    Draws come from dropout modules only: not from ``torch.nn.functional.dropout``, nor from the
    ``dropout=`` of recurrent and attention layers.
    """

    fixed_columns = True
    codes_only = True
    joint_samples = True

    def provides(self, reading: str) -> bool:
        if reading == "proba_samples":
            return self.provides("proba") and bool(self._list_dropouts())
        return super().provides(reading)

    def proba(self, Z: Any) -> Floats:
        with self._preserve_state():
            return self.model.predict_proba(Z)

    def features(self, Z: Any) -> NDArray[np.float32] | Any:
        net, last = self.model, _LastInput()
        features: NDArray[np.float32] | None = None
        n_rows, end = len(net.get_dataset(Z)), 0
        with self._preserve_state(), last.watch(net.module_):
            for _ in net.forward_iter(Z):
                batch = last.take()
                if batch is None:
                    # No layer with weights ran: the rows themselves are the features.
                    return super().features(Z)
                start, end = end, end + len(batch)
                if features is None:
                    features = np.empty((n_rows, batch.shape[1]), dtype=np.float32)
                # Counts on after n_rows (a layer that sees parts of rows), for the message below.
                if end <= n_rows:
                    features[start:end] = batch
        if end != n_rows:
            raise InvalidReadingError(
                f"The last layer of {type(net).__name__} sees {end} rows where the net is given "
                f"{n_rows}, so they are not features of the rows: pass embedder= to the learner."
            )
        return features

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        net, n_draws = self.model, self.n_draws(n_samples)
        samples: Any = None  # (n_draws, n_rows, n_classes), allocated with the first draw
        for draw in range(n_draws):
            masks = _Masks(seed, draw)
            with self._preserve_state(), masks.apply(net.module_, self._list_dropouts()):
                proba = net.predict_proba(Z)
            if samples is None:
                samples = np.empty((n_draws, *proba.shape), dtype=proba.dtype)
            samples[draw] = proba
        return samples

    def fitting(self, seed: int | None) -> AbstractContextManager[None]:
        return nullcontext() if seed is None else self._seed_generators(seed)

    @contextmanager
    def _seed_generators(self, seed: int) -> Iterator[None]:
        """Seed torch's global generators inside the context, and restore them afterwards."""
        devices = self._cuda_devices()
        with torch.random.fork_rng(devices):
            # torch.manual_seed would also seed devices that are not forked or not started.
            torch.default_generator.manual_seed(seed)
            for device in devices:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
            yield

    @contextmanager
    def _preserve_state(self) -> Iterator[None]:
        """Preserve training modes and the global random state, which a DataLoader draws from."""
        parts = self._list_modules()
        modes = {module: module.training for part in parts for module in part.modules()}
        try:
            # Not inference mode: training could not use what a module caches in its forward.
            with torch.random.fork_rng(self._cuda_devices()), torch.no_grad(), _force_eager(modes):
                yield
        finally:
            for module, training in modes.items():
                module.training = training

    def _list_modules(self) -> list[Module]:
        """Return the net's modules and criteria, including instances that were passed to it."""
        return [part for part in vars(self.model).values() if isinstance(part, Module)]

    def _list_dropouts(self) -> list[_DropoutNd]:
        """Return the dropout modules with p > 0; none if the net is not initialized."""
        module = getattr(self.model, "module_", None)
        modules = module.modules() if isinstance(module, Module) else []
        return [part for part in modules if isinstance(part, _DropoutNd) and part.p > 0.0]

    def _cuda_devices(self) -> list[torch.device]:
        """Return the CUDA devices that the net is on, or will be once it is fitted."""
        devices = {weight.device for part in self._list_modules() for weight in part.parameters()}
        if self.model.device is not None:
            devices.add(torch.device(self.model.device))
        return [device for device in devices if device.type == "cuda"]


@register(NeuralNetBinaryClassifier)
class BinaryNetAdapter(NetAdapter):
    """A net of one output unit, whose loss takes the labels 0.0 and 1.0."""

    code_type = np.float32


class _LastInput:
    """Records the input of the last executed linear layer, or else of the last with weights."""

    def __init__(self) -> None:
        self.inputs: dict[bool, torch.Tensor] = {}  # key: whether the layer is linear

    @contextmanager
    def watch(self, root: Module) -> Iterator[None]:
        with ExitStack() as hooks:
            for module in root.modules():
                # A leaf with weights stands in if no linear layer runs.
                leaf = not any(module.children()) and any(True for _ in module.parameters())
                if leaf or isinstance(module, torch.nn.Linear):
                    handle = module.register_forward_pre_hook(self._record_input, with_kwargs=True)
                    hooks.callback(handle.remove)
            yield

    def _record_input(self, module: Module, args: Any, kwargs: Any) -> None:
        self.inputs[isinstance(module, torch.nn.Linear)] = _get_first_argument(args, kwargs)

    def take(self) -> NDArray[np.float32] | None:
        """Return the input of this batch, shape (n_rows, n_dims), and forget it."""
        batch = self.inputs.get(True, self.inputs.get(False))
        self.inputs.clear()
        if batch is None:
            return None
        return batch.detach().reshape(len(batch), -1).float().cpu().numpy()


class _Masks:
    """The dropout masks of one draw: one per dropout call in a forward, the same for all rows.

    Given its mask, any kind of dropout ``f`` is affine in each element, so it is applied to rows
    as ``f(0) + rows * (f(1) - f(0))``, with ``f`` drawn for one row.
    """

    def __init__(self, seed: int, draw: int) -> None:
        self.entropy = (seed, draw)
        self.n_rows: int | None = None
        self.calls: Counter[int] = Counter()
        self.masks: dict[Any, tuple[torch.Tensor, torch.Tensor, bool]] = {}

    @contextmanager
    def apply(self, root: Module, dropouts: list[_DropoutNd]) -> Iterator[None]:
        with ExitStack() as hooks:
            handle = root.register_forward_pre_hook(self._start, with_kwargs=True)
            hooks.callback(handle.remove)
            for index, module in enumerate(dropouts):
                drop = partial(self._drop, index)
                hooks.callback(module.register_forward_hook(drop, with_kwargs=True).remove)
            yield

    def _start(self, root: Module, args: Any, kwargs: Any) -> None:
        """Start a batch: its calls get the same masks as those of the batch before."""
        self.calls.clear()
        first = _get_first_argument(args, kwargs)
        self.n_rows = len(first) if isinstance(first, torch.Tensor) else None

    def _drop(self, index: int, module: _DropoutNd, args: Any, kwargs: Any, _: Any) -> Any:
        rows, call = _get_first_argument(args, kwargs), self.calls[index]
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
            with torch.random.fork_rng([]):
                # The same seed gives f(0) and f(1) the same mask. Calling the module instead of
                # its forward would call this hook again.
                at_zero, at_one = (_call_seeded(module.forward, x, seed) for x in (zero, one))
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


def _call_seeded(forward: Callable[[torch.Tensor], Any], x: torch.Tensor, seed: int) -> Any:
    torch.default_generator.manual_seed(seed)
    return forward(x)


def _get_first_argument(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return a forward's first argument, by position or by name."""
    return next(iter((*args, *kwargs.values())), None)


def _force_eager(modules: Iterable[Module]) -> AbstractContextManager[Any]:
    """Return a context that runs compiled modules as written, since they skip hooks added later."""
    stance = getattr(torch.compiler, "set_stance", None)  # torch >= 2.6
    compiled = any(
        hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None
        for module in modules
    )
    # Only called if compiled: the first call imports the compiler, which takes seconds.
    return stance("force_eager") if compiled and stance is not None else nullcontext()
